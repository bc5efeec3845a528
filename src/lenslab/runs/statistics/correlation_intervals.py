"""Intervals of correlations, from bootstrap replicates that draw images and units."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.statistics.confidence_intervals import normal_quantile
from lenslab.runs.statistics.correlation_coefficients import Method, spearman

Floats = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)


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


def correlate(
    attribute: Floats,
    measure: Floats,
    replicated_attribute: Floats,
    replicated_measure: Floats,
    *,
    units: NDArray[np.bool_],
    seed: int,
    confidence: float = 0.95,
) -> Correlation:
    r"""Compute Spearman's correlation of an attribute with a measure, with an interval over units and images together.

    The images of each replicate were drawn by `lenslab.runs.statistics.bootstrap.bootstrap_measures`; here each
    replicate also draws units with replacement, so its spread holds both. Flips are rare, a replicate's measures are
    noisier than the observed ones, and rank correlations shrink with noise. So with :math:`z = \operatorname{artanh}`,
    the spread :math:`s` and the shift :math:`d = \overline{z^*} - z(\hat\rho)` of the replicates, the interval reaches
    from the smaller of :math:`z(\hat\rho)` and :math:`z(\hat\rho) - d`, less :math:`q s`, to the larger, plus
    :math:`q s`, where q is the normal quantile: it allows for the correlation that another sample of this size would
    show, and, to first order, for the one that unlimited images would show (bias correction: Efron and Tibshirani 1993,
    An Introduction to the Bootstrap, chapter 10). :math:`s` is never taken below :math:`1.03 / \sqrt{n - 3}`, what the
    number of units alone implies (Fieller, Hartley and Pearson 1957, Biometrika 44:470), as a bootstrap of few units is
    too sure.

    Attribute and measure have the shape ``[units]``, or ``[ways, units]``, where the correlations of all ways are
    averaged; replicated, they have an axis of replicates in front, but for an attribute that images do not change.
    ``units`` says which to use; with the same seed they are drawn alike. The interval is NaN below four units, and
    where most replicates are constant.

    Example:
        >>> random = np.random.default_rng(0)
        >>> attribute = np.arange(40.0)
        >>> measure = attribute + random.normal(0, 10, 40)
        >>> replicated = measure + random.normal(0, 1, (200, 40))
        >>> found = correlate(attribute, measure, attribute, replicated, units=np.full(40, True), seed=0)
        >>> bool(0.5 < found.low < found.estimate < found.high < 1)
        True
    """
    used = int(units.sum())
    replicates = len(replicated_measure)
    if used < 2:
        return Correlation(float("nan"), float("nan"), float("nan"), used, np.full(replicates, np.nan))
    estimate = float(np.mean(spearman(attribute[..., units], measure[..., units])))
    draws = draw_units(units, replicates=replicates, seed=seed)
    ways = (1,) * (replicated_measure.ndim - 2)
    taken = draws.reshape(replicates, *ways, used)
    rho = spearman(take_units(replicated_attribute, taken), take_units(replicated_measure, taken))
    replicated = rho.reshape(replicates, -1).mean(axis=1)
    low, high = correlation_interval(estimate, replicated, units=used, confidence=confidence)
    return Correlation(estimate, low, high, used, replicated)


def correlation_interval(
    estimate: float,
    replicated: Floats,
    *,
    units: int,
    method: Method = "spearman",
    given: int = 0,
    confidence: float = 0.95,
    correct_bias: bool = True,
) -> tuple[float, float]:
    r"""Compute the interval of a correlation from its bootstrap replicates; see `correlate` for how it is made.

    Args:
        estimate: The correlation that was observed.
        replicated: The correlation in each replicate, shape ``[replicates]``; NaN where a side was constant.
        units: Over how many units.
        method: Whose correlation. The spread is never taken below what the number of units alone implies on the scale
            of artanh: :math:`1.03 / \sqrt{n - 3}` for Spearman's, :math:`1 / \sqrt{n - 3}` for Pearson's,
            :math:`\sqrt{0.437 / (n - 4)}` for Kendall's (Fieller, Hartley and Pearson 1957, Biometrika 44:470).
        given: How many variables a partial correlation is given; each costs one unit.
        confidence: Of the interval.
        correct_bias: Whether the interval also allows for the shift of the replicates from the estimate.

    Returns:
        Lower and upper bound; NaN below four units (Kendall's: five) and one more for each that is given, and where
        there is no estimate or most replicates are constant.

    Example:
        >>> low, high = correlation_interval(0.5, np.linspace(0.4, 0.6, 100), units=64)
        >>> round(low, 2), round(high, 2)
        (0.28, 0.67)
    """
    size = units - given
    if size < (5 if method == "kendall" else 4):
        return float("nan"), float("nan")
    # One swap of neighbours takes an untied perfect ranking to 1 - 12/(n^3 - n), Kendall's to 1 - 4/(n^2 - n); a
    # perfect one counts as halfway there.
    if method == "kendall":
        limit, floor = 1 - 2 / (units**2 - units), np.sqrt(0.437 / (size - 4))
    else:
        limit, floor = 1 - 6 / (units**3 - units), (1.03 if method == "spearman" else 1.0) / np.sqrt(size - 3)
    middle, again = np.arctanh(np.clip(estimate, -limit, limit)), np.arctanh(np.clip(replicated, -limit, limit))
    low, high = np.tanh(_interval(middle, again, floor=floor, confidence=confidence, correct_bias=correct_bias))
    return float(low), float(high)


def correlation_difference(
    first: Correlation, second: Correlation, *, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Compute how much larger the first correlation is than the second, paired by replicate.

    Both must come from `correlate` with the same units, seed and replicates of images. The interval is made as there,
    on the scale of the difference itself.

    Returns:
        The difference, its lower and its upper bound.

    Example:
        >>> replicated = np.array([0.5, 0.6, 0.7])
        >>> first = Correlation(0.6, 0.3, 0.8, 64, replicated)
        >>> second = Correlation(0.2, 0.0, 0.4, 64, replicated - 0.4)
        >>> [round(value, 3) for value in correlation_difference(first, second)]
        [0.4, 0.4, 0.4]
    """
    gain = first.estimate - second.estimate
    low, high = _interval(gain, first.replicated - second.replicated, floor=0.0, confidence=confidence)
    return gain, float(low), float(high)


def _interval(
    estimate: float, replicated: Floats, *, floor: float, confidence: float, correct_bias: bool = True
) -> tuple[float, float]:
    known = replicated[~np.isnan(replicated)]
    if np.isnan(estimate) or len(known) < 2 or 2 * len(known) < len(replicated):
        return float("nan"), float("nan")
    corrected = 2 * estimate - float(known.mean()) if correct_bias else estimate
    reach = normal_quantile(confidence) * max(float(known.std(ddof=1)), floor)
    return min(estimate, corrected) - reach, max(estimate, corrected) + reach


def draw_units(units: NDArray[np.bool_], *, replicates: int, seed: int) -> NDArray[np.int64]:
    """Draw as many of the chosen units as there are, with replacement, ``[replicates, drawn]``.

    Example:
        >>> draw_units(np.array([False, True]), replicates=2, seed=0).tolist()
        [[1], [1]]
    """
    used = int(units.sum())
    return np.flatnonzero(units)[np.random.default_rng(seed).integers(0, used, size=(replicates, used))]


def take_units(values: NDArray[Number], draws: NDArray[np.int64]) -> NDArray[Number]:
    """Take the drawn units of every replicate; values without a replicate axis are the same in each.

    Values are ``[..., units]``, or with an axis of replicates in front, draws ``[replicates, ..., drawn]``.

    Example:
        >>> take_units(np.array([10.0, 20.0]), np.array([[1, 1], [0, 1]])).tolist()
        [[20.0, 20.0], [10.0, 20.0]]
    """
    values = values if values.ndim == draws.ndim else values[None]
    shape = np.broadcast_shapes(values.shape[:-1], draws.shape[:-1])
    wide = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.asarray(np.take_along_axis(wide, np.broadcast_to(draws, (*shape, draws.shape[-1])), axis=-1))
