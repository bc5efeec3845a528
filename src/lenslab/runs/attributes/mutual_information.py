"""Mutual information: what a unit's activation says about the class of an image, in bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lenslab.runs.attributes.activation_statistics import dead_units, unit_blocks

Floats = NDArray[np.float64]


def mutual_information(activations: NDArray[np.floating[Any]], labels: ArrayLike, *, bins: int = 10) -> Floats:
    r"""Compute the information that a unit's binned activation holds about the class.

    .. math:: I(T; Y) = \sum_{t, y} p(t, y) \log_2 \frac{p(t, y)}{p(t) p(y)}

    where T is the unit's spatial mean (``[images, units]``) in bins that hold equally many images: the edges are the
    quantiles at 1/bins, 2/bins, ... of the unit's own activations, an activation on an edge belongs to the bin below,
    so equal activations (the zeros behind a ReLU) always share a bin. From 0 to the smaller of :math:`\log_2` bins and
    the entropy of the labels. Source: used for units by Morcos et al. 2018 (arXiv 1803.06959) and by Amjad, Liu and
    Geiger 2018 (arXiv 1804.06679). Traps: the number depends on the binning, so it compares units of one run only; and
    it is biased upwards by about (bins - 1)(classes - 1) / (2 ln 2 images) bits (Miller 1955), much where images are
    few. Amjad et al. warn of comparing across layers.

    Returns:
        Bits, shape ``[units]``; 0 for constant units.

    Example:
        >>> activations = np.array([[0.0, 1.0], [0.1, 9.0], [5.0, 1.0], [6.0, 9.0]])
        >>> mutual_information(activations, [0, 0, 1, 1], bins=2).tolist()
        [1.0, 0.0]
    """
    _, numbers, images = np.unique(np.asarray(labels, dtype=np.int64), return_inverse=True, return_counts=True)
    # The inverse of the distribution function: the smallest value that so large a share does not exceed.
    places = np.maximum(np.ceil(len(numbers) * (np.arange(1, bins) / bins) - 1), 0).astype(np.int64)
    information = np.zeros(activations.shape[1])
    for block, rows in unit_blocks(activations):
        edges = np.sort(rows, axis=1)[:, places]
        # An activation lies in the bin of as many edges as it exceeds.
        binned = sum((rows > edge[:, None]).astype(np.int64) for edge in edges.T)
        for place, binned_unit in enumerate(binned):
            joint = np.bincount(binned_unit * len(images) + numbers, minlength=bins * len(images)).reshape(bins, -1)
            information[block.start + place] = _entropy(joint.sum(axis=1)) + _entropy(images) - _entropy(joint.ravel())
    # Rounding may leave slightly less than 0, and differences in the last bits of a constant say nothing.
    return np.where(dead_units(activations), 0.0, np.maximum(information, 0))


def _entropy(counts: NDArray[np.intp]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())
