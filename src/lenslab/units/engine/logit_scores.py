"""Scores: how well a row of logits serves the true class, beyond the class that it decides for."""

from __future__ import annotations

import torch
from torch import Tensor

SCORES = ("loss", "true_logit", "margin")
"""The scores of a row, in the order in which they are kept."""

RISES = ("loss_rise", "logit_drop", "margin_drop")
"""What silencing a unit does to them, in the same order; bigger means that the unit mattered more."""


def scores(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Score rows of logits against the true classes: float64 ``[3, rows]``, in the order of :data:`SCORES`.

    With logits z and true class y, the loss is the cross-entropy :math:`\log \sum_j e^{z_j} - z_y` in nats, the true
    logit is :math:`z_y`, and the margin :math:`z_y - \max_{j \ne y} z_j`: above 0 where the row is right.

    Example:
        >>> scores(torch.tensor([[0.0, 0.0], [1.0, 3.0]]), torch.tensor([0, 1])).round(decimals=3).tolist()
        [[0.693, 0.127], [0.0, 3.0], [0.0, 2.0]]
    """
    truth = logits.gather(1, labels[:, None])
    rest = logits.scatter(1, labels[:, None], -torch.inf)
    # Taken apart from the truth, a sure row's small loss keeps its digits.
    loss = torch.logaddexp(torch.zeros_like(truth[:, 0]), rest.logsumexp(dim=1) - truth[:, 0])
    return torch.stack([loss, truth[:, 0], truth[:, 0] - rest.amax(dim=1)]).double()


def rises(before: Tensor, after: Tensor) -> Tensor:
    """Subtract scores so that bigger means that the unit mattered more: loss after - before, the others before - after.

    Example:
        >>> rises(torch.tensor([[0.5], [3.0], [2.0]]), torch.tensor([[0.75], [1.0], [-1.0]])).flatten().tolist()
        [0.25, 2.0, 3.0]
    """
    change = before - after
    change[0].neg_()
    return change
