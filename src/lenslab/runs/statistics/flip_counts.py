"""Counts of flips: how many correct answers each unit's ablation lost and gained, per half and class.

Example:
    >>> from lenslab.runs.statistics.observations import observe
    >>> images = pd.DataFrame({"image": [0, 1], "label": [0, 1], "half": ["A", "B"]})
    >>> flips = pd.DataFrame({"unit": [0], "image": [1], "draw": [1], "before": [1], "after": [0]})
    >>> seen = observe(flips, images, np.ones((2, 1)), classes=2, draws=2)
    >>> count_flips(seen).losses.tolist(), [int(counts.losses.sum()) for counts in count_flips_by_draw(seen)]
    ([[[0, 0]], [[0, 1]]], [0, 1])
    >>> count_top_flips(seen, pd.DataFrame({"unit": [0], "image": [1], "draw": [0], "lost": [False]})).gains.tolist()
    [[[0, 0]], [[0, 1]]]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.statistics.observations import Observations, locate_flips


@dataclass(frozen=True)
class FlipCounts:
    """Losses and gains of one site.

    Attributes:
        losses: Images classified correctly before and wrongly after, shape ``[2, units, classes]``; over several draws
            their total.
        gains: Images classified wrongly before and correctly after, same shape.
        images: How many images each half holds of each class, shape ``[2, classes]``.
        draws: How often each unit was replaced on each image.
    """

    losses: NDArray[np.int64]
    gains: NDArray[np.int64]
    images: NDArray[np.int64]
    draws: int = 1

    @property
    def net(self) -> NDArray[np.float64]:
        """Losses minus gains, averaged over the draws; shape ``[2, units, classes]``."""
        return np.asarray((self.losses - self.gains) / self.draws, dtype=np.float64)


def count_flips(observations: Observations) -> FlipCounts:
    """Count the losses and gains of each unit in each half and class; counts add over draws and images."""
    lost, gained = observations.change > 0, observations.change < 0
    return _counts(observations, observations.unit, observations.image, lost, gained, observations.draws)


def count_flips_by_draw(observations: Observations) -> Iterator[FlipCounts]:
    """Count each draw by itself, one after the other; the losses and gains add up to those of `count_flips`."""
    for draw in range(observations.draws):
        ours = observations.draw == draw
        change = observations.change[ours]
        yield _counts(observations, observations.unit[ours], observations.image[ours], change > 0, change < 0, 1)


def count_top_flips(observations: Observations, top_flips: pd.DataFrame) -> FlipCounts:
    """Count how often the true class left (a loss), and entered (a gain), the k largest logits.

    ``top_flips`` has a row per pair (and draw): columns ``unit, image, lost``, with several draws also ``draw``.

    Raises:
        BrokenRecordError: A row names an image, a unit or a draw that does not exist.
    """
    unit, image, _ = locate_flips(top_flips, observations.numbers, units=observations.units, draws=observations.draws)
    lost = top_flips["lost"].to_numpy(bool)
    return _counts(observations, unit, image, lost, ~lost, observations.draws)


def _counts(
    observations: Observations,
    unit: NDArray[np.int64],
    image: NDArray[np.int64],
    lost: NDArray[np.bool_],
    gained: NDArray[np.bool_],
    draws: int,
) -> FlipCounts:
    shape = observations.shape
    cell = np.ravel_multi_index((observations.half[image], unit, observations.labels[image]), shape)
    losses, gains = (np.bincount(cell[part], minlength=int(np.prod(shape))).reshape(shape) for part in (lost, gained))
    return FlipCounts(losses=losses, gains=gains, images=observations.images, draws=draws)
