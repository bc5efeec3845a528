"""The audit of a low precision: how far it is off on some pairs, and so which others it can decide.

bfloat16 is fast and rough. A pair whose margin is wider than what it is off by is decided rightly all the same; the
others are decided again in float32. How far it is off is measured for each batch and site on pairs that chance draws:
the band that one half of them gives has to hold on the other half, and then both give it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lenslab.units.engine.near_ties import decide

BFLOAT16 = "bfloat16"
"""The path of pairs that bfloat16 decided."""

_FEWEST, _SHARE = 96, 0.015
"""So many pairs are audited at least, and such a share of them."""

_TOO_FEW = 8
"""With fewer pairs than so many times those that are audited, all of them are run in float32."""

_SAFETY = 4.0
"""The band is so many times as wide as the largest error that was measured."""

_MOST_AGAIN = 0.35
"""Where a larger share would be decided again, nothing is gained by deciding in bfloat16 first."""

_NEAREST = 6
"""An error counts between the largest logit and the next ones, and the true class; the others decide nothing."""


@dataclass(frozen=True)
class Audit:
    """What comparing both precisions on some pairs of one batch and site gave.

    Attributes:
        pairs: How many were compared.
        error: The largest error of a margin, as a share of the logits' scale.
        band: Margins below it, as a share of the logits' scale, are decided again; infinite where all of them are.
        failed: How many of one half are off by more than the band of the other, or are decided otherwise outside of it.
    """

    pairs: int
    error: float
    band: float
    failed: int

    @property
    def passed(self) -> bool:
        """Whether the low precision may decide."""
        return self.band < float("inf")


def drawn(pairs: int, seed: int) -> Tensor | None:
    """Draw which pairs are audited, in their order; ``None`` where there are too few to gain anything.

    Example:
        >>> len(drawn(10_000, seed=0)), drawn(100, seed=0)
        (150, None)
    """
    count = max(_FEWEST, int(_SHARE * pairs)) // 2 * 2
    if pairs < _TOO_FEW * count:
        return None
    random = torch.Generator().manual_seed(seed)
    return torch.randperm(pairs, generator=random)[:count].sort().values


def audit(low: Tensor, high: Tensor, labels: Tensor, floor: float) -> Audit:
    """Compare logits of both precisions, ``[pairs, classes]``.

    Args:
        low: In bfloat16, given as float32.
        high: In float32.
        labels: The true class of each pair, int64 ``[pairs]``.
        floor: The band of near ties, which is never wider.

    Example:
        >>> high = torch.tensor([[1.0, 0.0]]).repeat(8, 1)
        >>> found = audit(high + torch.tensor([0.0, 0.01]), high, torch.zeros(8).long(), floor=1e-4)
        >>> round(found.error, 3), round(found.band, 3), found.failed
        (0.01, 0.04, 0)
    """
    errors = margin_errors(low, high, labels).nan_to_num(float("inf"))
    narrower = max(floor, _SAFETY * float(errors[::2].max()))
    outside = decide(low, narrower)
    wrong = ~outside.near_tie & (outside.classes != high.argmax(dim=1))
    failed = int((wrong | (errors > narrower))[1::2].sum())
    error = float(errors.max())
    band = max(floor, _SAFETY * error)
    again = float(decide(low, band).near_tie.float().mean())
    usable = not failed and again <= _MOST_AGAIN
    return Audit(len(low), error, band if usable else float("inf"), failed)


def margin_errors(low: Tensor, high: Tensor, labels: Tensor) -> Tensor:
    """Measure how far margins are off, as a share of each row's scale: the largest error of one that may decide.

    Those are the margins between the largest low logit and the next ones, and between it and the true class.
    """
    off = low - high
    near = low.topk(min(_NEAREST, low.shape[1]), dim=1).indices
    counted = off.gather(1, torch.cat([near, labels[:, None]], dim=1))
    scale = low.abs().amax(dim=1).clamp_min(torch.finfo(low.dtype).tiny)
    return (counted - counted[:, :1]).abs().amax(dim=1) / scale
