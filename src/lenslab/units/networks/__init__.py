"""Networks: a small catalogue, the user's own, and how they are loaded. The catalogue itself needs no torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lenslab.units.networks.catalogue import OTHER_SOURCES, entry, networks, shipped_weights_for
from lenslab.units.networks.catalogue_entry import Entry, OtherSource, PackagedWeights, ShippedWeights

if TYPE_CHECKING:
    from lenslab.units.networks.loading import load
    from lenslab.units.networks.network import Network, network_of

__all__ = [
    "OTHER_SOURCES",
    "Entry",
    "Network",
    "OtherSource",
    "PackagedWeights",
    "ShippedWeights",
    "entry",
    "load",
    "network_of",
    "networks",
    "shipped_weights_for",
]

_LATER = {"load": "loading", "Network": "network", "network_of": "network"}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for (PEP 562)."""
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
