"""Correlations: does an attribute of a unit say how much its ablation costs?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """A correlation over the units of one site, with its interval.

    Attributes:
        estimate: Spearman's rank correlation, averaged over ways; NaN where one side is constant.
        low: Lower bound; NaN where there is no estimate.
        high: Upper bound.
        units: Over how many units.
        replicated: The estimate in each bootstrap replicate, shape ``[replicates]``; NaN where a side was constant.
    """

    estimate: float
    low: float
    high: float
    units: int
    replicated: Floats


def spearman(first: ArrayLike, second: ArrayLike) -> Floats:
    """Spearman's rank correlation along the last axis; equal values share their mean rank.

    Returns:
        The broadcast shape without its last axis; NaN where a side is constant, as for `scipy.stats.spearmanr`.

    Example:
        >>> spearman([1, 2, 3, 4], [[1, 3, 2, 4], [5, 5, 5, 5]]).round(3).tolist()
        [0.8, nan]
    """
    one, two = _centred_ranks(np.asarray(first)), _centred_ranks(np.asarray(second))
    size = np.sqrt((one**2).sum(axis=-1) * (two**2).sum(axis=-1))
    product = (one * two).sum(axis=-1)
    return np.asarray(np.divide(product, size, out=np.full(product.shape, np.nan), where=size > 0))


def correlate(
    attribute: Floats,
    figure: Floats,
    replicated_attribute: Floats,
    replicated_figure: Floats,
    *,
    units: NDArray[np.bool_],
    seed: int,
    confidence: float = 0.95,
) -> Correlation:
    r"""Spearman's correlation between an attribute and a figure, with an interval over units and images together.

    The images of each replicate were drawn by `lenslab.units.statistics.replicates.replicate`; here each replicate
    also draws units with replacement, so its spread holds both. Flips are rare, a replicate's figures are noisier than
    the observed ones, and rank correlations shrink with noise. So with :math:`z = \operatorname{artanh}`, the spread
    :math:`s` and the shift :math:`d = \overline{z^*} - z(\hat\rho)` of the replicates, the interval reaches from
    the smaller of :math:`z(\hat\rho)` and :math:`z(\hat\rho) - d`, less :math:`q s`, to the larger, plus :math:`q s`,
    where q is the normal quantile: it allows for the correlation that another sample of this size would show, and, to
    first order, for the one that unlimited images would show (bias correction: Efron and Tibshirani 1993, An
    Introduction to the Bootstrap, chapter 10). :math:`s` is never taken below :math:`1.03 / \sqrt{n - 3}`, what the
    number of units alone implies (Fieller, Hartley and Pearson 1957, Biometrika 44:470), as a bootstrap of few units
    is too sure.

    Args:
        attribute: Shape ``[units]``, or ``[ways, units]``: the correlations of all ways are averaged.
        figure: Shape as ``attribute`` or broadcast against it.
        replicated_attribute: With an axis of replicates in front, or as ``attribute`` where images do not change it.
        replicated_figure: With an axis of replicates in front.
        units: Which units to use, shape ``[units]``.
        seed: Decides which units each replicate draws; the same seed and units give the same draws.
        confidence: Of the interval.

    Returns:
        The correlation; its interval is NaN below four units, and where most replicates are constant.

    Example:
        >>> random = np.random.default_rng(0)
        >>> attribute = np.arange(40.0)
        >>> figure = attribute + random.normal(0, 10, 40)
        >>> replicated = figure + random.normal(0, 1, (200, 40))
        >>> found = correlate(attribute, figure, attribute, replicated, units=np.full(40, True), seed=0)
        >>> bool(0.5 < found.low < found.estimate < found.high < 1)
        True
    """
    used = int(units.sum())
    replicates = len(replicated_figure)
    if used < 2:
        return Correlation(float("nan"), float("nan"), float("nan"), used, np.full(replicates, np.nan))
    estimate = float(np.mean(spearman(attribute[..., units], figure[..., units])))
    draws = np.flatnonzero(units)[np.random.default_rng(seed).integers(0, used, size=(replicates, used))]
    ways = (1,) * (replicated_figure.ndim - 2)
    taken = draws.reshape(replicates, *ways, used)
    rho = spearman(_take(replicated_attribute, taken), _take(replicated_figure, taken))
    replicated = rho.reshape(replicates, -1).mean(axis=1)
    if used < 4:
        return Correlation(estimate, float("nan"), float("nan"), used, replicated)
    # One swap of neighbours takes an untied perfect ranking to 1 - 12/(n^3 - n); a perfect one counts as halfway there.
    limit = 1 - 6 / (used**3 - used)
    low, high = np.tanh(
        _interval(
            np.arctanh(np.clip(estimate, -limit, limit)),
            np.arctanh(np.clip(replicated, -limit, limit)),
            floor=1.03 / np.sqrt(used - 3),
            confidence=confidence,
        )
    )
    return Correlation(estimate, float(low), float(high), used, replicated)


def difference(first: Correlation, second: Correlation, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """How much larger the first correlation is than the second, paired by replicate.

    Both must come from `correlate` with the same units, seed and replicates of images. The interval is made as there,
    on the scale of the difference itself.

    Returns:
        The difference, its lower and its upper bound.

    Example:
        >>> replicated = np.array([0.5, 0.6, 0.7])
        >>> first = Correlation(0.6, 0.3, 0.8, 64, replicated)
        >>> second = Correlation(0.2, 0.0, 0.4, 64, replicated - 0.4)
        >>> [round(value, 3) for value in difference(first, second)]
        [0.4, 0.4, 0.4]
    """
    gain = first.estimate - second.estimate
    low, high = _interval(gain, first.replicated - second.replicated, floor=0.0, confidence=confidence)
    return gain, float(low), float(high)


def _interval(estimate: float, replicated: Floats, *, floor: float, confidence: float) -> tuple[float, float]:
    known = replicated[~np.isnan(replicated)]
    if np.isnan(estimate) or len(known) < 2 or 2 * len(known) < len(replicated):
        return float("nan"), float("nan")
    corrected = 2 * estimate - float(known.mean())
    reach = float(stats.norm.isf((1 - confidence) / 2)) * max(float(known.std(ddof=1)), floor)
    return min(estimate, corrected) - reach, max(estimate, corrected) + reach


def _centred_ranks(values: NDArray[np.number[Any]]) -> Floats:
    ranks = np.asarray(stats.rankdata(values, axis=-1), dtype=np.float64)
    return np.asarray(ranks - ranks.mean(axis=-1, keepdims=True))


def _take(values: Floats, draws: NDArray[np.int64]) -> Floats:
    """The drawn units of every replicate; values without a replicate axis are the same in each."""
    values = values if values.ndim == draws.ndim else values[None]
    shape = np.broadcast_shapes(values.shape[:-1], draws.shape[:-1])
    wide = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.asarray(np.take_along_axis(wide, np.broadcast_to(draws, (*shape, draws.shape[-1])), axis=-1))
