"""Changes between two runs: exact where it can be counted, and intervals that hold the truth."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.runs.statistics.drop_differences import cliffs_delta, drop_differences, sign_flip_test
from lenslab.runs.statistics.hypothesis_tests import mcnemar

counts = st.integers(0, 4)


@settings(deadline=None, max_examples=60)
@given(counts, counts, st.integers(0, 3), st.integers(0, 3))
def test_the_test_counts_every_way_to_turn_the_signs(up, down, twice_up, twice_down):
    sizes = [1] * (up + down) + [2] * (twice_up + twice_down)
    seen = abs(up - down + 2 * (twice_up - twice_down))
    signs = itertools.product((-1, 1), repeat=len(sizes))
    sums = [abs(sum(sign * size for sign, size in zip(each, sizes, strict=True))) for each in signs]
    expected = np.mean([total >= seen for total in sums])
    assert sign_flip_test(up, down, twice_up, twice_down) == pytest.approx(expected)


def test_without_differences_of_two_it_is_mcnemars():
    up, down = np.arange(12)[:, None], np.arange(9)
    np.testing.assert_allclose(sign_flip_test(up, down, 0, 0), mcnemar(up, down))
    assert sign_flip_test([], [], [], []).shape == (0,)


def test_a_run_beside_itself_has_changed_nowhere():
    random = np.random.default_rng(0)
    costs = random.choice([-1, 0, 1], (60, 5), p=[0.1, 0.7, 0.2])
    found = drop_differences(costs, costs)
    assert found.difference.tolist() == [0] * 5
    assert found.p_value.tolist() == [1] * 5
    assert found.differing.tolist() == [0] * 5
    assert (found.low <= 0).all()
    assert (found.high >= 0).all()
    assert (found.high - found.low < 0.1).all()


def test_turning_the_runs_round_turns_the_signs():
    random = np.random.default_rng(1)
    one, other = random.choice([-1, 0, 1], (2, 80, 6), p=[0.1, 0.6, 0.3])
    there, back = drop_differences(one, other), drop_differences(other, one)
    assert np.ptp(there.difference) > 0
    np.testing.assert_allclose(there.difference, -back.difference)
    np.testing.assert_allclose(there.low, -back.high)
    np.testing.assert_array_equal(there.p_value, back.p_value)
    np.testing.assert_array_equal(there.differing, (one != other).sum(axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_the_interval_holds_the_true_change_as_often_as_it_promises(shared):
    random, images, trials = np.random.default_rng(2), 120, 2000
    chance, cost = np.array([0.05, 0.75, 0.2]), np.array([-1, 0, 1])
    one = random.choice(cost, (images, trials), p=chance)
    fresh = random.choice(cost, (images, trials), p=[0.05, 0.85, 0.1])
    other = np.where(random.random((images, trials)) < shared, one, fresh)
    truth = 0.15 - (shared * 0.15 + (1 - shared) * 0.05)
    found = drop_differences(one, other)
    assert 0.93 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.985


@pytest.mark.slow
def test_no_change_is_found_more_often_than_the_level():
    random = np.random.default_rng(4)
    one, other = random.choice([-1, 0, 1], (2, 80, 4000), p=[0.1, 0.7, 0.2])
    found = drop_differences(one, other)
    assert 0.01 < (found.p_value <= 0.05).mean() <= 0.055


def test_dominance_is_the_share_of_pairs():
    random = np.random.default_rng(0)
    one, other = random.integers(0, 6, 15), random.integers(1, 8, 11)
    pairs = [np.sign(x - y) for x in one for y in other]
    found = cliffs_delta(one, other)
    assert found.delta == pytest.approx(np.mean(pairs))
    assert -1 <= found.low < found.delta < found.high <= 1
    turned = cliffs_delta(other, one)
    assert (turned.delta, turned.low, turned.high) == pytest.approx((-found.delta, -found.high, -found.low))


def test_groups_apart_dominate_and_equal_ones_do_not():
    apart = cliffs_delta(range(10, 20), range(10))
    assert (apart.delta, apart.high) == (1.0, 1.0)
    assert 0.3 < apart.low < 1
    assert apart.p_value < 0.001
    alike = cliffs_delta([0.0] * 6, [0.0] * 9)
    assert (alike.delta, alike.p_value) == (0.0, 1.0)
    assert np.isnan(cliffs_delta([1.0], [2.0, 3.0]).delta)


@pytest.mark.slow
def test_deltas_interval_holds_the_truth_as_often_as_it_promises():
    random, held = np.random.default_rng(5), 0
    for _ in range(600):
        found = cliffs_delta(random.normal(0.5, 1, 30), random.normal(0, 1, 25))
        held += found.low <= 0.27632 <= found.high  # 2 * Phi(0.5 / sqrt(2)) - 1
    assert 0.92 <= held / 600 <= 0.98
