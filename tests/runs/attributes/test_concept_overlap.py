"""Concept alignment on images small enough to count pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.activation_quantiles import ActivationQuantiles
from lenslab.runs.attributes.concept_overlap import OverlapCounts, concept_alignment, upsampled
from lenslab.units import ConceptImages, UnitsError, align_concepts
from tests.units import toys


def thresholds(*batches: np.ndarray, quantile: float) -> list[float]:
    found = ActivationQuantiles(batches[0].shape[1], quantile)
    for _ in range(ActivationQuantiles.ROUNDS):
        for maps in batches:
            found.add(maps)
        found.advance()
    return found.values.tolist()


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


def align(network, source, masks, *, annotated=None, **options):
    return align_concepts(network, ConceptImages.of_arrays(source, masks, annotated=annotated), **options)


def test_units_that_see_a_quarter_align_with_that_quarter_in_any_batches():
    """Four units of the toy network sum each 4x4 patch; the images' bright quarters are the concepts."""
    pixels = toys.quarters((0,), (1,), (2,), (3,), (0, 3), (1, 2), (0,), ())
    masks = np.zeros((8, 2, 8, 8), bool)
    masks[:, 0] = pixels > 0  # whatever is bright
    masks[:, 1, :4] = pixels[:, :4] > 0  # the bright things in the upper half
    source = (pixels, [0, 1] * 4)
    for batch_size in (1, 3, 8):
        found = align(toys.by_hand(), source, masks, sites=["1"], quantile=9 / 32, batch_size=batch_size)["1"]
        # 9 of 32 patches are bright, and t = 0 leaves exactly them: bilinear growth of 2x2 to 8x8 spreads them.
        assert found.thresholds.tolist() == [0, 0, 0, 0]
        expected = _by_torch(pixels, masks)
        assert found.overlap == pytest.approx(np.tile(expected, (4, 1)))
    by_call = align(toys.by_hand(), source, lambda start, stop: masks[start:stop], sites=["1"], quantile=9 / 32)["1"]
    assert by_call.overlap.tolist() == found.overlap.tolist()


def _by_torch(pixels, masks):
    patches = torch.tensor(pixels.reshape(8, 2, 4, 2, 4).sum(axis=(2, 4)), dtype=torch.float64)
    lit = F.interpolate(patches[:, None], size=(8, 8), mode="bilinear", align_corners=False)[:, 0].numpy() > 0
    both = (lit[:, None] & masks).sum(axis=(0, 2, 3))
    return both / (lit[:, None] | masks).sum(axis=(0, 2, 3))


def test_masks_that_do_not_fit_are_refused():
    source = (toys.quarters((0,), (1,)), [0, 1])
    with pytest.raises(UnitsError, match="give bool \\[2, concepts, rows, columns\\]"):
        align(toys.by_hand(), source, np.zeros((2, 1, 8, 8)), sites=["1"])
    with pytest.raises(UnitsError, match="masks of images 0 to 1"):
        align(toys.by_hand(), source, np.zeros((1, 1, 8, 8), bool), sites=["1"])
    with pytest.raises(UnitsError, match="annotated is"):
        align(toys.by_hand(), source, np.zeros((2, 1, 8, 8), bool), annotated=np.ones((2, 3), bool), sites=["1"])
    with pytest.raises(UnitsError, match="lights nothing or everything"):
        align(toys.by_hand(), source, np.zeros((2, 1, 8, 8), bool), sites=["1"], quantile=1.5)
