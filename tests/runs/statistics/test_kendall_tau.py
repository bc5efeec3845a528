import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from lenslab.runs.statistics import kendall_tau
from lenslab.runs.statistics.kendall_tau import kendall, kendall_taus


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_kendall_equals_scipy_ties_included(pairs):
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    found = kendall(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)


def test_weights_are_units_written_out_one_by_one(monkeypatch):
    random = np.random.default_rng(0)
    shapes = ((20,), (7, 20), (20,), (7, 20))  # of attributes that are fixed and that change
    attributes = [random.integers(0, 9, shape).astype(float) for shape in shapes]
    figures = random.integers(0, 9, (7, 2, 20)).astype(float)
    draws = random.integers(0, 20, (7, 20))
    weights = np.stack([np.bincount(drawn, minlength=20) for drawn in draws])
    found = kendall_taus(attributes, figures, weights)
    for number, drawn in enumerate(draws):
        for place, attribute in enumerate(attributes):
            side = np.broadcast_to(attribute, (7, 20))[number]
            for other in range(2):
                expected = kendalltau(side[drawn], figures[number, other][drawn]).statistic
                assert found[number, place, other] == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(kendall_tau, "_PAIRS", 3 * 20)
    monkeypatch.setattr(kendall_tau, "_SIGNS", 2 * 3 * 20)
    assert (kendall_taus(attributes, figures, weights) == found).all()


def test_values_that_differ_by_a_hair_are_told_apart():
    values = 1 + np.arange(5) * 1e-15
    assert kendall(values, np.arange(5)) == 1


def test_an_unknown_value_leaves_its_replicates_unknown():
    random = np.random.default_rng(0)
    changing, measures = random.random((3, 8)), random.random((3, 1, 8))
    changing[1, 4] = np.nan
    found = kendall_taus([random.random(8), changing], measures, np.ones((3, 8), int))
    assert np.isnan(found[:, :, 0]).tolist() == [[False, False], [False, True], [False, False]]
