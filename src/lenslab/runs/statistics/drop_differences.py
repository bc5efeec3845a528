"""Differences of drops: between two runs, unit by unit on the same images, or between two groups of units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from lenslab.runs.statistics.confidence_intervals import difference_interval, normal_quantile, score_interval
from lenslab.runs.statistics.correlation_coefficients import cosine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def sign_flip_test(up: ArrayLike, down: ArrayLike, twice_up: ArrayLike, twice_down: ArrayLike) -> Floats:
    r"""Test exactly whether differences of drops are as often up as down, elementwise and two-sided.

    On each image the ablation of a unit costs 1 (a correct answer lost), 0 or -1 (one gained) in each of two runs, and
    the difference of the two costs is between -2 and 2. Under the null hypothesis the difference of each image is as
    often positive as negative, so with :math:`n_1` images of difference ±1 and :math:`n_2` of ±2 the sum of all is
    :math:`2(B_1 + 2B_2) - n_1 - 2n_2` with independent :math:`B_i \sim \mathrm{Bin}(n_i, 1/2)`: Fisher's randomisation
    test of paired differences (The Design of Experiments, 1935), computed exactly. Without differences of
    ±2 it is the exact McNemar test, see `lenslab.runs.statistics.hypothesis_tests.mcnemar`.

    The arguments count the images whose difference is 1, -1, 2 and -2. The p-value is the chance of a sum at least as
    far from 0; 1 where nothing differs.

    Example:
        >>> sign_flip_test([5, 1], [0, 1], [0, 3], [0, 0]).round(4).tolist()
        [0.0625, 0.1875]
    """
    cells = np.stack([part.ravel() for part in np.broadcast_arrays(*map(np.asarray, (up, down, twice_up, twice_down)))])
    shape = np.broadcast_shapes(*(np.shape(part) for part in (up, down, twice_up, twice_down)))
    distinct, place = np.unique(cells, axis=1, return_inverse=True)
    p_values = np.array([_sign_flip(*map(int, column)) for column in distinct.T])
    return p_values[place].reshape(shape) if p_values.size else np.zeros(shape)


def _sign_flip(up: int, down: int, twice_up: int, twice_down: int) -> float:
    ones, twos = up + down, twice_up + twice_down
    seen = abs(up - down + 2 * (twice_up - twice_down))
    chances = stats.binom.pmf(np.arange(twos + 1), twos, 0.5)
    rest = 4 * np.arange(twos + 1) - 2 * twos  # the part of the sum that the differences of two make
    # |2 * B - ones + rest| >= seen, so B lies at or below one number or at or above another.
    low = np.floor((ones - rest - seen) / 2)
    high = np.ceil((ones - rest + seen) / 2)
    tails = stats.binom.cdf(low, ones, 0.5) + stats.binom.sf(high - 1, ones, 0.5)
    return float(min(1.0, chances @ np.minimum(tails, 1.0))) if seen else 1.0


@dataclass(frozen=True)
class DropDifferences:
    """How much more each unit costs in one run than in another, on the same images.

    Attributes:
        difference: The drop in the one run minus that in the other, shape ``[units]``.
        low: Lower bound at 95 %, each unit by itself.
        high: Upper bound.
        differing: On how many images the two costs differ.
        p_value: Of `sign_flip_test`.
    """

    difference: Floats
    low: Floats
    high: Floats
    differing: Integers
    p_value: Floats


def drop_differences(one: Integers, other: Integers) -> DropDifferences:
    """Compare what each unit costs in two runs on the same images.

    The interval recovers the variances of Tango's intervals of the two drops, and takes the correlation of the two
    costs over the images into account, see `lenslab.runs.statistics.confidence_intervals.difference_interval`.

    The costs are 1 where a correct answer is lost, -1 where one is gained, else 0; shape ``[images, units]``.

    Example:
        >>> before = np.array([[0, 0], [0, 0], [0, 0], [0, 0]])
        >>> found = drop_differences(np.array([[0, 1], [0, 1], [0, 1], [0, 0]]), before)
        >>> found.difference.tolist(), found.p_value.tolist()
        ([0.0, 0.75], [1.0, 0.25])
    """
    images = len(one)
    apart = one.astype(np.int64) - other
    bounds = []
    for costs in (one, other):
        losses, gains = (costs > 0).sum(axis=0), (costs < 0).sum(axis=0)
        bounds.append(((losses - gains) / images, *score_interval(losses, gains, images)))
    # Where a cost is the same on all images its correlation is unknown, and plays no part.
    correlation = np.nan_to_num(cosine(*((costs - costs.mean(axis=0)).T for costs in (one, other))))
    low, high = difference_interval(bounds[0], bounds[1], correlation)
    counts = [(apart == step).sum(axis=0) for step in (1, -1, 2, -2)]
    return DropDifferences(apart.sum(axis=0) / images, low, high, (apart != 0).sum(axis=0), sign_flip_test(*counts))


@dataclass(frozen=True)
class CliffsDelta:
    """Whether the values of one group tend to be larger than those of another.

    Attributes:
        delta: Cliff's delta: the chance that a value of the one is larger minus the chance that it is smaller.
        low: Lower bound at the confidence.
        high: Upper bound.
        p_value: Of Mann and Whitney's two-sided test.
    """

    delta: float
    low: float
    high: float
    p_value: float


def cliffs_delta(one: ArrayLike, other: ArrayLike, *, confidence: float = 0.95) -> CliffsDelta:
    r"""Compare two groups of values that are not paired, by Cliff's delta.

    Cliff's delta is :math:`d = \overline{\mathrm{sign}(x_i - y_j)}` over all pairs. Its interval is the asymmetric one
    of N. Cliff, Dominance statistics, Psychological Bulletin 114:494-509 (1993), from the unbiased estimate of the
    variance of :math:`d`, which is kept at :math:`(1 - d^2)/(nm - 1)` or above. Where :math:`d = \pm 1` that variance
    is 0, and the other bound is :math:`\pm (k - z^2)/(k + z^2)` with :math:`k` the size of the smaller group. The
    p-value is Mann and Whitney's (1947, Ann. Math. Statist. 18:50), with the correction for ties.

    NaN where a group has fewer than two values.

    Example:
        >>> found = cliffs_delta([1, 2, 3, 4], [0, 1, 2, 2])
        >>> found.delta, round(found.low, 2), round(found.high, 2)
        (0.5625, -0.2, 0.9)
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    n, m = len(first), len(second)
    if min(n, m) < 2:
        return CliffsDelta(np.nan, np.nan, np.nan, np.nan)
    sign = np.sign(first[:, None] - second[None, :])
    delta = float(sign.mean())
    rows = ((sign.mean(axis=1) - delta) ** 2).sum()
    columns = ((sign.mean(axis=0) - delta) ** 2).sum()
    variance = (m**2 * rows + n**2 * columns - ((sign - delta) ** 2).sum()) / (n * m * (n - 1) * (m - 1))
    variance = max(float(variance), (1 - delta**2) / (n * m - 1))
    z = normal_quantile(confidence)
    if abs(delta) == 1:
        near = delta * (min(n, m) - z**2) / (min(n, m) + z**2)
        low, high = sorted((delta, near))
    else:
        reach = z * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + z**2 * variance)
        bottom = 1 - delta**2 + z**2 * variance
        low, high = (float(np.clip((delta - delta**3 + side * reach) / bottom, -1, 1)) for side in (-1, 1))
    tied = np.ptp(np.concatenate([first, second])) == 0
    p_value = 1.0 if tied else float(stats.mannwhitneyu(first, second, alternative="two-sided").pvalue)
    return CliffsDelta(delta, low, high, p_value)
