"""Class selectivity on drawn images: that of every unit in each replicate of a bootstrap, a few units at a time."""

import itertools

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.selectivity import selectivity_of
from lenslab.runs.statistics.observations import Observations

Floats = NDArray[np.float64]

# Arrays over replicates and units hold about this many numbers, so that they stay in a processor's cache.
_BLOCK = 40_000


def drawn_selectivity(observations: Observations, drawn: Floats, *, half: int | None = None) -> Floats:
    """Compute the class selectivity on drawn images, ``[replicates, units]``, in float64.

    A class mean is a product of how often each image of the class was drawn, ``drawn`` ``[replicates, images]``, and
    the activations on it. One class at a time is added to what the index needs of all of them: the largest mean, their
    sum and the lowest.

    Args:
        observations: Labels, halves and activations.
        drawn: How often each image was taken; of each class and half as many as there are.
        half: Only the images of half A (0) or B (1).

    Example:
        >>> import pandas as pd
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": [0, 1], "label": [0, 1], "half": ["A", "A"]})
        >>> flips = pd.DataFrame({"unit": [], "image": [], "before": [], "after": []}, dtype=int)
        >>> seen = observe(flips, images, np.array([[3.0], [1.0]]), classes=2)
        >>> drawn_selectivity(seen, np.ones((1, 2))).tolist(), drawn_selectivity(seen, np.ones((1, 2)), half=1).tolist()
        ([[0.5]], [[nan]])
    """
    labels, units = observations.labels, observations.units
    chosen = np.flatnonzero(observations.half == half) if half is not None else np.arange(len(labels))
    order = chosen[np.argsort(labels[chosen], kind="stable")]
    edges = np.flatnonzero(np.diff(labels[order], prepend=-1, append=-1))
    taken = drawn[:, order]
    members = [slice(first, last) for first, last in itertools.pairwise(edges)]
    found = np.empty((len(drawn), units))
    size = max(1, _BLOCK // max(len(drawn), 1))
    for first in range(0, units, size):
        block = slice(first, first + size)
        found[:, block] = _of_block(observations.activations, taken, order, members, block)
    return found


def _of_block(
    activations: NDArray[np.floating], taken: Floats, order: NDArray[np.int64], members: list[slice], block: slice
) -> Floats:
    shape = (len(taken), activations[:1, block].shape[1])
    largest, lowest, total = np.full(shape, -np.inf), np.full(shape, np.inf), np.zeros(shape)
    means = np.empty(shape)
    for rows in members:
        some = activations[order[rows], block].astype(np.float64)
        np.matmul(taken[:, rows], some / len(some), out=means)
        np.maximum(largest, means, out=largest)
        np.minimum(lowest, means, out=lowest)
        total += means
    return selectivity_of(largest, lowest, total, classes=len(members))
