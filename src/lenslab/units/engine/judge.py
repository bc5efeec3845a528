"""The one judge of all engines: the reference decision, and the last word in float64 on near ties."""

from __future__ import annotations

import copy

import torch

from lenslab.units.engine.decision import Decision, decide, decide_finally
from lenslab.units.engine.outcome import FLOAT64, Decided, Reference
from lenslab.units.engine.replacement import ZERO, Silencing
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import NotFiniteError


class Judge:
    """Decides what float32 cannot.

    Args:
        trace: the network seen from inside.
        device: where to run.
    """

    def __init__(self, trace: Trace, device: torch.device) -> None:
        self._network = copy.deepcopy(trace.module).to(device)
        self._double = trace.program(device, precision=torch.float64)

    def reference(self, inputs: torch.Tensor, first: int) -> Reference:
        """Decide with every unit in place: the unmodified network in float32, near ties again in float64.

        Args:
            inputs: ``[images, ...]`` in float32, on the device.
            first: the number of the batch's first image, for messages.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        logits: torch.Tensor = self._network(inputs)
        decision = decide(logits)
        _refuse_what_is_not_finite(decision, first, torch.arange(len(inputs)), None, None)
        (near,) = decision.near_tie.nonzero(as_tuple=True)
        if len(near):
            decision.classes[near] = decide_finally(self._double.logits(inputs[near]))
        return Reference(decision.classes, logits, decision.margin)

    def decided(
        self,
        logits: torch.Tensor,
        inputs: torch.Tensor,
        site: str,
        rows: torch.Tensor,
        units: torch.Tensor,
        *,
        path: str,
        first: int,
        silencing: Silencing = ZERO,
    ) -> list[Decided]:
        """Decide pairs from their float32 logits, near ties again in float64 with the whole network.

        Args:
            logits: ``[pairs, classes]``.
            inputs: the batch, ``[images, ...]`` in float32.
            site: the site's name.
            rows: the image of each pair, by its place in the batch.
            units: the unit of each pair.
            path: how the logits were had.
            first: the number of the batch's first image, for messages.
            silencing: what was silenced.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        decision = decide(logits)
        _refuse_what_is_not_finite(decision, first, rows, site, units)
        near = decision.near_tie
        sure = Decided(path, rows[~near], units[~near], decision.classes[~near], decision.margin[~near])
        if not near.any():
            return [sure]
        final = self.finally_decided(inputs, site, rows[near], units[near], silencing)
        return [sure, Decided(FLOAT64, rows[near], units[near], final, decision.margin[near])]

    def finally_decided(
        self, inputs: torch.Tensor, site: str, rows: torch.Tensor, units: torch.Tensor, silencing: Silencing = ZERO
    ) -> torch.Tensor:
        """Decide pairs in float64, each by a run of the whole network."""
        size = len(inputs)
        pieces = [
            decide_finally(self._double.ablated(inputs[some_rows], site, some_units, silencing))
            for some_rows, some_units in zip(torch.split(rows, size), torch.split(units, size), strict=True)
        ]
        return torch.cat(pieces)


def _refuse_what_is_not_finite(
    decision: Decision, first: int, rows: torch.Tensor, site: str | None, units: torch.Tensor | None
) -> None:
    if bool(decision.finite.all()):
        return
    pair = int((~decision.finite).nonzero()[0])
    image = first + int(rows[pair])
    silenced = f" with unit {int(units[pair])} of site {site!r} silenced" if units is not None else ""
    raise NotFiniteError(
        f"the network's logits for image {image}{silenced} are not finite (NaN or infinity); "
        "check the weights and the preprocessing"
    )
