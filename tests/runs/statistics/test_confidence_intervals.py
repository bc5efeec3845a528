import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, multinomial, norm

from lenslab.runs.statistics.confidence_intervals import (
    difference_interval,
    mean_interval,
    score_interval,
    share_interval,
    simultaneous,
)


def inverted_score_test(losses: int, gains: int, images: int, confidence: float) -> tuple[float, float]:
    """The same interval the slow way: the likelihood maximised numerically at each difference, the root by Brent."""
    z = norm.isf((1 - confidence) / 2)
    kept = images - losses - gains

    def statistic(delta: float) -> float:
        def loss(gain: float) -> float:
            cells = ((losses, gain + delta), (gains, gain), (kept, 1 - 2 * gain - delta))
            return -sum(times * np.log(max(chance, 1e-300)) for times, chance in cells if times)

        low, high = max(0.0, -delta), (1 - delta) / 2
        gain = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        gain = min((low, gain, high), key=loss)
        return (losses - gains - images * delta) / np.sqrt(images * (2 * gain + delta - delta**2))

    edge = 1 - 1e-9
    estimate = (losses - gains) / images
    low = brentq(lambda delta: statistic(delta) - z, -edge, min(estimate, edge), xtol=1e-12) if losses < images else 0
    high = brentq(lambda delta: statistic(delta) + z, max(estimate, -edge), edge, xtol=1e-12)
    return low, high


@pytest.mark.parametrize(
    ("losses", "gains", "images"),
    [(0, 1, 20), (1, 0, 20), (3, 3, 25), (12, 2, 100), (2, 12, 100), (40, 1, 50), (5, 5, 10), (30, 4, 10_000)],
)
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_the_interval_inverts_the_score_test(losses, gains, images, confidence):
    low, high = score_interval(losses, gains, images, confidence=confidence)
    expected = inverted_score_test(losses, gains, images, confidence)
    assert (low, high) == pytest.approx(expected, abs=2e-6)


@given(st.integers(1, 100_000), st.floats(0.5, 0.9999))
def test_without_flips_the_width_is_known_in_closed_form(images, confidence):
    z = norm.isf((1 - confidence) / 2)
    low, high = score_interval(0, 0, images, confidence=confidence)
    assert high == pytest.approx(z**2 / (images + z**2), rel=1e-9)
    assert low == -high


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200))
def test_the_interval_holds_the_estimate_and_turns_round_with_the_signs(losses, gains, more):
    images = losses + gains + more
    low, high = score_interval(losses, gains, images)
    assert -1 <= low < (losses - gains) / images < high <= 1
    turned_low, turned_high = score_interval(gains, losses, images)
    assert (turned_low, turned_high) == (-high, -low)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 100))
def test_more_confidence_is_a_wider_interval(losses, gains, more):
    images = losses + gains + more
    narrow, wide = (score_interval(losses, gains, images, confidence=level) for level in (0.9, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_every_answer_lost_reaches_one():
    low, high = score_interval(30, 0, 30)
    z = norm.isf(0.025)
    assert high == pytest.approx(1)
    assert low == pytest.approx(1 - 2 * z**2 / (30 + z**2), abs=0.02)


def test_no_images_have_no_interval():
    low, high = score_interval([0, 0], [0, 0], [0, 5])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


def test_more_flips_than_images_are_refused():
    with pytest.raises(ValueError, match="no more than the images"):
        score_interval(3, 3, 5)


def test_a_confidence_of_95_is_refused():
    with pytest.raises(ValueError, match=r"not 95; 0.95 means 95 %"):
        score_interval(3, 3, 50, confidence=95)


@pytest.mark.parametrize(("loss", "gain"), [(0.05, 0.05), (0.2, 0.05), (0.3, 0.3), (0.01, 0.01)])
def test_exact_coverage_by_enumeration_for_30_images(loss, gain):
    images = 30
    losses, gains = (grid.ravel() for grid in np.meshgrid(np.arange(images + 1), np.arange(images + 1)))
    possible = losses + gains <= images
    losses, gains = losses[possible], gains[possible]
    low, high = score_interval(losses, gains, images)
    chance = multinomial.pmf(
        np.stack([losses, gains, images - losses - gains], axis=1), images, [loss, gain, 1 - loss - gain]
    )
    covered = chance[(low <= loss - gain) & (loss - gain <= high)].sum()
    assert 0.93 <= covered < 1


def test_coverage_of_many_units_at_once():
    random = np.random.default_rng(0)
    chances = random.uniform(0.001, 0.03, (2, 4000))
    drawn = random.multinomial(1000, np.stack([*chances, 1 - chances.sum(axis=0)], axis=1))
    low, high = score_interval(drawn[:, 0], drawn[:, 1], 1000)
    covered = (low <= chances[0] - chances[1]) & (chances[0] - chances[1] <= high)
    assert 0.93 <= covered.mean() <= 0.97


def test_bonferroni_splits_the_error_evenly():
    assert simultaneous(0.99, 64) == pytest.approx(1 - 0.01 / 64)
    assert simultaneous(0.99, 0) == 0.99


@pytest.mark.parametrize("trials", [1, 7, 64])
def test_the_interval_of_a_share_equals_scipy(trials):
    successes = np.arange(trials + 1)
    low, high = share_interval(successes, trials, confidence=0.99)
    for had in successes:
        expected = binomtest(int(had), trials).proportion_ci(0.99, method="exact")
        assert (low[had], high[had]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_share_of_nothing_has_no_interval():
    assert np.isnan(share_interval(0, 0)).all()


def test_fractional_counts_lie_between_whole_ones():
    lows, highs = score_interval([3, 3.5, 4], [1, 1, 1], 100)
    assert lows[0] < lows[1] < lows[2]
    assert highs[0] < highs[1] < highs[2]


def test_averages_that_exceed_the_images_by_rounding_are_taken():
    low, high = score_interval(0.5 + 1e-15, 0.5, 1)
    assert -1 <= low < high <= 1


def test_equal_widths_shrink_with_the_root_of_their_number():
    low, high = mean_interval(np.full(16, 0.2), np.full(16, 0.12), np.full(16, 0.32))
    assert (low, high) == pytest.approx((0.2 - 0.08 / 4, 0.2 + 0.12 / 4))


def test_an_interval_of_one_figure_is_its_own():
    assert mean_interval([[0.2]], [[0.1]], [[0.5]]) == (pytest.approx([0.1]), pytest.approx([0.5]))


def test_what_is_unknown_is_left_out_of_a_mean():
    nan = float("nan")
    some = mean_interval([0.2, nan, 0.4], [0.1, nan, 0.2], [0.3, nan, 0.5])
    assert some == mean_interval([0.2, 0.4], [0.1, 0.2], [0.3, 0.5])
    assert np.isnan(mean_interval([nan], [nan], [nan])).all()


def test_symmetric_intervals_combine_as_normal_ones_do():
    random = np.random.default_rng(0)
    estimate, error = random.normal(size=(5, 4)), random.random((5, 4))
    z = norm.isf(0.025)
    low, high = mean_interval(estimate, estimate - z * error, estimate + z * error)
    expected = z * np.sqrt((error**2).sum(axis=-1)) / 4
    np.testing.assert_allclose(high - low, 2 * expected)
    np.testing.assert_allclose((high + low) / 2, estimate.mean(axis=-1))


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.9])
def test_the_difference_of_correlated_figures_has_the_variance_of_a_difference(correlation):
    z, one, other = norm.isf(0.025), 0.3, 0.2
    low, high = difference_interval(
        (1.0, 1 - z * one, 1 + z * one), (0.4, 0.4 - z * other, 0.4 + z * other), correlation
    )
    spread = np.sqrt(one**2 + other**2 - 2 * correlation * one * other)
    assert (low, high) == pytest.approx((0.6 - z * spread, 0.6 + z * spread))


def test_a_skewed_interval_stays_skewed_and_the_unknown_is_left_out():
    low, high = mean_interval([0.0, np.nan], [0.0, np.nan], [0.2, np.nan])
    assert (low, high) == (0.0, 0.2)
    assert np.isnan(mean_interval([np.nan], [np.nan], [np.nan])[0])


def test_the_mean_of_the_classes_drops_is_covered_as_often_as_promised():
    random, images = np.random.default_rng(1), 40
    losing, gaining = np.array([0.02, 0.1, 0.3]), np.array([0.02, 0.05, 0.1])
    truth = (losing - gaining).mean()
    cells = np.stack([losing, gaining, 1 - losing - gaining], axis=-1)
    drawn = random.multinomial(images, cells, size=(2000, 3))
    losses, gains = drawn[..., 0], drawn[..., 1]
    drop = (losses - gains) / images
    low, high = mean_interval(drop, *score_interval(losses, gains, images))
    assert 0.94 <= ((low <= truth) & (truth <= high)).mean() <= 0.98
