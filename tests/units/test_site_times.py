"""The times of sites: pieces add up in any division, and the first batch says what is to be expected."""

from __future__ import annotations

import pandas as pd
import pytest

from lenslab.units import Ablation
from lenslab.units.site_times import site_times, work_of
from tests.units import toys


def times(*rows: tuple[str, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["site", "images", "seconds", "processor_seconds"])


def test_seconds_are_summed_by_site_and_the_first_batch_carries_over_to_all_images() -> None:
    found = site_times(
        ["b", "a"], times(("a", 8, 1, 2), ("b", 8, 3, 3), ("a", 8, 2, 4), ("b", 8, 3, 6), ("a", 4, 2, 1))
    )
    assert found == {
        "b": {"predicted": 6.0, "measured": 6.0, "processor": 9.0},
        "a": {"predicted": 2.5, "measured": 5.0, "processor": 7.0},
    }
    assert list(found) == ["b", "a"]


def test_of_one_batch_nothing_is_left_to_be_expected() -> None:
    assert site_times(["a"], times(("a", 8, 1, 2)))["a"] == {"predicted": None, "measured": 1.0, "processor": 2.0}


@pytest.mark.parametrize("draws", [1, 3])
def test_work_counts_every_unit_image_and_draw(draws: int) -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(20))
    for plan in asked.plans:
        assert work_of(plan, 20, draws) == 20 * draws * plan.count * plan.cost
    hooked = Ablation.of(toys.network(toys.trained(toys.Untraceable())), toys.digits(20))
    assert {work_of(plan, 20, draws) for plan in hooked.plans} == {None}
