"""Some of the images of a source, as images of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImageLayoutError, UndecodableImageError
from lenslab.units.images.labelled_images import Images, Picture, Pixels


def subset(images: Images, numbers: NDArray[np.integer]) -> Images:
    """Keep the images of these numbers, in source order; they are numbered anew, from 0.

    Args:
        images: The images.
        numbers: Which of them to keep, each once.

    Returns:
        The same images where all are kept. Otherwise the hash is another one, which the numbers decide with the source.

    Raises:
        ImageLayoutError: None is kept, or there is no image of a number.

    Example:
        >>> from lenslab.units.images import open_images
        >>> images = open_images((np.zeros((5, 8, 8), np.uint8), [0, 1, 2, 1, 0]))
        >>> subset(images, np.array([3, 0])).labels
        array([0, 1])
    """
    kept = np.unique(np.asarray(numbers, dtype=np.int64))
    if len(kept) == len(images) and len(kept) and kept[0] == 0 and kept[-1] == len(images) - 1:
        return images
    if not len(kept) or kept[0] < 0 or kept[-1] >= len(images):
        which = f"{kept[0]} to {kept[-1]}" if len(kept) else "none"
        raise ImageLayoutError(f"{which} of the images of {images.source} asked for; it has 0 to {len(images) - 1}")

    def read(start: int, stop: int) -> Iterator[Pixels | Picture | UndecodableImageError]:
        # One stretch is read and what lies between is dropped: sources are made for reading in order.
        wanted = kept[start:stop].tolist()
        if wanted:
            due = set(wanted)
            for number, decoded in enumerate(images.read(wanted[0], wanted[-1] + 1), start=wanted[0]):
                if number in due:
                    yield decoded

    def digest() -> str:
        return hashlib.sha256(f"{images.sha256} numbers {kept.tolist()}".encode()).hexdigest()

    unlabelled = frozenset(np.flatnonzero(np.isin(kept, list(images.unlabelled))).tolist())
    return replace(images, labels=images.labels[kept], read=read, digest=digest, unlabelled=unlabelled, origin=None)
