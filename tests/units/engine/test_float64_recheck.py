"""The decider: what float32 cannot decide is decided by the whole network in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lenslab.units import ablate, trace
from lenslab.units.engine.batch import Batch, batch_of
from lenslab.units.engine.float64_recheck import Float64Recheck
from lenslab.units.engine.near_ties import NEAR_TIE
from lenslab.units.errors import NotFiniteError, UnsupportedNetworkError
from tests.units import toys

CPU = torch.device("cpu")


def recheck(module: nn.Module) -> Float64Recheck:
    return Float64Recheck(trace(module.eval(), (1, 8, 8)), CPU)


def batch(images: torch.Tensor, *, first: int = 0) -> Batch:
    return batch_of(images, np.zeros(len(images)), np.arange(first, first + len(images)))


def close_call() -> nn.Module:
    """Class 1 is ahead of class 0 by an amount that float32 cannot hold next to the bias."""
    module = nn.Sequential(nn.Conv2d(1, 2, 8, bias=False), nn.Flatten(), nn.Linear(2, 2))
    module[0].weight.data = torch.ones(2, 1, 8, 8) / 64
    module[2].weight.data = torch.tensor([[0.0, 0.0], [2e-8, 1e-9]])
    module[2].bias.data = torch.ones(2)
    return module


def test_float64_decides_what_float32_rounds_away() -> None:
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8), -torch.ones(1, 8, 8)])
    reference = recheck(close_call()).reference(batch(images))
    assert reference.logits.unique(dim=1).shape[1] == 1, "in float32 the two classes are tied"
    assert reference.predictions.tolist() == [0, 1, 0]


def test_every_pair_is_decided_once_with_its_own_image_and_unit() -> None:
    decider = recheck(close_call())
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    rows, units = torch.tensor([1, 0, 1, 1, 0]), torch.tensor([0, 1, 1, 0, 0])
    logits = torch.tensor([[5.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 5.0]])
    with torch.inference_mode():
        sure, near = decider.decided(logits, batch(images), "0", rows, units, path="suffix")
    assert (sure.path, near.path) == ("suffix", "float64")
    assert list(zip(sure.rows.tolist(), sure.units.tolist(), sure.after.tolist(), strict=True)) == [
        (1, 0, 0),
        (0, 0, 1),
    ]
    assert list(zip(near.rows.tolist(), near.units.tolist(), near.after.tolist(), strict=True)) == [
        (0, 1, 0),  # a black image: tied for ever
        (1, 1, 1),  # unit 0 is left: 2e-8
        (1, 0, 1),  # unit 1 is left: 1e-9
    ]


def test_more_near_ties_than_images_are_decided_in_pieces() -> None:
    images = torch.stack([torch.ones(1, 8, 8), -torch.ones(1, 8, 8)])
    rows, units = torch.tensor([0, 1, 1, 0, 0]), torch.tensor([0, 0, 1, 1, 0])
    with torch.inference_mode():
        assert recheck(close_call()).decided_in_float64(batch(images), "0", rows, units).after.tolist() == [
            1,
            0,
            0,
            1,
            1,
        ]


def test_an_image_that_is_not_finite_is_named_by_its_number_in_the_source() -> None:
    images = toys.PLAIN(next(toys.digits(3).blocks(3)).pixels)
    images[1] = float("nan")
    decider = recheck(close_call())
    with pytest.raises(NotFiniteError, match="logits for image 41 are not finite"):
        decider.reference(batch(images, first=40))
    logits = torch.tensor([[1.0, 2.0], [1.0, float("nan")]])
    with pytest.raises(NotFiniteError, match="image 42 with unit 1 of site '0' silenced"):
        decider.decided(logits, batch(images, first=40), "0", torch.tensor([0, 2]), torch.tensor([0, 1]), path="suffix")


def cancelling(size: float) -> nn.Module:
    """Logits that are small differences of large features, so that float32 is off by a good share of their scale."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 36, 64), nn.Linear(64, 4))
    module[3].bias.data += size
    module[4].weight.data -= module[4].weight.data.mean(dim=1, keepdim=True)
    return module.eval()


def test_the_band_of_near_ties_is_as_wide_as_float32_is_off() -> None:
    images = toys.PLAIN(next(toys.digits(24).blocks(24)).pixels)
    usual, wider = recheck(cancelling(0.0)), recheck(cancelling(300.0))
    for decider in (usual, wider):
        decider.reference(batch(images))
    assert usual.band == NEAR_TIE
    assert wider.band > 2 * NEAR_TIE


def test_a_network_that_float32_cannot_compute_is_refused() -> None:
    images = toys.PLAIN(next(toys.digits(24).blocks(24)).pixels)
    with pytest.raises(UnsupportedNetworkError, match="in float64 the network gives another answer"):
        recheck(cancelling(1e6)).reference(batch(images))


def test_engines_agree_where_float32_is_off_by_more_than_usual() -> None:
    made = toys.network(cancelling(10_000.0), classes=4)
    images = toys.digits(40).mapped(4, {label: label % 4 for label in range(10)})
    exact, plain = (ablate(made, images, engine=engine, sites=["1"], top=2) for engine in ("exact", "plain"))
    assert exact.record.document["paths"]["1"]["float64"] > 0
    assert len(exact.flips) > 5
    assert exact.flips.equals(plain.flips)
    assert exact.record.table("top_flips").equals(plain.record.table("top_flips"))
