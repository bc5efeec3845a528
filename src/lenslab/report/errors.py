"""What can go wrong with a report, and what to do about it.

::

    ReportError
    ├── MissingBundleError     (LookupError)  the page's script and style sheet are not built
    └── UnwritableReportError  (OSError)      the file cannot be written at the given place
"""


class ReportError(Exception):
    """Anything that ``lenslab.report`` refuses, with one message that names the thing and the next step."""


class MissingBundleError(ReportError, LookupError):
    """The package lacks the page's script or style sheet."""


class UnwritableReportError(ReportError, OSError):
    """The report cannot be written at that place."""
