"""Observations: what the ablations of one site changed, image by image.

Everything that the statistics of a site need, as plain arrays: the label and half of each image, the predictions
before and after, and the activations that the attributes are computed from. Made from the tables that a run's record
holds, so every figure can be computed again without the network.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError
from lenslab.runs.errors import LabelError
from lenslab.runs.statistics.image_halves import HALVES


@dataclass(frozen=True)
class Observations:
    """What was observed at one site.

    Attributes:
        numbers: The number by which tables name each image, shape ``[images]``.
        labels: The class of each image, shape ``[images]``.
        half: 0 for half A and 1 for half B, shape ``[images]``.
        predictions: The class that the untouched network gives each image, shape ``[images]``; None where unknown.
        unit: The unit of each changed prediction, shape ``[flips]``.
        image: The row of its image in ``labels``, shape ``[flips]``.
        draw: Which draw of the replacement changed it, shape ``[flips]``; 0 where there is one.
        before: The class before, shape ``[flips]``.
        after: The class after, shape ``[flips]``.
        change: +1 where a correct answer was lost, -1 where one was gained, 0 from one wrong class to another; shape
            ``[flips]``.
        activations: The spatial mean of each unit's value on each image, shape ``[images, units]``.
        classes: How many classes the network tells apart.
        draws: How often each unit was replaced on each image. Every drop is an average over the draws.
    """

    numbers: NDArray[np.int64]
    labels: NDArray[np.int64]
    half: NDArray[np.int64]
    predictions: NDArray[np.int64] | None
    unit: NDArray[np.int64]
    image: NDArray[np.int64]
    draw: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    change: NDArray[np.int64]
    activations: NDArray[np.floating[Any]]
    classes: int
    draws: int = 1

    @property
    def units(self) -> int:
        """How many units the site has."""
        return int(self.activations.shape[1])

    @property
    def stratum(self) -> NDArray[np.int64]:
        """``half * classes + label`` of each image, shape ``[images]``."""
        return self.half * self.classes + self.labels

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of counts by half, unit and class, ``(2, units, classes)``."""
        return len(HALVES), self.units, self.classes

    @property
    def images(self) -> NDArray[np.int64]:
        """How many images each half holds of each class, shape ``[2, classes]``."""
        counts = np.bincount(self.stratum, minlength=len(HALVES) * self.classes)
        return counts.reshape(len(HALVES), self.classes)


def observe(
    flips: pd.DataFrame, images: pd.DataFrame, activations: NDArray[np.floating[Any]], *, classes: int, draws: int = 1
) -> Observations:
    """Put one site's tables into arrays.

    Args:
        flips: The changed predictions of one site: columns ``unit, image, before, after``, one row per changed pair;
            with several draws also ``draw``, and one row per changed pair and draw.
        images: One row per image: columns ``image, label, half``, and ``prediction`` where precision is wanted.
        activations: The spatial mean of each unit on each image, shape ``[images, units]``, rows as in ``images``.
        classes: How many classes the network tells apart; labels lie in ``0 .. classes - 1``.
        draws: How often each unit was replaced on each image.

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
    unit, image, draw = locate_flips(flips, numbers, units=activations.shape[1], draws=draws)
    before, after = flips["before"].to_numpy(np.int64), flips["after"].to_numpy(np.int64)
    truth = labels[image]
    return Observations(
        numbers=numbers,
        labels=labels,
        half=np.searchsorted(HALVES, images["half"].to_numpy(str)).astype(np.int64),
        predictions=images["prediction"].to_numpy(np.int64) if "prediction" in images else None,
        unit=unit,
        image=image,
        draw=draw,
        before=before,
        after=after,
        change=(before == truth).astype(np.int64) - (after == truth),
        activations=activations,
        classes=classes,
        draws=draws,
    )


def with_present_classes(observations: Observations) -> Observations:
    """Renumber the classes that have images from 0, so that a few images of many classes need no large arrays.

    The classes of single predictions are left as they were and mean nothing here.

    Example:
        >>> images = pd.DataFrame({"image": [0, 1], "label": [7, 993], "half": ["A", "B"]})
        >>> none = pd.DataFrame({"unit": [], "image": [], "before": [], "after": []}, dtype=int)
        >>> with_present_classes(observe(none, images, np.ones((2, 1)), classes=1000)).labels.tolist()
        [0, 1]
    """
    present, labels = np.unique(observations.labels, return_inverse=True)
    return replace(observations, labels=labels, classes=len(present))


def locate_flips(
    flips: pd.DataFrame, numbers: NDArray[np.int64], *, units: int, draws: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the unit, the row of the image and the draw of each flip, each ``[flips]``, and check that they exist.

    ``flips`` has the columns ``unit, image``, and ``draw`` where there are several; ``numbers`` name the images.

    Raises:
        BrokenRecordError: A flip names an image, a unit or a draw that does not exist.

    Example:
        >>> flips = pd.DataFrame({"unit": [1], "image": [30]})
        >>> [part.tolist() for part in locate_flips(flips, np.array([10, 30]), units=2, draws=1)]
        [[1], [1], [0]]
    """
    number, unit = flips["image"].to_numpy(np.int64), flips["unit"].to_numpy(np.int64)
    draw = flips["draw"].to_numpy(np.int64) if "draw" in flips else np.zeros(len(flips), np.int64)
    unknown = ~np.isin(number, numbers)
    if unknown.any():
        raise BrokenRecordError(f"a flip names image {number[unknown][0]}, which the table of images does not have")
    if len(unit) and not (unit.min() >= 0 and unit.max() < units):
        raise BrokenRecordError(f"flips name units {unit.min()} to {unit.max()}, but there are {units}")
    if draws > 1 and "draw" not in flips:
        raise BrokenRecordError(f"there are {draws} draws, but the flips do not say which draw changed them")
    if len(draw) and not (draw.min() >= 0 and draw.max() < draws):
        raise BrokenRecordError(f"flips name draws {draw.min()} to {draw.max()}, but there are {draws}")
    order = np.argsort(numbers)
    row = order[np.searchsorted(numbers, number, sorter=order)] if len(number) else np.zeros(0, np.int64)
    return unit, row, draw


def align_attributes(attributes: pd.DataFrame, observations: Observations) -> pd.DataFrame:
    """Put attributes into the order of their column ``unit``, and check that there is one row for each.

    Raises:
        BrokenRecordError: A unit has no row, or two, or does not exist.

    Example:
        >>> images = pd.DataFrame({"image": [0], "label": [0], "half": ["A"]})
        >>> flips = pd.DataFrame({"unit": [], "image": [], "before": [], "after": []})
        >>> seen = observe(flips, images, np.ones((1, 2)), classes=1)
        >>> align_attributes(pd.DataFrame({"unit": [1, 0], "l1_norm": [5.0, 3.0]}), seen)["l1_norm"].tolist()
        [3.0, 5.0]
    """
    rows = attributes.sort_values("unit", ignore_index=True)
    if rows["unit"].tolist() != list(range(observations.units)):
        raise BrokenRecordError(
            f"the attributes are of {len(rows)} units, but the site has units 0 to {observations.units - 1}; "
            "give one row for each"
        )
    return rows
