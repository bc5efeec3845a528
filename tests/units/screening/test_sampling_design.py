"""The sampling design: draws belong to pairs, samples contain one another, and the effort does what it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.units.screening.sampling_design import (
    EVERY,
    MAIN,
    PILOT,
    effort_for,
    inclusion,
    permanent_numbers,
    spread_of,
)

IMAGES = np.arange(200)


@given(st.sets(st.integers(0, 199), min_size=1), st.integers(0, 5))
def test_a_pairs_number_depends_on_no_other_image(some: set[int], seed: int) -> None:
    numbers = np.array(sorted(some))
    every = permanent_numbers(seed, MAIN, "relu", IMAGES, 3)
    assert (permanent_numbers(seed, MAIN, "relu", numbers, 3) == every[numbers]).all()


def test_seeds_sites_and_purposes_draw_apart() -> None:
    asked = [(0, MAIN, "relu"), (1, MAIN, "relu"), (0, MAIN, "stem"), (0, PILOT, "relu")]
    drawn = [permanent_numbers(*each, IMAGES, 4).ravel() for each in asked]
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.15


def test_more_effort_draws_the_same_pairs_and_more() -> None:
    spread = spread_of(np.linspace(0, 0.5, 200))
    numbers = permanent_numbers(0, MAIN, "relu", IMAGES, 1)[:, 0]
    few, many = (numbers < inclusion(spread, np.full(200, effort)) for effort in (0.3, 0.6))
    assert 0 < few.sum() < many.sum()
    assert not (few & ~many).any()
    assert (inclusion(spread, np.full(200, EVERY)) == 1).all()


def test_the_effort_is_the_smallest_that_reaches_the_variance() -> None:
    chance = np.tile(np.linspace(0.001, 0.5, 100), 2)
    unit = np.repeat([0, 1], 100)
    wanted = np.array([20.0, 80.0])

    def reached(effort: np.ndarray) -> np.ndarray:
        drawn = inclusion(spread_of(chance), effort[unit])
        return np.bincount(unit, chance * (1 - chance) * (1 - drawn) / drawn)

    effort = effort_for(chance * (1 - chance), spread_of(chance), unit, wanted)
    assert (reached(effort) <= wanted).all()
    assert (reached(effort / 1.01) > wanted).all()
