"""A run on one page: its record as a single file that opens anywhere, with tables, charts and the units' pictures."""

from lenslab.report.errors import MissingBundleError, NotARunError, ReportError, UnwritableReportError
from lenslab.report.report import run_of, write

__all__ = [
    "MissingBundleError",
    "NotARunError",
    "ReportError",
    "UnwritableReportError",
    "run_of",
    "write",
]
