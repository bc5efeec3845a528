"""Labelled images in source order, decoded block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImageLayoutError, LabelError

Pixels: TypeAlias = NDArray[np.uint8]
"""One decoded image, [H, W, C] with C = 1 (grey) or 3 (RGB)."""

Reader: TypeAlias = Callable[[int, int], Iterator[Pixels]]
"""Yields the decoded images numbered ``start`` to ``stop - 1``, in source order."""


def content_hash(pixels: Pixels) -> str:
    """Name one decoded image by what it shows: SHA-256 (hex) of its shape and its pixels.

    It depends on neither file format nor position, so the same picture has the same name in every source.

    Args:
        pixels: uint8 [H, W, C].

    Example:
        >>> content_hash(np.zeros((2, 2, 1), np.uint8))[:12]
        '50be7061df5a'
    """
    height, width, channels = pixels.shape
    digest = hashlib.sha256(f"{height}x{width}x{channels}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class ImageBlock:
    """Some consecutive images of a source, decoded.

    Attributes:
        start: number of the first image in the source.
        pixels: the images, uint8 [H, W, C] each; sizes may differ from image to image.
        labels: int64 [n], the class of each image.
    """

    start: int
    pixels: tuple[Pixels, ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the images of this block."""
        return len(self.pixels)

    @cached_property
    def contents(self) -> list[str]:
        """The content hash of each image, see `content_hash`."""
        return [content_hash(pixels) for pixels in self.pixels]


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: a value that knows every label and decodes pixels only when asked.

    Attributes:
        name: short name, for example ``fashion-mnist`` or a file's name without its ending.
        source: what was asked for: a name or a path.
        labels: int64 [n], the class of each image in source order; never negative.
        class_names: a name for each class, where the source states them.
        read: yields decoded images by number; the pixels are not kept.
        digest: computes the SHA-256 of the whole source.

    Raises:
        LabelError: a label is negative or not an integer.
        ImageLayoutError: there is no image.

    Example:
        >>> from lenslab.units.images import open_images
        >>> images = open_images((np.zeros((5, 8, 8), np.uint8), [0, 1, 2, 1, 0]))
        >>> len(images), [len(block) for block in images.blocks(2)]
        (5, [2, 2, 1])
    """

    name: str
    source: str
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None
    read: Reader
    digest: Callable[[], str]

    def __post_init__(self) -> None:
        if len(self.labels) == 0:
            raise ImageLayoutError(f"{self.source} holds no images")
        if not np.issubdtype(self.labels.dtype, np.integer):
            raise LabelError(f"the labels of {self.source} are {self.labels.dtype}; classes are integers from 0")
        wrong = np.flatnonzero(self.labels < 0)
        if len(wrong):
            first = int(wrong[0])
            raise LabelError(
                f"image {first} of {self.source} has the label {self.labels[first]}; classes are integers from 0 "
                f"({len(wrong):,} of {len(self.labels):,} labels are negative; are the labels of a test set hidden?)"
            )

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the whole source, whatever `limited` leaves of it."""
        return self.digest()

    def limited(self, count: int | None) -> Images:
        """Keep the first ``count`` images in source order; all of them for ``None`` or where there are fewer.

        Raises:
            ImageLayoutError: ``count`` is below 1.

        Example:
            >>> from lenslab.units.images import open_images
            >>> len(open_images("digits").limited(20))
            20
        """
        if count is None:
            return self
        if count < 1:
            raise ImageLayoutError(f"a limit of {count} leaves no images; give 1 or more")
        return replace(self, labels=self.labels[:count])

    def blocks(self, size: int, *, start: int = 0, stop: int | None = None) -> Iterator[ImageBlock]:
        """Decode the images numbered ``start`` to ``stop - 1``, ``size`` at a time, in source order.

        Args:
            size: images per block; the last block may be smaller.
            start: number of the first image.
            stop: one past the last image; the end of the source by default.

        Raises:
            UndecodableImageError: a picture does not decode.
            ImageLayoutError: ``size`` is below 1 or the range is not within the source.

        Example:
            >>> from lenslab.units.images import open_images
            >>> [block.start for block in open_images("digits").blocks(10, start=5, stop=30)]
            [5, 15, 25]
        """
        end = len(self) if stop is None else stop
        if size < 1:
            raise ImageLayoutError(f"a block of {size} images is none; give 1 or more")
        if not 0 <= start <= end <= len(self):
            raise ImageLayoutError(f"images {start} to {end} asked for; {self.source} has 0 to {len(self)}")
        return self._blocks(size, start, end)

    def _blocks(self, size: int, start: int, end: int) -> Iterator[ImageBlock]:
        pending: list[Pixels] = []
        for number, pixels in enumerate(self.read(start, end), start=start):
            pending.append(pixels)
            if len(pending) == size or number == end - 1:
                first = number + 1 - len(pending)
                yield ImageBlock(first, tuple(pending), self.labels[first : number + 1])
                pending = []
