"""Areas under curves of accuracy over the number of silenced units, with intervals over images.

The horizontal axis is divided by the number of units, so an area is the accuracy averaged over the way from 0 to all
units, a fraction between 0 and 1. An area is linear in the images, each of which has an area of its own (how much of
the way it is classified correctly), so a bootstrap over images needs sums only. These are sums of integers: they have
no rounding, and give the same bytes on every machine. A ranking is held as it is while images are drawn.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ACCURACY, BALANCED, RECALL = "accuracy", "balanced_accuracy", "recall"

# The largest array of one chunk of replicates holds about this many numbers.
_CHUNK = 2_000_000


def trapezoid_sums(correct: NDArray[np.bool_], sizes: Sequence[int]) -> Integers:
    """Sum up twice the area under each image's curve by the trapezoidal rule, in units of one silenced unit.

    From whether each image is classified correctly at each size, ``[..., sizes]``, the sizes ascending from 0 to all
    units. Over ``2 * sizes[-1]`` the integers, ``[...]``, are areas.

    Example:
        >>> trapezoid_sums(np.array([[True, True, False], [True, False, False]]), [0, 1, 4]).tolist()
        [5, 1]
    """
    step = np.diff(np.asarray(sizes, np.int64))
    weights = np.concatenate([step, [0]]) + np.concatenate([[0], step])
    return np.asarray(correct.astype(np.int64) @ weights)


def areas_table(
    sums: Mapping[str, Integers],
    labels: Integers,
    *,
    units: int,
    classes: int,
    against: str | None = None,
    seed: int = 0,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compute the area under each order's curves, with percentile intervals over images, and over repeats if any.

    Images are drawn with replacement within each class, the repeats of an order with replacement among themselves; all
    orders are read on the same draws of images, so differences between orders are paired.

    ``sums`` are `trapezoid_sums` by order, ``[repeats, images]``; ``against`` is the order to compare the others with.

    Returns:
        Columns ``order, measure, label, repeats, images, area, low, high, difference, difference_low,
        difference_high``, one row per order and measure: the accuracy, the balanced accuracy (the mean recall of the
        classes that have images), and the recall of each class (``label``; -1 elsewhere). ``difference`` is the area
        minus that of ``against``, NaN where there is nothing to compare.

    Example:
        >>> areas = {"random": np.array([[4, 4, 0, 0]]), "best": np.array([[4, 2, 0, 0]])}
        >>> labels = np.array([0, 0, 1, 1])
        >>> table = areas_table(areas, labels, units=2, classes=2, against="random")
        >>> table[["order", "measure", "label", "area", "difference"]].head(4)
            order            measure  label  area  difference
        0  random           accuracy     -1   0.5         NaN
        1  random  balanced_accuracy     -1   0.5         NaN
        2  random             recall      0   1.0         NaN
        3  random             recall      1   0.0         NaN
    """
    present = np.flatnonzero(np.bincount(labels, minlength=classes))
    members = [np.flatnonzero(labels == label) for label in present]
    random = np.random.default_rng([seed, 2])
    drawn = np.concatenate([_per_class(sums, members, weights) for weights in _draws(members, replicates, random)])
    observed = _per_class(sums, members, [np.ones((1, len(each)), np.int64) for each in members])[0]
    shares = {}
    start = 0
    for name, values in sums.items():
        repeats = len(values)
        rows = slice(start, start + repeats)
        start += repeats
        times = random.multinomial(repeats, np.full(repeats, 1 / repeats), size=replicates)
        estimate = observed[rows].sum(axis=0)[None]
        replicated = (drawn[:, rows] * times[:, :, None]).sum(axis=1)
        shares[name] = np.concatenate([estimate, replicated]) / (2 * units * repeats)  # [1 + replicates, classes]
    sizes = np.array([len(each) for each in members])
    tail = (1 - confidence) / 2
    frames = []
    for name, share in shares.items():
        figures = _figures(share, sizes)
        frame = pd.DataFrame(
            {
                "order": np.full(len(present) + 2, name, dtype=object),
                "measure": np.array([ACCURACY, BALANCED, *[RECALL] * len(present)], dtype=object),
                "label": np.concatenate([[-1, -1], present]).astype(np.int32),
                "repeats": np.int32(len(sums[name])),
                "images": np.concatenate([[len(labels)] * 2, sizes]).astype(np.int32),
                "area": figures[0],
            }
        )
        frame["low"], frame["high"] = np.quantile(figures[1:], [tail, 1 - tail], axis=0)
        if against is None or name == against:
            frame[["difference", "difference_low", "difference_high"]] = np.nan
        else:
            less = figures - _figures(shares[against], sizes)
            frame["difference"] = less[0]
            frame["difference_low"], frame["difference_high"] = np.quantile(less[1:], [tail, 1 - tail], axis=0)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _figures(sums: Floats, sizes: Integers) -> Floats:
    """Turn areas summed over each class's images into accuracy, balanced accuracy and recalls."""
    recalls = sums / sizes
    return np.column_stack([sums.sum(axis=1) / sizes.sum(), recalls.mean(axis=1), recalls])


def _draws(members: list[Integers], replicates: int, random: np.random.Generator) -> Iterator[list[Integers]]:
    """Draw how often each image is taken, by class ``[replicates, images]``, in chunks that bound the memory."""
    chunk = max(1, min(replicates, _CHUNK // max(sum(len(each) for each in members), 1)))
    for first in range(0, replicates, chunk):
        rows = min(chunk, replicates - first)
        yield [_times(len(each), rows, random) for each in members]


def _times(images: int, rows: int, random: np.random.Generator) -> Integers:
    cell = random.integers(0, images, (rows, images)) + images * np.arange(rows)[:, None]
    return np.bincount(cell.ravel(), minlength=rows * images).reshape(rows, images)


def _per_class(sums: Mapping[str, Integers], members: list[Integers], weights: list[Integers]) -> Floats:
    """Sum areas over the drawn images of each class, ``[replicates, repeats of all orders, classes]``."""
    stacked = np.concatenate(list(sums.values())).astype(np.float64)
    drawn = [times.astype(np.float64) @ stacked[:, each].T for each, times in zip(members, weights, strict=True)]
    return np.stack(drawn, axis=-1)
