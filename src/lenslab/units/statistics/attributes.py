"""Attributes: what can be said of a unit without ablating it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats = NDArray[np.float64]

# Float32 means of one constant differ in their last bits from batch to batch.
_CONSTANT = 1e-6


def class_means(activations: NDArray[np.floating[Any]], labels: ArrayLike, *, classes: int) -> Floats:
    """The mean of each unit's activation over the images of each class.

    Args:
        activations: The spatial mean of each unit on each image, shape ``[images, units]``.
        labels: The class of each image, shape ``[images]``.
        classes: How many classes there are.

    Returns:
        Shape ``[units, classes]``; NaN for classes without images.

    Example:
        >>> class_means(np.array([[1.0], [3.0], [5.0]]), [0, 0, 1], classes=3).tolist()
        [[2.0, 5.0, nan]]
    """
    labels = np.asarray(labels, dtype=np.int64)
    member = sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(classes, len(labels)))
    images = np.bincount(labels, minlength=classes)
    sums = np.asarray(member @ activations).T
    return np.asarray(np.divide(sums, images, out=np.full(sums.shape, np.nan), where=images > 0))


def class_selectivity(means: NDArray[np.floating[Any]]) -> Floats:
    r"""How much more a unit answers to its favourite class than to the others.

    .. math:: (\mu_{max} - \mu_{-max}) / (\mu_{max} + \mu_{-max})

    where :math:`\mu_{max}` is the largest class mean and :math:`\mu_{-max}` the mean of the other classes' means: 0 for
    a unit that answers to all alike, 1 for one that answers to a single class. Source: Morcos, Barrett, Rabinowitz and
    Botvinick 2018, On the importance of single directions for generalization (arXiv 1803.06959).

    Args:
        means: Class means as `class_means` gives them, shape ``[..., units, classes]``; classes that are NaN for every
            unit (no images) are left out.

    Returns:
        Shape ``[..., units]``. A unit that never fires has selectivity 0. Where a class mean is negative, or fewer than
        two classes have images, the index has no meaning and is NaN.

    Example:
        >>> class_selectivity(np.array([[3.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])).tolist()
        [0.5, 0.0, 0.0]
    """
    means = np.asarray(means, dtype=np.float64)
    present = ~np.isnan(means).all(axis=tuple(range(means.ndim - 1)))
    means = means[..., present]
    if means.shape[-1] < 2:
        return np.full(means.shape[:-1], np.nan)
    largest = means.max(axis=-1)
    # Rounding may take the others' mean beyond the largest, or below 0, by a hair.
    others = np.clip((means.sum(axis=-1) - largest) / (means.shape[-1] - 1), 0, largest)
    total = largest + others
    index = np.divide(largest - others, total, out=np.zeros_like(total), where=total != 0)
    return np.where((means < 0).any(axis=-1), np.nan, index)


def l1_norm(weights: NDArray[np.floating[Any]]) -> Floats:
    """The sum of the absolute incoming weights of each unit, bias not included.

    Source: Li, Kadav, Durdanovic, Samet and Graf 2017, Pruning filters for efficient ConvNets (arXiv 1608.08710).

    Args:
        weights: Incoming weights, the unit first: ``[units, channels, height, width]`` or ``[units, features]``.

    Returns:
        Shape ``[units]``.

    Example:
        >>> l1_norm(np.array([[1.0, -2.0], [0.0, 0.5]])).tolist()
        [3.0, 0.5]
    """
    flat = np.asarray(weights, dtype=np.float64).reshape(len(weights), -1)
    return np.asarray(np.abs(flat).sum(axis=1))


def dead(activations: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Which units say nothing about the image: never active, or constant over all images.

    Args:
        activations: The spatial mean of each unit on each image, shape ``[images, units]``.

    Returns:
        Shape ``[units]``.

    Example:
        >>> dead(np.array([[0.0, 2.0, 1.0], [0.0, 2.0, 3.0]])).tolist()
        [True, True, False]
    """
    high, low = activations.max(axis=0), activations.min(axis=0)
    return np.asarray(high - low <= _CONSTANT * np.maximum(np.abs(high), np.abs(low)))
