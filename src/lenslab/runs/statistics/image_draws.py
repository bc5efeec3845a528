"""Draws of images: how often each image is taken in each replicate of a bootstrap.

Images are drawn within each class and half, so every replicate has the same number of images per class and half as the
observations. A seed stands for one sequence of draws, whatever is computed from them and however many at a time.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.statistics.observations import Observations

# The draws of one chunk of replicates hold at most about this many numbers (64 MB as float64).
_CHUNK = 8_000_000


def draw_images(observations: Observations, *, replicates: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Draw how often each image is taken, ``[some replicates, images]``, in chunks that bound the memory.

    Example:
        >>> import pandas as pd
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(5), "label": [0, 0, 0, 1, 1], "half": list("AAABB")})
        >>> flips = pd.DataFrame({"unit": [], "image": [], "before": [], "after": []}, dtype=int)
        >>> seen = observe(flips, images, np.ones((5, 1)), classes=2)
        >>> [drawn.tolist() for drawn in draw_images(seen, replicates=2, seed=0)]
        [[[0.0, 2.0, 1.0, 2.0, 0.0], [3.0, 0.0, 0.0, 1.0, 1.0]]]
    """
    random = np.random.default_rng(seed)
    images = len(observations.labels)
    order = np.argsort(observations.stratum, kind="stable")
    stratum = observations.stratum[order]
    size = np.bincount(stratum)[stratum]
    start = np.searchsorted(stratum, stratum)
    chunk = max(1, min(replicates, _CHUNK // max(images, 1)))
    for first in range(0, replicates, chunk):
        drawn = np.empty((min(chunk, replicates - first), images))
        for row in drawn:
            # A float32 below 1 times a size, in float64, is below the size.
            place = start + (random.random(images, dtype=np.float32) * size).astype(np.int64)
            row[order] = np.bincount(place, minlength=images)
        yield drawn
