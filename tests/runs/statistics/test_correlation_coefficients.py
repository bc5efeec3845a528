import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from lenslab.runs.statistics.correlation_coefficients import centred, cosines, partial, spearman


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_spearman_equals_scipy_ties_included(pairs):
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    found = spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


def test_spearman_works_along_the_last_axis():
    assert spearman([[1, 2, 3], [3, 2, 1]], [1, 5, 9]).tolist() == [1, -1]


def test_what_a_third_explains_entirely_leaves_no_correlation():
    assert np.isnan(partial(0.5, 1.0, 0.5))
    ranks = np.arange(9.0)
    assert np.isnan(partial(spearman(ranks, ranks[::-1]), spearman(ranks, ranks), spearman(ranks[::-1], ranks)))


def test_given_a_common_cause_two_variables_have_nothing_to_do_with_each_other():
    random = np.random.default_rng(0)
    cause = random.normal(size=20_000)
    first, second = cause + random.normal(size=(2, 20_000))
    plain = spearman(first, second)
    assert plain > 0.4
    assert abs(partial(plain, spearman(first, cause), spearman(second, cause))) < 0.05


def test_cosines_of_centred_values_are_pearsons_and_equal_values_have_none():
    sides = np.random.default_rng(0).normal(size=(3, 30))
    sides[2] = 0.1
    found = cosines(centred(sides))
    assert found[0, 1] == pytest.approx(pearsonr(sides[0], sides[1]).statistic)
    assert found[:2, :2] == pytest.approx(np.corrcoef(sides[:2]))
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
