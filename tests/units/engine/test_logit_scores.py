"""Scores: loss, true logit and margin of a row, and the true class among the largest logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from lenslab.units.engine.logit_scores import rises, scores
from lenslab.units.engine.near_ties import in_top, in_top_float64


def rows(count: int = 500, classes: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, classes, generator=generator) * 5, torch.randint(classes, (count,), generator=generator)


def test_scores_are_what_torch_says() -> None:
    logits, labels = rows()
    loss, true_logit, margin = scores(logits, labels)
    torch.testing.assert_close(loss, F.cross_entropy(logits.double(), labels, reduction="none"), rtol=1e-5, atol=1e-6)
    assert true_logit.tolist() == [float(row[label]) for row, label in zip(logits, labels, strict=True)]
    assert (margin > 0).tolist() == (logits.argmax(dim=1) == labels).tolist()
    assert 10 < int((margin > 0).sum()) < 490


def test_the_loss_of_a_very_sure_row_keeps_its_digits() -> None:
    loss = scores(torch.tensor([[20.0, 0.0], [80.0, 0.0]]), torch.tensor([0, 0]))[0]
    torch.testing.assert_close(loss, torch.tensor([-20.0, -80.0]).exp().double(), rtol=1e-4, atol=0)


def test_a_unit_that_mattered_raises_the_loss_and_lowers_the_others() -> None:
    label = torch.tensor([0])
    before, after = (scores(torch.tensor([[logit, 0.0]]), label) for logit in (3.0, 1.0))
    assert (rises(before, after) > 0).all()
    assert torch.equal(rises(before, before), torch.zeros(3, 1).double())


def test_the_true_class_is_in_the_top_where_topk_finds_it() -> None:
    logits, labels = rows()
    for count in (2, 5, 11):
        expected = (logits.topk(count, dim=1).indices == labels[:, None]).any(dim=1)
        found, unsure = in_top(logits, labels, count)
        assert torch.equal(found[~unsure], expected[~unsure])
        assert 0 < int(expected.sum()) < len(expected)
        assert int(unsure.sum()) < 10
        assert torch.equal(in_top_float64(logits.double(), labels, count), expected)


def test_float32_says_where_it_is_not_sure_of_the_top() -> None:
    logits = torch.tensor([[10.0, 5.0, 5.0001, 1.0], [10.0, 5.0, 5.1, 1.0], [10.0, 5.0001, 5.0, 5.0002]])
    labels = torch.tensor([1, 1, 1])
    assert in_top(logits, labels, 2)[1].tolist() == [True, False, True]
    assert in_top(logits, labels, 3)[1].tolist() == [False, False, True]
