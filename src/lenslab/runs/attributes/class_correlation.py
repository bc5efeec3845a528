"""Correlation with classes: how closely units follow predicted probabilities, from moments that add up over batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import CONSTANT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Sums of squares and products around the means of two sets of columns, over some rows.

    Two of them add up to those of all rows (Chan, Golub and LeVeque 1983), so no rows need to be kept.

    Attributes:
        count: How many rows.
        first_mean: Shape ``[units]``.
        second_mean: Shape ``[classes]``.
        first_squares: Shape ``[units]``.
        second_squares: Shape ``[classes]``.
        products: Shape ``[units, classes]``.

    Example:
        >>> rows = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [0.5], [0.0]])
        >>> whole, parts = moments(*rows), moments(rows[0][:1], rows[1][:1]) + moments(rows[0][1:], rows[1][1:])
        >>> whole.correlations().round(3).tolist() == parts.correlations().round(3).tolist() == [[-0.982]]
        True
    """

    count: int
    first_mean: Floats
    second_mean: Floats
    first_squares: Floats
    second_squares: Floats
    products: Floats

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        first, second = other.first_mean - self.first_mean, other.second_mean - self.second_mean
        weight = self.count * other.count / count
        return Moments(
            count=count,
            first_mean=self.first_mean + first * (other.count / count),
            second_mean=self.second_mean + second * (other.count / count),
            first_squares=self.first_squares + other.first_squares + weight * first**2,
            second_squares=self.second_squares + other.second_squares + weight * second**2,
            products=self.products + other.products + weight * np.outer(first, second),
        )

    def correlations(self) -> Floats:
        """Give Pearson's correlation of each unit with each class, ``[units, classes]``; NaN where one is constant."""
        first = _spread(self.first_squares, self.first_mean, self.count)
        second = _spread(self.second_squares, self.second_mean, self.count)
        return np.clip(self.products / np.outer(first, second), -1, 1)


def moments(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> Moments:
    """Compute the moments of some rows, of the shapes ``[rows, units]`` and ``[rows, classes]``.

    Example:
        >>> moments(np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])).products.tolist()
        [[1.0]]
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    first_mean, second_mean = one.mean(axis=0), two.mean(axis=0)
    one, two = one - first_mean, two - second_mean
    return Moments(len(one), first_mean, second_mean, (one**2).sum(axis=0), (two**2).sum(axis=0), one.T @ two)


def class_correlation(correlations: Floats) -> tuple[Floats, NDArray[np.int64]]:
    r"""Find the class whose predicted probability a unit follows most closely, and how closely.

    .. math:: \max_k r(a_u, p_k)

    where r is Pearson's correlation over images between the unit's spatial mean and the predicted probability (softmax)
    of class k: from -1 to 1. Source: Zhou, Sun, Bau and Torralba 2018 (arXiv 1806.02891): "the correlation between the
    activation of unit i and the predicted probability for class k"; that a unit's figure is the maximum over classes is
    our reading. Traps: it is the *predicted* probability, not the label. The maximum over K classes is above 0 for a
    unit of noise, about sqrt(2 ln K / images); and a unit that speaks against a class, with r near -1, goes unseen.

    Returns:
        The correlation and its class, shapes ``[units]``; NaN and -1 for constant units.

    Example:
        >>> found = class_correlation(np.array([[0.1, 0.9, np.nan], [np.nan, np.nan, np.nan]]))
        >>> found[0].tolist(), found[1].tolist()
        ([0.9, nan], [1, -1])
    """
    known = ~np.isnan(correlations)
    filled = np.where(known, correlations, -np.inf)
    some = known.any(axis=1)
    return np.where(some, filled.max(axis=1), np.nan), np.where(some, filled.argmax(axis=1), -1).astype(np.int64)


def _spread(squares: Floats, mean: Floats, count: int) -> Floats:
    """Take the root of the squares; NaN where they are no more than the rounding of a constant."""
    constant = squares <= count * (CONSTANT * mean) ** 2
    return np.where(constant, np.nan, np.sqrt(squares))
