"""Hypothesis tests of losses and gains, and how p-values are combined and adjusted."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from lenslab.runs.statistics.distinct_cells import distinct_cells

Alternative = Literal["two-sided", "greater"]


def mcnemar(losses: ArrayLike, gains: ArrayLike, *, alternative: Alternative = "two-sided") -> NDArray[np.float64]:
    """Compute p-values of the exact McNemar test of paired answers, elementwise.

    Under the null hypothesis a changed answer is as often a gain as a loss, so the losses among the ``losses + gains``
    changed answers are binomial with probability one half (McNemar 1947, Psychometrika 12:153; the exact form).

    ``"greater"`` asks whether the ablation loses more than it gains. The p-value is 1 where nothing changed.

    Raises:
        ValueError: The alternative is neither of the two.

    Example:
        >>> mcnemar([0, 5, 8], [0, 0, 2]).round(4).tolist()
        [1.0, 0.0625, 0.1094]
        >>> mcnemar([0, 5, 2], [0, 0, 8], alternative="greater").round(4).tolist()
        [1.0, 0.0312, 0.9893]
    """
    # Thousands of pairs share a few hundred combinations of counts; each is computed once.
    (lost, gained), place = distinct_cells(losses, gains)
    changed = lost + gained
    if alternative == "greater":
        p_values = stats.binom.sf(lost - 1, changed, 0.5)
    elif alternative == "two-sided":
        p_values = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(lost, gained), changed, 0.5))
    else:
        raise ValueError(f"no alternative named {alternative!r}; take 'two-sided' or 'greater'")
    return np.asarray(p_values, dtype=np.float64)[place]


def average_p_values(p_values: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Combine the p-values of several draws of the same ablation into one, elementwise.

    Twice the mean of p-values, however they depend on each other, is a p-value again (Vovk and Wang 2020, Combining
    p-values via averaging, Biometrika 107:791); draws share their images, so they do depend. One draw stays as it is.

    Raises:
        ValueError: There is no draw.

    Example:
        >>> first, second = np.array([0.01, 0.9]), np.array([0.03, 0.7])
        >>> average_p_values([first]).tolist(), average_p_values([first, second]).tolist()
        ([0.01, 0.9], [0.04, 1.0])
    """
    parts = iter(p_values)
    total, draws = next(parts, None), 1
    if total is None:
        raise ValueError("no p-values to average; give those of one draw or more")
    for part in parts:
        total, draws = total + part, draws + 1
    return total if draws == 1 else np.asarray(np.minimum(1.0, 2 * total / draws))


def bonferroni(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Combine two p-values into one: is at least one of the two null hypotheses false? Elementwise.

    Example:
        >>> bonferroni(np.array([0.01, 0.8]), np.array([0.5, 0.7])).tolist()
        [0.02, 1.0]
    """
    return np.asarray(np.minimum(1.0, 2 * np.minimum(first, second)))


def benjamini_hochberg(p_values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Adjust p-values by Benjamini and Hochberg's method over all entries of one family, of any shape.

    Rejecting where the result is at most 0.05 keeps the expected share of false discoveries at 5 % for independent or
    positively dependent tests (Benjamini and Hochberg 1995, J. R. Statist. Soc. B 57:289). NaN (no test) stays NaN and
    does not count in the family.

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).round(4).tolist()
        [0.03, 0.04, nan, 0.04]
    """
    adjusted = np.full(p_values.shape, np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p_values[tested], method="bh")
    return adjusted
