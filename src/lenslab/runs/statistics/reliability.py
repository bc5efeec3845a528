"""Split-half reliability: would other images of the same kind order the units, and their class drops, alike?"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.statistics.accuracy_drops import half_drops
from lenslab.runs.statistics.bootstrap import bootstrap_net_losses
from lenslab.runs.statistics.correlation_coefficients import Method, pearson, spearman
from lenslab.runs.statistics.correlation_intervals import correlation_interval, draw_units
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.image_halves import HALVES
from lenslab.runs.statistics.observations import Observations, with_present_classes

Floats = NDArray[np.float64]

Drops = Callable[[Floats, NDArray[np.int64]], Floats]

METHODS: Mapping[Method, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {"spearman": spearman, "pearson": pearson}
)

CLASS_REPLICATES = 200
"""The drops of classes use at most so many replicates, and fewer where a site has many units and classes."""

# So many drops of classes are ranked in all replicates together, at least twenty replicates of them.
_RANKED = 20_000_000

# Arrays of some replicates hold about this many numbers.
_AT_ONCE = 2_000_000


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
    units, images = np.flatnonzero(live), observations.images
    usable = (images > 0).all(axis=0)
    net = count_flips(observations).net
    cells = max(1, len(units) * int(usable.sum()))
    shorter = min(replicates, CLASS_REPLICATES, max(20, _RANKED // cells))
    rows = []
    for measure, drops, times in (("accuracy_drop", _overall, replicates), ("class_drop", _by_class, shorter)):
        observed = drops(net[None][:, :, units], images)[0].reshape(len(HALVES), -1)
        pairs = observed.shape[1]
        enough = len(units) > 3 and pairs > 3
        again = _replicated(observations, live, drops, times, seed) if enough else dict.fromkeys(METHODS, np.empty(0))
        for method, correlation in METHODS.items():
            halves = float(correlation(observed[0], observed[1])) if pairs > 1 else float("nan")
            low, high = correlation_interval(
                halves, again[method], units=pairs, method=method, confidence=confidence, correct_bias=False
            )
            whole = spearman_brown([halves, low, high]).tolist()
            rows.append((site, measure, method, halves, low, high, *whole, pairs, len(units), int((~live).sum())))
    names = [f"{figure}{end}" for figure in ("halves", "reliability") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["site", "measure", "method", *names, "pairs", "units", "dead"])
    return table.astype({"pairs": np.int32, "units": np.int32, "dead": np.int32})


def _overall(net: Floats, images: NDArray[np.int64]) -> Floats:
    """Give overall drops of each half, one number in place of the net losses ``[replicates, 2, units, classes]``."""
    return half_drops(net, images)[..., None]


def _by_class(net: Floats, images: NDArray[np.int64]) -> Floats:
    """Compute the drops of each class that has images in both halves, ``[replicates, 2, units, usable classes]``."""
    usable = (images > 0).all(axis=0)
    return np.asarray(net[..., usable] / images[:, None, usable], dtype=np.float64)


def _replicated(
    observations: Observations, live: NDArray[np.bool_], drops: Drops, replicates: int, seed: int
) -> dict[Method, Floats]:
    """Compute the correlations of the halves in each replicate."""
    drawn = draw_units(live, replicates=replicates, seed=seed)
    found: dict[Method, list[Floats]] = {method: [] for method in METHODS}
    done = 0
    for nets in bootstrap_net_losses(observations, replicates=replicates, seed=seed):
        rows = max(1, _AT_ONCE // nets[0].size)
        for first in range(0, len(nets), rows):
            halves = drops(nets[first : first + rows], observations.images)
            chosen = drawn[done : done + len(halves), None, :, None]
            pairs = np.take_along_axis(halves, chosen, axis=2).reshape(len(halves), len(HALVES), -1)
            done += len(halves)
            for method, correlation in METHODS.items():
                found[method].append(correlation(pairs[:, 0], pairs[:, 1]))
    return {method: np.concatenate(values) for method, values in found.items()}
