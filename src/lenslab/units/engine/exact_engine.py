"""The exact engine: one golden pass per batch, then only what can differ, with the same integers as the plain one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from lenslab.units.engine.batch import Batch
from lenslab.units.engine.float64_recheck import Float64Recheck, regrouped_rows
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.linear_tail import contributions
from lenslab.units.engine.near_ties import close, error
from lenslab.units.engine.outcome import INACTIVE, BatchOutcome, DecidedPairs, Reference, SiteOutcome
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import Replacement, SiteIntervention, spatial_mean
from lenslab.units.engine.site_plan import DELTA, LINEAR_TAIL, SUFFIX, Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

_ELEMENTS = 1 << 24
"""Numbers that the closed form may hold at once."""


_PAIRS = 8
"""On how many pairs of the first batch a path is compared with the whole rest."""


class ExactEngine:
    """Records one clean pass, skips units that are silent anyway, and resumes from the cut for the others."""

    def __init__(self, trace: Trace, plans: Sequence[Plan], device: torch.device, top: int | None = None) -> None:
        self._trace = trace
        self._plans = list(plans)
        self._program = trace.program(device, fast=True)
        self._recheck = Float64Recheck(trace, device, top)
        self._checked = False
        self._seen: tuple[Tensor, Reference, Golden] | None = None

    def run(self, batch: Batch, sites: Collection[str] | None = None) -> BatchOutcome:
        """Silence every unit of every site, or of those that are named, on a batch."""
        reference, golden = self._clean_pass(batch)
        plans = [plan for plan in self._plans if sites is None or plan.site.name in sites]
        return BatchOutcome(reference, self._sites(batch, plans, reference, golden))

    def _clean_pass(self, batch: Batch) -> tuple[Reference, Golden]:
        """Run the network once with every unit in place; all groups of sites and draws of a batch share the pass."""
        if self._seen is None or self._seen[0] is not batch.inputs:
            self._seen = None  # before the next one is made, so that two are never in memory
            reference = self._recheck.reference(batch)
            names = dict.fromkeys(name for plan in self._plans for name in (plan.site.name, plan.cut))
            golden = self._golden(batch.inputs, [*names])
            if not self._checked:
                self._check(golden, reference)
                self._plans = [self._believed(plan, golden, batch) for plan in self._plans]
                self._checked = True
            self._seen = batch.inputs, reference, golden
        return self._seen[1:]

    def _golden(self, inputs: Tensor, names: list[str]) -> Golden:
        dense = {plan.cut for plan in self._plans if plan.path == DELTA}
        if not dense:
            return self._program.golden(inputs, names)
        assert isinstance(self._program, FxProgram)  # only of a traced network is known what follows
        return self._program.golden(inputs, names, dense)

    def _sites(
        self, batch: Batch, plans: Sequence[Plan], reference: Reference, golden: Golden
    ) -> Iterator[SiteOutcome]:
        for plan in plans:
            means = spatial_mean(golden.values[plan.site.name], plan.intervention_on(batch))
            pieces = self._decisions(batch, plan, reference, golden)
            yield SiteOutcome(plan.site.name, means, [piece for some in pieces for piece in some])

    def decisions(self, batch: Batch, site: str) -> Iterator[list[DecidedPairs]]:
        """Decide the pairs of one site in small pieces: those that are inactive first, then chunk by chunk."""
        reference, golden = self._clean_pass(batch)
        (plan,) = (each for each in self._plans if each.site.name == site)
        return self._decisions(batch, plan, reference, golden)

    def _decisions(
        self, batch: Batch, plan: Plan, reference: Reference, golden: Golden
    ) -> Iterator[list[DecidedPairs]]:
        intervention = plan.intervention_on(batch)
        different = intervention.differs(golden.values[plan.cut])
        rows, units = (~different).nonzero(as_tuple=True)
        yield [DecidedPairs(INACTIVE, rows, units, reference.predictions[rows], reference.margin[rows])]
        for rows, units, logits in self._logits(plan, intervention, golden, different):
            yield self._recheck.decided(logits, batch, plan.cut, rows, units, path=plan.path, intervention=intervention)

    def _logits(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, different: Tensor
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        if plan.path == LINEAR_TAIL:
            yield from self._closed_form(plan, intervention, golden, different)
            return
        if plan.path == DELTA:
            yield from self._changes(plan, intervention, golden, different)
            return
        rows, units = different.nonzero(as_tuple=True)
        size = len(golden.inputs)
        for some_rows, some_units in zip(torch.split(rows, size), torch.split(units, size), strict=True):
            if len(some_rows):
                logits = self._program.resumed_logits(golden, plan.cut, some_rows, some_units, intervention)
                yield some_rows, some_units, logits

    def _changes(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, different: Tensor
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        assert isinstance(self._program, FxProgram)
        units, rows = different.T.nonzero(as_tuple=True)  # unit by unit
        size = self._program.pairs_at_once(golden, plan.cut)
        for some_rows, some_units in zip(torch.split(rows, size), torch.split(units, size), strict=True):
            if len(some_rows):
                yield some_rows, some_units, self._changed(plan, intervention, golden, some_rows, some_units)

    def _changed(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, rows: Tensor, units: Tensor
    ) -> Tensor:
        assert isinstance(self._program, FxProgram)
        assert isinstance(intervention, Replacement)  # one unit changes, and no other
        return self._program.changed_logits(golden, plan.cut, rows, units, intervention)

    def _closed_form(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, different: Tensor
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        assert isinstance(intervention, Replacement)  # the closed form is for single units
        value = golden.values[plan.cut]
        features = self._features(plan, golden, value) - self._features(plan, golden, intervention.everywhere(value))
        layer = self._last_layer(plan)
        size = max(1, _ELEMENTS // (plan.site.units * self._trace.classes))
        for start in range(0, len(features), size):
            rows, units = different[start : start + size].nonzero(as_tuple=True)
            if len(rows):
                taken = contributions(features[start : start + size], layer, plan.site.units)
                yield start + rows, units, golden.logits[start + rows] - taken[rows, units]

    def _features(self, plan: Plan, golden: Golden, value: Tensor) -> Tensor:
        assert isinstance(self._program, FxProgram)  # only a traced network has tails
        return self._program.features(golden, plan.cut, self._trace.tails[plan.cut].features, value)

    def _last_layer(self, plan: Plan) -> nn.Linear:
        assert isinstance(self._program, FxProgram)
        layer = self._program.layer(self._trace.tails[plan.cut].layer)
        assert isinstance(layer, nn.Linear)
        return layer

    def _believed(self, plan: Plan, golden: Golden, batch: Batch) -> Plan:
        """Take a shorter path only where it gives the network's own logits; a hook on a layer, say, breaks it."""
        if plan.path == DELTA:
            return plan if self._agrees(plan, golden, batch) else replace(plan, path=SUFFIX)
        if plan.path != LINEAR_TAIL:
            return plan
        layer = self._last_layer(plan)
        logits = layer.forward(self._features(plan, golden, golden.values[plan.cut]))
        return plan if close(logits, golden.logits, self._recheck.band) else replace(plan, path=SUFFIX)

    def _agrees(self, plan: Plan, golden: Golden, batch: Batch) -> bool:
        """Tell whether a change in one channel gives what the whole rest gives, on a few pairs of different units."""
        intervention = plan.intervention_on(batch)
        units, rows = intervention.differs(golden.values[plan.cut]).T.nonzero(as_tuple=True)
        if not len(rows):
            return False  # what was never compared is not believed
        some = torch.linspace(0, len(rows) - 1, min(_PAIRS, len(rows), len(golden.inputs))).long()
        rows, units = rows[some], units[some]
        changed = self._changed(plan, intervention, golden, rows, units)
        whole = self._program.resumed_logits(golden, plan.cut, rows, units, intervention)
        return close(changed, whole, self._recheck.band)

    def _check(self, golden: Golden, reference: Reference) -> None:
        """Resume from every site with nothing silenced and the batch regrouped, which must change nothing."""
        rows = regrouped_rows(len(golden.inputs)).to(golden.inputs.device)
        answers = {"a trace": golden.logits[rows]}
        for plan in self._plans:
            answers[f"site {plan.cut!r}"] = self._program.resumed_logits(golden, plan.cut, rows, None)
        for where, logits in answers.items():
            if not close(logits, reference.logits[rows], self._recheck.band):
                off = error(logits, reference.logits[rows])
                raise UnsupportedNetworkError(
                    f"resumed from {where}, the network gives another answer than by itself (off by {off:.1e} of the "
                    "logits' scale): it may mix the images of a batch or overwrite its own values. "
                    "Use --engine plain, or name other sites"
                )
