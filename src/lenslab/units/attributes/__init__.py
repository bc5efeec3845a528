"""Attributes: what can be said of a unit without silencing it. The formulas need numpy only; measuring needs torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.units.attributes.alignment import align
    from lenslab.units.attributes.concepts import Alignment
    from lenslab.units.attributes.measurement import measure, measure_classes
    from lenslab.units.attributes.profiler import profile
    from lenslab.units.attributes.profiles import Profile
    from lenslab.units.attributes.table import attribute_table, class_table

_HOMES = {
    "align": "alignment",
    "Alignment": "concepts",
    "measure": "measurement",
    "measure_classes": "measurement",
    "Profile": "profiles",
    "profile": "profiler",
    "attribute_table": "table",
    "class_table": "table",
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
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
