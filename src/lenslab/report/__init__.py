"""A run or a screening on one page: its record as a single file that opens anywhere, with tables, charts, pictures."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lenslab.report.errors import MissingBundleError, ReportError, UnwritableReportError

if TYPE_CHECKING:
    from lenslab.report.report import measured, write

__all__ = ["MissingBundleError", "ReportError", "UnwritableReportError", "measured", "write"]


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; pandas and scipy come with the functions.
    if name in ("measured", "write"):
        return getattr(importlib.import_module("lenslab.report.report"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
