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
from lenslab.units.engine.site_plan import LINEAR_TAIL, SUFFIX, Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

_ELEMENTS = 1 << 24
"""Numbers that the closed form may hold at once."""


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
            golden = self._program.golden(batch.inputs, [*names])
            if not self._checked:
                self._check(golden, reference)
                self._plans = [self._believed(plan, golden) for plan in self._plans]
                self._checked = True
            self._seen = batch.inputs, reference, golden
        return self._seen[1:]

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
        rows, units = different.nonzero(as_tuple=True)
        size = len(golden.inputs)
        for some_rows, some_units in zip(torch.split(rows, size), torch.split(units, size), strict=True):
            if len(some_rows):
                logits = self._program.resumed_logits(golden, plan.cut, some_rows, some_units, intervention)
                yield some_rows, some_units, logits

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

    def _believed(self, plan: Plan, golden: Golden) -> Plan:
        """Take a closed form only where it gives the network's own logits; a hook on the last layer, say, breaks it."""
        if plan.path != LINEAR_TAIL:
            return plan
        layer = self._last_layer(plan)
        logits = layer.forward(self._features(plan, golden, golden.values[plan.cut]))
        return plan if close(logits, golden.logits, self._recheck.band) else replace(plan, path=SUFFIX)

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
