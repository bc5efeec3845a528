"""Distinct cells: the few combinations of counts that millions of units and classes share."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def distinct_cells(*parts: ArrayLike) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Find the distinct combinations of some arrays, which are broadcast against each other.

    Whatever is costly can be computed once for each combination, and taken by the second result.

    Returns:
        The values of each array by combination, ``[combinations]``, and the combination of each cell, in the shape of
        the arrays.

    Example:
        >>> (losses, images), place = distinct_cells([[0, 1, 0], [0, 0, 1]], 5)
        >>> losses.tolist(), images.tolist(), place.tolist()
        ([0.0, 1.0], [5.0, 5.0], [[0, 1, 0], [0, 0, 1]])
    """
    arrays = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in parts))
    place = np.zeros(arrays[0].size, dtype=np.int64)
    found: list[NDArray[np.float64]] = []
    for array in arrays:
        codes, values = pd.factorize(array.ravel())
        place, pairs = pd.factorize(place * max(len(values), 1) + codes)
        before, own = np.divmod(pairs, max(len(values), 1))
        found = [*(each[before] for each in found), values[own]]
    return found, place.reshape(arrays[0].shape)
