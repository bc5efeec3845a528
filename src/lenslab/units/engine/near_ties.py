"""Which class a row of logits decides for, and when float32 is not sure.

float32 is not one function: its last bits change with batch size, threads, memory layout and device. So a decision is
defined by the network in float64: a row whose top-two margin lies within :data:`NEAR_TIE` of the logits' scale is
decided again there, in every engine, and all of them give the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEAR_TIE = 2e-5
"""Margins below this share of the logits' scale (their largest absolute value) are decided again in float64."""

_ROUNDING = 1e-4
"""By half of this share of the logits' scale two float32 answers of any network may differ."""

_SAME = 1e-10
"""In float64, classes this close to the largest logit (as a share of the scale) are tied: the lowest label wins."""


@dataclass(frozen=True)
class Decision:
    """What rows of logits decide.

    Attributes:
        classes: The predicted class of each row, int64 ``[rows]``.
        margin: The top-two margin as a share of the logits' scale, ``[rows]``.
        near_tie: Whether the row has to be decided again in float64, bool ``[rows]``.
        finite: Whether the row holds finite logits only, bool ``[rows]``.
    """

    classes: Tensor
    margin: Tensor
    near_tie: Tensor
    finite: Tensor


def decide(logits: Tensor, band: float = NEAR_TIE) -> Decision:
    """Decide rows of float32 logits; margins below the band, as a share of the logits' scale, are near ties.

    Example:
        >>> decision = decide(torch.tensor([[1.0, 3.0], [2.0, 2.00001]]))
        >>> decision.classes.tolist(), decision.near_tie.tolist()
        ([1, 1], [False, True])
    """
    top, classes = logits.topk(2, dim=1)
    scale = logits.abs().amax(dim=1)
    margin = (top[:, 0] - top[:, 1]) / scale.clamp_min(torch.finfo(logits.dtype).tiny)
    return Decision(classes[:, 0], margin, ~(margin >= band), scale.isfinite())  # of NaN, the largest is NaN


def in_top(logits: Tensor, labels: Tensor, count: int, band: float = NEAR_TIE) -> tuple[Tensor, Tensor]:
    """Tell whether the true class is among the ``count`` largest float32 logits, and where float32 is not sure.

    Example:
        >>> logits = torch.tensor([[1.0, 3.0, 2.0], [1.0, 1.00001, 2.0]])
        >>> [found.tolist() for found in in_top(logits, torch.tensor([2, 0]), 2)]
        [[True, False], [False, True]]
    """
    truth = logits.gather(1, labels[:, None])
    slack = band * logits.abs().amax(dim=1, keepdim=True)
    surely = (logits > truth + slack).sum(dim=1)
    perhaps = (logits >= truth - slack).sum(dim=1) - 1  # without the true class itself
    return (logits > truth).sum(dim=1) < count, (surely < count) & (perhaps >= count)


def in_top_float64(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """Tell whether the true class is among the largest float64 logits; of tied ones the lowest label comes first.

    Example:
        >>> logits = torch.tensor([[1.0, 1.0, 2.0]], dtype=torch.float64).expand(2, 3)
        >>> in_top_float64(logits, torch.tensor([0, 1]), 2).tolist()
        [True, False]
    """
    truth = logits.gather(1, labels[:, None])
    slack = _SAME * logits.abs().amax(dim=1, keepdim=True)
    tied = ((logits - truth).abs() <= slack) & (torch.arange(logits.shape[1], device=logits.device) < labels[:, None])
    return ((logits > truth + slack) | tied).sum(dim=1) < count


def close(logits: Tensor, expected: Tensor, band: float = _ROUNDING) -> bool:
    """Tell whether two answers differ by rounding alone: by less than half of a band, as a share of the scale.

    Example:
        >>> expected = torch.tensor([[1.0, 3.0]])
        >>> close(expected + 1e-6, expected), close(expected + 1e-3, expected)
        (True, False)
    """
    return error(logits, expected) < band / 2


def error(logits: Tensor, expected: Tensor) -> float:
    """Measure how far two answers are apart: the largest difference as a share of the expected row's scale.

    Example:
        >>> error(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]))
        0.5
    """
    scale = expected.abs().amax(dim=1).clamp_min(torch.finfo(expected.dtype).tiny)
    return float(((logits - expected).abs().amax(dim=1) / scale).max())


def decide_float64(logits: Tensor) -> Tensor:
    """Decide rows of float64 logits: the largest wins, and of tied ones the lowest label.

    Example:
        >>> decide_float64(torch.tensor([[0.0, 1.0, 1.0]], dtype=torch.float64)).tolist()
        [1]
    """
    slack = _SAME * logits.abs().amax(dim=1, keepdim=True)
    tied = logits >= logits.amax(dim=1, keepdim=True) - slack
    return tied.to(torch.uint8).argmax(dim=1)
