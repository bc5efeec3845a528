"""The plain engine: one run of the whole network per unit. Slow, and the reference for every other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from lenslab.units.engine.judge import Judge
from lenslab.units.engine.outcome import Outcome, SiteOutcome
from lenslab.units.engine.plan import WHOLE, Plan
from lenslab.units.engine.replacement import spatial_mean
from lenslab.units.engine.trace import Trace


class PlainEngine:
    """Silences one unit after the other and runs the whole network every time.

    Args:
        trace: the network seen from inside.
        plans: what to do at each site.
        device: where to run.
    """

    def __init__(self, trace: Trace, plans: Sequence[Plan], device: torch.device) -> None:
        self._plans = plans
        self._program = trace.program(device)
        self._judge = Judge(trace, device)

    def run(self, inputs: torch.Tensor, first: int) -> Outcome:
        """Silence every unit of every site on a batch.

        Args:
            inputs: preprocessed images ``[images, ...]``, float32, on the device.
            first: the number of the batch's first image, for messages.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        reference = self._judge.reference(inputs, first)
        return Outcome(reference, self._sites(inputs, first))

    def _sites(self, inputs: torch.Tensor, first: int) -> Iterator[SiteOutcome]:
        rows = torch.arange(len(inputs), device=inputs.device)
        for plan in self._plans:
            golden = self._program.golden(inputs, [plan.site.name])
            outcome = SiteOutcome(plan.site.name, spatial_mean(golden.values[plan.site.name], plan.silencing))
            for unit in range(plan.count):
                units = torch.full_like(rows, unit)
                logits = self._program.ablated(inputs, plan.cut, units, plan.silencing)
                outcome.decided += self._judge.decided(
                    logits, inputs, plan.cut, rows, units, path=WHOLE, first=first, silencing=plan.silencing
                )
            yield outcome
