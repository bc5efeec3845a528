"""Changes of scores: means of the continuous measures of damage, with their intervals, from sums over images.

The measures are differences of one image before and after, signed so that bigger means that the unit mattered more:
``loss_rise`` is the cross-entropy loss after minus before (nats), ``logit_drop`` the logit of the true class before
minus after, ``margin_drop`` the same for the margin, the true class's logit minus the largest other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]

# Beyond this slope a longer arm gains no coverage in simulations.
_STEEPEST = 1.5

MEASURES = ("loss_rise", "logit_drop", "margin_drop")


@dataclass(frozen=True)
class ScoreSums:
    """Sums over the images of each class, and over draws where there are several.

    Attributes:
        total: Of the differences, shape ``[3, units, classes]``, in the order of `MEASURES`.
        squares: Of their squares, same shape.
    """

    total: Floats
    squares: Floats

    def __add__(self, other: ScoreSums) -> ScoreSums:
        """Add the sums over two disjoint sets of images."""
        return ScoreSums(self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True)
class ScoreMeans:
    """Means of the three measures with their intervals; each of shape ``[3, units]`` or ``[3, units, classes]``.

    Attributes:
        mean: Over the images; NaN without images.
        low: Lower bound; NaN where one image alone differs from 0, as one image has no spread.
        high: Upper bound.
    """

    mean: Floats
    low: Floats
    high: Floats


def unit_score_means(sums: ScoreSums, images: ArrayLike, *, draws: int = 1, confidence: float = 0.95) -> ScoreMeans:
    """Average each measure over all images, ``[3, units]``, with an interval made as in `class_score_means`.

    Example:
        >>> sums = ScoreSums(np.full((3, 1, 2), 4.0), np.full((3, 1, 2), 8.0))
        >>> found = unit_score_means(sums, [4, 4])
        >>> found.mean[:, 0].tolist(), found.low[:, 0].round(3).tolist()
        ([1.0, 1.0, 1.0], [0.106, 0.106, 0.106])
    """
    count = np.asarray(images).sum()
    return _means(sums.total.sum(axis=-1), sums.squares.sum(axis=-1), count, draws, confidence)


def class_score_means(sums: ScoreSums, images: ArrayLike, *, draws: int = 1, confidence: float = 0.95) -> ScoreMeans:
    r"""Average each measure over the images of each class, ``[3, units, classes]``, with an interval.

    With n images, mean :math:`m`, mean square :math:`e`, standard deviation :math:`s` and q the quantile of Student's t
    with :math:`n - 1` degrees of freedom, the interval reaches :math:`h = q s / \sqrt n` towards 0, as Student's does.
    Away from 0 it reaches :math:`h (k + \sqrt{1 + k^2})` with :math:`k = \min(1.5, h / |m|)`. Silencing a unit often
    changes few images, and a sample that happened on few of them has too small a mean and too small a spread at once.
    That is where a score test ends whose variance grows with the mean, as it does for a compound Poisson sum, with
    twice its :math:`k` because the sizes vary too: chosen by simulation. With many images that differ, :math:`k` is
    small and the bound is Student's. Where :math:`a = n m^2 / e` is below 1, no few images of one sign could have given
    the sample, and the widening is taken :math:`a^2` times.

    Several draws count as one, at the mean over draws of the mean square: an average over draws varies no more than one
    draw does, so the interval is too wide rather than too narrow.

    In simulations the 95 % interval holds at least 93 % of the time where five or more images are expected to differ
    with one sign, twenty or more with both, and for lognormal differences on every image. It fails below: with three it
    holds about 92 % of the time that any image differs. And where every difference is 0 the interval is the point 0,
    which says less than it seems: of a unit that would change one image in n, every third sample shows none.

    ``images`` says how many each class has, ``[classes]``, and ``draws`` how often each unit was replaced on each.

    Example:
        >>> sums = ScoreSums(np.full((3, 1, 2), 4.0), np.full((3, 1, 2), 8.0))
        >>> class_score_means(sums, [4, 0]).mean[0].tolist()
        [[1.0, nan]]
    """
    return _means(sums.total, sums.squares, np.asarray(images), draws, confidence)


def unit_score_errors(sums: ScoreSums, images: ArrayLike, *, draws: int = 1) -> Floats:
    """Compute the standard error of each unit's mean over all images, ``[3, units]``; NaN for one image that differs.

    Example:
        >>> unit_score_errors(ScoreSums(np.full((3, 1, 2), 4.0), np.full((3, 1, 2), 8.0)), [4, 4])[0].round(3).tolist()
        [0.378]
    """
    count = np.asarray(images).sum()
    return _moments(sums.total.sum(axis=-1), sums.squares.sum(axis=-1), count, draws)[3]


def _means(total: Floats, squares: Floats, images: NDArray[np.int64], draws: int, confidence: float) -> ScoreMeans:
    found = np.empty((3, *total.shape))
    # Of the classes alone: a quantile costs much, and is the same for all units.
    quantile = stats.t.isf((1 - confidence) / 2, np.maximum(np.asarray(images, dtype=np.float64) - 1, 1))
    for place in range(len(total)):  # one measure after the other, which bounds the memory
        count, mean, square, error = _moments(total[place], squares[place], images, draws)
        half = quantile * error
        size = np.abs(mean)
        steep = np.minimum(_STEEPEST, np.divide(half, size, out=np.zeros_like(half), where=size > 0))
        alike = np.minimum(1.0, np.divide(count * mean**2, square, out=np.zeros_like(half), where=square > 0))
        wide = half * (1 + alike**2 * (steep + np.sqrt(1 + steep**2) - 1))
        found[0, place] = mean
        found[1, place] = mean - np.where(mean < 0, wide, half)
        found[2, place] = mean + np.where(mean > 0, wide, half)
    return ScoreMeans(*found)


def _moments(
    total: Floats, squares: Floats, images: NDArray[np.int64], draws: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Compute the number of images, the means of their differences and of the squares, and the standard error."""
    count = np.broadcast_to(np.asarray(images, dtype=np.float64), total.shape)
    unknown = np.full(total.shape, np.nan)
    mean = np.divide(total, count * draws, out=unknown.copy(), where=count > 0)
    square = np.divide(squares, count * draws, out=unknown.copy(), where=count > 0)
    # Equal differences leave only rounding errors as their spread, which must not pass for certainty.
    variance = np.maximum(square - mean**2, np.finfo(np.float64).eps * square)
    error = np.sqrt(variance / np.maximum(count - 1, 1))
    return count, mean, square, np.where((count > 1) | (square == 0), error, np.nan)
