"""How a site's units will be silenced, and what it is expected to cost, decided before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace

LINEAR_TAIL = "linear tail"
SUFFIX = "suffix"
WHOLE = "whole network"


@dataclass(frozen=True)
class Plan:
    """What happens at one site.

    Attributes:
        site: the site.
        path: ``"linear tail"`` (the closed form, nothing is run), ``"suffix"`` (only what follows from the site is
            run), or ``"whole network"``.
        cost: multiply-accumulates per pair of unit and image; ``None`` where nothing is known about the network.
    """

    site: Site
    path: str
    cost: int | None


def plan(trace: Trace, sites: Sequence[Site], *, engine: str) -> tuple[Plan, ...]:
    """Decide how each site's units will be silenced.

    Args:
        trace: the network seen from inside.
        sites: the chosen sites.
        engine: ``"exact"`` takes the cheapest exact way, ``"plain"`` always runs the whole network.

    Returns:
        One plan per site, in the order given.
    """
    return tuple(_plan(trace, site, engine) for site in sites)


def _plan(trace: Trace, site: Site, engine: str) -> Plan:
    if engine == "plain" or trace.graph is None:
        return Plan(site, WHOLE, trace.costs.get(""))
    if site.name in trace.tails:
        return Plan(site, LINEAR_TAIL, trace.tails[site.name].cost(trace.classes))
    return Plan(site, SUFFIX, trace.costs[site.name])
