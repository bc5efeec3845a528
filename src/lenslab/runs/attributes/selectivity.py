"""Selectivity: how much more a unit responds to one class than to the others, by the field's several indices.

Activations are the spatial mean of each unit on each image, shape ``[images, units]``, ``labels`` the class of each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lenslab.runs.attributes.activation_statistics import class_means, class_members, dead_units, unit_blocks

Floats = NDArray[np.float64]


def class_selectivity(means: NDArray[np.floating[Any]]) -> Floats:
    r"""Compute how much more a unit responds to its favourite class than to the others.

    .. math:: (\mu_{max} - \mu_{-max}) / (\mu_{max} + \mu_{-max})

    where :math:`\mu_{max}` is the largest class mean and :math:`\mu_{-max}` the mean of the other classes' means: 0 for
    a unit that responds to all alike, 1 for one that responds to one class. Source: Morcos, Barrett, Rabinowitz and
    Botvinick 2018, On the importance of single directions for generalization (arXiv 1803.06959). Traps: the others are
    averaged class by class; pooling their images instead (see `ccmas`) agrees in balanced data only. A unit is a
    channel, averaged over positions first; some public code takes every position as a unit of its own.

    ``means`` are what `lenslab.runs.attributes.activation_statistics.class_means` gives, with any axes in front;
    classes that are NaN for every unit (no images) are left out. A unit that never fires has selectivity 0. Where a
    class mean is negative, or fewer than two classes have images, the index has no meaning and is NaN.

    Example:
        >>> class_selectivity(np.array([[3.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])).tolist()
        [0.5, 0.0, 0.0]
    """
    means = np.asarray(means, dtype=np.float64)
    present = ~np.isnan(means).all(axis=tuple(range(means.ndim - 1)))
    means = means[..., present]
    if not means.shape[-1]:
        return np.full(means.shape[:-1], np.nan)
    return selectivity_of(means.max(axis=-1), means.min(axis=-1), means.sum(axis=-1), classes=means.shape[-1])


def selectivity_of(largest: Floats, lowest: Floats, total: Floats, *, classes: int) -> Floats:
    """Compute `class_selectivity` from the largest, the lowest and the sum of the class means, elementwise.

    Example:
        >>> selectivity_of(np.array([3.0, 2.0]), np.array([1.0, -1.0]), np.array([5.0, 1.0]), classes=3).tolist()
        [0.5, nan]
    """
    if classes < 2:
        return np.full(np.shape(largest), np.nan)
    # Rounding may take the others' mean slightly beyond the largest, or below 0.
    others = np.clip((total - largest) / (classes - 1), 0, largest)
    return np.where(lowest < 0, np.nan, _contrast(largest, others))


def ccmas(activations: NDArray[np.floating[Any]], labels: ArrayLike) -> Floats:
    r"""Compute the class-conditional mean activity selectivity: the favourite class against all other images.

    .. math:: (\mu_A - \mu_{\neg A}) / (\mu_A + \mu_{\neg A})

    where A is the class of the largest mean and :math:`\mu_{\neg A}` the mean over all images outside A: 0 for a unit
    that responds to all alike, 1 for one that responds to A alone. Source: Gale, Martin, Blything, Nguyen and Bowers
    2020, Are there any "object detectors" in the hidden layers of CNNs? (arXiv 2007.01062). Traps: it is close to 1 for
    units that fire rarely, and such units may miss most images of their class, as Gale et al. show. It weighs images,
    where `class_selectivity` weighs classes.

    Returns:
        Shape ``[units]``. A unit that never fires has 0. NaN where a class mean is negative, or with a single class.

    Example:
        >>> ccmas(np.array([[3.0], [1.0], [0.0], [0.0]]), [0, 1, 1, 1]).round(3).tolist()
        [0.8]
    """
    labels, images = _present(labels)
    if len(images) < 2:
        return np.full(activations.shape[1], np.nan)
    means = class_means(activations, labels, classes=len(images))
    favourite = means.argmax(axis=1)
    largest = means.max(axis=1)
    weights = images[None, :] * (np.arange(len(images)) != favourite[:, None])
    # Rounding may take the mean of equal means slightly beyond them.
    others = np.minimum((means * weights).sum(axis=1) / weights.sum(axis=1), largest)
    return np.where((means < 0).any(axis=1), np.nan, _contrast(largest, others))


def precision(activations: NDArray[np.floating[Any]], labels: ArrayLike, *, top: int = 100) -> Floats:
    r"""Compute the share of a unit's top images that belong to the commonest class among them.

    .. math:: \max_k |\{x \in T_u : y(x) = k\}| / N

    where :math:`T_u` are the N images with the largest activations: from about 1/classes to 1. Where activations tie at
    the N-th place, the tied images share the places that are left evenly, so the order of the images decides nothing.
    Source: Zhou, Khosla, Lapedriza, Oliva and Torralba 2015 (arXiv 1412.6856), with 60 images; Gale et al. 2020 (arXiv
    2007.01062), with 100. Traps: with fewer than N images of a class it cannot reach 1; and a unit can have precision 1
    while it misses nearly every image of its class, as it looks at the top N alone.

    Returns:
        Shape ``[units]``; NaN for units that are constant, as they have no top images.

    Example:
        >>> precision(np.array([[9.0], [8.0], [7.0], [0.0]]), [0, 1, 0, 1], top=3).round(3).tolist()
        [0.667]
    """
    labels, images = _present(labels)
    top = min(top, len(labels))
    shares = np.empty(activations.shape[1])
    for units, block in unit_blocks(activations):
        cut = np.partition(block, block.shape[1] - top, axis=1)[:, block.shape[1] - top, None]
        above, tied = (_by_class(chosen, labels, len(images)) for chosen in (block > cut, block == cut))
        left = top - above.sum(axis=1, keepdims=True)
        shares[units] = (above + left * tied / tied.sum(axis=1, keepdims=True)).max(axis=1) / top
    return np.where(dead_units(activations), np.nan, shares)


def localist_selectivity(activations: NDArray[np.floating[Any]], labels: ArrayLike) -> Floats:
    r"""Compute the margin by which a unit separates one class from all others without exception.

    .. math:: \max_A \left( \min_{x \in A} a_u(x) - \max_{x \notin A} a_u(x) \right)

    Above 0 where every image of a class drives the unit more than every other image does (a "grandmother cell"), 0 or
    below where the two overlap; in the unit's own scale. Source: Bowers, Vankov, Damian and Davis 2014, Neural networks
    learn highly selective representations in order to overcome the superposition catastrophe (Psychological Review
    121), as used by Gale et al. 2020 (arXiv 2007.01062). Traps: a single image decides it, a mislabelled one too, so it
    can only fall with more images; and units of two sites have two scales.

    Returns:
        Shape ``[units]``; NaN with a single class.

    Example:
        >>> localist_selectivity(np.array([[5.0, 1.0], [4.0, 2.0], [1.0, 3.0]]), [0, 0, 1]).tolist()
        [3.0, 1.0]
    """
    labels, images = _present(labels)
    if len(images) < 2:
        return np.full(activations.shape[1], np.nan)
    lowest, highest = np.empty((2, len(images), activations.shape[1]))
    for label, members in enumerate(class_members(labels, len(images))):
        group = activations[members]
        lowest[label], highest[label] = group.min(axis=0), group.max(axis=0)
    second, first = np.partition(highest, len(images) - 2, axis=0)[-2:]
    strongest = np.arange(len(images))[:, None] == highest.argmax(axis=0)
    return np.asarray((lowest - np.where(strongest, second, first)).max(axis=0))


def _by_class(chosen: NDArray[np.bool_], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count the images of each class that are chosen for each unit, ``[units, classes]`` of ``[units, images]``."""
    unit, image = np.nonzero(chosen)
    return np.bincount(unit * classes + labels[image], minlength=len(chosen) * classes).reshape(len(chosen), classes)


def _contrast(one: Floats, other: Floats) -> Floats:
    total = one + other
    return np.asarray(np.divide(one - other, total, out=np.zeros_like(total), where=total != 0))


def _present(labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Renumber the classes that have images from 0, and count their images."""
    _, numbers, images = np.unique(np.asarray(labels, dtype=np.int64), return_inverse=True, return_counts=True)
    return numbers, images
