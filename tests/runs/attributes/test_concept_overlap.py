"""Concept alignment on images small enough to count pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.concept_overlap import OverlapCounts, concept_alignment, upsampled


def mask(*rows: str) -> np.ndarray:
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def test_overlap_is_the_intersection_over_the_union_summed_over_images_first():
    # 8 positions, a quarter lit: both 9s. Image 0: lit and labelled agree. Image 1: 1 of 3 labelled pixels is lit.
    maps = np.array([[[[9.0, 0], [0, 0]]], [[[9, 1], [0, 0]]]])
    masks = np.stack([[mask("#.", "..")], [mask("##", "#.")]])
    assert concept_alignment(maps, masks, quantile=0.25).overlap.tolist() == [[2 / 4]]


def test_each_unit_has_its_own_threshold_and_the_best_concept_is_named():
    maps = np.array([[[[1.0, 0], [0, 0]], [[0, 0], [0, 100]], [[5, 5], [5, 5]]]])
    masks = np.array([[mask("..", ".#"), mask("#.", "..")]])
    found = concept_alignment(maps, masks, quantile=0.25)
    assert found.overlap.tolist() == [[0, 1], [1, 0], [0, 0]]
    assert (found.best.tolist(), found.concept.tolist()) == ([1, 1, 0], [1, 0, -1])
    assert found.thresholds.tolist() == [0, 0, 5]
    assert found.detectors.tolist() == [True, True, False]


def test_images_that_were_not_labelled_for_a_concept_count_in_neither_sum():
    maps = np.array([[[[9.0, 0], [0, 0]]], [[[0, 9], [0, 0]]]])
    masks = np.stack([[mask("#.", "..")] * 2, [mask("..", "..")] * 2])
    annotated = np.array([[True, True], [False, True]])
    assert concept_alignment(maps, masks, annotated=annotated, quantile=0.25).overlap.tolist() == [[1, 0.5]]


def test_masks_may_be_finer_than_maps():
    # 1x2 becomes 1x4 as 0, 1, 3, 4; half of the values may be lit, so the threshold is 0.
    maps = np.array([[[[0.0, 4.0]]]])
    masks = np.array([[mask("...#")]])
    assert concept_alignment(maps, masks, quantile=0.5).overlap.tolist() == [[1 / 3]]


def test_a_unit_that_stands_at_one_value_is_never_above_it():
    maps = np.full((1, 1, 3, 3), np.float32(0.1))
    assert concept_alignment(maps, np.ones((1, 1, 7, 5), bool), quantile=0.5).overlap.tolist() == [[0]]


@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_growing_is_bilinear_interpolation_as_others_do_it(had, wanted):
    maps = np.random.default_rng(0).normal(size=(2, *had)).astype(np.float32)
    expected = F.interpolate(torch.tensor(maps)[None].double(), size=wanted, mode="bilinear", align_corners=False)
    assert upsampled(maps, wanted) == pytest.approx(expected[0].numpy(), abs=1e-6)


def test_pixels_of_one_image_are_counted_without_rounding():
    overlaps = OverlapCounts(np.array([0.5]), 1)
    labelled = np.zeros((1, 1, 300, 300), bool)
    labelled[0, 0, :299] = True
    overlaps.add(np.ones((1, 1, 1, 1)), labelled)
    assert overlaps.alignment().overlap.tolist() == [[299 / 300]]
