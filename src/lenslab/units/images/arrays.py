"""Arrays in memory as labelled images: which axis is what, and which numbers are pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lenslab.units.errors import ImageLayoutError, LabelError
from lenslab.units.images.labelled_images import Images, Pixels

_BYTES_AT_ONCE = 1 << 22
"""What a step over a large array takes of it."""


def images_of_arrays(
    pixels: ArrayLike,
    labels: ArrayLike,
    *,
    name: str = "arrays",
    source: str = "arrays in memory",
    class_names: tuple[str, ...] | None = None,
    sha256: str | None = None,
) -> Images:
    """Make images of an array of pixels and an array of labels.

    Pixels are [n, H, W] (grey), [n, H, W, C] or [n, C, H, W] with C = 1 or 3, see `as_pixels` for the numbers; labels
    are [n] or [n, 1], integers from 0. ``source`` is what messages call them, ``sha256`` that of the source, where it
    is not the arrays themselves.

    Example:
        >>> images_of_arrays(np.zeros((4, 3, 8, 8), np.uint8), [0, 1, 2, 3]).limited(2).labels
        array([0, 1])
    """
    array = _channels_last(np.asarray(pixels), source)
    classes = as_labels(np.asarray(labels), source)
    if len(array) != len(classes):
        raise LabelError(f"{source} has {len(array):,} images and {len(classes):,} labels")
    scale = _scale(array, source)

    def read(start: int, stop: int) -> Iterator[Pixels]:
        for number in range(start, stop):
            yield _as_bytes(np.asarray(array[number]), scale)

    def digest() -> str:
        return sha256 or _hash_of_arrays(array, scale, classes)

    return Images(name, source, classes, class_names, read, digest)


def as_pixels(array: NDArray[Any], source: str) -> NDArray[np.uint8]:
    """Understand an array as images: uint8 [n, H, W, C].

    Numbers are taken only where nothing has to be guessed: integers from 0 to 255, or floats that are such integers,
    or such integers divided by 255.

    Example:
        >>> as_pixels(np.ones((2, 1, 4, 5)) * 0.2, "example").shape
        (2, 4, 5, 1)
    """
    images = _channels_last(array, source)
    return _as_bytes(images, _scale(images, source))


def as_labels(array: NDArray[Any], source: str) -> NDArray[np.int64]:
    """Understand an array, [n] or [n, 1], as class numbers: int64 [n].

    Example:
        >>> as_labels(np.array([[3], [1]], np.uint8), "example")
        array([3, 1])
    """
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1:
        raise LabelError(f"the labels of {source} have the shape {list(array.shape)}; expected one integer per image")
    if not np.issubdtype(flat.dtype, np.integer):
        raise LabelError(f"the labels of {source} are {array.dtype}; classes are integers from 0")
    return flat.astype(np.int64)


def _channels_last(array: NDArray[Any], source: str) -> NDArray[Any]:
    shape = list(array.shape)
    if array.ndim == 3:
        return array[:, :, :, None]
    if array.ndim == 4:
        last, first = shape[3] in (1, 3), shape[1] in (1, 3)
        if last and first:
            raise ImageLayoutError(
                f"{source}: the shape {shape} may be [n, H, W, C] or [n, C, H, W]; pictures of 1 or 3 pixels are too "
                "small to tell"
            )
        if last:
            return array
        if first:
            return np.moveaxis(array, 1, 3)
    raise ImageLayoutError(
        f"{source}: the shape {shape} is not images; expected [n, H, W], [n, H, W, C] or [n, C, H, W] with C = 1 or 3"
    )


def _scale(array: NDArray[Any], source: str) -> int:
    """Find what the numbers are to be multiplied by, 1 or 255, looking at a few images at a time."""
    if array.dtype == np.uint8 or array.size == 0:
        return 1
    expected = "expected uint8, or integers from 0 to 255, or such integers divided by 255"
    if not (np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)):
        raise ImageLayoutError(f"{source}: pixels of type {array.dtype}; {expected}")
    lowest, highest = np.inf, -np.inf
    for piece in _pieces(array):
        if not np.isfinite(piece).all():
            raise ImageLayoutError(f"{source}: pixels hold NaN or infinity; {expected}")
        lowest, highest = min(lowest, float(piece.min())), max(highest, float(piece.max()))
    scale = 255 if np.issubdtype(array.dtype, np.floating) and highest <= 1 else 1
    tolerance = 1e-3 * (255 if array.itemsize < 4 else 1)
    if lowest < 0 or highest > 255 or max(_distance(piece, scale) for piece in _pieces(array)) > tolerance:
        raise ImageLayoutError(
            f"{source}: {array.dtype} pixels from {lowest:.4g} to {highest:.4g} (already normalised?); {expected}. "
            "Save the images before normalisation and give --mean and --sd"
        )
    return scale


def _pieces(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    # An array may be a file that is larger than the memory, so no step may hold a second one of its size.
    step = max(1, _BYTES_AT_ONCE * len(array) // max(array.nbytes, 1))
    for start in range(0, len(array), step):
        yield np.asarray(array[start : start + step])


def _distance(piece: NDArray[Any], scale: int) -> float:
    scaled = piece.astype(np.float64) * scale
    return float(np.abs(scaled - np.rint(scaled)).max())


def _as_bytes(array: NDArray[Any], scale: int) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 or array.size == 0:
        return array.astype(np.uint8, copy=False)
    return np.rint(array.astype(np.float64) * scale).astype(np.uint8)


def _hash_of_arrays(array: NDArray[Any], scale: int, labels: NDArray[np.int64]) -> str:
    digest = hashlib.sha256(f"images {list(array.shape)} ".encode())
    for piece in _pieces(array):
        digest.update(np.ascontiguousarray(_as_bytes(piece, scale)).data)
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return digest.hexdigest()
