"""The bootstrap: the measures of a site computed again on images drawn with replacement.

Images are drawn within each class and half, so every replicate has the same number of images per class and half as
the observations. What a replicate needs is linear in how often each image was drawn, so all replicates are matrix
products: changes (sparse) times draws, and activations times draws.

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
    >>> [nets.sum(axis=(1, 2, 3)).tolist() for nets in bootstrap_net_losses(seen, replicates=3, seed=0)]
    [[1.0, 1.0, 1.0]]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lenslab.runs.attributes import selectivity
from lenslab.runs.statistics import accuracy_drops
from lenslab.runs.statistics.observations import Observations, with_present_classes

Floats = NDArray[np.float64]

# The largest array of one chunk of replicates holds about this many numbers (16 MB as float64).
_CHUNK = 2_000_000


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
        half_class_selectivity: Over the images of half A and of half B, shape ``[2, units]``.
    """

    accuracy_drop: Floats
    max_class_drop: Floats
    heldout_max_class_drop: Floats
    class_selectivity: Floats
    half_accuracy_drop: Floats
    heldout_ways: Floats
    half_class_selectivity: Floats


def unit_measures(observations: Observations) -> UnitMeasures:
    """Compute the measures of the observations themselves."""
    observations = with_present_classes(observations)
    once = np.ones((1, len(observations.labels)), dtype=np.float32)
    found = _measures(observations, _changes(observations), once)
    return UnitMeasures(**{field.name: getattr(found, field.name)[0] for field in fields(UnitMeasures)})


def bootstrap_measures(observations: Observations, *, replicates: int, seed: int) -> UnitMeasures:
    """Compute the measures on images drawn within each class and half, with a leading axis of replicates."""
    observations = with_present_classes(observations)
    changes = _changes(observations)
    parts = [_measures(observations, changes, drawn) for drawn in _draws(observations, replicates, seed)]
    return UnitMeasures(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(UnitMeasures)}
    )


def bootstrap_net_losses(observations: Observations, *, replicates: int, seed: int) -> Iterator[Floats]:
    """Compute losses minus gains on images drawn with replacement, a chunk of replicates at a time.

    The draws are those of `bootstrap_measures`; shape ``[some replicates, 2, units, classes]``.
    """
    changes = _changes(observations)
    for drawn in _draws(observations, replicates, seed):
        yield _nets(observations, changes, drawn)


def _nets(observations: Observations, changes: sparse.csr_array, drawn: NDArray[np.float32]) -> Floats:
    return np.asarray(changes @ drawn.T).T.reshape(len(drawn), *observations.shape)


def _draws(observations: Observations, replicates: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Draw how often each image is taken, ``[replicates, images]``, in chunks that bound the memory."""
    random = np.random.default_rng(seed)
    images = len(observations.labels)
    order = np.argsort(observations.stratum, kind="stable")
    stratum = observations.stratum[order]
    size = np.bincount(stratum)[stratum]
    start = np.searchsorted(stratum, stratum)
    chunk = max(1, min(replicates, _CHUNK // max(math.prod(observations.shape), images)))
    for first in range(0, replicates, chunk):
        rows = min(chunk, replicates - first)
        drawn = order[start + (random.random((rows, images), dtype=np.float32) * size).astype(np.int64) % size]
        cell = drawn + np.arange(rows)[:, None] * images
        yield np.bincount(cell.ravel(), minlength=rows * images).reshape(rows, images).astype(np.float32)


def _changes(observations: Observations) -> sparse.csr_array:
    """Average changes over draws, into a sparse matrix with a row per (half, unit, class) and a column per image."""
    shape = observations.shape
    image = observations.image
    row = np.ravel_multi_index((observations.half[image], observations.unit, observations.labels[image]), shape)
    size = (int(np.prod(shape)), len(observations.labels))
    found = sparse.csr_array((observations.change.astype(np.float32), (row, image)), shape=size)
    return found if observations.draws == 1 else found / np.float32(observations.draws)


def _measures(observations: Observations, changes: sparse.csr_array, drawn: NDArray[np.float32]) -> UnitMeasures:
    images = observations.images
    net = _nets(observations, changes, drawn)
    sums = _activation_sums(observations, drawn)
    heldout = accuracy_drops.heldout_class_drop(net, images)
    return UnitMeasures(
        accuracy_drop=accuracy_drops.overall_drop(net, images),
        max_class_drop=accuracy_drops.max_class_drop(net, images)[0],
        heldout_max_class_drop=heldout.mean,
        class_selectivity=_selectivity(sums.sum(axis=1), images.sum(axis=0)),
        half_accuracy_drop=accuracy_drops.half_drops(net, images),
        heldout_ways=heldout.drop,
        half_class_selectivity=np.stack([_selectivity(sums[:, half], images[half]) for half in (0, 1)], axis=1),
    )


def _activation_sums(observations: Observations, drawn: NDArray[np.float32]) -> Floats:
    """Sum activations over the drawn images of each half and class, ``[replicates, 2, units, classes]``."""
    sums = np.zeros((len(drawn), *observations.shape))
    activations = observations.activations
    for stratum in np.unique(observations.stratum):
        half, label = divmod(int(stratum), observations.classes)
        members = np.flatnonzero(observations.stratum == stratum)
        sums[:, half, :, label] = drawn[:, members] @ activations[members]
    return sums


def _selectivity(sums: Floats, images: NDArray[np.int64]) -> Floats:
    means = np.divide(sums, images, out=np.full(sums.shape, np.nan), where=images > 0)
    return selectivity.class_selectivity(means)
