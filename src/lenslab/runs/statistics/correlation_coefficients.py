"""Coefficients of correlation: Spearman's, Pearson's, and what is left of either given a third variable."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
Method = Literal["spearman", "pearson", "kendall"]


def spearman(first: ArrayLike, second: ArrayLike) -> Floats:
    """Compute Spearman's rank correlation along the last axis; equal values share their mean rank.

    NaN where a side is constant, as for `scipy.stats.spearmanr`.

    Example:
        >>> spearman([1, 2, 3, 4], [[1, 3, 2, 4], [5, 5, 5, 5]]).round(3).tolist()
        [0.8, nan]
    """
    return cosine(centred_ranks(np.asarray(first)), centred_ranks(np.asarray(second)))


def partial(target: ArrayLike, first: ArrayLike, second: ArrayLike) -> Floats:
    r"""Compute the partial correlation of two variables given a third, elementwise from the three :math:`r_{ij}`.

    .. math:: (r_{12} - r_{13} r_{23}) / \sqrt{(1 - r_{13}^2)(1 - r_{23}^2)}

    What is left of a correlation once both sides are freed of what a straight line in the third (of ranks, for
    Spearman's) explains. Source: Yule 1897, On the theory of correlation, J. R. Statist. Soc. 60:812.

    NaN where the third explains one of the two entirely, or a correlation is NaN.

    Example:
        >>> partial([0.5, 0.5], [0.5, 1.0], [0.5, 0.5]).round(3).tolist()
        [0.333, nan]
    """
    one, two, three = (np.asarray(part, dtype=np.float64) for part in (target, first, second))
    # Rounding leaves 1 - r^2 of two identical rankings slightly above 0, where what is left is noise.
    left = np.where(np.maximum(two**2, three**2) < 1 - 1e-12, (1 - two**2) * (1 - three**2), np.nan)
    return np.asarray(np.clip((one - two * three) / np.sqrt(left), -1, 1))


def cosine(first: Floats, second: Floats) -> Floats:
    """Compute the cosine between centred values along the last axis; NaN where one side is all zero.

    Example:
        >>> float(cosine(np.array([-1.0, 1.0]), np.array([2.0, -2.0])))
        -1.0
    """
    size = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = (first * second).sum(axis=-1)
    return np.asarray(np.divide(product, size, out=np.full(product.shape, np.nan), where=size > 0))


def cosines(sides: Floats) -> Floats:
    """Compute the cosines between all centred variables, ``[..., variables, n]``, as ``[..., variables, variables]``.

    Example:
        >>> cosines(np.array([[-1.0, 1.0], [2.0, -2.0], [0.0, 0.0]])).tolist()
        [[1.0, -1.0, nan], [-1.0, 1.0, nan], [nan, nan, nan]]
    """
    products = sides @ np.swapaxes(sides, -1, -2)
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    size = np.sqrt(squares[..., :, None] * squares[..., None, :])
    return np.asarray(np.divide(products, size, out=np.full(products.shape, np.nan), where=size > 0))


def centred_ranks(values: NDArray[np.number[Any]]) -> Floats:
    """Rank along the last axis, and subtract the mean rank; equal values share their mean rank.

    Example:
        >>> centred_ranks(np.array([7, 9, 9, 30])).tolist()
        [-1.5, 0.0, 0.0, 1.5]
    """
    ranks = np.asarray(stats.rankdata(values, axis=-1), dtype=np.float64)
    return np.asarray(ranks - ranks.mean(axis=-1, keepdims=True))


def centred(values: NDArray[np.number[Any]]) -> Floats:
    """Subtract the mean along the last axis; all zero where they are equal.

    Example:
        >>> centred(np.array([[1, 3], [0.1, 0.1]])).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    wide = np.asarray(values, dtype=np.float64)
    # The mean of equal numbers may differ from them in the last bit, which would pass for a spread.
    equal = (wide == wide[..., :1]).all(axis=-1, keepdims=True)
    return np.asarray(np.where(equal, 0.0, wide - wide.mean(axis=-1, keepdims=True)))
