import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.units.statistics.attributes import class_means, class_selectivity, dead, l1_norm


def test_class_means_average_over_the_images_of_a_class():
    means = class_means(np.array([[1.0, 0], [3, 0], [8, 4]]), [1, 1, 0], classes=3)
    assert means[:, :2].tolist() == [[8, 2], [4, 0]]
    assert np.isnan(means[:, 2]).all()


def test_selectivity_compares_the_favourite_class_with_the_mean_of_the_others():
    # (6 - 1.5) / (6 + 1.5)
    assert class_selectivity(np.array([[6.0, 1.0, 2.0]])).tolist() == [0.6]


def test_selectivity_averages_class_means_and_not_images_in_unbalanced_data():
    means = class_means(np.array([[4.0], [1.0], [1.0], [1.0], [3.0]]), [0, 1, 1, 1, 2], classes=3)
    assert class_selectivity(means).tolist() == [(4 - 2) / (4 + 2)]


def test_a_unit_of_one_class_has_selectivity_one_and_a_silent_one_zero():
    assert class_selectivity(np.array([[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]])).tolist() == [1, 0]


def test_classes_without_images_are_left_out_of_selectivity():
    assert class_selectivity(np.array([[3.0, np.nan, 1.0]])).tolist() == [0.5]


def test_selectivity_has_no_meaning_for_negative_means_or_a_single_class():
    assert np.isnan(class_selectivity(np.array([[3.0, -1.0]]))).all()
    assert np.isnan(class_selectivity(np.array([[3.0, np.nan]]))).all()


@given(st.lists(st.lists(st.floats(0, 100), min_size=4, max_size=4), min_size=1, max_size=5), st.permutations(range(4)))
def test_selectivity_lies_between_zero_and_one_whatever_the_order_of_the_classes(means, order):
    means = np.array(means)
    found = class_selectivity(means)
    assert ((found >= 0) & (found <= 1)).all()
    assert found == pytest.approx(class_selectivity(means[:, list(order)]), abs=1e-9)


def test_the_l1_norm_sums_absolute_weights_over_everything_but_the_unit():
    weights = np.array([[[[1.0, -1.0]], [[2.0, 0.0]]], [[[0.5, 0.0]], [[0.0, -0.25]]]])
    assert l1_norm(weights).tolist() == [4, 0.75]


def test_dead_units_never_fire_or_never_change():
    activations = np.array([[0, 0.1, 0.1 + 1e-9, -1], [0, 0.1, 0.1, 2], [0, 0.1, 0.1, 0]])
    assert dead(activations).tolist() == [True, True, True, False]


def test_a_unit_that_fires_once_is_alive():
    activations = np.zeros((1000, 1))
    activations[3] = 1e-9
    assert dead(activations).tolist() == [False]
