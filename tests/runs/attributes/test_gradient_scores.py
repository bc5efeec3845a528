"""Scores from value times gradient: their signs, absolute values and classes."""

from __future__ import annotations

import numpy as np

from lenslab.runs.attributes.gradient_scores import gradient_activation, taylor

# Two units on three images, of classes 0, 0 and 1.
PRODUCTS = np.array([[-3.0, 1.0], [1.0, 1.0], [-1.0, -2.0]])


def test_the_forecast_is_above_zero_where_the_unit_lowers_the_loss_and_signs_cancel():
    assert gradient_activation(PRODUCTS.sum(axis=0), 3).tolist() == [1, 0]


def test_taylor_takes_the_size_image_by_image_and_per_position():
    assert taylor(np.abs(PRODUCTS).sum(axis=0), 3, positions=2).tolist() == [5 / 3 / 2, 4 / 3 / 2]


def test_scores_by_class_average_over_the_images_of_the_class():
    by_class = np.array([[-2.0, -1.0, 0.0], [2.0, -2.0, 0.0]])
    found = gradient_activation(by_class, [2, 1, 0])
    assert found[:, :2].tolist() == [[1, 1], [-1, 2]]
    assert np.isnan(found[:, 2]).all()
    assert np.isnan(taylor(by_class, [2, 1, 0], positions=1)[:, 2]).all()
