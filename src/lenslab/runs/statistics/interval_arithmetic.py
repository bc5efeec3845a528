"""Combining: an interval for a sum or a difference of figures that have intervals of their own."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def mean_interval(estimate: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats]:
    r"""An interval for the mean of independent figures along the last axis, from the interval of each.

    With estimates :math:`\hat\theta_k` and bounds :math:`l_k, u_k` of :math:`K` figures, the bounds of the mean are

    .. math::
        L = \bar\theta - \frac{1}{K}\sqrt{\sum_k (\hat\theta_k - l_k)^2}, \quad
        U = \bar\theta + \frac{1}{K}\sqrt{\sum_k (u_k - \hat\theta_k)^2}

    which recovers each figure's variance at the bound that matters (MOVER), so skewed intervals stay skewed.

    Source: G. Zou and A. Donner, Construction of confidence limits about effect measures: a general approach,
    Statistics in Medicine 27:1693-1702 (2008).

    Args:
        estimate: The figures, shape ``[..., figures]``; NaN where there is none, which is left out.
        low: Their lower bounds, same shape.
        high: Their upper bounds, same shape.

    Returns:
        Lower and upper bounds of the mean, shape ``[...]``; NaN where there is no figure.

    Example:
        >>> low, high = mean_interval([0.1, 0.3], [0.1, 0.0], [0.2, 0.3])
        >>> low.round(3).item(), high.round(3).item()
        (0.05, 0.25)
    """
    value, below, above = (np.asarray(part, np.float64) for part in (estimate, low, high))
    known = ~np.isnan(value)
    count = known.sum(axis=-1)
    size = np.maximum(count, 1)
    mean = np.where(known, value, 0).sum(axis=-1) / size
    down = np.sqrt((np.where(known, value - below, 0) ** 2).sum(axis=-1)) / size
    up = np.sqrt((np.where(known, above - value, 0) ** 2).sum(axis=-1)) / size
    return np.where(count > 0, mean - down, np.nan), np.where(count > 0, mean + up, np.nan)


def difference_interval(
    one: tuple[ArrayLike, ArrayLike, ArrayLike],
    other: tuple[ArrayLike, ArrayLike, ArrayLike],
    correlation: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    r"""An interval for the difference of two figures, elementwise, from the interval of each and their correlation.

    .. math::
        L = \hat\theta_1 - \hat\theta_2 - \sqrt{(\hat\theta_1 - l_1)^2 + (u_2 - \hat\theta_2)^2
        - 2r(\hat\theta_1 - l_1)(u_2 - \hat\theta_2)}

    and the upper bound likewise with :math:`u_1` and :math:`l_2` (MOVER for figures of the same images).

    Source: G. Y. Zou, Toward using confidence intervals to compare correlations, Psychological Methods 12:399-413
    (2007).

    Args:
        one: An estimate, its lower and its upper bound.
        other: As ``one``.
        correlation: Between the two estimates, -1 to 1; 0 where they are independent.

    Returns:
        Lower and upper bounds of ``one - other``.

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
