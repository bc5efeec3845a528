"""Drops of accuracy: how much a unit's ablation costs, overall and per class.

``drop = before - after``: bigger means that the unit mattered more. All figures are fractions of the images concerned.
Every function takes ``net`` (losses minus gains) of shape ``[..., 2, units, classes]``, halves A and B first, and
``images`` of shape ``[2, classes]``; leading axes, such as bootstrap replicates, are carried along.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.number[Any]]


def overall_drop(net: Numbers, images: Numbers) -> Floats:
    """Compute the drop of accuracy over all images, shape ``[..., units]``.

    Example:
        >>> overall_drop(np.array([[[1, 0]], [[2, -1]]]), np.array([[5, 5], [5, 5]])).tolist()
        [0.1]
    """
    return np.asarray(net.sum(axis=(-3, -1)) / images.sum(), dtype=np.float64)


def half_drops(net: Numbers, images: Numbers) -> Floats:
    """Compute the drop of accuracy over each half, shape ``[..., 2, units]``; NaN for a half without images.

    Example:
        >>> half_drops(np.array([[[1, 0]], [[2, -1]]]), np.array([[5, 5], [2, 2]])).tolist()
        [[0.1], [0.25]]
    """
    return _share(net.sum(axis=-1), images.sum(axis=-1)[:, None])


def class_drops(net: Numbers, images: Numbers) -> Floats:
    """Compute the drop of accuracy over each class, shape ``[..., units, classes]``; NaN for classes without.

    Example:
        >>> class_drops(np.array([[[1, 0]], [[2, 0]]]), np.array([[5, 0], [5, 0]])).tolist()
        [[0.3, nan]]
    """
    return _share(net.sum(axis=-3), images.sum(axis=0))


def max_class_drop(net: Numbers, images: Numbers) -> tuple[Floats, NDArray[np.int64]]:
    """Find the largest drop of any class, and the class; of equal ones the lowest label.

    A maximum over many noisy classes is biased upward: see `heldout_class_drop` for the figure that is not.

    Returns:
        The drop and its label, each of shape ``[..., units]``.

    Example:
        >>> max_class_drop(np.array([[[1, 3]], [[2, 0]]]), np.array([[5, 5], [5, 5]]))
        (array([0.3]), array([0]))
    """
    drops = class_drops(net, images)
    label = np.nanargmax(drops, axis=-1)
    return np.take_along_axis(drops, label[..., None], axis=-1)[..., 0], label


@dataclass(frozen=True)
class HeldOutDrop:
    """The max class drop with the class chosen on one half of the images and the drop read on the other.

    Attributes:
        drop: Shape ``[..., 2, units]``: chosen on A and read on B, then chosen on B and read on A.
        label: The chosen class, same shape; -1 where no class has images in both halves.
    """

    drop: Floats
    label: NDArray[np.int64]

    @property
    def mean(self) -> Floats:
        """The average of both ways, shape ``[..., units]``."""
        return np.asarray(self.drop.mean(axis=-2))


def heldout_class_drop(net: Numbers, images: Numbers) -> HeldOutDrop:
    """Compute the held-out max class drop, both ways.

    The class is chosen among those that have images in both halves, ties going to the lowest label. Where there is
    none (one image per class), drops are NaN.

    Example:
        >>> found = heldout_class_drop(np.array([[[3, 1]], [[1, 2]]]), np.array([[10, 10], [10, 10]]))
        >>> found.label.tolist(), found.drop.tolist(), found.mean.tolist()
        ([[0], [1]], [[0.1], [0.1]], [0.1])
    """
    drops = _share(net, images[:, None, :])
    usable = (images > 0).all(axis=0)
    if not usable.any():
        shape = drops.shape[:-1]
        return HeldOutDrop(drop=np.full(shape, np.nan), label=np.full(shape, -1))
    label = np.where(usable, drops, -np.inf).argmax(axis=-1)
    read = np.take_along_axis(np.flip(drops, axis=-3), label[..., None], axis=-1)[..., 0]
    return HeldOutDrop(drop=read, label=label)


def _share(net: Numbers, images: Numbers) -> Floats:
    images = np.broadcast_to(images, net.shape)
    return np.asarray(np.divide(net, images, out=np.full(net.shape, np.nan), where=images > 0))
