"""Tests of drops: could what each unit's ablation costs be chance? Exact tests, overall, by class and held out.

With several draws of the replacement every test is made once per draw and the p-values are combined; see
`lenslab.runs.statistics.hypothesis_tests.average_p_values`.

Example:
    >>> import pandas as pd
    >>> from lenslab.runs.statistics.accuracy_drops import heldout_class_drop
    >>> from lenslab.runs.statistics.flip_counts import count_flips
    >>> from lenslab.runs.statistics.observations import observe
    >>> images = pd.DataFrame({"image": range(8), "label": 0, "half": list("ABABABAB")})
    >>> flips = pd.DataFrame({"unit": 0, "image": range(5), "before": 0, "after": 1})
    >>> seen = observe(flips, images, np.ones((8, 1)), classes=2)
    >>> overall_p_values(seen).tolist(), class_p_values(seen).tolist()
    ([0.0625], [[0.0625, 1.0]])
    >>> counts = count_flips(seen)
    >>> heldout_p_values(seen, heldout_class_drop(counts.net, counts.images)).tolist()
    [[0.25], [0.125]]
    >>> drawn = observe(flips[:4].assign(draw=1), images, np.ones((8, 1)), classes=2, draws=2)
    >>> overall_spread(drawn).round(3).tolist()
    [0.354]
"""

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.statistics.accuracy_drops import HeldOutDrop
from lenslab.runs.statistics.flip_counts import count_flips_by_draw
from lenslab.runs.statistics.hypothesis_tests import average_p_values, mcnemar
from lenslab.runs.statistics.observations import Observations

Floats = NDArray[np.float64]


def overall_p_values(observations: Observations) -> Floats:
    """Compute two-sided p-values of each unit's overall drop, shape ``[units]``."""
    return average_p_values(
        mcnemar(counts.losses.sum(axis=(0, 2)), counts.gains.sum(axis=(0, 2)))
        for counts in count_flips_by_draw(observations)
    )


def class_p_values(observations: Observations) -> Floats:
    """Compute two-sided p-values of each unit's class drops, shape ``[units, classes]``; 1 without images."""
    return average_p_values(
        mcnemar(counts.losses.sum(axis=0), counts.gains.sum(axis=0)) for counts in count_flips_by_draw(observations)
    )


def heldout_p_values(observations: Observations, heldout: HeldOutDrop) -> Floats:
    """Compute one-sided p-values of the drop of the class that was chosen on the other half, shape ``[2, units]``.

    Chosen on A and read on B, then the other way; NaN where no class has images in both halves. The half that is read
    took no part in the choice, so no correction for the number of classes is needed.
    """
    label = heldout.label
    units = np.arange(label.shape[1])
    read = np.array([[1], [0]])
    found = average_p_values(
        mcnemar(counts.losses[read, units, label], counts.gains[read, units, label], alternative="greater")
        for counts in count_flips_by_draw(observations)
    )
    return np.where(label < 0, np.nan, found)


def overall_spread(observations: Observations) -> Floats:
    """Compute the standard deviation over draws of each unit's overall drop, shape ``[units]``; NaN with one draw."""
    if observations.draws < 2:
        return np.full(observations.units, np.nan)
    nets = [(counts.losses - counts.gains).sum(axis=(0, 2)) for counts in count_flips_by_draw(observations)]
    return np.asarray(np.std(nets, axis=0, ddof=1) / len(observations.labels), dtype=np.float64)
