import warnings

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from lenslab.runs.statistics import drawn_correlations as module
from lenslab.runs.statistics.drawn_correlations import drawn_correlations, drawn_ranks

SCIPY = {"spearman": spearmanr, "pearson": pearsonr}


def variables(random):
    """Two that are fixed, one of them with ties, and two that change."""
    return [random.random(15), np.round(random.random(15), 1), random.random((6, 15)), random.integers(0, 4, (6, 15))]


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_correlations_are_those_of_the_drawn_units(monkeypatch, method):
    random = np.random.default_rng(0)
    sides, draws = variables(random), random.integers(0, 15, (6, 15))
    found = drawn_correlations(sides, draws, method=method)
    assert found.shape == (6, 4, 4)
    for number, drawn in enumerate(draws):
        written = [np.broadcast_to(side, (6, 15))[number][drawn] for side in sides]
        for one in range(4):
            for other in range(4):
                expected = SCIPY[method](written[one], written[other]).statistic
                assert found[number, one, other] == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(module, "_AT_ONCE", 2 * 4 * 15)
    assert drawn_correlations(sides, draws, method=method) == pytest.approx(found, abs=1e-12)


def test_ranks_are_those_of_scipy_less_their_mean():
    random = np.random.default_rng(0)
    draws = random.integers(0, 15, (6, 9))
    for values in variables(random):
        taken = np.take_along_axis(np.broadcast_to(values, (6, 15)), draws, axis=1)
        assert (drawn_ranks(np.asarray(values, float), draws) == rankdata(taken, axis=1) - 5).all()


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_an_unknown_value_leaves_unknown_only_the_replicates_that_draw_it(method):
    values, other = np.array([1.0, np.nan, 3.0, 5.0]), np.array([1.0, 2.0, 4.0, 3.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = drawn_correlations([values, other], np.array([[0, 2, 3], [0, 1, 2]]), method=method)[:, 0, 1]
    assert np.isnan(found).tolist() == [False, True]
