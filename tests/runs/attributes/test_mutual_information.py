"""Mutual information: exact on cases that can be counted, between its bounds on all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.mutual_information import mutual_information


def test_a_unit_that_tells_four_classes_apart_holds_two_bits():
    assert mutual_information(np.array([[0.0], [1.0], [2.0], [3.0]] * 5), [0, 1, 2, 3] * 5, bins=4).tolist() == [2]


def test_a_unit_that_takes_every_value_in_every_class_alike_holds_none():
    activations = np.array([[value] for value in (0.0, 1.0, 2.0, 3.0) for _ in range(2)])
    assert mutual_information(activations, [0, 1] * 4, bins=4) == pytest.approx([0], abs=1e-12)


def test_information_is_counted_in_bins_of_equal_numbers():
    # Below the median: classes 0, 0, 0, 1; above: 1, 1, 1, 0. I = 1 - H(1/4) = 1 - 0.8113.
    activations = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [60.0], [700.0], [8000.0]])
    found = mutual_information(activations, [0, 0, 0, 1, 1, 1, 1, 0], bins=2)
    assert found == pytest.approx([1 + 0.25 * np.log2(0.25) + 0.75 * np.log2(0.75)])


def test_equal_activations_share_a_bin_and_so_cannot_be_told_apart():
    # Three quarters of zeros: the only split is zero or not, whatever the number of bins.
    activations = np.array([[0.0]] * 6 + [[1.0], [2.0]])
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    # H(T) of shares 3/4 and 1/4, H(Y) = 1, and H(T, Y) = 1.5 of shares 1/2, 1/4 and 1/4.
    expected = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)) + 1 - 1.5
    for bins in (2, 4):
        found = mutual_information(np.minimum(activations, 1), labels, bins=bins)
        assert found == pytest.approx([expected])


def test_a_constant_unit_with_noise_in_its_last_bits_holds_nothing():
    activations = np.float32(0.3) + np.array([[0], [3e-8], [0], [3e-8]], dtype=np.float32)
    assert len(np.unique(activations)) == 2
    assert mutual_information(activations, [0, 1, 0, 1]).tolist() == [0]


@given(st.lists(st.tuples(st.floats(0, 9, width=32), st.integers(0, 3)), min_size=2, max_size=40), st.integers(2, 6))
def test_information_lies_between_nothing_and_the_entropies_and_ignores_the_units_scale(pairs, bins):
    values, labels = (np.array(column) for column in zip(*pairs, strict=True))
    found = mutual_information(values[:, None], labels, bins=bins)
    share = np.bincount(labels)[np.bincount(labels) > 0] / len(labels)
    assert 0 <= found[0] <= min(np.log2(bins), -(share * np.log2(share)).sum()) + 1e-9
    assert mutual_information(4 * values[:, None], labels, bins=bins).tolist() == found.tolist()
