"""The indices of selectivity, each against a number worked out by hand, and where they part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.activation_statistics import class_means
from lenslab.runs.attributes.selectivity import ccmas, class_selectivity, localist_selectivity, precision


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]


def test_selectivity_compares_the_favourite_class_with_the_mean_of_the_others():
    # (6 - 1.5) / (6 + 1.5)
    assert class_selectivity(np.array([[6.0, 1.0, 2.0]])).tolist() == [0.6]


def test_selectivity_averages_class_means_and_not_images_in_unbalanced_data():
    means = class_means(np.array([[4.0], [1.0], [1.0], [1.0], [3.0]]), [0, 1, 1, 1, 2], classes=3)
    assert class_selectivity(means).tolist() == [(4 - 2) / (4 + 2)]


def test_ccmas_averages_images_and_not_class_means_in_unbalanced_data():
    # The others' images: 1, 1, 1 and 3.
    assert ccmas(column(4, 1, 1, 1, 3), [0, 1, 1, 1, 2]).tolist() == [(4 - 1.5) / (4 + 1.5)]


def test_a_unit_of_one_class_has_selectivity_one_and_a_silent_one_zero():
    assert class_selectivity(np.array([[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]])).tolist() == [1, 0]
    assert ccmas(np.array([[0.0, 0.0], [5.0, 0.0]]), [0, 1]).tolist() == [1, 0]


def test_classes_without_images_are_left_out_of_selectivity():
    assert class_selectivity(np.array([[3.0, np.nan, 1.0]])).tolist() == [0.5]
    assert ccmas(column(3, 1), [0, 2]).tolist() == [0.5]


def test_selectivity_has_no_meaning_for_negative_means_or_a_single_class():
    assert np.isnan(class_selectivity(np.array([[3.0, -1.0]]))).all()
    assert np.isnan(class_selectivity(np.array([[3.0, np.nan]]))).all()
    assert np.isnan(ccmas(column(3, -1), [0, 1])).all()
    assert np.isnan(ccmas(column(3, 1), [1, 1])).all()


@given(st.lists(st.lists(st.floats(0, 100), min_size=4, max_size=4), min_size=1, max_size=5), st.permutations(range(4)))
def test_selectivity_lies_between_zero_and_one_whatever_the_order_of_the_classes(means, order):
    means = np.array(means)
    found = class_selectivity(means)
    assert ((found >= 0) & (found <= 1)).all()
    assert found == pytest.approx(class_selectivity(means[:, list(order)]), abs=1e-9)


@given(st.lists(st.floats(0, 100, width=32), min_size=12, max_size=12))
def test_ccmas_is_class_selectivity_in_balanced_data(values):
    labels = [0, 1, 2] * 4
    activations = np.array(values)[:, None]
    means = class_means(activations, labels, classes=3)
    assert ccmas(activations, labels) == pytest.approx(class_selectivity(means), abs=1e-9)


def test_a_unit_that_fires_at_one_image_has_ccmas_one_and_misses_its_class():
    activations = np.zeros((100, 1))
    activations[7] = 1
    assert ccmas(activations, [0, 1] * 50).tolist() == [1]


def test_precision_is_the_share_of_the_commonest_class_among_the_top_images():
    activations, labels = column(9, 8, 7, 6, 0), [2, 0, 2, 2, 0]
    assert precision(activations, labels, top=4).tolist() == [0.75]
    assert precision(activations, labels, top=1).tolist() == [1]


def test_images_that_tie_at_the_cut_share_the_places_left():
    # One image above, then three zeros for one place: a third of it is class 0's.
    assert precision(column(5, 0, 0, 0), [0, 0, 1, 2], top=2) == pytest.approx([(1 + 1 / 3) / 2])


def test_precision_takes_all_images_where_there_are_fewer():
    assert precision(column(3, 2, 1), [0, 0, 1], top=100) == pytest.approx([2 / 3])


def test_a_constant_unit_has_no_top_images():
    assert np.isnan(precision(column(2, 2, 2), [0, 0, 1], top=2)).all()


@given(st.permutations(range(8)), st.integers(1, 8))
def test_the_order_of_the_images_decides_no_precision(order, top):
    activations, labels = column(4, 0, 0, 3, 0, 2, 2, 0), np.array([0, 1, 1, 0, 2, 1, 0, 2])
    shuffled = precision(activations[list(order)], labels[list(order)], top=top)
    assert shuffled == pytest.approx(precision(activations, labels, top=top))


def test_a_localist_unit_keeps_one_class_above_all_others_by_its_margin():
    # Class 1 answers 5 to 6, the others 1 to 3.
    assert localist_selectivity(column(1, 5, 6, 3), [0, 1, 1, 2]).tolist() == [2]


def test_one_image_of_another_class_in_between_takes_the_margin():
    # Class 1 reaches down to 5 and class 2 up to 5.5; class 2 reaches down to 3 and class 1 up to 6.
    assert localist_selectivity(column(1, 5, 6, 3, 5.5), [0, 1, 1, 2, 2]).tolist() == [-0.5]


def test_the_margin_is_measured_to_the_strongest_other_class_even_if_that_is_the_second():
    # Class 0 has the largest value and reaches down to 0; class 1 alone is 4, below class 0's 9.
    assert localist_selectivity(column(9, 0, 4), [0, 0, 1]).tolist() == [-4]


def test_a_single_class_has_no_others_to_be_above():
    assert np.isnan(localist_selectivity(column(1, 2), [3, 3])).all()
