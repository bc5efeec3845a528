"""Resampling: a unit takes over its map on another image, and which one depends on the seed and the image alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from lenslab.units import Ablation, Run, ablate
from lenslab.units.errors import ImageLayoutError, UnitsError
from lenslab.units.silencing.resampling import Resampling
from tests.units import toys

CPU = torch.device("cpu")


def resampling(images: object, *, same: bool = True, seed: int = 0) -> tuple[Resampling, str]:
    question = Ablation.of(toys.by_hand(), images, replacement="resample")
    made = Resampling(question.trace, question.plans, question.images, toys.PLAIN, seed=seed, same=same, device=CPU)
    return made, question.plans[0].cut


def test_the_flips_are_those_of_a_loop_that_exchanges_maps_by_hand() -> None:
    made = toys.network(toys.trained(toys.Branches()))
    images = toys.digits(30)
    question = Ablation.of(made, images, replacement="resample", draws=2, sites=["silu"])
    run = ablate(made, images, replacement="resample", draws=2, sites=["silu"])
    pool = Resampling(question.trace, question.plans, images, toys.PLAIN, seed=0, same=True, device=CPU)
    (block,) = images.blocks(30)
    inputs, module = toys.PLAIN(block.pixels).double(), question.trace.module.double()
    expected = []
    for draw in range(2):
        fill = pool.fills(block.numbers, draw)["silu"]
        mixed = module.mix(torch.cat([module.left(inputs), module.right(inputs)], dim=1))
        value = torch.nn.functional.silu(mixed)
        before = module.last(value.mean(dim=(2, 3))).argmax(dim=1)
        for unit in range(7):
            changed = value.clone()
            changed[:, unit] = fill[:, unit]
            after = module.last(changed.mean(dim=(2, 3))).argmax(dim=1)
            expected += [
                (unit, image, draw, int(after[image])) for image in (before != after).nonzero().flatten().tolist()
            ]
    found = run.flips[["unit", "image", "draw", "after"]].itertuples(index=False, name=None)
    assert len(expected) > 10
    assert sorted(found) == sorted(expected)


@cache
def resampled(**options: object) -> Run:
    made = toys.network(toys.trained(toys.Residual()))
    return ablate(made, toys.digits(40), replacement="resample", draws=2, verify=30, **options)


@pytest.mark.parametrize("options", [{"engine": "plain"}, {"batch_size": 7}, {"engine": "plain", "batch_size": 16}])
def test_every_engine_and_batch_size_gives_the_same_integers(options: dict[str, object]) -> None:
    first, other = resampled(), resampled(**options)
    assert sum(first.verified.values()) == 30
    assert set(first.flips["draw"]) == {0, 1}
    pd.testing.assert_frame_equal(first.flips, other.flips)


def test_no_image_is_its_own_donor_and_draws_differ() -> None:
    images = (toys.quarters((0,), (1,), (2,), (0, 1), (1, 2)), [0, 0, 0, 0, 0])
    made, cut = resampling(images)
    numbers = np.arange(5)
    own = torch.stack([made.fills(numbers[[1, 2, 3, 4, 0]], draw)[cut] for draw in range(40)])
    maps = torch.from_numpy(toys.quarters((0,), (1,), (2,), (0, 1), (1, 2)) / 255.0).reshape(5, 2, 4, 2, 4).sum((2, 4))
    for row, number in enumerate([1, 2, 3, 4, 0]):
        assert not (own[:, row, 0] == maps[number]).flatten(1).all(dim=1).any()
    assert len(own[:, 0].unique(dim=0)) == 4


def test_a_donor_depends_on_the_image_and_not_on_its_company() -> None:
    made, cut = resampling(toys.digits(20).mapped(2, dict.fromkeys(range(10), 1)))
    together = made.fills(np.arange(20), 1)[cut]
    alone = torch.cat([made.fills(np.array([number]), 1)[cut] for number in range(20)])
    assert torch.equal(together, alone)


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ImageLayoutError, match="resampling needs another image"):
        ablate(toys.by_hand(), (toys.quarters((0,)), [1]), replacement="resample")
    with pytest.raises(UnitsError, match="2 draws asked for; give 1 or more, with the replacement resample"):
        Ablation.of(toys.by_hand(), toys.digits(3).mapped(2, dict.fromkeys(range(10), 1)), draws=2)
