"""How much does one unit matter? Silence every unit of a CNN and measure what it costs, overall and per class."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenslab.runs.run import Run
    from lenslab.units.ablation import Ablation, ablate
    from lenslab.units.attribute_measurement import measure_attributes
    from lenslab.units.engine.trace import trace
    from lenslab.units.errors import UnitsError
    from lenslab.units.images import Images, open_images
    from lenslab.units.images.preprocessing import Preprocessing
    from lenslab.units.networks import Network, load
    from lenslab.units.screening.screening import screen
    from lenslab.units.silencing.silenced_network import silenced
    from lenslab.units.silencing.unit_masks import Mask

_HOMES = {
    "Ablation": "lenslab.units.ablation",
    "Images": "lenslab.units.images",
    "Mask": "lenslab.units.silencing.unit_masks",
    "Network": "lenslab.units.networks",
    "Preprocessing": "lenslab.units.images.preprocessing",
    "Run": "lenslab.runs.run",
    "UnitsError": "lenslab.units.errors",
    "ablate": "lenslab.units.ablation",
    "load": "lenslab.units.networks",
    "measure_attributes": "lenslab.units.attribute_measurement",
    "open_images": "lenslab.units.images",
    "screen": "lenslab.units.screening.screening",
    "silenced": "lenslab.units.silencing.silenced_network",
    "trace": "lenslab.units.engine.trace",
}

__all__ = [
    "Ablation",
    "Images",
    "Mask",
    "Network",
    "Preprocessing",
    "Run",
    "UnitsError",
    "ablate",
    "load",
    "measure_attributes",
    "open_images",
    "screen",
    "silenced",
    "trace",
]


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; torch comes with the first name that needs it.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
