"""How much does one unit matter? Silence every unit of a CNN and measure what it costs, overall and per class."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.units.ablation import Run, ablate, answer
    from lenslab.units.comparison import Comparison, compare
    from lenslab.units.curves import Curve, CurveQuestion, answer_curve, ask_curve, curve, read_curve
    from lenslab.units.engine.sites import Site, select
    from lenslab.units.engine.trace import Trace, trace
    from lenslab.units.errors import UnitsError
    from lenslab.units.evidence import destinations, units_for
    from lenslab.units.images import Images, open_images
    from lenslab.units.masks import apply_mask, export_mask, read_mask
    from lenslab.units.networks import Network, load, network_of
    from lenslab.units.preprocessing import Preprocessing
    from lenslab.units.question import Question, ask
    from lenslab.units.silence import all_but
    from lenslab.units.silencing import ablated, silenced

_HOMES = {
    "ablation": ("Run", "ablate", "answer"),
    "comparison": ("Comparison", "compare"),
    "curves": ("Curve", "CurveQuestion", "answer_curve", "ask_curve", "curve", "read_curve"),
    "engine.sites": ("Site", "select"),
    "engine.trace": ("Trace", "trace"),
    "errors": ("UnitsError",),
    "evidence": ("destinations", "units_for"),
    "images": ("Images", "open_images"),
    "masks": ("apply_mask", "export_mask", "read_mask"),
    "networks": ("Network", "load", "network_of"),
    "preprocessing": ("Preprocessing",),
    "question": ("Question", "ask"),
    "silence": ("all_but",),
    "silencing": ("ablated", "silenced"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Comparison",
    "Curve",
    "CurveQuestion",
    "Images",
    "Network",
    "Preprocessing",
    "Question",
    "Run",
    "Site",
    "Trace",
    "UnitsError",
    "ablate",
    "ablated",
    "all_but",
    "answer",
    "answer_curve",
    "apply_mask",
    "ask",
    "ask_curve",
    "compare",
    "curve",
    "destinations",
    "export_mask",
    "load",
    "network_of",
    "open_images",
    "read_curve",
    "read_mask",
    "select",
    "silenced",
    "trace",
    "units_for",
]


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; torch comes with the first name that needs it.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
