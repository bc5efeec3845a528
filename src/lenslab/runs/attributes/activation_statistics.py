"""Statistics of activations: how much, how often and where a unit is active at all.

Throughout, ``activations`` are the spatial mean of each unit on each image, shape ``[images, units]``, ``maps`` a
site's values, shape ``[images, units, ...]``, and ``labels`` the class of each image; figures have shape ``[units]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats = NDArray[np.float64]

# Float32 means of one constant differ in their last bits from batch to batch.
CONSTANT = 1e-6
"""A unit whose values differ by less than this share of their size is taken as constant."""

# Arrays of one block of units hold about this many numbers.
_BLOCK = 1 << 22


def class_membership(labels: ArrayLike, classes: int) -> sparse.csr_array:
    """Give which image belongs to which class, as a sparse matrix of ones, shape ``[classes, images]``.

    Example:
        >>> (class_membership([1, 0, 1], 2) @ np.array([[1.0], [2.0], [3.0]])).ravel().tolist()
        [2.0, 4.0]
    """
    labels = np.asarray(labels, dtype=np.int64)
    return sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(classes, len(labels)))


def class_members(labels: ArrayLike, classes: int) -> list[NDArray[np.int64]]:
    """Give the images of each class, ascending; one array per class.

    Example:
        >>> [members.tolist() for members in class_members([1, 0, 1], 3)]
        [[1], [0, 2], []]
    """
    labels = np.asarray(labels, dtype=np.int64)
    edges = np.cumsum(np.bincount(labels, minlength=classes))[:-1]
    return np.split(np.argsort(labels, kind="stable"), edges)


def unit_blocks(activations: NDArray[np.floating[Any]]) -> Iterator[tuple[slice, NDArray[np.floating[Any]]]]:
    """Give a few units at a time, each unit's activations side by side, ``[units, images]``.

    Activations stand image by image, where one unit's lie far apart in memory.

    Example:
        >>> [(block.start, some.tolist()) for block, some in unit_blocks(np.array([[1.0, 2.0], [3.0, 4.0]]))]
        [(0, [[1.0, 3.0], [2.0, 4.0]])]
    """
    images, units = activations.shape
    size = max(1, _BLOCK // max(images, 1))
    for start in range(0, units, size):
        block = slice(start, start + size)
        yield block, np.ascontiguousarray(activations[:, block].copy().T)  # a close copy is turned faster


def class_means(activations: NDArray[np.floating[Any]], labels: ArrayLike, *, classes: int) -> Floats:
    """Average each unit's activation over the images of each class, shape ``[units, classes]``; NaN without images.

    Example:
        >>> class_means(np.array([[1.0], [3.0], [5.0]]), [0, 0, 1], classes=3).tolist()
        [[2.0, 5.0, nan]]
    """
    means = np.full((activations.shape[1], classes), np.nan)
    for label, members in enumerate(class_members(labels, classes)):
        if len(members):
            means[:, label] = activations[members].sum(axis=0, dtype=np.float64) / len(members)
    return means


def dead_units(activations: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Find the dead units: those never active, or constant over all images.

    Example:
        >>> dead_units(np.array([[0.0, 2.0, 1.0], [0.0, 2.0, 3.0]])).tolist()
        [True, True, False]
    """
    high, low = activations.max(axis=0), activations.min(axis=0)
    return np.asarray(high - low <= CONSTANT * np.maximum(np.abs(high), np.abs(low)))


def mean_activation(activations: NDArray[np.floating[Any]]) -> Floats:
    r"""Average a unit over images and positions.

    .. math:: \frac{1}{NM} \sum_{x, m} a_{u,m}(x)

    with N images and M positions. Any real number; 0 and above behind a ReLU. Source: a ranking that pruning and
    ablation papers compare with, for instance Molchanov, Tyree, Karras, Aila and Kautz 2017, Pruning convolutional
    neural networks for resource efficient inference (arXiv 1611.06440). Trap: it scales with the layer's weights and so
    compares units of one site only, never of two.

    Example:
        >>> mean_activation(np.array([[1.0, 0.0], [2.0, 0.0]])).tolist()
        [1.5, 0.0]
    """
    return np.asarray(activations.mean(axis=0, dtype=np.float64))


def max_activation(maps: NDArray[np.floating[Any]]) -> Floats:
    r"""Find the largest value of a unit at any position of any image.

    .. math:: \max_{x, m} a_{u,m}(x)

    Any real number; 0 and above behind a ReLU. Source: the value by which units' top images are found (Zhou, Khosla,
    Lapedriza, Oliva and Torralba 2015, Object detectors emerge in deep scene CNNs, arXiv 1412.6856). Trap: one position
    of one image decides it, so it grows with the number of images; compare it over the same images only.

    Example:
        >>> max_activation(np.array([[[0.0, 3.0], [1.0, 1.0]]])).tolist()
        [3.0, 1.0]
    """
    return np.asarray(maps.max(axis=_all_but_units(maps)), dtype=np.float64)


def apoz(maps: NDArray[np.floating[Any]]) -> Floats:
    r"""Compute the average percentage of zeros (APoZ): how often a unit is exactly 0, as a fraction.

    .. math:: \frac{1}{NM} \sum_{x, m} [a_{u,m}(x) = 0]

    with N images and M positions: 0 for a unit that is always on, 1 for one that never is. Source: Hu, Peng, Tai and
    Tang 2016, Network trimming (arXiv 1607.03250). Traps: M counts positions, and not positions times channels, as one
    public implementation has it. It means something behind a ReLU only: before it, or behind a leaky ReLU, GELU or
    SiLU, exact zeros are accidents.

    Example:
        >>> apoz(np.array([[[0.0, 3.0], [1.0, 1.0]]])).tolist()
        [0.5, 0.0]
    """
    return np.asarray((maps == 0).mean(axis=_all_but_units(maps), dtype=np.float64))


def feature_map_rank(maps: NDArray[np.floating[Any]]) -> Floats:
    r"""Average the rank of a unit's map over images (HRank).

    .. math:: \frac{1}{N} \sum_x \operatorname{rank} A_u(x)

    where :math:`A_u(x)` is the height x width matrix of the unit's values: from 0, for a unit that is always 0, to the
    smaller of height and width. Source: Lin, Ji, Wang, Zhang, Zhang, Tian and Shao 2020, HRank: filter pruning using
    high-rank feature map (arXiv 2002.10179), who average over a few hundred images and find that more change little.
    Traps: a numerical rank counts singular values above a tolerance, here the largest one times the longer side times
    the spacing of float32, so another precision gives other ranks. Maps of one position, which may have the shape
    ``[images, units]``, have rank 1 wherever they are not 0, which says no more than `apoz`.

    Example:
        >>> feature_map_rank(np.array([[[[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]])).tolist()
        [1.0, 2.0]
    """
    images, units = maps.shape[:2]
    if maps.ndim == 2:
        maps = maps[:, :, None, None]
    matrices = maps.reshape(images * units, *maps.shape[2:]).astype(np.float32, copy=False)
    ranks = np.zeros(images * units)
    alive = matrices.any(axis=(1, 2))  # silent maps are common and need no decomposition
    if alive.any():
        ranks[alive] = np.linalg.matrix_rank(matrices[alive])
    return np.asarray(ranks.reshape(images, units).mean(axis=0))


def _all_but_units(maps: NDArray[np.floating[Any]]) -> tuple[int, ...]:
    return (0, *range(2, maps.ndim))
