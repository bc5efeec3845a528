"""The estimator against every sample that there is: no bias whatever the model says, and intervals that own up."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lenslab.units.screening.drop_estimator import BANDS, Pairs, Totals, evidence, inflation, totals

SIGN = np.array([1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
CHANGED = np.array([True, False, True, True, False, False])
CHANCE = np.array([0.3, 0.9, 0.5, 0.2, 0.7, 1.0])
ONE = np.zeros(6, np.int64)
NO_FACTORS = np.ones(len(BANDS) + 1)


def samples() -> list[tuple[float, np.ndarray]]:
    """Every sample that can be drawn, with its probability."""
    found = []
    for run in itertools.product([False, True], repeat=6):
        drawn = np.array(run)
        chance = float(np.prod(np.where(drawn, CHANCE, 1 - CHANCE)))
        if chance:
            found.append((chance, drawn))
    return found


def estimated(drawn: np.ndarray, probability: np.ndarray) -> Totals:
    return totals(Pairs(SIGN, probability, CHANCE, drawn, CHANGED & drawn), ONE, 1, NO_FACTORS)


@pytest.mark.parametrize("model", [np.full(6, 1e-6), np.linspace(0.1, 0.9, 6), 1 - CHANGED * 0.999])
def test_over_all_samples_the_estimate_is_the_truth_however_wrong_the_model(model: np.ndarray) -> None:
    assert len({float(estimated(drawn, model).estimate[0]) for _, drawn in samples()}) > 10
    mean = sum(chance * estimated(drawn, model).estimate[0] for chance, drawn in samples())
    assert mean == pytest.approx((SIGN * CHANGED).sum())


def test_over_all_samples_the_squared_error_is_at_least_the_variance() -> None:
    model = np.full(6, 1e-6)  # which expects next to nothing, so that the sample alone speaks
    errors = [(chance, estimated(drawn, model)) for chance, drawn in samples()]
    variance = sum(chance * (each.estimate[0] - 1) ** 2 for chance, each in errors)
    assert sum(chance * each.standard_error[0] ** 2 for chance, each in errors) == pytest.approx(variance, rel=1e-3)


def test_a_sample_of_everything_is_the_truth_and_leaves_nothing_open() -> None:
    everything = np.ones(6, np.bool_)
    found = totals(Pairs(SIGN, np.full(6, 1 / 3), np.ones(6), everything, CHANGED), ONE, 1, NO_FACTORS)
    assert [*found.estimate, *found.low, *found.high, *found.standard_error] == [1.0, 1.0, 1.0, 0.0]


def test_where_no_change_was_seen_the_interval_is_as_wide_as_all_units_together_leave_open() -> None:
    count = 1000
    quiet = np.zeros(count, np.bool_)
    run = np.arange(count) % 10 == 0
    pairs = Pairs(np.ones(count), np.full(count, 1e-4), np.full(count, 0.1), run, quiet)
    factors = inflation(*evidence(pairs.probability[run], quiet[run]))
    found = totals(pairs, np.zeros(count, np.int64), 1, factors)
    assert found.high[0] > 50 * pairs.probability.sum()  # far more than the model expects
    assert found.low[0] == 0.0  # what was seen, and none of the open ones can take away


def test_surprises_widen_every_interval_of_their_band() -> None:
    model = np.full(400, 0.02)
    calm = inflation(*evidence(model, np.arange(400) < 8))
    wrong = inflation(*evidence(model, np.arange(400) < 40))
    assert (wrong[2], calm[2]) == (pytest.approx(6.7, abs=0.5), pytest.approx(1.9, abs=0.3))
    sure = np.full(400, 0.98)  # equally wrong where changes were all but certain
    assert inflation(*evidence(sure, np.arange(400) >= 40))[2] == pytest.approx(wrong[2])
