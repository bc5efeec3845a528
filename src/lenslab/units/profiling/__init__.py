"""Attributes: what can be said of a unit without silencing it. The formulas need numpy only; measuring needs torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.runs.attributes.attribute_tables import attribute_table, class_table
    from lenslab.runs.attributes.concept_overlap import Alignment
    from lenslab.runs.attributes.profile import Profile
    from lenslab.units.attribute_measurement import measure, measure_classes
    from lenslab.units.profiling.concept_alignment import align
    from lenslab.units.profiling.profiler import profile

_HOMES = {
    "attribute_table": "lenslab.runs.attributes.attribute_tables",
    "class_table": "lenslab.runs.attributes.attribute_tables",
    "Alignment": "lenslab.runs.attributes.concept_overlap",
    "Profile": "lenslab.runs.attributes.profile",
    "align": "lenslab.units.profiling.concept_alignment",
    "measure": "lenslab.units.attribute_measurement",
    "measure_classes": "lenslab.units.attribute_measurement",
    "profile": "lenslab.units.profiling.profiler",
}

__all__ = [
    "Alignment",
    "Profile",
    "align",
    "attribute_table",
    "class_table",
    "measure",
    "measure_classes",
    "profile",
]


def __getattr__(name: str) -> Any:
    """Import a name's module when it is first asked for (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
