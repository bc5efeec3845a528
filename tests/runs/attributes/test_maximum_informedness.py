"""Units as detectors, against hand counts and against trying every threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.maximum_informedness import maximum_informedness


def test_the_best_threshold_is_found_with_its_class_and_its_rates():
    # From 6 on: two of three images of class 4, one of four others.
    activations = np.array([9.0, 7, 6, 2, 5, 1, 1])[:, None]
    found = maximum_informedness(activations, [4, 0, 4, 4, 0, 0, 7])
    # Class 0 from 5 on: 2/3 - 2/4. Class 4 from 2 on: 3/3 - 2/4 = 0.5; from 6 on: 2/3 - 1/4 = 0.4167.
    assert found.value == pytest.approx([0.5])
    assert (found.threshold.tolist(), found.label.tolist()) == ([2], [4])
    assert (found.sensitivity.tolist(), found.specificity.tolist()) == ([1], [0.5])


def test_a_perfect_detector_has_informedness_one():
    found = maximum_informedness(np.array([[0.0], [3.0], [4.0], [1.0]]), [0, 1, 1, 2])
    assert (found.value.tolist(), found.threshold.tolist(), found.label.tolist()) == ([1], [3], [1])


def test_images_that_tie_are_on_the_same_side_of_every_threshold():
    # At 2 both classes come in together: 1 - 1/2 for class 0.
    found = maximum_informedness(np.array([[2.0], [2.0], [2.0], [0.0]]), [0, 0, 1, 1])
    assert (found.value.tolist(), found.label.tolist()) == ([0.5], [0])


def test_a_constant_unit_informs_of_nothing():
    found = maximum_informedness(np.full((4, 1), 0.3), [0, 0, 1, 1])
    assert (found.value.tolist(), found.label.tolist()) == ([0], [-1])
    assert np.isnan(found.threshold).all()


def test_a_single_class_leaves_nothing_to_tell_apart():
    assert np.isnan(maximum_informedness(np.array([[1.0], [2.0]]), [0, 0]).value).all()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=2, max_size=20))
def test_no_threshold_and_class_does_better(pairs):
    values, labels = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(labels)) < 2 or len(set(values)) < 2:
        return
    best = max(
        (values >= threshold)[labels == label].mean() - (values >= threshold)[labels != label].mean()
        for threshold in set(values)
        for label in set(labels)
    )
    found = maximum_informedness(values[:, None].astype(float), labels)
    assert found.value == pytest.approx([best])
    says = values >= found.threshold[0]
    assert found.sensitivity == pytest.approx([says[labels == found.label[0]].mean()])
    assert found.specificity == pytest.approx([1 - says[labels != found.label[0]].mean()])
