"""Combined intervals: what they are where the answer is known, and how often they hold the truth."""

import numpy as np
import pytest
from scipy.stats import norm

from lenslab.runs.statistics.confidence_intervals import score_interval
from lenslab.runs.statistics.interval_arithmetic import difference_interval, mean_interval


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
