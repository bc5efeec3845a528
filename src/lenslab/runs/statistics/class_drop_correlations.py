"""Correlations of class drops between the halves, over all units and classes together, from the changed cells alone.

A site has millions of pairs of a unit and a class, most of which change nothing. Those are one value, 0, in both halves
and count as often as there are such pairs. Drops are fractions of few images and so have few distinct values: their
ranks follow from how often each occurs, without sorting the pairs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.statistics.changed_cells import ChangedCells
from lenslab.runs.statistics.correlation_coefficients import Method

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class ClassDropCorrelations:
    """What stays the same in all replicates; classes that lack images in a half take no part.

    Attributes:
        cells: Of the site.
        taking_part: The cells of other classes, ``[some cells]``.
        unit: Their units.
        sizes: How many images each half has of their classes, ``[2, some cells]``.
        classes: How many classes have images in both halves.
    """

    cells: ChangedCells
    taking_part: Integers
    unit: Integers
    sizes: Integers
    classes: int

    @classmethod
    def of(cls, cells: ChangedCells) -> "ClassDropCorrelations":
        """Leave out the classes that lack images in a half."""
        some = np.flatnonzero(cells.readable)
        sizes = cells.images.take(cells.label[some], axis=1)
        return cls(cells, some, cells.unit[some], sizes, int((cells.images > 0).all(axis=0).sum()))

    def correlate(self, drawn: Floats, times: Integers) -> dict[Method, float]:
        """Correlate the class drops of half A with those of half B; NaN where one side is constant.

        Args:
            drawn: How often each image is taken, ``[images]``.
            times: How often each unit is, ``[units]``.

        Example:
            >>> from lenslab.runs.statistics.observations import observe
            >>> images = pd.DataFrame({"image": range(8), "label": [0, 0, 0, 0, 1, 1, 1, 1], "half": list("ABABABAB")})
            >>> flips = pd.DataFrame({"unit": [0, 0, 1], "image": [0, 1, 4], "before": [0, 0, 1], "after": [1, 1, 0]})
            >>> cells = ChangedCells.of(observe(flips, images, np.ones((8, 3)), classes=2))
            >>> found = ClassDropCorrelations.of(cells).correlate(np.ones(8), np.ones(3, int))
            >>> {method: round(value, 3) for method, value in found.items()}
            {'spearman': 0.632, 'pearson': 0.632}
        """
        weights = times[self.unit].astype(np.float64)
        # The drops of all other classes of the drawn units are 0.
        rest = float(times.sum() * self.classes - weights.sum())
        net = self.cells.net(drawn)[:, self.taking_part].astype(np.float64)
        drops = net / self.cells.draws / self.sizes
        sides = [_Side.of(half, weights, rest) for half in drops]
        return {
            "spearman": _correlation(sides, weights, rest, [side.ranks for side in sides]),
            "pearson": _correlation(sides, weights, rest, [side.values for side in sides]),
        }


@dataclass(frozen=True)
class _Side:
    """The drops of one half: which of its distinct values each cell has, and how often each occurs."""

    place: Integers
    counts: Floats
    ranks: Floats
    values: Floats
    zero: int

    @classmethod
    def of(cls, drops: Floats, weights: Floats, rest: float) -> "_Side":
        place, distinct = pd.factorize(drops, sort=True)
        counts = np.bincount(place, weights=weights, minlength=len(distinct)).astype(np.float64)
        zero = int(np.searchsorted(distinct, 0.0))
        if rest:  # a unit that leaves a class unchanged has a cell of one, so 0 is among the values
            counts[zero] += rest
        total = counts.sum()
        ranks = np.cumsum(counts) - (counts + total) / 2  # the mean of each value's ranks, less that of all
        mean = counts @ distinct / total
        alone = np.count_nonzero(counts) < 2
        return cls(place, counts, ranks, np.zeros(len(distinct)) if alone else distinct - mean, zero)


def _correlation(sides: list[_Side], weights: Floats, rest: float, centred: list[Floats]) -> float:
    """Compute the cosine of both sides, each distinct value of which is centred."""
    one, two = (values[side.place] for side, values in zip(sides, centred, strict=True))
    product = weights @ (one * two)
    if rest:
        product += rest * centred[0][sides[0].zero] * centred[1][sides[1].zero]
    size = np.sqrt(np.prod([side.counts @ values**2 for side, values in zip(sides, centred, strict=True)]))
    return float(product / size) if size > 0 else float("nan")
