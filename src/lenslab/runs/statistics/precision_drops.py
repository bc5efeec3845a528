"""Drops of precision: of the images that the network gives a class, the share that are of it, before and after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.statistics.confidence_intervals import normal_quantile
from lenslab.runs.statistics.observations import Observations

Floats = NDArray[np.float64]

# Added to each cell of the paired table; with half an image, intervals of small classes hold 91 % of the time.
_PSEUDO = 1.0


@dataclass(frozen=True)
class PrecisionDrops:
    """The drop of every class's precision, with its interval; each of shape ``[units, classes]``.

    Attributes:
        drop: Before minus after, a fraction; NaN where nothing is given the class before, or nothing after.
        low: Lower bound.
        high: Upper bound.
    """

    drop: Floats
    low: Floats
    high: Floats


def precision_drops(observations: Observations, *, confidence: float = 0.95) -> PrecisionDrops | None:
    r"""Compute the drop of each class's precision when each unit is silenced; None where predictions are unknown.

    The precision of class k is :math:`P = t / m`: of the m images that the network calls k, t are. Images move into and
    out of m when a unit is silenced, and most stay, so the two precisions are paired. With :math:`c_1` images of k
    and :math:`c_0` others called k both times, the delta method gives the variance of the drop

    .. math::
        \frac{P(1-P)}{m} + \frac{P'(1-P')}{m'} - 2\,\frac{c_1 (1-P)(1-P') + c_0 P P'}{m\,m'}

    (the sum over images of the squared difference of :math:`(t_i - P m_i)/m` before and after). The interval is the
    normal one after one image has been added to each of the six cells (called k both times, only before, only after; of
    k or not): without it, no change would have no width (the idea is that of Agresti and Caffo 2000, The American
    Statistician 54:280, for two samples). That draws the middle towards 0, so the interval reaches as far from the
    estimate itself; where few of many images move it is wider than it need be.
    Over several draws, cells are averages; see `lenslab.runs.statistics.confidence_intervals.score_interval` for why
    that errs on the wide side.

    Example:
        >>> import pandas as pd
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [0], "image": [0], "before": [0], "after": [1]})
        >>> seen = observe(flips, images.assign(prediction=[0, 0, 1, 1]), np.ones((4, 1)), classes=2)
        >>> precision_drops(seen).drop.round(3).tolist()
        [[0.0, 0.333]]
    """
    if observations.predictions is None:
        return None
    labels, predictions = observations.labels, observations.predictions
    right = labels == predictions
    called = [np.bincount(predictions[part], minlength=observations.classes) for part in (right, ~right)]
    left, come = _cells(observations, observations.before), _cells(observations, observations.after)
    stayed = [total - gone for total, gone in zip(called, left, strict=True)]
    before = [total + np.zeros_like(gone) for total, gone in zip(called, left, strict=True)]
    after = [kept + new for kept, new in zip(stayed, come, strict=True)]
    first, second = _precision(*before), _precision(*after)
    drop = first - second
    # Each of t and m - t is the sum of two cells: called k both times, and once.
    before, after = ([part + 2 * _PSEUDO for part in parts] for parts in (before, after))
    stayed = [part + _PSEUDO for part in stayed]
    first, second = _precision(*before), _precision(*after)
    size, resized = before[0] + before[1], after[0] + after[1]
    shared = (stayed[0] * (1 - first) * (1 - second) + stayed[1] * first * second) / (size * resized)
    variance = first * (1 - first) / size + second * (1 - second) / resized - 2 * shared
    reach = normal_quantile(confidence) * np.sqrt(np.maximum(variance, 0))
    shrunk = first - second
    return PrecisionDrops(drop, np.minimum(shrunk, drop) - reach, np.maximum(shrunk, drop) + reach)


def _cells(observations: Observations, given: NDArray[np.int64]) -> list[Floats]:
    """Count the images that each unit's ablation took from, or gave to, each class: of the class, and others."""
    shape = (observations.units, observations.classes)
    cell, right = observations.unit * observations.classes + given, given == observations.labels[observations.image]
    counts = (np.bincount(cell[part], minlength=int(np.prod(shape))) for part in (right, ~right))
    return [count.reshape(shape) / observations.draws for count in counts]


def _precision(right: Floats, wrong: Floats) -> Floats:
    called = right + wrong
    return np.asarray(np.divide(right, called, out=np.full(called.shape, np.nan), where=called > 0))
