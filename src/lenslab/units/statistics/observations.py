"""Observations: what one site's ablations were seen to change, image by image.

Everything that the statistics of a site need, as plain arrays: the label and half of each image, the flips that cost
or restored a correct answer, and the activations that the attributes are computed from. Made from the tables that a
run's record holds, so every figure can be computed again without the network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError
from lenslab.units.errors import LabelError
from lenslab.units.statistics.halves import HALVES


@dataclass(frozen=True)
class Observations:
    """What was seen at one site.

    Attributes:
        labels: The class of each image, shape ``[images]``.
        half: 0 for half A and 1 for half B, shape ``[images]``.
        unit: The unit of each flip that cost or restored a correct answer, shape ``[flips]``.
        image: The row of its image in ``labels``, shape ``[flips]``.
        change: +1 where a correct answer was lost, -1 where one was gained, shape ``[flips]``.
        activations: The spatial mean of each unit's value on each image, shape ``[images, units]``.
        classes: How many classes the network tells apart.
    """

    labels: NDArray[np.int64]
    half: NDArray[np.int64]
    unit: NDArray[np.int64]
    image: NDArray[np.int64]
    change: NDArray[np.int64]
    activations: NDArray[np.floating[Any]]
    classes: int

    @property
    def units(self) -> int:
        """How many units the site has."""
        return int(self.activations.shape[1])

    @property
    def stratum(self) -> NDArray[np.int64]:
        """``half * classes + label`` of each image, shape ``[images]``."""
        return self.half * self.classes + self.labels

    @property
    def images(self) -> NDArray[np.int64]:
        """How many images each half holds of each class, shape ``[2, classes]``."""
        counts = np.bincount(self.stratum, minlength=len(HALVES) * self.classes)
        return counts.reshape(len(HALVES), self.classes)


def observe(
    flips: pd.DataFrame, images: pd.DataFrame, activations: NDArray[np.floating[Any]], *, classes: int
) -> Observations:
    """Put one site's tables into arrays.

    Args:
        flips: The changed predictions of one site: columns ``unit, image, before, after``, one row per changed pair.
        images: One row per image: columns ``image, label, half``.
        activations: The spatial mean of each unit on each image, shape ``[images, units]``, rows as in ``images``.
        classes: How many classes the network tells apart; labels lie in ``0 .. classes - 1``.

    Returns:
        The observations; flips from one wrong class to another are left out, as they change no count.

    Raises:
        LabelError: A label is not one of the classes.
        BrokenRecordError: The tables do not fit together; the message says which and where.

    Example:
        >>> images = pd.DataFrame({"image": [0, 1], "label": [0, 1], "half": ["A", "B"]})
        >>> flips = pd.DataFrame({"unit": [0, 0], "image": [0, 1], "before": [0, 0], "after": [1, 1]})
        >>> observe(flips, images, np.ones((2, 1)), classes=2).change.tolist()
        [1, -1]
    """
    labels = images["label"].to_numpy(np.int64)
    numbers = images["image"].to_numpy(np.int64)
    if activations.ndim != 2 or len(activations) != len(images):
        raise BrokenRecordError(
            f"{len(images)} images but activations of shape {activations.shape}; give [images, units]"
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise LabelError(f"labels run from {labels.min()} to {labels.max()}, but the network tells {classes} apart")
    half = np.searchsorted(HALVES, images["half"].to_numpy(str))
    order = np.argsort(numbers)
    number, unit = flips["image"].to_numpy(np.int64), flips["unit"].to_numpy(np.int64)
    unknown = ~np.isin(number, numbers)
    if unknown.any():
        raise BrokenRecordError(f"a flip names image {number[unknown][0]}, which the table of images does not have")
    if len(unit) and not (unit.min() >= 0 and unit.max() < activations.shape[1]):
        raise BrokenRecordError(f"flips name units {unit.min()} to {unit.max()}, but there are {activations.shape[1]}")
    image = order[np.searchsorted(numbers, number, sorter=order)] if len(number) else np.zeros(0, np.int64)
    truth = labels[image]
    change = (flips["before"].to_numpy() == truth).astype(np.int64) - (flips["after"].to_numpy() == truth)
    counted = change != 0
    return Observations(
        labels=labels,
        half=half.astype(np.int64),
        unit=unit[counted],
        image=image[counted],
        change=change[counted],
        activations=activations,
        classes=classes,
    )
