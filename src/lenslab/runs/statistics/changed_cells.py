"""Changed cells: the units and classes whose correct answers changed, and their losses on any draws of the images.

A unit changes few images of few classes, so what is kept is a cell for each unit and class that it changes, a row of a
sparse matrix for each cell and half, and a column for each image: its product with how often each image was drawn gives
losses minus gains. The drops of all other classes are 0. The lowest of them, and the lowest of those that have images
in both halves, are cells as well, so that a largest drop is found among the cells of a unit alone.

Example:
    >>> import pandas as pd
    >>> from lenslab.runs.statistics.observations import observe
    >>> images = pd.DataFrame({"image": range(6), "label": [0, 0, 1, 1, 2, 2], "half": list("ABABAB")})
    >>> flips = pd.DataFrame({"unit": [0], "image": [3], "before": [1], "after": [0]})
    >>> cells = ChangedCells.of(observe(flips, images, np.ones((6, 1)), classes=3))
    >>> cells.label.tolist(), cells.net(np.ones(6)).tolist()
    ([0, 1], [[0.0, 0.0], [0.0, 1.0]])
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lenslab.runs.statistics.observations import Observations

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Float32 holds every whole number up to here.
_EXACT = 1 << 24


@dataclass(frozen=True)
class ChangedCells:
    """The changed cells of one site, by unit, then by class. All classes have images.

    Attributes:
        unit: The unit of each cell, ``[cells]``; each unit has one cell or more.
        label: Its class, ``[cells]``.
        units: How many units the site has.
        images: How many images each half holds of each class, ``[2, classes]``.
        changes: Losses minus gains summed over draws of the replacement, ``[2 * cells, images]``, half A's rows first.
        draws: How often each unit was replaced on each image.
    """

    unit: Integers
    label: Integers
    units: int
    images: Integers
    changes: sparse.csc_array
    draws: int

    @classmethod
    def of(cls, observations: Observations) -> "ChangedCells":
        """Find the cells of observations in which all classes have images, see `with_present_classes`."""
        units, classes, images = observations.units, observations.classes, observations.images
        changed = np.flatnonzero(observations.change)
        image = observations.image[changed]
        flat = observations.unit[changed] * classes + observations.labels[image]
        cells = _with_unchanged(flat, units, images)
        place = np.searchsorted(cells, flat) + observations.half[image] * len(cells)
        shape = (2 * len(cells), len(observations.labels))
        kind = whole_numbers(observations.draws * shape[1])
        changes = sparse.csc_array((observations.change[changed].astype(kind), (place, image)), shape=shape)
        return cls(*np.divmod(cells, classes), units, images, changes, observations.draws)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which cells are of a class that has images in both halves, ``[cells]``."""
        both = self.images.min(axis=0) > 0
        return np.asarray(both[self.label])

    def net(self, drawn: Floats) -> Floats:
        """Sum losses minus gains over the images, ``[2, cells]``: whole numbers, over all draws of the replacement.

        ``drawn`` says how often each image is taken, ``[images]``. The type may be float32, which holds them exactly.
        """
        return np.asarray(self.changes @ drawn.astype(self.changes.dtype)).reshape(2, -1)


def whole_numbers(largest: int) -> type[np.floating[Any]]:
    """Choose a type in which sums of whole numbers are exact; the narrower one takes half the time.

    Example:
        >>> whole_numbers(50_000), whole_numbers(10**9)
        (<class 'numpy.float32'>, <class 'numpy.float64'>)
    """
    return np.float32 if largest < _EXACT else np.float64


def _with_unchanged(flat: Integers, units: int, images: Integers) -> Integers:
    """Give the distinct cells, ascending, with the lowest unchanged classes of each unit among them."""
    kept = np.zeros((units, images.shape[1]), dtype=np.bool_)
    kept.ravel()[flat] = True
    lowest = []
    for allowed in (images.max(axis=0) > 0, images.min(axis=0) > 0):
        unchanged = ~kept & allowed
        some = np.flatnonzero(unchanged.any(axis=1))
        lowest.append((some, unchanged[some].argmax(axis=1)))
    for some, label in lowest:
        kept[some, label] = True
    return np.flatnonzero(kept)
