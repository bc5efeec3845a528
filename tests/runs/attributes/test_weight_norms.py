"""Norms of filters: raw, and with batch norm folded in."""

from __future__ import annotations

import numpy as np

from lenslab.runs.attributes.weight_norms import l1_norm, l1_norm_folded


def test_the_l1_norm_sums_absolute_weights_over_everything_but_the_unit():
    weights = np.array([[[[1.0, -1.0]], [[2.0, 0.0]]], [[[0.5, 0.0]], [[0.0, -0.25]]]])
    assert l1_norm(weights).tolist() == [4, 0.75]


def test_folding_divides_by_the_deviation_and_multiplies_by_the_size_of_the_scale():
    folded = l1_norm_folded(np.array([[3.0, -1.0], [1.0, 1.0]]), np.array([-0.5, 2.0]), np.array([15.0, 0.0]), 1.0)
    assert folded.tolist() == [4 * 0.5 / 4, 2 * 2 / 1]
