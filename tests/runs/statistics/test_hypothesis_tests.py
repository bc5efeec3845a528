import numpy as np
import pytest
from scipy.stats import binomtest, norm

from lenslab.runs.statistics.hypothesis_tests import average_p_values, benjamini_hochberg, bonferroni, mcnemar


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_mcnemar_equals_the_exact_binomial_test(alternative):
    losses, gains = np.meshgrid(np.arange(15), np.arange(15))
    found = mcnemar(losses, gains, alternative=alternative)
    for index in np.ndindex(losses.shape):
        changed = int(losses[index] + gains[index])
        expected = binomtest(int(losses[index]), changed, alternative=alternative).pvalue if changed else 1.0
        assert found[index] == pytest.approx(expected, rel=1e-12)


def test_mcnemar_stays_exact_for_many_flips():
    assert mcnemar(600, 400) == pytest.approx(binomtest(600, 1000).pvalue, rel=1e-9)


def test_more_gains_than_losses_are_no_evidence_of_damage():
    assert mcnemar(1, 9, alternative="greater") > 0.99


def test_an_unknown_alternative_is_refused():
    with pytest.raises(ValueError, match="no alternative named 'less'"):
        mcnemar(1, 2, alternative="less")


def test_benjamini_hochberg_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.6 of four: 4*0.005/1, 4*0.01/2, 4*0.03/3, 0.6, made monotone from the right.
    found = benjamini_hochberg(np.array([[0.01, 0.6], [0.03, 0.005]]))
    assert found.round(12).tolist() == [[0.02, 0.6], [0.04, 0.02]]


def test_what_was_not_tested_does_not_count_in_the_family():
    found = benjamini_hochberg(np.array([0.01, np.nan, 0.02]))
    assert found[[0, 2]].tolist() == [0.02, 0.02]
    assert np.isnan(found[1])
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


def test_false_discoveries_stay_rare_under_a_planted_null():
    random = np.random.default_rng(0)
    null = np.arange(100) < 80
    shares = []
    for _ in range(200):
        losses = random.binomial(40, np.where(null, 0.5, 0.8), 100)
        found = benjamini_hochberg(mcnemar(losses, 40 - losses)) <= 0.05
        assert found[~null].sum() > 10
        shares.append((found & null).sum() / max(found.sum(), 1))
    assert np.mean(shares) <= 0.05


def test_one_draw_keeps_its_p_values_and_no_draw_has_none():
    alone = np.array([0.2, 0.9])
    assert (average_p_values([alone]) == alone).all()
    with pytest.raises(ValueError, match="no p-values to average"):
        average_p_values([])


@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_the_p_value_of_dependent_draws_is_no_smaller_than_its_level(shared):
    random = np.random.default_rng(0)
    common, own = random.normal(size=(1, 20_000)), random.normal(size=(5, 20_000))
    found = average_p_values(norm.sf(np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    for level in (0.01, 0.05, 0.2):
        assert np.mean(found <= level) <= level


def test_either_of_two_is_found_at_half_the_level():
    assert bonferroni(np.array([0.02, 0.5, np.nan]), np.array([0.3, 0.6, np.nan]))[:2].tolist() == [0.04, 1.0]
    random = np.random.default_rng(0)
    assert np.mean(bonferroni(*random.random((2, 20_000))) <= 0.05) <= 0.053
