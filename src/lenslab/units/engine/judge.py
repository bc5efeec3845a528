"""The one judge of all engines: the reference decision, and the last word in float64 on near ties."""

from __future__ import annotations

import copy

import torch

from lenslab.units.engine.decision import Decision, close, decide, decide_finally
from lenslab.units.engine.outcome import FLOAT64, Decided, Reference
from lenslab.units.engine.replacement import ZERO, Silencing
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import NotFiniteError, UnsupportedNetworkError


class Judge:
    """Decides what float32 cannot.

    Args:
        trace: the network seen from inside.
        device: where to run.
    """

    def __init__(self, trace: Trace, device: torch.device) -> None:
        self._network = copy.deepcopy(trace.module).to(device)
        self._double = trace.program(device, precision=torch.float64)
        self._trusted = False

    def reference(self, inputs: torch.Tensor, first: int) -> Reference:
        """Decide with every unit in place: the unmodified network in float32, near ties again in float64.

        Args:
            inputs: ``[images, ...]`` in float32, on the device.
            first: the number of the batch's first image, for messages.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        logits: torch.Tensor = self._network(inputs.clone())
        if logits.dim() != 2 or len(logits) != len(inputs):
            raise UnsupportedNetworkError(
                f"the network answers {len(inputs)} images with shape {tuple(logits.shape)}; it may squeeze the "
                "batch's dimension away, so keep it there, or choose another --batch-size"
            )
        decision = decide(logits)
        _refuse_what_is_not_finite(decision, first, torch.arange(len(inputs)), None, None)
        if not self._trusted:
            self._refuse_what_is_no_function(inputs, logits)
            self._trusted = True
        (near,) = decision.near_tie.nonzero(as_tuple=True)
        if len(near):
            decision.classes[near] = decide_finally(self._double.logits(inputs[near]))
        return Reference(decision.classes, logits, decision.margin)

    def _refuse_what_is_no_function(self, inputs: torch.Tensor, logits: torch.Tensor) -> None:
        """See that the answer for an image depends on that image alone."""
        if not close(self._network(inputs.clone()), logits):
            raise UnsupportedNetworkError(
                "asked twice, the network gives two answers: it draws random numbers in evaluation mode "
                "(dropout without training=self.training?), and nothing can be measured on it"
            )
        rows = other_company(len(inputs)).to(inputs.device)
        if not close(self._network(inputs[rows]), logits[rows]):
            raise UnsupportedNetworkError(
                "the network's answer for an image depends on the other images of its batch "
                "(batch norm without running statistics?): it may mix the images of a batch, and nothing can be "
                "measured on it"
            )

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


def other_company(batch: int) -> torch.Tensor:
    """Arrange a batch anew: from the last image to the middle one, and the first again and again.

    Example:
        >>> other_company(5).tolist(), other_company(1).tolist()
        ([4, 3, 2, 0, 0], [0])
    """
    rows = torch.arange(batch - 1, -1, -1)
    rows[(batch + 1) // 2 :] = 0
    return rows


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
