"""Units of a network beside concepts: a toy network whose overlaps can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lenslab.units import UnitsError
from lenslab.units.attribute_measurement import align_concepts
from lenslab.units.images.concept_masks import ConceptImages
from tests.units import toys


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
