"""What silencing every unit did to one batch of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.units.engine.audit import Audit
from lenslab.units.engine.program import Golden

INACTIVE = "inactive"
FLOAT64 = "float64"


@dataclass(frozen=True)
class DecidedPairs:
    """Some pairs of unit and image of one site, decided along one path.

    Attributes:
        path: How they were decided.
        rows: The image of each pair, by its place in the batch, int64 ``[pairs]``.
        units: The unit of each pair, int64 ``[pairs]``.
        after: The predicted class of each pair, int64 ``[pairs]``.
        margin: The top-two margin that decided, as a share of the logits' scale, ``[pairs]``.
        scores: What the pairs' logits score, float64 ``[3, pairs]``, see `lenslab.units.engine.logit_scores`; ``None``
            where they are those of the reference, or are too rough to say.
        in_top: Whether the true class is among the largest logits, bool ``[pairs]``; ``None`` where that is as in the
            reference, or not asked for.
    """

    path: str
    rows: Tensor
    units: Tensor
    after: Tensor
    margin: Tensor
    scores: Tensor | None = None
    in_top: Tensor | None = None

    def some(self, wanted: Tensor) -> DecidedPairs:
        """Give those that are wanted, bool ``[pairs]``."""
        return DecidedPairs(
            self.path,
            self.rows[wanted],
            self.units[wanted],
            self.after[wanted],
            self.margin[wanted],
            None if self.scores is None else self.scores[:, wanted],
            None if self.in_top is None else self.in_top[wanted],
        )

    @classmethod
    def joined(cls, pieces: Sequence[DecidedPairs]) -> DecidedPairs:
        """Put pairs of one path together."""
        rows, units, after, margin = (
            torch.cat([getattr(each, name) for each in pieces]) for name in ("rows", "units", "after", "margin")
        )
        scored = [each.scores for each in pieces if each.scores is not None]
        found = [each.in_top for each in pieces if each.in_top is not None]
        return cls(
            pieces[0].path,
            rows,
            units,
            after,
            margin,
            torch.cat(scored, dim=1) if scored else None,
            torch.cat(found) if found else None,
        )


@dataclass
class SiteOutcome:
    """What silencing every unit of one site did to one batch.

    Attributes:
        site: The site's name.
        activations: The spatial mean of each unit on each image, float32 ``[images, units]``.
        decided: The pairs, all of them, in pieces.
        audits: What auditing the low precision gave, where there was one.
    """

    site: str
    activations: NDArray[np.float32]
    decided: list[DecidedPairs] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    def paths(self) -> dict[str, int]:
        """Count the pairs by the path that decided them; a path that decided none is left out."""
        counts: dict[str, int] = {}
        for piece in self.decided:
            if not len(piece.rows):
                continue
            counts[piece.path] = counts.get(piece.path, 0) + len(piece.rows)
        return counts


@dataclass(frozen=True)
class Reference:
    """What the network predicts with every unit in place.

    Attributes:
        predictions: The predicted class of each image, int64 ``[images]``.
        logits: ``[images, classes]`` in float32.
        margin: The top-two margin of each image, as a share of the logits' scale.
        scores: What the logits score, float64 ``[3, images]``, see `lenslab.units.engine.logit_scores`.
        in_top: Whether the true class is among the largest logits, bool ``[images]``; ``None`` where not asked for.
    """

    predictions: Tensor
    logits: Tensor
    margin: Tensor
    scores: Tensor
    in_top: Tensor | None


@dataclass(frozen=True)
class BatchOutcome:
    """What silencing every unit did to one batch; the sites' outcomes are made as they are asked for.

    Attributes:
        golden: The clean pass that it began with.
        reference: What was decided of its logits.
        sites: What silencing did at each site.
    """

    golden: Golden
    reference: Reference
    sites: Iterator[SiteOutcome]
