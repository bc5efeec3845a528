"""The bootstrap: the measures of a site computed again on images drawn with replacement.

Images are drawn within each class and half (`lenslab.runs.statistics.image_draws`). What a replicate needs is linear in
how often each image was drawn, so all replicates are matrix products: changes (sparse) times draws, and activations
times draws. Figures are float64 throughout, and counts whole numbers.

Example:
    >>> import pandas as pd
    >>> from lenslab.runs.statistics.observations import observe
    >>> images = pd.DataFrame({"image": [0, 1, 2, 3], "label": [0, 0, 1, 1], "half": list("ABAB")})
    >>> flips = pd.DataFrame({"unit": [0], "image": [1], "before": [0], "after": [1]})
    >>> seen = observe(flips, images, np.ones((4, 1)), classes=2)
    >>> unit_measures(seen).heldout_ways.tolist()
    [[1.0], [0.0]]
    >>> bootstrap_measures(seen, replicates=3, seed=0).accuracy_drop.tolist()
    [[0.25], [0.25], [0.25]]
    >>> half_selectivity(seen).tolist(), bootstrap_half_selectivity(seen, replicates=3, seed=0).shape
    ([[0.0], [0.0]], (3, 2, 1))
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.statistics.changed_cells import ChangedCells
from lenslab.runs.statistics.drawn_drops import drawn_drops
from lenslab.runs.statistics.drawn_selectivity import drawn_selectivity
from lenslab.runs.statistics.image_draws import draw_images
from lenslab.runs.statistics.observations import Observations, with_present_classes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnitMeasures:
    """The measures of each unit that correlations are computed from; arrays may have a leading axis of replicates.

    Attributes:
        accuracy_drop: Over all images, shape ``[units]``.
        max_class_drop: Over all images, shape ``[units]``.
        heldout_max_class_drop: Both ways averaged, shape ``[units]``.
        class_selectivity: Over all images, shape ``[units]``.
        half_accuracy_drop: Over the images of half A and of half B, shape ``[2, units]``.
        heldout_ways: The class chosen on A and the drop read on B, then the other way, shape ``[2, units]``.
    """

    accuracy_drop: Floats
    max_class_drop: Floats
    heldout_max_class_drop: Floats
    class_selectivity: Floats
    half_accuracy_drop: Floats
    heldout_ways: Floats


def unit_measures(observations: Observations) -> UnitMeasures:
    """Compute the measures of the observations themselves."""
    (found,) = _measures(observations, iter([_once(observations)]))
    return UnitMeasures(**{field.name: getattr(found, field.name)[0] for field in fields(UnitMeasures)})


def bootstrap_measures(observations: Observations, *, replicates: int, seed: int) -> UnitMeasures:
    """Compute the measures on images drawn within each class and half, with a leading axis of replicates."""
    observations = with_present_classes(observations)
    parts = list(_measures(observations, draw_images(observations, replicates=replicates, seed=seed)))
    return UnitMeasures(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(UnitMeasures)}
    )


def half_selectivity(observations: Observations) -> Floats:
    """Compute the class selectivity over the images of half A and of half B, ``[2, units]``."""
    (found,) = _half_selectivity(with_present_classes(observations), _once(observations))
    return np.asarray(found)


def bootstrap_half_selectivity(observations: Observations, *, replicates: int, seed: int) -> Floats:
    """Compute it on the drawn images of each half, ``[replicates, 2, units]``; drawn as in `bootstrap_measures`."""
    observations = with_present_classes(observations)
    draws = draw_images(observations, replicates=replicates, seed=seed)
    return np.concatenate([_half_selectivity(observations, drawn) for drawn in draws])


def _measures(observations: Observations, draws: Iterator[Floats]) -> Iterator[UnitMeasures]:
    observations = with_present_classes(observations)
    cells = ChangedCells.of(observations)
    for drawn in draws:
        drops = drawn_drops(cells, drawn)
        yield UnitMeasures(
            accuracy_drop=drops.accuracy_drop,
            max_class_drop=drops.max_class_drop,
            heldout_max_class_drop=drops.heldout_ways.mean(axis=1),
            class_selectivity=drawn_selectivity(observations, drawn),
            half_accuracy_drop=drops.half_accuracy_drop,
            heldout_ways=drops.heldout_ways,
        )


def _half_selectivity(observations: Observations, drawn: Floats) -> Floats:
    return np.stack([drawn_selectivity(observations, drawn, half=half) for half in (0, 1)], axis=1)


def _once(observations: Observations) -> Floats:
    return np.ones((1, len(observations.labels)))
