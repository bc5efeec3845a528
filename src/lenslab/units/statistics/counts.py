"""Counts: how many correct answers each unit's ablation lost and gained, per half and class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenslab.units.statistics.halves import HALVES
from lenslab.units.statistics.observations import Observations


@dataclass(frozen=True)
class Counts:
    """Losses and gains of one site.

    Attributes:
        losses: Images classified correctly before and wrongly after, shape ``[2, units, classes]``.
        gains: Images classified wrongly before and correctly after, same shape.
        images: How many images each half holds of each class, shape ``[2, classes]``.
    """

    losses: NDArray[np.int64]
    gains: NDArray[np.int64]
    images: NDArray[np.int64]

    @property
    def net(self) -> NDArray[np.int64]:
        """Losses minus gains, shape ``[2, units, classes]``."""
        return self.losses - self.gains


def count(observations: Observations) -> Counts:
    """Count the losses and gains of each unit in each half and class.

    Args:
        observations: What was seen at one site.

    Returns:
        The counts. They add: over halves, over classes, over disjoint sets of images.

    Example:
        >>> import pandas as pd
        >>> from lenslab.units.statistics.observations import observe
        >>> images = pd.DataFrame({"image": [0, 1], "label": [0, 1], "half": ["A", "B"]})
        >>> flips = pd.DataFrame({"unit": [0], "image": [1], "before": [1], "after": [0]})
        >>> count(observe(flips, images, np.ones((2, 1)), classes=2)).losses.tolist()
        [[[0, 0]], [[0, 1]]]
    """
    shape = (len(HALVES), observations.units, observations.classes)
    cell = np.ravel_multi_index(
        (observations.half[observations.image], observations.unit, observations.labels[observations.image]), shape
    )
    lost = observations.change > 0
    losses = np.bincount(cell[lost], minlength=int(np.prod(shape))).reshape(shape)
    gains = np.bincount(cell[~lost], minlength=int(np.prod(shape))).reshape(shape)
    return Counts(losses=losses, gains=gains, images=observations.images)
