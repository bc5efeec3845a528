"""The schedule: every image and site once, in pieces that are no larger than they have to be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lenslab.units import Ablation
from lenslab.units.sweep.schedule import Schedule, schedule
from tests.units import toys
from tests.units.dividing import divide


def divided(batch_size: int = 8, draws: int = 1) -> Schedule:
    question = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(40))
    return schedule(question.plans, question.trace.costs[""], batch_size=batch_size, draws=draws)


def test_little_work_is_one_group_and_blocks_of_many_batches() -> None:
    found = divided()
    assert [len(group) for group in found.groups] == [3]
    assert found.block_images > 40
    assert found.block_images % 8 == 0


def test_much_work_is_divided_by_sites_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    divide(monkeypatch)
    found = divided()
    assert [len(group) for group in found.groups] == [1, 1, 1]
    assert found.block_images == 8


def test_sites_share_a_group_as_long_as_the_budget_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = divided().costs
    first, second, third = costs.values()
    divide(monkeypatch, budget=8 * (first + second) + 1)
    assert [len(group) for group in divided().groups] == [2, 1]
    divide(monkeypatch, budget=8 * (second + third) + 1)
    assert [len(group) for group in divided().groups] == ([1, 2] if first + second > second + third else [2, 1])


@pytest.mark.parametrize(("images", "start"), [(40, 0), (41, 0), (7, 0), (40, 16), (40, 40), (40, 20)])
def test_blocks_cover_every_image_once_and_keep_to_the_grid(images: int, start: int) -> None:
    blocks = [*Schedule(8, 16, (("a",),), {"a": 1.0}).blocks(images, start=start)]
    assert [number for block in blocks for number in range(block.start, block.stop)] == [*range(start, images)]
    assert all(one.stop == other.start and other.start % 16 == 0 for one, other in pairwise(blocks))


def test_draws_cost_as_much_as_units() -> None:
    assert divided(draws=3).costs == {name: 3 * cost for name, cost in divided().costs.items()}
