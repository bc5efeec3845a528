"""The estimator of drops: what the model expects of all pairs, put right by the pairs that were run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma, norm

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CONFIDENCE = 0.95
QUANTILE = float(norm.ppf(0.5 + CONFIDENCE / 2))

BANDS = (1e-3, 1e-2, 1e-1)
"""Between these, pairs are pooled by how likely the model holds it that it is wrong, to see how wrong it is itself."""

_PRIOR = 0.1
"""Surprises that the prior of their frequency counts for."""

_TINY = 1e-300


@dataclass(frozen=True)
class Pairs:
    """The pairs of one site whose answer may change.

    Attributes:
        sign: What a changed answer does to the drop, +1 or -1, ``[pairs]``.
        probability: How likely the model holds it that the answer changes, ``[pairs]``.
        inclusion: The probability with which the pair was run, ``[pairs]``; 1 where it was run for certain.
        run: Whether it was, bool ``[pairs]``.
        changed: Whether its answer changed, bool ``[pairs]``; False where it was not run.
    """

    sign: Floats
    probability: Floats
    inclusion: Floats
    run: NDArray[np.bool_]
    changed: NDArray[np.bool_]


@dataclass(frozen=True)
class Totals:
    """Estimated sums of outcomes, correct answers lost minus gained; each ``[cells]``.

    Attributes:
        estimate: Without bias, whatever the model says.
        standard_error: Of the estimate.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats

    @property
    def half_width(self) -> Floats:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def band_of(probability: Floats) -> Integers:
    """Give the band in which each pair is pooled, by how likely the model holds it that it is wrong."""
    return np.asarray(np.digitize(np.minimum(probability, 1 - probability), BANDS), dtype=np.int64)


def evidence(probability: Floats, changed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Count, by band, the surprises that the model expected of pairs that were run, and those that were seen.

    A surprise is a change where none was likely, or none where one was.

    Example:
        >>> expected, seen = evidence(np.array([0.2, 0.8]), np.array([False, False]))
        >>> expected.round(1).tolist(), seen.tolist()
        ([0.0, 0.0, 0.0, 0.4], [0.0, 0.0, 0.0, 1.0])
    """
    band, count = band_of(probability), len(BANDS) + 1
    surprise = changed != (probability > 0.5)
    return _sums(band, np.minimum(probability, 1 - probability), count), _sums(band, surprise, count)


def inflation(expected: Floats, seen: Floats) -> Floats:
    """Bound by how much surprises may be more frequent in each band than the model says.

    It is the upper 97.5 % point of what is known of their ratio, a gamma distribution after the counts, with a prior as
    light as a tenth of an expected surprise; and never below 1. Where none was seen it is about 3 over what was
    expected, as by the rule of three.

    Args:
        expected: The surprises that the model expected, ``[bands]``, see `evidence`.
        seen: Those that were seen, ``[bands]``.

    Example:
        >>> inflation(np.array([0.0, 1.0, 50.0]), np.array([0, 0, 50])).round(1).tolist()
        [25.1, 2.3, 1.3]
    """
    return np.asarray(np.maximum(gamma.ppf(0.5 + CONFIDENCE / 2, seen + 0.5) / (expected + _PRIOR), 1.0))


def totals(pairs: Pairs, cell: Integers, cells: int, factors: Floats) -> Totals:
    """Estimate the sum of outcomes of each cell.

    The difference estimator (Särndal, Swensson and Wretman 1992, Model Assisted Survey Sampling, section 6.3) with
    Poisson sampling: ``sum m + sum over the sample (y - m)/q`` with the outcomes ``y`` and the model's expectations
    ``m``. Its variance is taken to be the larger of what the sample says, ``sum (1 - q)/q^2 (y - m)^2``, and of what
    the model says, ``sum over all pairs (1 - q)/q p (1 - p)`` with the probabilities ``p`` raised by the factors. So
    where few changes or none were seen, the interval is as wide as what all units together leave open. Where the sample
    says more than the model, few changes carry the estimate, and the interval is that of a skewed sum: it reaches
    further by ``z^2/2`` times the sample's third moment over its variance (a score interval, as Wilson's 1927 of a
    count). It never goes beyond what the pairs that were not run could do at most.

    Args:
        pairs: Of one site.
        cell: The figure that each pair belongs to, ``[pairs]``.
        cells: How many figures there are.
        factors: By how much probabilities may be too low, ``[bands]``, see `inflation`.

    Example:
        >>> halves = np.full(4, 0.5)
        >>> ran, changed = np.array([True, True, False, False]), np.array([True, False, False, False])
        >>> found = totals(Pairs(np.ones(4), halves, halves, ran, changed), np.zeros(4, np.int64), 1, np.ones(4))
        >>> found.estimate.tolist(), found.standard_error.tolist(), found.low.tolist(), found.high.tolist()
        ([2.0], [1.0], [1.0], [3.0])
    """
    chance, certain = pairs.inclusion, pairs.run & (pairs.inclusion >= 1)
    known = _sums(cell, np.where(pairs.run, pairs.sign * pairs.changed, 0.0), cells)
    sure = _sums(cell, np.where(certain, pairs.sign * pairs.changed, 0.0), cells)
    expected = pairs.sign * pairs.probability
    residual = np.where(pairs.run, (pairs.sign * pairs.changed - expected) / chance, 0.0)
    estimate = sure + _sums(cell, np.where(certain, 0.0, expected + residual), cells)
    seen = _sums(cell, (1 - chance) * residual**2, cells)
    likely = _sums(cell, (1 - chance) / chance * raised_variance(pairs.probability, factors), cells)
    error = np.sqrt(np.maximum(seen, likely))
    cubes = _sums(cell, (1 - chance) * residual**3, cells)
    skew = np.where(seen > likely, QUANTILE**2 / 2 * cubes / np.maximum(seen, _TINY), 0.0)
    width = np.sqrt((QUANTILE * error) ** 2 + skew**2)
    down, up = (_sums(cell, ~pairs.run & (pairs.sign == sign), cells) for sign in (-1, 1))
    low, high = (
        np.clip(estimate + side * width + np.where(side * skew > 0, skew, 0), known - down, known + up)
        for side in (-1, 1)
    )
    return Totals(estimate, error, low, high)


def raised_variance(probability: Floats, factors: Floats) -> Floats:
    """Give the variance of each pair's outcome, with surprises more frequent by its band's factor, to a half at most.

    Example:
        >>> raised_variance(np.array([0.1, 0.9, 0.3]), np.full(4, 2.0)).round(2).tolist()
        [0.16, 0.16, 0.25]
    """
    raised = np.minimum(np.minimum(probability, 1 - probability) * factors[band_of(probability)], 0.5)
    return np.asarray(raised * (1 - raised))


def _sums(cell: Integers, values: NDArray[Any], cells: int) -> Floats:
    """Add values up by cell."""
    return np.bincount(cell, values, cells).astype(np.float64)
