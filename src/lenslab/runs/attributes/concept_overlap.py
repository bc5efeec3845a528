"""Overlap with concepts: does a unit light up where a concept is? Network Dissection's IoU, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_quantiles import ActivationQuantiles

Floats = NDArray[np.float64]
Maps = NDArray[np.floating[Any]]
Masks = NDArray[np.bool_]

DETECTOR = 0.04
"""Network Dissection calls a unit a detector of its concept from this overlap on."""


@dataclass(frozen=True)
class Alignment:
    """How well each unit's high activations overlap with each concept.

    Attributes:
        overlap: Intersection over union, ``[units, concepts]``, from 0 to 1.
        thresholds: The value above which a unit counts as lit, ``[units]``.
    """

    overlap: Floats
    thresholds: Floats

    @property
    def best(self) -> Floats:
        """The largest overlap over concepts, ``[units]``."""
        return np.asarray(self.overlap.max(axis=1))

    @property
    def concept(self) -> NDArray[np.int64]:
        """The concept of the largest overlap, ``[units]``; -1 where a unit overlaps with none."""
        return np.where(self.best > 0, self.overlap.argmax(axis=1), -1)

    @property
    def detectors(self) -> NDArray[np.bool_]:
        """Which units are detectors: ``best`` above `DETECTOR`, ``[units]``."""
        return np.asarray(self.best > DETECTOR)


def concept_alignment(
    maps: Maps, masks: Masks, *, annotated: Masks | None = None, quantile: float = 0.005
) -> Alignment:
    r"""Measure how well the positions where a unit is lit overlap with those of each concept.

    .. math:: IoU_{u,c} = \frac{\sum_x |M_u(x) \cap L_c(x)|}{\sum_x |M_u(x) \cup L_c(x)|}, \quad
        M_u(x) = [\, A_u(x) > t_u \,], \quad P(a_u > t_u) = 0.005

    where :math:`t_u` is a quantile over all positions of all images, of the maps as they are, and :math:`A_u` the map
    made as large as the mask (bilinear, with half-pixel centres). From 0 to 1; a unit's alignment is its maximum over
    concepts, and above 0.04 it is called a detector. Source: Bau, Zhou, Khosla, Oliva and Torralba 2017, Network
    Dissection (arXiv 1704.05796); Bau et al. 2020 (arXiv 2009.05041) take 0.01. Traps: sums run over all images before
    the division, so it is no mean of images' overlaps. A set like Broden labels each category on some of its images
    only: pass ``annotated``, or unlabelled images count as ones without the concept and pull the overlap down. Rare
    concepts have small overlaps whatever the unit does, because 0.5 % of all positions are lit.

    Args:
        maps: A site's values, ``[images, units, height, width]``; ``[images, units]`` counts as one position.
        masks: Where each concept is, bool ``[images, concepts, rows, columns]``, of any size.
        annotated: Which images were labelled for which concepts, bool ``[images, concepts]``; all by default. The
            others count neither in the intersection nor in the union.
        quantile: The share of positions that are lit.

    Returns:
        The overlaps and thresholds. For more images than fit into memory see
        `lenslab.units.attribute_measurement.align_concepts`.

    Example:
        >>> maps = np.array([[[[9.0, 0.0], [0.0, 0.0]]]])
        >>> masks = np.array([[[[True, False], [False, False]], [[True, True], [False, False]]]])
        >>> concept_alignment(maps, masks, quantile=0.25).overlap.tolist()
        [[1.0, 0.5]]
    """
    thresholds = ActivationQuantiles(maps.shape[1], quantile)
    for _ in range(thresholds.ROUNDS):
        thresholds.add(maps)
        thresholds.advance()
    overlaps = OverlapCounts(thresholds.values, masks.shape[1])
    overlaps.add(maps, masks, annotated)
    return overlaps.alignment()


class OverlapCounts:
    """Counts of lit and labelled pixels, image after image, as integers.

    Args:
        thresholds: The value above which each unit counts as lit, ``[units]``.
        concepts: How many there are.

    Example:
        >>> overlaps = OverlapCounts(np.array([0.5]), concepts=1)
        >>> overlaps.add(np.array([[[[1.0, 0.0]]]]), np.array([[[[True, True]]]]))
        >>> overlaps.alignment().best.tolist()
        [0.5]
    """

    def __init__(self, thresholds: Floats, concepts: int) -> None:
        shape = (len(thresholds), concepts)
        self._thresholds = thresholds
        self._both = np.zeros(shape, dtype=np.int64)
        self._lit = np.zeros(shape, dtype=np.int64)
        self._labelled = np.zeros(concepts, dtype=np.int64)

    def add(self, maps: Maps, masks: Masks | Sequence[Masks], annotated: Masks | None = None) -> None:
        """Count some images; see `concept_alignment` for the arguments, sizes may differ from image to image."""
        for number, (image, labelled) in enumerate(zip(maps, masks, strict=True)):
            # Counts of one image stay below 2**24, up to where float32 adds ones without error.
            known = np.ones(len(labelled), dtype=bool) if annotated is None else annotated[number]
            grown = upsampled(image, labelled.shape[1:]).reshape(len(image), -1)
            lit = (grown > self._thresholds[:, None]).astype(np.float32)
            pixels = (labelled & known[:, None, None]).reshape(len(labelled), -1)
            self._both += (lit @ pixels.T.astype(np.float32)).astype(np.int64)
            self._lit += np.outer(lit.sum(axis=1, dtype=np.float64), known).astype(np.int64)
            self._labelled += pixels.sum(axis=1)

    def alignment(self) -> Alignment:
        """Divide the counts into overlaps."""
        union = self._lit + self._labelled - self._both
        overlap = np.divide(self._both, union, out=np.zeros(union.shape), where=union > 0)
        return Alignment(overlap, self._thresholds)


def upsampled(maps: Maps, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Make one image's maps as large as its masks: bilinear, half-pixel centres, the border values kept.

    From ``[units, height, width]``, or ``[units]`` for one position, to ``[units, rows, columns]``; a constant map
    stays that constant to the last bit.

    Example:
        >>> upsampled(np.array([[[0.0, 4.0]]]), (1, 4)).tolist()
        [[[0.0, 1.0, 3.0, 4.0]]]
    """
    grown = np.asarray(maps, dtype=np.float64)
    if grown.ndim == 1:
        grown = grown[:, None, None]
    for axis, wanted in zip((1, 2), size, strict=True):
        had = grown.shape[axis]
        place = np.clip((np.arange(wanted) + 0.5) * had / wanted - 0.5, 0, had - 1)
        before = np.floor(place).astype(np.int64)
        share = (place - before).reshape((-1, 1) if axis == 1 else (-1,))
        low = np.take(grown, before, axis=axis)
        grown = low + (np.take(grown, np.minimum(before + 1, had - 1), axis=axis) - low) * share
    return grown.astype(np.float32)
