"""Drops on drawn images: the measures of every unit in each replicate of a bootstrap, from its changed cells alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lenslab.runs.statistics.accuracy_drops import half_drops
from lenslab.runs.statistics.changed_cells import ChangedCells, whole_numbers
from lenslab.runs.statistics.observations import Observations

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A stretch of units has about so many cells.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class DrawnDrops:
    """The drops of each unit in some replicates.

    Attributes:
        accuracy_drop: Over all images, ``[replicates, units]``.
        max_class_drop: Over all images, ``[replicates, units]``.
        half_accuracy_drop: Over each half, ``[replicates, 2, units]``; NaN for a half without images.
        heldout_ways: The class chosen on A and the drop read on B, then the other way, ``[replicates, 2, units]``; NaN
            where no class has images in both halves.
    """

    accuracy_drop: Floats
    max_class_drop: Floats
    half_accuracy_drop: Floats
    heldout_ways: Floats


def drawn_drops(cells: ChangedCells, drawn: Floats) -> DrawnDrops:
    """Compute the drops on drawn images, as `lenslab.runs.statistics.accuracy_drops` does from all classes.

    ``drawn`` says how often each image was taken, ``[replicates, images]``; the number of each class and half is that
    of the observations.

    Example:
        >>> import pandas as pd
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": [0, 1, 2, 3], "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [0], "image": [1], "before": [0], "after": [1]})
        >>> cells = ChangedCells.of(observe(flips, images, np.ones((4, 1)), classes=2))
        >>> found = drawn_drops(cells, np.array([[1.0, 1, 1, 1]]))
        >>> found.max_class_drop.tolist(), found.heldout_ways.tolist()
        ([[0.5]], [[[1.0], [0.0]]])
    """
    stretches = _stretches(cells)
    largest, halves = np.empty((len(drawn), cells.units)), np.empty((len(drawn), 2, cells.units))
    ways = np.empty_like(halves)
    for row, once in enumerate(drawn):
        whole = cells.net(once)
        for some in stretches:
            net = whole[:, some.cells].astype(np.float64)
            halves[row, :, some.units] = np.add.reduceat(net, some.start, axis=-1)
            net = net if cells.draws == 1 else net / cells.draws
            largest[row, some.units], ways[row, :, some.units] = _of_classes(some, net)
    if not cells.readable.any():
        ways[:] = np.nan
    halves /= cells.draws
    overall = halves.sum(axis=1) / cells.images.sum()
    return DrawnDrops(overall, largest, half_drops(halves[..., None], cells.images), ways)


def drawn_half_drops(observations: Observations, drawn: Floats) -> Floats:
    """Compute the overall drop over the drawn images of each half alone, ``[replicates, 2, units]``; else NaN.

    The figures are those of `drawn_drops`, without a look at single classes.

    Example:
        >>> import pandas as pd
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": [0, 1, 2, 3], "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [0], "image": [1], "before": [0], "after": [1]})
        >>> drawn_half_drops(observe(flips, images, np.ones((4, 1)), classes=2), np.array([[0.0, 2, 1, 1]])).tolist()
        [[[0.0], [1.0]]]
    """
    changed = np.flatnonzero(observations.change)
    unit, image = observations.unit[changed], observations.image[changed]
    shape = (2 * observations.units, len(observations.labels))
    row = observations.half[image] * observations.units + unit
    kind = whole_numbers(observations.draws * shape[1])
    changes = sparse.csr_array((observations.change[changed].astype(kind), (row, image)), shape=shape)
    net = np.stack([changes @ once for once in drawn.astype(kind)]).reshape(len(drawn), 2, -1).astype(np.float64)
    return half_drops(net[..., None] / observations.draws, observations.images)


@dataclass(frozen=True)
class _Stretch:
    """The cells of some units that stand one after the other, numbered from 0.

    Attributes:
        units: Which units they are.
        cells: Which of all cells they have.
        unit: The unit of each cell, ``[cells]``.
        counts: How many cells each unit has, ``[units]``.
        start: The first cell of each, ``[units]``.
        sizes: How many images the class of each cell has, ``[cells]``.
        half_sizes: How many each half has of it, ``[2, cells]``; 1 where a half has none.
        unreadable: The cells of such classes.
    """

    units: slice
    cells: slice
    unit: Integers
    counts: Integers
    start: Integers
    sizes: Floats
    half_sizes: Floats
    unreadable: Integers

    @classmethod
    def of(cls, whole: ChangedCells, units: slice) -> "_Stretch":
        """Take the cells of some units."""
        cells = slice(*np.searchsorted(whole.unit, [units.start, units.stop]).tolist())
        unit = whole.unit[cells] - units.start
        counts = np.bincount(unit, minlength=units.stop - units.start)
        sizes, readable = whole.images.take(whole.label[cells], axis=1), whole.readable[cells]
        return cls(
            units=units,
            cells=cells,
            unit=unit,
            counts=counts,
            start=np.cumsum(counts) - counts,
            sizes=sizes.sum(axis=0, dtype=np.float64),
            half_sizes=np.where(readable, sizes, 1.0),
            unreadable=np.flatnonzero(~readable),
        )


def _stretches(cells: ChangedCells) -> list[_Stretch]:
    """Cut the units into stretches of so few cells that what is computed of them stays in a processor's cache."""
    size = max(1, _BLOCK * cells.units // len(cells.unit))
    return [_Stretch.of(cells, slice(first, min(first + size, cells.units))) for first in range(0, cells.units, size)]


def _of_classes(cells: _Stretch, net: Floats) -> tuple[Floats, Floats]:
    """Compute the max class drop ``[units]`` and the held-out ways ``[2, units]`` from net losses ``[2, cells]``."""
    classes = (net[0] + net[1]) / cells.sizes
    drops = net / cells.half_sizes
    drops[:, cells.unreadable] = -np.inf
    largest = np.maximum.reduceat(drops, cells.start, axis=-1)
    # Cells stand by unit, then by class: the first of a unit that is as large as the largest is its lowest class.
    hits = np.flatnonzero(drops == np.repeat(largest, cells.counts, axis=-1))
    half, cell = np.divmod(hits, len(cells.unit))
    first = np.flatnonzero(np.diff(half * len(cells.start) + cells.unit[cell], prepend=-1))
    read = drops[1 - half[first], cell[first]].reshape(largest.shape)
    return np.maximum.reduceat(classes, cells.start), np.asarray(read)
