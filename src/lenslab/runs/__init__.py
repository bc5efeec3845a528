"""What does a finished run say? Its intervention, sites, tables, statistics and comparisons, without the network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.runs.comparison import Comparison
    from lenslab.runs.curve import Curve, read_curve
    from lenslab.runs.errors import UnitsError
    from lenslab.runs.intervention import Intervention
    from lenslab.runs.run import Run, newest, read
    from lenslab.runs.screening import Screening

_HOMES = {
    "Comparison": "comparison",
    "Curve": "curve",
    "Intervention": "intervention",
    "Run": "run",
    "Screening": "screening",
    "UnitsError": "errors",
    "newest": "run",
    "read": "run",
    "read_curve": "curve",
}

__all__ = ["Comparison", "Curve", "Intervention", "Run", "Screening", "UnitsError", "newest", "read", "read_curve"]


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; pandas and scipy come with the first name that needs them.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
