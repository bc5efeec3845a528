import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from lenslab.runs.statistics.correlation_coefficients import spearman
from lenslab.runs.statistics.correlation_intervals import correlate, correlation_difference, correlation_interval


def noisy(random, units, strength):
    attribute = random.normal(size=units)
    truth = strength * attribute + np.sqrt(1 - strength**2) * random.normal(size=units)
    return attribute, truth


def sampled(random, units, strength, noise, replicates):
    """A figure measured with noise, and bootstrap replicates of it that add the same noise again."""
    attribute, truth = noisy(random, units, strength)
    figure = truth + noise * random.normal(size=units)
    return attribute, figure, figure + noise * random.normal(size=(replicates, units))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strength", "noise"),
    [(0.0, 0.3), (0.9, 0.2), *[pytest.param(0.6, noise, marks=pytest.mark.thorough) for noise in (0.0, 0.3)]],
)
def test_the_interval_covers_the_correlation_with_and_without_noise(strength, noise):
    random = np.random.default_rng(0)
    unlimited = spearman(*noisy(random, 200_000, strength))
    found = [
        correlate(attribute, figure, attribute, replicated, units=np.full(50, True), seed=number)
        for number in range(400)
        for attribute, figure, replicated in [sampled(random, 50, strength, noise, 200)]
    ]
    expected = np.mean([one.estimate for one in found])
    for target in (expected, unlimited):
        assert np.mean([one.low <= target <= one.high for one in found]) >= 0.93
    assert np.mean([one.high - one.low for one in found]) < 0.75


def test_more_confidence_is_a_wider_interval():
    attribute, figure, replicated = sampled(np.random.default_rng(0), 50, 0.5, 0.2, 200)
    units = np.full(50, True)
    narrow, wide = (
        correlate(attribute, figure, attribute, replicated, units=units, seed=0, confidence=level)
        for level in (0.9, 0.99)
    )
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_perfect_ranking_of_a_few_units_is_not_taken_for_certain():
    few, many = np.arange(6.0), np.arange(60.0)
    perfect = [
        correlate(values, values, values, np.tile(values, (100, 1)), units=np.full(len(values), True), seed=0)
        for values in (few, many)
    ]
    assert [one.estimate for one in perfect] == pytest.approx([1, 1])
    assert perfect[0].low < 0.8 < 0.99 < perfect[1].low


def test_units_left_out_do_not_count():
    attribute, figure, replicated = sampled(np.random.default_rng(0), 50, 0.5, 0.2, 100)
    units = np.arange(50) >= 20
    kept = correlate(attribute, figure, attribute, replicated, units=units, seed=0)
    alone = correlate(
        attribute[units], figure[units], attribute[units], replicated[:, units], units=np.full(30, True), seed=0
    )
    assert kept.units == 30
    assert (kept.estimate, kept.low, kept.high) == (alone.estimate, alone.low, alone.high)


def test_both_ways_are_averaged():
    random = np.random.default_rng(0)
    attribute, figure = random.normal(size=(2, 20)), random.normal(size=(2, 20))
    replicated = np.tile(figure, (30, 1, 1))
    found = correlate(attribute, figure, attribute, replicated, units=np.full(20, True), seed=0)
    ways = [spearmanr(attribute[way], figure[way]).statistic for way in (0, 1)]
    assert ways[0] != pytest.approx(ways[1])
    assert found.estimate == pytest.approx(np.mean(ways))


def test_a_constant_side_has_no_correlation():
    found = correlate(np.ones(9), np.arange(9.0), np.ones(9), np.ones((5, 9)), units=np.full(9, True), seed=0)
    assert np.isnan([found.estimate, found.low, found.high]).all()


@pytest.mark.parametrize("units", [0, 1, 3])
def test_too_few_units_have_no_interval(units):
    values = np.arange(5.0)
    found = correlate(values, values, values, np.tile(values, (9, 1)), units=np.arange(5) < units, seed=0)
    assert np.isnan([found.low, found.high]).all()


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    attribute, figure, replicated = sampled(np.random.default_rng(0), 50, 0.5, 0.2, 100)
    first, again, other = (
        correlate(attribute, figure, attribute, replicated, units=np.full(50, True), seed=seed) for seed in (0, 0, 1)
    )
    assert (first.low, first.high) == (again.low, again.high)
    assert first.low != other.low
    assert first.estimate == other.estimate


@pytest.mark.slow
def test_the_gain_between_two_correlations_is_covered():
    random = np.random.default_rng(0)
    found = []
    for number in range(200):
        attribute, figure, replicated = sampled(random, 60, 0.8, 0.2, 200)
        blur = random.normal(size=60)
        pair = [
            correlate(attribute, figure + more, attribute, replicated + more, units=np.full(60, True), seed=number)
            for more in (0, blur)
        ]
        found.append(correlation_difference(*pair))
    gains, lows, highs = np.array(found).T
    assert gains.mean() > 0.1
    assert np.mean((lows <= gains.mean()) & (gains.mean() <= highs)) >= 0.93


def test_pairing_makes_the_gain_sharper_than_its_parts():
    random = np.random.default_rng(0)
    attribute, figure, replicated = sampled(random, 60, 0.6, 0.1, 300)
    nudge = 0.05 * random.normal(size=60)
    units = np.full(60, True)
    first = correlate(attribute, figure, attribute, replicated, units=units, seed=0)
    second = correlate(attribute, figure + nudge, attribute, replicated + nudge, units=units, seed=0)
    _, low, high = correlation_difference(first, second)
    assert high - low < (first.high - first.low) / 2


@pytest.mark.parametrize(
    ("method", "given", "floor"),
    [
        ("spearman", 0, 1.03 / np.sqrt(27)),
        ("spearman", 1, 1.03 / np.sqrt(26)),
        ("pearson", 0, 1 / np.sqrt(27)),
        ("kendall", 0, np.sqrt(0.437 / 26)),
    ],
)
def test_the_spread_is_never_below_what_the_number_of_units_implies(method, given, floor):
    low, high = correlation_interval(0.3, np.full(50, 0.3), units=30, method=method, given=given)
    reach = norm.isf(0.025) * floor
    assert (np.arctanh(low), np.arctanh(high)) == pytest.approx((np.arctanh(0.3) - reach, np.arctanh(0.3) + reach))


@pytest.mark.parametrize(("method", "given", "units"), [("spearman", 0, 4), ("spearman", 1, 5), ("kendall", 0, 5)])
def test_an_interval_needs_a_few_units(method, given, units):
    known = np.linspace(0.2, 0.4, 20)
    assert np.isfinite(correlation_interval(0.3, known, units=units, method=method, given=given)).all()
    assert np.isnan(correlation_interval(0.3, known, units=units - 1, method=method, given=given)).all()
