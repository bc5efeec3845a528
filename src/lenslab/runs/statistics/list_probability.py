"""The probability that a list of units with the largest drops is right, where drops are estimates."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]

_POINTS, _REACH = 4001, 8.0

_SHARPEST, _TINY = 1e-3, 1e-12
"""A known figure is taken to be this share of all figures' range wide, so that a grid can see it."""


def list_probability(estimate: Floats, standard_error: Floats, many: int) -> float:
    """Give the probability that the first ``many`` figures are the largest ones.

    Each true figure is taken to be normal about its estimate, independently of the others: the probability that the
    smallest of the list is at least the largest of the rest, the integral of ``P(smallest >= x)`` over the distribution
    of the largest, by the trapezoidal rule.

    Args:
        estimate: Of each figure, ``[figures]``, the list first.
        standard_error: Of each, ``[figures]``; 0 where the figure is known.
        many: How long the list is.

    Example:
        >>> round(list_probability(np.array([3.0, 1.0]), np.array([1.0, 1.0]), 1), 3)
        0.921
        >>> round(list_probability(np.array([3.0, 1.0]), np.array([0.0, 0.0]), 1), 3)
        1.0
    """
    if many >= len(estimate):
        return 1.0
    scale = max(float(standard_error.max()), float(np.ptp(estimate)), _TINY)
    error = np.maximum(standard_error, _SHARPEST * scale)
    place = np.linspace((estimate - _REACH * error).min(), (estimate + _REACH * error).max(), _POINTS)
    largest = np.exp(norm.logcdf((place[:, None] - estimate[many:]) / error[many:]).sum(axis=1))
    smallest = np.exp(norm.logsf((place[:, None] - estimate[:many]) / error[:many]).sum(axis=1))
    return float(np.clip((np.diff(largest) * (smallest[1:] + smallest[:-1]) / 2).sum(), 0.0, 1.0))
