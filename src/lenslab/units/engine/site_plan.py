"""How a site's units will be silenced, and what it is expected to cost, decided before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch

from lenslab.units.engine.batch import Batch
from lenslab.units.engine.execution import EAGER, PLAIN, Execution, execution_of
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

LINEAR_TAIL = "linear tail"
LOW_RANK_UPDATE = "low-rank update"
SUFFIX = "suffix"
WHOLE = "whole network"

_WORTH = 0.9
"""Of what running the whole rest costs, what a path that takes more steps may cost to be taken."""

_ROUGH_COST = 800_000
"""Pairs of fewer multiply-accumulates are decided in float32 at once: auditing bfloat16 costs more than it saves."""


@dataclass(frozen=True)
class Plan:
    """What happens at one site.

    Attributes:
        site: The site.
        path: ``"linear tail"`` (the closed form, nothing is run), ``"low-rank update"`` (what changes of the first
            dense layers behind the site, and what follows from them), ``"suffix"`` (only what follows from the site is
            run), or ``"whole network"``.
        cost: Multiply-accumulates per pair of unit and image; ``None`` where nothing is known about the network.
        cut: The name of the site whose value is replaced: the site itself, or its filters' own output.
        intervention: What is silenced there; single units by default.
        execution: How what follows is run.
    """

    site: Site
    path: str
    cost: int | None
    cut: str
    intervention: SiteIntervention = ZERO_REPLACEMENT
    execution: Execution = PLAIN

    @property
    def count(self) -> int:
        """How many targets are silenced."""
        return self.intervention.count(self.site.units)

    def on_device(self, kind: str, executor: str, images: int, precision: torch.dtype = torch.float32) -> Plan:
        """Give the same for a kind of device, ``"cuda"`` for instance, where so many images are run."""
        return _executed(self, images, executor, precision, kind)

    def intervention_on(self, batch: Batch) -> SiteIntervention:
        """Give what is silenced on a batch, with the batch's own fills where it brings some."""
        fill = batch.fills.get(self.cut)
        return self.intervention if fill is None else self.intervention.with_fill(fill)


def plan(
    trace: Trace,
    sites: Sequence[Site],
    *,
    engine: str,
    at_filters: bool = False,
    interventions: Mapping[str, SiteIntervention] = MappingProxyType({}),
    images: int = 0,
    executor: str = EAGER,
    precision: torch.dtype = torch.float32,
) -> tuple[Plan, ...]:
    """Decide how each site's units will be silenced.

    Args:
        trace: The network.
        sites: Where.
        engine: ``"exact"`` takes the cheapest exact way, ``"plain"`` always runs the whole network.
        at_filters: The filters' own output is silenced (weights and bias 0) in place of the site's value.
        interventions: What is silenced, by the name of the site; by default each unit becomes 0.
        images: On how many images, every draw counted.
        executor: What runs the rest of the network where that is worth it, see `execution_of`.
        precision: In which pairs are decided first.
    """
    return tuple(
        _executed(
            _plan(
                trace,
                site,
                engine,
                _source(site) if at_filters else site.name,
                interventions.get(site.name, ZERO_REPLACEMENT),
            ),
            images,
            executor,
            precision,
        )
        for site in sites
    )


def _executed(planned: Plan, images: int, executor: str, precision: torch.dtype, device: str = "cpu") -> Plan:
    if planned.path not in (SUFFIX, LOW_RANK_UPDATE):
        return planned
    cost = planned.cost or 0
    first = precision if cost >= _ROUGH_COST else torch.float32
    return replace(planned, execution=execution_of(executor, images * planned.count * cost, first, device))


def _plan(trace: Trace, site: Site, engine: str, cut: str, intervention: SiteIntervention) -> Plan:
    if engine == "plain" or trace.graph is None:
        return Plan(site, WHOLE, trace.costs.get(""), cut, intervention)
    if cut in trace.tails:
        return Plan(site, LINEAR_TAIL, trace.tails[cut].cost(trace.classes), cut, intervention)
    update = trace.updates[cut].of(intervention, site.units) if cut in trace.updates else None
    if update is not None and update < _WORTH * trace.costs[cut]:
        return Plan(site, LOW_RANK_UPDATE, update, cut, intervention)
    return Plan(site, SUFFIX, trace.costs[cut], cut, intervention)


def _source(site: Site) -> str:
    if site.source is None:
        raise UnsupportedNetworkError(
            f"no convolution or linear layer is seen to make the units of site {site.name!r}, so its filters cannot be "
            "set to zero; name that layer's own output as the site, or use another replacement"
        )
    return site.source
