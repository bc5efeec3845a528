"""The decision that all engines share: the reference prediction, and near ties decided again in float64."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.units.engine.batch import Batch
from lenslab.units.engine.logit_scores import scores
from lenslab.units.engine.near_ties import NEAR_TIE, close, decide, decide_float64, error, in_top, in_top_float64
from lenslab.units.engine.outcome import FLOAT64, DecidedPairs, Reference
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import NotFiniteError, UnsupportedNetworkError

_ROOM = 10
"""The band of near ties is so many times as wide as what float32 was seen to be off by."""

_SEEN, _FEWEST_SEEN = 16, 3
"""Images of the first batch on which that is measured: fewer, where more would take long."""

_SEEING = 10_000_000_000
"""Multiply-accumulates, in float64, that take most of a second."""

_ROUGHEST = 1e-2
"""A network that float32 gets wrong by more than this share of its logits' scale cannot be decided."""


class Float64Recheck:
    """Decides pairs from their float32 logits, and in float64 what float32 cannot decide.

    How far float32 is off is measured on the first batch, against float64. Most networks are far below the usual band
    of near ties; where one is not, its band is wider, and more pairs are decided in float64. ``top`` says among how
    many of the largest logits the true class is looked for; ``None`` does not look. With ``resumes`` near ties of one
    image are run from the site on, where that costs less than running each from the image.
    """

    def __init__(self, trace: Trace, device: torch.device, top: int | None = None, *, resumes: bool = False) -> None:
        self._network = copy.deepcopy(trace.module).to(device)
        self._float64_program = trace.program(device, precision=torch.float64)
        self._top = top
        self._costs = trace.costs if resumes else {}
        self._seen = max(_FEWEST_SEEN, min(_SEEN, _SEEING // (trace.costs.get("") or 1)))
        self.trusted: Tensor | None = None
        self.band = NEAR_TIE

    def reference(self, batch: Batch, logits: Tensor | None = None) -> Reference:
        """Decide with every unit in place in float32, near ties again in float64.

        Args:
            batch: Some images.
            logits: What a clean pass answered to them, see `trust`; by default the unmodified network is run.
        """
        inputs = batch.inputs
        if self.trusted is None:
            self.trust(batch)
        if logits is None:
            logits = self._answer(inputs)
        decision = decide(logits, self.band)
        refuse_not_finite(decision.finite, batch.numbers)
        found, unsure = self._in_top(logits, batch.labels, self.band)
        (near,) = (decision.near_tie | unsure).nonzero(as_tuple=True)
        if len(near):
            final = self._float64_program.logits(inputs[near])
            decision.classes[near] = decide_float64(final)
            if found is not None and self._top is not None:
                found[near] = in_top_float64(final, batch.labels[near], self._top)
        return Reference(decision.classes, logits, decision.margin, scores(logits, batch.labels), found)

    def trust(self, batch: Batch) -> Tensor:
        """Run the unmodified network on a few images, measure how far float32 is off, and give its logits.

        Raises:
            UnsupportedNetworkError: It answers one image otherwise than among others, or twice differently.
            NotFiniteError: Its logits are not finite.
        """
        inputs = batch.inputs[: self._seen]
        logits = self._answer(inputs)
        refuse_not_finite(decide(logits).finite, batch.numbers)
        self.band = max(NEAR_TIE, _ROOM * self._rounding(inputs, logits))
        self._refuse_batch_dependence(inputs, logits)
        self.trusted = logits
        return logits

    def _answer(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self._network(inputs.clone())
        if logits.dim() != 2 or len(logits) != len(inputs):
            raise UnsupportedNetworkError(
                f"the network answers {len(inputs)} images with shape {tuple(logits.shape)}; it may squeeze the "
                "batch's dimension away, so keep it there, or choose another --batch-size"
            )
        return logits

    def _rounding(self, inputs: Tensor, logits: Tensor) -> float:
        """Measure how far float32 is off."""
        off = error(logits.double(), self._float64_program.logits(inputs))
        if not off < _ROUGHEST:
            raise UnsupportedNetworkError(
                f"in float64 the network gives another answer than in float32 (off by {off:.1e} of the logits' scale): "
                "it may round its values to half precision, or its logits may be small differences of large numbers; "
                "nothing exact can be said of it"
            )
        return off

    def _refuse_batch_dependence(self, inputs: Tensor, logits: Tensor) -> None:
        """Check that the answer for an image depends on that image alone."""
        rows = regrouped_rows(len(inputs)).to(inputs.device)
        if close(self._network(inputs[rows]), logits[rows], self.band):
            return
        if not close(self._network(inputs.clone()), logits, self.band):
            raise UnsupportedNetworkError(
                "asked twice, the network gives two answers: it draws random numbers in evaluation mode "
                "(dropout without training=self.training?), and nothing can be measured on it"
            )
        raise UnsupportedNetworkError(
            "the network's answer for an image depends on the other images of its batch "
            "(batch norm without running statistics?): it may mix the images of a batch, and nothing can be "
            "measured on it"
        )

    def decided(
        self,
        logits: Tensor,
        batch: Batch,
        site: str,
        rows: Tensor,
        units: Tensor,
        *,
        path: str,
        intervention: SiteIntervention = ZERO_REPLACEMENT,
    ) -> list[DecidedPairs]:
        """Decide pairs from their float32 logits, near ties again in float64 with the whole network.

        The rows are places in the batch, the site is the one whose value was replaced, and the intervention is that of
        all images of the batch.
        """
        sure, near = self.sure(logits, batch, site, rows, units, path=path)
        if not near.any():
            return [sure]
        return [sure, self.decided_in_float64(batch, site, rows[near], units[near], intervention)]

    def sure(
        self, logits: Tensor, batch: Batch, site: str, rows: Tensor, units: Tensor, *, path: str
    ) -> tuple[DecidedPairs, Tensor]:
        """Decide the pairs that float32 can decide, and tell which others there are, bool ``[pairs]``."""
        decision, labels = decide(logits, self.band), batch.labels[rows]
        refuse_not_finite(decision.finite, batch.numbers, rows, units, site)
        found, unsure = self._in_top(logits, labels, self.band)
        scored = scores(logits, labels)
        near = decision.near_tie | unsure
        every = DecidedPairs(path, rows, units, decision.classes, decision.margin, scored, found)
        return (every.some(~near) if near.any() else every), near

    def roughly(
        self, logits: Tensor, batch: Batch, rows: Tensor, units: Tensor, *, path: str, band: float
    ) -> tuple[DecidedPairs, Tensor]:
        """Decide the pairs whose margins are wider than a band, and tell which others there are, bool ``[pairs]``."""
        decision, labels = decide(logits, band), batch.labels[rows]
        found, unsure = self._in_top(logits, labels, band)
        left = decision.near_tie | unsure | ~decision.finite
        return DecidedPairs(path, rows, units, decision.classes, decision.margin, None, found).some(~left), left

    def decided_in_float64(
        self, batch: Batch, site: str, rows: Tensor, units: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT
    ) -> DecidedPairs:
        """Decide pairs in float64; for the arguments see `decided`."""
        pieces = []
        for some, some_units, logits in self._float64_logits(batch, site, rows, units, intervention):
            decision, labels = decide(logits), batch.labels[some]
            found = None if self._top is None else in_top_float64(logits, labels, self._top)
            scored = scores(logits, labels)
            pieces.append(
                DecidedPairs(FLOAT64, some, some_units, decide_float64(logits), decision.margin, scored, found)
            )
        return DecidedPairs.joined(pieces)

    def _float64_logits(
        self, batch: Batch, site: str, rows: Tensor, units: Tensor, intervention: SiteIntervention
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        program, size = self._float64_program, len(batch)
        images, places = torch.unique(rows, return_inverse=True)
        if not self._resuming_pays(site, len(images), len(rows)):
            for some, some_units in zip(torch.split(rows, size), torch.split(units, size), strict=True):
                yield (
                    some,
                    some_units,
                    program.ablated_logits(batch.inputs[some], site, some_units, intervention.at(some)),
                )
            return
        for start in range(0, len(images), _SEEN):
            (pairs,) = ((places >= start) & (places < start + _SEEN)).nonzero(as_tuple=True)
            some_images = images[start : start + _SEEN]
            golden, there = program.golden(batch.inputs[some_images], [site]), intervention.at(some_images)
            for some in torch.split(pairs, size):
                logits = program.resumed_logits(golden, site, places[some] - start, units[some], there)
                yield rows[some], units[some], logits

    def _resuming_pays(self, site: str, images: int, pairs: int) -> bool:
        whole = self._costs.get("", 0)
        return images * whole + pairs * self._costs.get(site, whole) < pairs * whole

    def _in_top(self, logits: Tensor, labels: Tensor, band: float) -> tuple[Tensor | None, Tensor]:
        if self._top is None:
            return None, torch.zeros_like(labels, dtype=torch.bool)
        return in_top(logits, labels, self._top, band)


def regrouped_rows(batch: int) -> Tensor:
    """Rearrange a batch: from the last image to the middle one, and then the first one repeated.

    Example:
        >>> regrouped_rows(5).tolist(), regrouped_rows(1).tolist()
        ([4, 3, 2, 0, 0], [0])
    """
    rows = torch.arange(batch - 1, -1, -1)
    rows[(batch + 1) // 2 :] = 0
    return rows


def refuse_not_finite(
    finite: Tensor, numbers: NDArray[np.int64], rows: Tensor | None = None, units: Tensor | None = None, site: str = ""
) -> None:
    """Refuse logits that are NaN or infinite, by the first image and the unit silenced on it.

    ``finite`` has an entry per row of logits, and so have ``rows`` (places in the batch) and ``units``, where they are
    given; ``numbers`` has one per image of the batch.

    Example:
        >>> refuse_not_finite(torch.tensor([True, False]), np.array([7, 8]))
        Traceback (most recent call last):
        ...
        lenslab.units.errors.NotFiniteError: the network's logits for image 8 are not finite (NaN or infinity); ...
    """
    if bool(finite.all()):
        return
    row = int((~finite).nonzero()[0])
    image = int(numbers[row if rows is None else int(rows[row])])
    silenced = f" with unit {int(units[row])} of site {site!r} silenced" if units is not None else ""
    raise NotFiniteError(
        f"the network's logits for image {image}{silenced} are not finite (NaN or infinity); "
        "check the weights and the preprocessing"
    )
