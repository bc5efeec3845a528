"""The plain engine: one run of the whole network per unit. Slow, and the reference for every other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor

from lenslab.units.engine.batch import Batch
from lenslab.units.engine.float64_recheck import Float64Recheck
from lenslab.units.engine.outcome import BatchOutcome, DecidedPairs, Reference, SiteOutcome
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import spatial_mean
from lenslab.units.engine.site_plan import WHOLE, Plan
from lenslab.units.engine.trace import Trace


class PlainEngine:
    """Silences one unit after the other and runs the whole network every time."""

    def __init__(self, trace: Trace, plans: Sequence[Plan], device: torch.device, top: int | None = None) -> None:
        self._plans = plans
        self._program = trace.program(device)
        self._recheck = Float64Recheck(trace, device, top)
        self._seen: tuple[Tensor, Golden, Reference] | None = None

    def run(self, batch: Batch, sites: Collection[str] | None = None) -> BatchOutcome:
        """Silence every unit of every site, or of those that are named, on a batch."""
        plans = [plan for plan in self._plans if sites is None or plan.site.name in sites]
        if self._seen is None or self._seen[0] is not batch.inputs:
            golden = self._program.golden(batch.inputs, [plan.site.name for plan in self._plans])
            self._seen = batch.inputs, golden, self._recheck.reference(batch)
        _, golden, reference = self._seen
        return BatchOutcome(golden, reference, self._sites(batch, plans, golden))

    def _sites(self, batch: Batch, plans: Sequence[Plan], golden: Golden) -> Iterator[SiteOutcome]:
        for plan in plans:
            means = spatial_mean(golden.values[plan.site.name], plan.intervention_on(batch))
            yield SiteOutcome(plan.site.name, means, [*self._decisions(batch, plan)])

    def decisions(self, batch: Batch, site: str, units: Sequence[int] | None = None) -> Iterator[DecidedPairs]:
        """Decide the pairs of one site, or of some of its units, unit by unit."""
        (plan,) = (each for each in self._plans if each.site.name == site)
        return self._decisions(batch, plan, units)

    def _decisions(self, batch: Batch, plan: Plan, wanted: Sequence[int] | None = None) -> Iterator[DecidedPairs]:
        rows, intervention = torch.arange(len(batch), device=batch.inputs.device), plan.intervention_on(batch)
        for unit in range(plan.count) if wanted is None else wanted:
            units = torch.full_like(rows, unit)
            logits = self._program.ablated_logits(batch.inputs, plan.cut, units, intervention)
            yield from self._recheck.decided(
                logits, batch, plan.cut, rows, units, path=WHOLE, intervention=intervention
            )
