"""Correlations gathered in batches equal those of all rows, and a unit's class is the one it follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.class_correlation import class_correlation, moments


def test_correlations_are_pearsons():
    # Unit 0 rises with class 0; unit 1 is 1 but for one image.
    units = np.array([[1.0, 1], [2, 1], [3, 1], [4, 5]])
    classes = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    # Deviations -1.5..1.5 against -1, -1, -1, 3: 6 / sqrt(5 * 12).
    half = 6 / np.sqrt(5 * 12)
    assert moments(units, classes).correlations() == pytest.approx(np.array([[1, -1], [half, -half]]))


@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1000.0]))
def test_two_parts_add_up_to_the_whole(cut, seed, offset):
    random = np.random.default_rng(seed)
    units, classes = random.normal(offset, 1, (9, 3)), random.random((9, 2))
    parts = moments(units[:cut], classes[:cut]) + moments(units[cut:], classes[cut:])
    expected = np.corrcoef(units.T, classes.T)[:3, 3:]
    assert parts.correlations() == pytest.approx(expected, abs=1e-9)
    assert parts.count == 9


def test_constants_correlate_with_nothing_even_when_their_last_bits_differ():
    units = np.float32(0.3) + np.array([[0], [3e-8], [0]], dtype=np.float32)
    assert len(np.unique(units)) == 2
    assert np.isnan(moments(units, np.array([[0.1], [0.2], [0.3]])).correlations()).all()


def test_a_units_class_is_the_one_it_correlates_with_most_not_least():
    value, label = class_correlation(np.array([[-0.95, 0.2, 0.4], [0.5, np.nan, 0.1]]))
    assert (value.tolist(), label.tolist()) == ([0.4, 0.5], [2, 0])


def test_a_unit_that_correlates_with_nothing_has_no_class():
    value, label = class_correlation(np.full((1, 3), np.nan))
    assert np.isnan(value).all()
    assert label.tolist() == [-1]
