"""Top images: those on which units take their largest values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TopImages:
    """The top images of each unit, the largest value first; of equal ones the lower number.

    Two of them add up to those of all their images, in any order.

    Attributes:
        values: The largest value of each unit's map on each image, ``[units, count]`` or fewer.
        images: The images' numbers, int64, same shape.
        count: How many are kept.

    Example:
        >>> found = TopImages.of(np.array([[1.0], [5.0]]), np.array([0, 1]), 2)
        >>> more = TopImages.of(np.array([[3.0]]), np.array([2]), 2)
        >>> (found + more).images.tolist()
        [[1, 2]]
    """

    values: NDArray[np.floating[Any]]
    images: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, peaks: NDArray[np.floating[Any]], numbers: NDArray[np.int64], count: int) -> TopImages:
        """Find the top images among some, from the largest value of each unit on each, ``[images, units]``."""
        values = np.asarray(peaks).T.astype(np.float64)
        return _kept(values, np.broadcast_to(numbers, values.shape), count)

    def __add__(self, other: TopImages) -> TopImages:
        values, images = np.hstack([self.values, other.values]), np.hstack([self.images, other.images])
        return _kept(values, images, self.count)


def _kept(values: NDArray[np.floating[Any]], images: NDArray[np.int64], count: int) -> TopImages:
    order = np.lexsort((images, -values), axis=1)[:, :count]
    return TopImages(np.take_along_axis(values, order, axis=1), np.take_along_axis(images, order, axis=1), count)
