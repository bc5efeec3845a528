"""How much does one unit matter? Silence every unit of a CNN and measure what it costs, overall and per class."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.runs.comparison import Comparison, compare
    from lenslab.runs.needed_units import destinations, units_for
    from lenslab.units.ablation import Run, ablate, answer
    from lenslab.units.attribute_measurement import align_concepts, measure_attributes, measure_class_attributes
    from lenslab.units.curves import Curve, CurveQuestion, answer_curve, ask_curve, curve, read_curve
    from lenslab.units.engine.sites import Site, select
    from lenslab.units.engine.trace import Trace, trace
    from lenslab.units.errors import UnitsError
    from lenslab.units.images import Images, open_images
    from lenslab.units.images.concept_masks import ConceptImages, open_concept_images
    from lenslab.units.images.preprocessing import Preprocessing
    from lenslab.units.images.preprocessing_files import read_preprocessing
    from lenslab.units.networks import Network, load, network_of
    from lenslab.units.question import Question, ask
    from lenslab.units.silencing.silenced_network import ablated, silenced
    from lenslab.units.silencing.unit_masks import apply_mask, export_mask, read_mask

_HOMES = {
    "lenslab.runs.comparison": (
        "Comparison",
        "compare",
    ),
    "lenslab.runs.needed_units": (
        "destinations",
        "units_for",
    ),
    "lenslab.units.ablation": (
        "Run",
        "ablate",
        "answer",
    ),
    "lenslab.units.attribute_measurement": (
        "align_concepts",
        "measure_attributes",
        "measure_class_attributes",
    ),
    "lenslab.units.curves": (
        "Curve",
        "CurveQuestion",
        "answer_curve",
        "ask_curve",
        "curve",
        "read_curve",
    ),
    "lenslab.units.engine.sites": (
        "Site",
        "select",
    ),
    "lenslab.units.engine.trace": (
        "Trace",
        "trace",
    ),
    "lenslab.units.errors": ("UnitsError",),
    "lenslab.units.images": (
        "Images",
        "open_images",
    ),
    "lenslab.units.images.concept_masks": (
        "ConceptImages",
        "open_concept_images",
    ),
    "lenslab.units.images.preprocessing": ("Preprocessing",),
    "lenslab.units.images.preprocessing_files": ("read_preprocessing",),
    "lenslab.units.networks": (
        "Network",
        "load",
        "network_of",
    ),
    "lenslab.units.question": (
        "Question",
        "ask",
    ),
    "lenslab.units.silencing.silenced_network": (
        "ablated",
        "silenced",
    ),
    "lenslab.units.silencing.unit_masks": (
        "apply_mask",
        "export_mask",
        "read_mask",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Comparison",
    "ConceptImages",
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
    "align_concepts",
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
    "measure_attributes",
    "measure_class_attributes",
    "network_of",
    "open_concept_images",
    "open_images",
    "read_curve",
    "read_mask",
    "read_preprocessing",
    "select",
    "silenced",
    "trace",
    "units_for",
]


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; torch comes with the first name that needs it.
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
