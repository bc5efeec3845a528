"""The exact engine: one golden pass per batch, then only what can differ, with the same integers as the plain one."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from lenslab.units.engine.audit import BFLOAT16, Audit, audit, drawn
from lenslab.units.engine.batch import Batch
from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.float64_recheck import Float64Recheck, regrouped_rows
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.linear_tail import ClosedForm
from lenslab.units.engine.near_ties import close, error
from lenslab.units.engine.outcome import INACTIVE, BatchOutcome, DecidedPairs, Reference, SiteOutcome
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import SiteIntervention, spatial_mean
from lenslab.units.engine.site_plan import LINEAR_TAIL, LOW_RANK_UPDATE, SUFFIX, Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

_ELEMENTS = 1 << 19
"""Numbers that the closed form holds at once: what is decided of them then comes from the cache."""

_PAIRS = 2048
"""So many pairs are run, and then decided together."""

_COMPARED = 8
"""On how many pairs of the first batch a plan is compared with torch running the whole rest."""


Logits: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""The rows and units of some pairs, and their logits."""


class ExactEngine:
    """Records one clean pass, skips units that are silent anyway, and resumes from the cut for the others."""

    def __init__(
        self,
        trace: Trace,
        plans: Sequence[Plan],
        device: torch.device,
        top: int | None = None,
        clean: Execution = PLAIN,
    ) -> None:
        self._trace = trace
        self._plans = list(plans)
        self._clean = clean
        self._program = trace.program(device, fast=True)
        self._recheck = Float64Recheck(trace, device, top, resumes=True)
        self._checked = False
        self._seen: tuple[Tensor, Golden, Reference] | None = None

    def run(self, batch: Batch, sites: Collection[str] | None = None) -> BatchOutcome:
        """Silence every unit of every site, or of those that are named, on a batch."""
        golden, reference = self._clean_pass(batch)
        plans = [plan for plan in self._plans if sites is None or plan.site.name in sites]
        return BatchOutcome(golden, reference, self._sites(batch, plans, golden, reference))

    def _clean_pass(self, batch: Batch) -> tuple[Golden, Reference]:
        """Run the network once with every unit in place; all groups of sites and draws of a batch share the pass."""
        if self._seen is None or self._seen[0] is not batch.inputs:
            self._seen = None  # before the next one is made, so that two are never in memory
            golden = self._golden(batch.inputs)
            if not self._checked:
                golden = self._check(golden, batch)
                self._plans = [self._believed(plan, golden, batch) for plan in self._plans]
                self._checked = True
            self._seen = batch.inputs, golden, self._recheck.reference(batch, golden.logits)
        return self._seen[1:]

    def _golden(self, inputs: Tensor) -> Golden:
        names = dict.fromkeys(name for plan in self._plans for name in (plan.site.name, plan.cut))
        updated = [plan.cut for plan in self._plans if plan.path == LOW_RANK_UPDATE]
        return self._program.golden(inputs, [*names], updated, self._clean)

    def _sites(
        self, batch: Batch, plans: Sequence[Plan], golden: Golden, reference: Reference
    ) -> Iterator[SiteOutcome]:
        for plan in plans:
            means = spatial_mean(golden.values[plan.site.name], plan.intervention_on(batch))
            outcome = SiteOutcome(plan.site.name, means)
            outcome.decided += self._decisions(batch, plan, golden, reference, outcome.audits)
            yield outcome

    def decisions(self, batch: Batch, site: str, units: Sequence[int] | None = None) -> Iterator[DecidedPairs]:
        """Decide the pairs of one site, or of some of its units, in pieces: those that are inactive come first."""
        golden, reference = self._clean_pass(batch)
        (plan,) = (each for each in self._plans if each.site.name == site)
        return self._decisions(batch, plan, golden, reference, [], units)

    def decided(self, batch: Batch, site: str, rows: Tensor, units: Tensor) -> Iterator[DecidedPairs]:
        """Decide these pairs of one site and no others, in pieces: ``units[i]`` silenced on image ``rows[i]``."""
        golden, _ = self._clean_pass(batch)
        (plan,) = (each for each in self._plans if each.site.name == site)
        intervention, order = plan.intervention_on(batch), units.argsort(stable=True)
        for some, some_units, logits in self._exactly(
            _in_float32(plan), intervention, golden, rows[order], units[order]
        ):
            yield from self._recheck.decided(
                logits, batch, plan.cut, some, some_units, path=plan.path, intervention=intervention
            )

    def reference(self, batch: Batch) -> Reference:
        """Decide a batch with every unit in place."""
        return self._clean_pass(batch)[1]

    def _decisions(
        self,
        batch: Batch,
        plan: Plan,
        golden: Golden,
        reference: Reference,
        audits: list[Audit],
        wanted: Sequence[int] | None = None,
    ) -> Iterator[DecidedPairs]:
        intervention = plan.intervention_on(batch)
        different = intervention.differs(golden.values[plan.cut])
        asked = torch.ones_like(different)
        if wanted is not None:
            asked[:, torch.ones(plan.count).index_fill(0, torch.tensor(list(wanted)), 0).bool()] = False
        rows, units = (asked & ~different).nonzero(as_tuple=True)
        different = asked & different
        yield DecidedPairs(INACTIVE, rows, units, reference.predictions[rows], reference.margin[rows])
        if plan.path == LINEAR_TAIL:
            found = self._closed_form(plan, intervention, golden, different)
        elif plan.execution.precision is torch.bfloat16:
            found = yield from self._roughly(batch, plan, intervention, golden, different, audits)
        else:
            found = self._exactly(plan, intervention, golden, *_by_unit(different))
        near_ties = []
        for rows, units, logits in found:
            sure, near = self._recheck.sure(logits, batch, plan.cut, rows, units, path=plan.path)
            near_ties.append((rows[near], units[near]))
            yield sure
        if near_ties:
            rows, units = map(torch.cat, zip(*near_ties, strict=True))
            if len(rows):
                yield self._recheck.decided_in_float64(batch, plan.cut, rows, units, intervention)

    def _roughly(
        self,
        batch: Batch,
        plan: Plan,
        intervention: SiteIntervention,
        golden: Golden,
        different: Tensor,
        audits: list[Audit],
    ) -> Generator[DecidedPairs, None, Iterator[Logits]]:
        """Decide what bfloat16 can decide, and give the other pairs with their logits in float32."""
        (rows, units), exact = _by_unit(different), _in_float32(plan)
        places = drawn(len(rows), seed=int(batch.numbers[0]))
        if places is None:
            return self._exactly(exact, intervention, golden, rows, units)
        some = rows[places], units[places]
        high = self._run(exact, intervention, golden, *some)
        low = self._run(plan, intervention, golden, *some)
        found = audit(low, high, batch.labels[some[0]], self._recheck.band)
        audits.append(found)
        left = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
        left[places] = False
        (others,) = left.nonzero(as_tuple=True)
        for few in torch.split(others, _PAIRS) if found.passed else ():
            logits = self._run(plan, intervention, golden, rows[few], units[few])
            sure, unsure = self._recheck.roughly(logits, batch, rows[few], units[few], path=BFLOAT16, band=found.band)
            left[few] = unsure
            yield sure
        again = self._exactly(exact, intervention, golden, rows[left], units[left])
        return itertools.chain([(*some, high)], again)

    def _exactly(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, rows: Tensor, units: Tensor
    ) -> Iterator[Logits]:
        for some, some_units in zip(torch.split(rows, _PAIRS), torch.split(units, _PAIRS), strict=True):
            if len(some):
                yield some, some_units, self._run(plan, intervention, golden, some, some_units)

    def _run(self, plan: Plan, intervention: SiteIntervention, golden: Golden, rows: Tensor, units: Tensor) -> Tensor:
        if plan.path != LOW_RANK_UPDATE:
            return self._program.resumed_logits(golden, plan.cut, rows, units, intervention, plan.execution)
        assert isinstance(self._program, FxProgram)  # only of a traced network is known what follows
        return self._program.updated_logits(golden, plan.cut, rows, units, intervention, plan.execution)

    def _closed_form(
        self, plan: Plan, intervention: SiteIntervention, golden: Golden, different: Tensor
    ) -> Iterator[Logits]:
        value = golden.values[plan.cut]
        features = self._features(plan, golden, value) - self._features(plan, golden, intervention.everywhere(value))
        form = ClosedForm(self._last_layer(plan), plan.site.units, intervention)
        size = max(1, _ELEMENTS // (max(plan.site.units, plan.count) * self._trace.classes))
        for start in range(0, len(features), size):
            rows, units = different[start : start + size].nonzero(as_tuple=True)
            if len(rows):
                left = golden.logits[start : start + size, None] - form.shares(features[start : start + size])
                yield start + rows, units, left[rows, units] if len(rows) < left[..., 0].numel() else left.flatten(0, 1)

    def _features(self, plan: Plan, golden: Golden, value: Tensor) -> Tensor:
        assert isinstance(self._program, FxProgram)  # only a traced network has tails
        return self._program.features(golden, plan.cut, self._trace.tails[plan.cut].features, value)

    def _last_layer(self, plan: Plan) -> nn.Linear:
        assert isinstance(self._program, FxProgram)
        layer = self._program.layer(self._trace.tails[plan.cut].layer)
        assert isinstance(layer, nn.Linear)
        return layer

    def _believed(self, plan: Plan, golden: Golden, batch: Batch) -> Plan:
        """Take a shorter path, or another executor, only where it gives the network's own logits.

        A hook on a layer, say, breaks a path.
        """
        if plan.path == LINEAR_TAIL:
            logits = self._last_layer(plan).forward(self._features(plan, golden, golden.values[plan.cut]))
            return plan if close(logits, golden.logits, self._recheck.band) else replace(plan, path=SUFFIX)
        exact = _in_float32(plan)
        simplest = replace(plan, path=SUFFIX if plan.path == LOW_RANK_UPDATE else plan.path, execution=PLAIN)
        others = (exact, replace(simplest, execution=exact.execution), replace(plan, execution=PLAIN))
        agreeing = (each for each in others if each == simplest or self._agrees(each, simplest, golden, batch))
        believed = next(agreeing, simplest)
        return replace(believed, execution=replace(believed.execution, precision=plan.execution.precision))

    def _agrees(self, plan: Plan, simplest: Plan, golden: Golden, batch: Batch) -> bool:
        """Tell whether a plan gives what torch gives of the whole rest, on a few pairs of different units."""
        intervention = plan.intervention_on(batch)
        units, rows = intervention.differs(golden.values[plan.cut]).T.nonzero(as_tuple=True)
        if not len(rows):
            return False  # what was never compared is not believed
        some = torch.linspace(0, len(rows) - 1, min(_COMPARED, len(rows), len(golden.inputs))).long()
        rows, units = rows[some], units[some]
        found, whole = (self._run(each, intervention, golden, rows, units) for each in (plan, simplest))
        return close(found, whole, self._recheck.band)

    def _check(self, golden: Golden, batch: Batch) -> Golden:
        """Resume from every site with nothing silenced and images regrouped, which must change nothing."""
        trusted = self._recheck.trust(batch)
        rows = regrouped_rows(len(trusted)).to(golden.inputs.device)
        if self._clean != PLAIN and not self._same(golden, rows, trusted):
            self._clean = PLAIN
            golden = self._golden(batch.inputs)
        for where, logits in self._answers(golden, rows):
            if not close(logits, trusted[rows], self._recheck.band):
                off = error(logits, trusted[rows])
                raise UnsupportedNetworkError(
                    f"resumed from {where}, the network gives another answer than by itself (off by {off:.1e} of the "
                    "logits' scale): it may mix the images of a batch or overwrite its own values. "
                    "Use --engine plain, or name other sites"
                )
        return golden

    def _same(self, golden: Golden, rows: Tensor, trusted: Tensor) -> bool:
        return all(close(logits, trusted[rows], self._recheck.band) for _, logits in self._answers(golden, rows))

    def _answers(self, golden: Golden, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
        yield "a trace", golden.logits[rows]
        for plan in self._plans:
            yield f"site {plan.cut!r}", self._program.resumed_logits(golden, plan.cut, rows, None)


def _by_unit(different: Tensor) -> tuple[Tensor, Tensor]:
    """List the rows and units of pairs unit by unit: those of one unit share a slice of the weight behind it."""
    units, rows = different.T.nonzero(as_tuple=True)
    return rows, units


def _in_float32(plan: Plan) -> Plan:
    return replace(plan, execution=replace(plan.execution, precision=torch.float32))
