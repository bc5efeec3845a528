"""Confidence intervals of drops and shares, and of the means and differences of figures that have intervals."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from lenslab.runs.statistics.distinct_cells import distinct_cells

Floats = NDArray[np.float64]

# Each step halves the bracket, whose width is at most 2: after 60 it is below the spacing of float64 near 1.
_STEPS = 60


def score_interval(
    losses: ArrayLike, gains: ArrayLike, images: ArrayLike, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    r"""Compute Tango's score interval of a drop: the difference of two paired proportions, elementwise.

    With :math:`b` losses, :math:`c` gains and :math:`n` images, the interval holds every difference :math:`\delta` that
    the score test does not reject, :math:`|T(\delta)| \le z`, where

    .. math::
        T(\delta) = \frac{b - c - n\delta}{\sqrt{n\,(2\tilde q + \delta(1 - \delta))}}

    and :math:`\tilde q`, the probability of a gain at its largest likelihood given :math:`\delta`, is the larger root
    of :math:`2n\,q^2 + (-b - c + (2n - b + c)\delta)\,q - c\,\delta(1-\delta) = 0`. T falls in :math:`\delta`, so each
    bound is found by bisection. Unlike Wald's, the interval has width where nothing flipped: then it is exactly
    :math:`\pm z^2/(n + z^2)`.

    Counts may be averages over D draws of the replacement, losses/D and gains/D with the n images. The variance of a
    mean over exchangeable draws is :math:`D^{-2} \sum_{de} \operatorname{Cov}(X_d, X_e) \le \operatorname{Var}(X_1)`,
    as no covariance exceeds the variance: bounds made for one draw are too wide for the mean rather than too narrow.

    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design, Statistics in Medicine 17:891-908 (1998), equations 2 to 5.

    Args:
        losses: Images correct before and wrong after; may be a fraction, the average of several draws.
        gains: Images wrong before and correct after; likewise.
        images: All images compared; the three are broadcast against each other.
        confidence: Of each interval by itself. For bounds that hold for m units together (Bonferroni), give
            `simultaneous(confidence, m)`.

    Returns:
        Lower and upper bounds of the drop, fractions in ``[-1, 1]``; NaN where there are no images.

    Raises:
        ValueError: More flips than images, a negative count, or a confidence outside (0, 1).

    Example:
        >>> low, high = score_interval([0, 12], [0, 2], [100, 100])
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([-0.037, 0.031], [0.037, 0.1819])
    """
    # Thousands of pairs share a few hundred triples of counts; each triple is solved once.
    (b, c, n), place = distinct_cells(losses, gains, images)
    # Averages over draws may exceed a whole number by rounding.
    if (b < 0).any() or (c < 0).any() or (b + c > n + 1e-9).any():
        raise ValueError("losses and gains must be counts, and together no more than the images")
    z = normal_quantile(confidence)
    return -_upper_bound(c, b, n, z)[place], _upper_bound(b, c, n, z)[place]


def normal_quantile(confidence: float) -> float:
    """Compute how many standard errors a two-sided normal interval reaches to each side.

    Example:
        >>> round(normal_quantile(0.95), 3)
        1.96
    """
    return float(-special.ndtri((1 - _checked(confidence)) / 2))


def simultaneous(confidence: float, comparisons: int) -> float:
    """Compute the confidence that each of several intervals needs so that all hold together (Bonferroni).

    Example:
        >>> round(simultaneous(0.95, 10), 6)
        0.995
    """
    return 1 - (1 - confidence) / max(comparisons, 1)


def mean_interval(estimates: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats]:
    r"""Combine the intervals of K independent figures into one of their mean, along the last axis.

    The method of variance estimates recovery (MOVER): with estimates :math:`d_k` between :math:`l_k` and :math:`u_k`,

    .. math::
        \bar d - \frac1K \sqrt{\textstyle\sum_k (d_k - l_k)^2} \;\le\; \delta \;\le\;
        \bar d + \frac1K \sqrt{\textstyle\sum_k (u_k - d_k)^2}.

    Each bound takes the variance that the parts show near that bound, so the interval is as skewed as theirs.
    Source: Zou and Donner, Construction of confidence limits about effect measures: a general approach, Statistics in
    Medicine 27:1693-1702 (2008), for a sum with equal weights.

    Estimates have the shape ``[..., K]``; NaN entries are left out, with their bounds. The bounds have the shape
    ``[...]``, NaN where nothing is known.

    Example:
        >>> low, high = mean_interval([0.1, 0.3], [0.04, 0.22], [0.2, 0.5])
        >>> round(float(low), 3), round(float(high), 3)
        (0.15, 0.312)
    """
    middle, lower, upper = (np.asarray(part, np.float64) for part in (estimates, low, high))
    known = ~np.isnan(middle)
    count = known.sum(axis=-1)
    size = np.maximum(count, 1)
    mean, down, up = (
        np.where(known, part, 0.0).sum(axis=-1) / size
        for part in (middle, (middle - lower) ** 2, (upper - middle) ** 2)
    )
    # A mean of squares, over K: the sum of squares over K squared.
    low_, high_ = mean - np.sqrt(down / size), mean + np.sqrt(up / size)
    return np.where(count > 0, low_, np.nan), np.where(count > 0, high_, np.nan)


def difference_interval(
    one: tuple[ArrayLike, ArrayLike, ArrayLike],
    other: tuple[ArrayLike, ArrayLike, ArrayLike],
    correlation: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    r"""Combine the intervals of two figures and their correlation into one of their difference, elementwise.

    .. math::
        L = \hat\theta_1 - \hat\theta_2 - \sqrt{(\hat\theta_1 - l_1)^2 + (u_2 - \hat\theta_2)^2
        - 2r(\hat\theta_1 - l_1)(u_2 - \hat\theta_2)}

    and the upper bound likewise with :math:`u_1` and :math:`l_2` (MOVER for figures of the same images).

    Source: G. Y. Zou, Toward using confidence intervals to compare correlations, Psychological Methods 12:399-413
    (2007).

    ``one`` and ``other`` are an estimate, its lower and its upper bound; :math:`r`, the correlation between the two
    estimates, is 0 where they are independent.

    Example:
        >>> low, high = difference_interval((0.5, 0.4, 0.6), (0.2, 0.1, 0.3))
        >>> low.round(3).item(), high.round(3).item()
        (0.159, 0.441)
    """
    first, first_low, first_high = (np.asarray(part, np.float64) for part in one)
    second, second_low, second_high = (np.asarray(part, np.float64) for part in other)
    r = np.asarray(correlation, np.float64)

    def width(near: Floats, far: Floats) -> Floats:
        return np.sqrt(np.maximum(near**2 + far**2 - 2 * r * near * far, 0))

    estimate = first - second
    return (
        np.asarray(estimate - width(first - first_low, second_high - second)),
        np.asarray(estimate + width(first_high - first, second - second_low)),
    )


def share_interval(successes: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Compute Clopper and Pearson's exact interval of a share, elementwise.

    The bounds are quantiles of beta distributions (Clopper and Pearson 1934, Biometrika 26:404), with equal tails;
    coverage is never below the confidence. NaN where there are no trials.

    Example:
        >>> low, high = share_interval([0, 5], [10, 10])
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([0.0, 0.1871], [0.3085, 0.8129])
    """
    had, tried = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    tail = (1 - _checked(confidence)) / 2
    # A beta distribution with a zero parameter is a point: its quantile is the edge of the unit interval.
    low = np.where(had > 0, stats.beta.ppf(tail, np.maximum(had, 1), tried - had + 1), 0.0)
    high = np.where(had < tried, stats.beta.isf(tail, had + 1, np.maximum(tried - had, 1)), 1.0)
    return np.where(tried > 0, low, np.nan), np.where(tried > 0, high, np.nan)


def _upper_bound(b: Floats, c: Floats, n: Floats, z: float) -> Floats:
    """Find the largest delta with T(delta) >= -z, by bisection from the estimate, which satisfies it."""
    size = np.maximum(n, 1)
    inside, outside = (b - c) / size, np.ones_like(b)
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        kept = b - c - n * middle >= -z * np.sqrt(n * _variance(b, c, size, middle))
        inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
    return np.where(n > 0, (inside + outside) / 2, np.nan)


def _variance(b: Floats, c: Floats, n: Floats, delta: Floats) -> Floats:
    """Compute the variance of one image's change, 2q + delta(1 - delta), at the constrained maximum likelihood."""
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    root = np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0))
    # The larger root, written without subtracting nearly equal numbers.
    total = np.abs(linear) + root
    safe = np.where(total > 0, total, 1.0)
    gain = np.where(linear > 0, -2 * constant / safe, total / (4 * n))
    return np.maximum(2 * gain + delta * (1 - delta), 0)


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}; 0.95 means 95 %")
    return confidence
