"""Split-half reliability: would other images of the same kind order the units, and their class drops, alike?"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.statistics.changed_cells import ChangedCells
from lenslab.runs.statistics.class_drop_correlations import ClassDropCorrelations
from lenslab.runs.statistics.correlation_coefficients import Method
from lenslab.runs.statistics.correlation_intervals import correlation_interval, draw_units
from lenslab.runs.statistics.drawn_correlations import drawn_correlations
from lenslab.runs.statistics.drawn_drops import drawn_half_drops
from lenslab.runs.statistics.image_draws import draw_images
from lenslab.runs.statistics.observations import Observations, with_present_classes

Floats = NDArray[np.float64]

METHODS: tuple[Method, ...] = ("spearman", "pearson")

CLASS_REPLICATES = 200
"""The drops of classes use at most so many replicates, and fewer where a site has many units and classes."""

# So many drops of classes are correlated in all replicates together, at least twenty replicates of them.
_PAIRS = 20_000_000

# Fewer units, or fewer pairs, have no interval.
_LEAST = 4

_UNKNOWN: Mapping[Method, Floats] = MappingProxyType(dict.fromkeys(METHODS, np.full(1, np.nan)))


def spearman_brown(correlation: ArrayLike) -> Floats:
    r"""Compute the reliability of a whole from the correlation of its two halves.

    .. math:: 2r / (1 + r)

    A half has half the images, so its figures are noisier than those of all images. Source: Spearman 1910 and Brown
    1910, British Journal of Psychology 3:271 and 3:296. For a negative correlation, which no reliability is, the sign
    is kept and the size stepped up, so that the result stays within -1 and 1.

    Example:
        >>> spearman_brown([0.0, 0.5, 1.0]).round(3).tolist()
        [0.0, 0.667, 1.0]
    """
    halves = np.asarray(correlation, dtype=np.float64)
    return np.asarray(2 * halves / (1 + np.abs(halves)))


def reliability_table(
    site: str, observations: Observations, *, seed: int, replicates: int = 1000, confidence: float = 0.95
) -> pd.DataFrame:
    r"""Compute the split-half reliability of a site's drops: the correlation over live units between half A and half B.

    ``accuracy_drop`` compares the overall drop of each unit on one half with that on the other; ``class_drop`` pools
    the drops of every class that has images in both halves, a pair of numbers for each unit and class.

    Each replicate draws images within each class and half, and units with all their classes. With z = artanh of the
    correlation and s the standard deviation of the replicates' z, the interval is :math:`z \pm q s`, turned back;
    for ``accuracy_drop`` s is never below :math:`1.03 / \sqrt{n - 3}` (Pearson's: :math:`1 / \sqrt{n - 3}`). Unlike
    that of other correlations it is not corrected for the noise of the images, as that noise is what a reliability is
    about. ``class_drop`` uses at most 200 replicates.

    Returns:
        Columns ``site, measure, method, halves, halves_low, halves_high, reliability, reliability_low,
        reliability_high, pairs, units, dead``: the correlation of the halves, and the reliability of the drop over all
        images, stepped up from it. NaN where a side is constant, without images in both halves, and below four units.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(40), "label": 0, "half": ["A", "B"] * 20})
        >>> lost = [(unit, image) for unit in range(8) for image in range(4 * unit)]
        >>> flips = pd.DataFrame(lost, columns=["unit", "image"]).assign(before=0, after=1)
        >>> seen = observe(flips, images, np.random.default_rng(0).random((40, 8)), classes=2)
        >>> reliability_table("relu", seen, seed=0, replicates=50)[["measure", "method", "reliability", "pairs"]]
                 measure    method  reliability  pairs
        0  accuracy_drop  spearman          1.0      8
        1  accuracy_drop   pearson          1.0      8
        2     class_drop  spearman          1.0      8
        3     class_drop   pearson          1.0      8
    """
    observations = with_present_classes(observations)
    live = ~dead_units(observations.activations)
    used, usable = int(live.sum()), int((observations.images > 0).all(axis=0).sum())
    shorter = min(replicates, CLASS_REPLICATES, max(20, _PAIRS // max(1, used * usable)))
    rows = []
    for measure, correlations, times, pairs in (
        ("accuracy_drop", _overall, replicates, used),
        ("class_drop", _by_class, shorter, used * usable),
    ):
        enough = min(used, pairs) >= _LEAST
        found = correlations(observations, live, times if enough else 0, seed) if pairs > 1 else _UNKNOWN
        for method in METHODS:
            halves, again = float(found[method][0]), found[method][1:]
            low, high = correlation_interval(
                halves, again, units=pairs, method=method, confidence=confidence, correct_bias=False
            )
            whole = spearman_brown([halves, low, high]).tolist()
            rows.append((site, measure, method, halves, low, high, *whole, pairs, used, int((~live).sum())))
    names = [f"{figure}{end}" for figure in ("halves", "reliability") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["site", "measure", "method", *names, "pairs", "units", "dead"])
    return table.astype({"pairs": np.int32, "units": np.int32, "dead": np.int32})


def _overall(
    observations: Observations, live: NDArray[np.bool_], replicates: int, seed: int
) -> Mapping[Method, Floats]:
    """Correlate the overall drops of the halves, as observed and then in each replicate, ``[1 + replicates]``."""
    drawn_units = draw_units(live, replicates=replicates, seed=seed)
    found: dict[Method, list[Floats]] = {method: [] for method in METHODS}
    done = 0

    def add(drawn: Floats, units: NDArray[np.int64]) -> None:
        halves = drawn_half_drops(observations, drawn)
        for method in METHODS:
            found[method].append(drawn_correlations([halves[:, 0], halves[:, 1]], units, method=method)[:, 0, 1])

    add(np.ones((1, len(observations.labels))), np.flatnonzero(live)[None])
    for drawn in draw_images(observations, replicates=replicates, seed=seed):
        add(drawn, drawn_units[done : done + len(drawn)])
        done += len(drawn)
    return {method: np.concatenate(parts) for method, parts in found.items()}


def _by_class(
    observations: Observations, live: NDArray[np.bool_], replicates: int, seed: int
) -> Mapping[Method, Floats]:
    """Correlate the drops of all classes, as observed and then in each replicate, ``[1 + replicates]``."""
    pairs = ClassDropCorrelations.of(ChangedCells.of(observations))
    drawn_units = iter(draw_units(live, replicates=replicates, seed=seed))
    found = [pairs.correlate(np.ones(len(observations.labels)), live.astype(np.int64))]
    for drawn in draw_images(observations, replicates=replicates, seed=seed):
        for once, units in zip(drawn, drawn_units, strict=False):  # the next chunk goes on with the units
            found.append(pairs.correlate(once, np.bincount(units, minlength=observations.units)))
    return {method: np.array([each[method] for each in found]) for method in METHODS}
