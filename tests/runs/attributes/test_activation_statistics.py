"""How much, how often and where a unit answers, on maps small enough to count by eye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.activation_statistics import (
    apoz,
    class_means,
    dead_units,
    feature_map_rank,
    max_activation,
    mean_activation,
)

# Two images, two units, 2x2.
MAPS = np.array([[[[0, 1], [2, 0]], [[5, 5], [5, 5]]], [[[0, 0], [0, 0]], [[1, -2], [-2, 4]]]], dtype=np.float32)


def test_class_means_average_over_the_images_of_a_class():
    means = class_means(np.array([[1.0, 0], [3, 0], [8, 4]]), [1, 1, 0], classes=3)
    assert means[:, :2].tolist() == [[8, 2], [4, 0]]
    assert np.isnan(means[:, 2]).all()


def test_dead_units_never_fire_or_never_change():
    activations = np.array([[0, 0.1, 0.1 + 1e-9, -1], [0, 0.1, 0.1, 2], [0, 0.1, 0.1, 0]])
    assert dead_units(activations).tolist() == [True, True, True, False]


def test_a_unit_that_fires_once_is_alive():
    activations = np.zeros((1000, 1))
    activations[3] = 1e-9
    assert dead_units(activations).tolist() == [False]


def test_apoz_is_the_share_of_exact_zeros_over_images_and_positions():
    assert apoz(MAPS).tolist() == [6 / 8, 0]


def test_apoz_of_features_counts_images():
    assert apoz(np.array([[0.0, 1.0], [0.0, 0.0], [1e-30, 0.0], [0.0, 0.0]])).tolist() == [0.75, 0.75]


def test_the_largest_activation_is_of_one_position_and_the_mean_of_all():
    assert max_activation(MAPS).tolist() == [2, 5]
    assert mean_activation(MAPS.mean(axis=(2, 3))).tolist() == [3 / 8, 21 / 8]


def test_the_largest_activation_of_a_unit_below_zero_is_below_zero():
    assert max_activation(np.array([[[-3.0, -2.0]]])).tolist() == [-2]


def test_the_rank_of_a_map_is_its_matrix_rank_averaged_over_images():
    # Unit 0: [[0, 1], [2, 0]] has rank 2, nothing has rank 0. Unit 1: a constant has rank 1, [[1, -2], [-2, 4]] too.
    assert feature_map_rank(MAPS).tolist() == [1, 1]


def test_the_rank_reaches_the_shorter_side_and_no_further():
    rows = np.random.default_rng(0).normal(size=(1, 1, 3, 7))
    assert feature_map_rank(rows).tolist() == [3]
    assert feature_map_rank(rows.swapaxes(2, 3)).tolist() == [3]


def test_rounding_in_float32_adds_no_rank():
    column, row = np.random.default_rng(1).normal(size=(2, 8)).astype(np.float32)
    assert feature_map_rank((column[:, None] * row)[None, None]).tolist() == [1]


def test_the_rank_of_a_feature_says_whether_it_is_zero():
    assert feature_map_rank(np.array([[0.0, 2.0], [3.0, -1.0]])).tolist() == [0.5, 1]


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_figures_of_parts_weighted_by_images_are_the_figures_of_all(cut, seed):
    maps = np.maximum(np.random.default_rng(seed).normal(size=(6, 3, 2, 2)), 0).astype(np.float32)
    parts = maps[:cut], maps[cut:]
    for figure in (apoz, feature_map_rank):
        assert sum(figure(part) * len(part) for part in parts) / 6 == pytest.approx(figure(maps), abs=1e-12)
    assert np.maximum(*(max_activation(part) for part in parts)).tolist() == max_activation(maps).tolist()
