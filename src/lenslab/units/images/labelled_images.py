"""Labelled images in source order, decoded block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImageLayoutError, LabelError, UndecodableImageError, some_of
from lenslab.units.images.class_mapping import BY_NUMBER, labels_by_name, mapped_labels

Pixels: TypeAlias = NDArray[np.uint8]
"""One decoded image, [H, W, C] with C = 1 (grey) or 3 (RGB)."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: What it shows.
        turned: Whether it was turned as its EXIF orientation says.
    """

    pixels: Pixels
    turned: bool


Reader: TypeAlias = Callable[[int, int], Iterator[Pixels | Picture | UndecodableImageError]]
"""Yields, for each of the images numbered ``start`` to ``stop - 1`` in source order, its pixels, or why there are none.

It yields the error instead of raising it: what follows a broken picture can still be read.
"""

OnError: TypeAlias = Literal["raise", "skip"]
"""What a picture that does not decode does: end the reading, or be left out, counted and named."""


def content_hash(pixels: Pixels) -> str:
    """Name one decoded image by what it shows: SHA-256 (hex) of its shape and its pixels.

    It depends on neither file format nor position, so the same picture has the same name in every source.

    Args:
        pixels: Uint8 [H, W, C].

    Example:
        >>> content_hash(np.zeros((2, 2, 1), np.uint8))[:12]
        '50be7061df5a'
    """
    height, width, channels = pixels.shape
    digest = hashlib.sha256(f"{height}x{width}x{channels}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Skipped:
    """An image that was left out.

    Attributes:
        number: Of the image in the source.
        reason: One sentence that names the file, row or item and says what is wrong with it.
    """

    number: int
    reason: str


@dataclass(frozen=True, eq=False)
class ImageBlock:
    """Some consecutive images of a source, decoded.

    A block stands for the numbers ``start`` to ``stop - 1``, whether they decoded or not; it holds those that did.

    Attributes:
        start: Number in the source of the first image that the block stands for.
        numbers: Int64 [n], the number in the source of each image that decoded, ascending.
        pixels: These images, uint8 [H, W, C] each; sizes may differ from image to image.
        labels: Int64 [n], the class of each.
        turned: Bool [n], whether each was turned as its EXIF orientation says.
        skipped: The images that did not decode.
    """

    start: int
    numbers: NDArray[np.int64]
    pixels: tuple[Pixels, ...]
    labels: NDArray[np.int64]
    turned: NDArray[np.bool_]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        """Count the images that decoded."""
        return len(self.pixels)

    @property
    def stop(self) -> int:
        """One past the number of the last image that the block stands for."""
        return self.start + len(self.pixels) + len(self.skipped)

    @cached_property
    def contents(self) -> list[str]:
        """The content hash of each image, see `content_hash`."""
        return [content_hash(pixels) for pixels in self.pixels]


@dataclass(frozen=True, eq=False)
class Origin:
    """Where images can be opened again, also by another process or on another machine that sees it.

    Attributes:
        place: A name, or a path from the root.
        below: The directory, with a slash, that the path is relative to as it was typed; empty where it is not.
        digest: Computes the SHA-256 of what lies there.
    """

    place: str
    below: str
    digest: Callable[[], str]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the source as it lies there, whatever its classes are mapped to."""
        return self.digest()


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: a value that knows every label and decodes pixels only when asked.

    An image's number is its place in the source. It stays the same whatever is skipped before it.

    Attributes:
        name: Short name, for example ``fashion-mnist`` or a file's name without its ending.
        source: What was asked for: a name or a path.
        labels: Int64 [n], the class of each image in source order, skipped ones included; never negative.
        class_names: A name for each class, where the source states them.
        read: Yields decoded images by number; the pixels are not kept.
        digest: Computes the SHA-256 of the whole source.
        on_error: What a picture that does not decode does, see `skipping`.
        exif: Whether pictures are turned as their EXIF orientation says.
        assumptions: What was assumed about the source, a sentence each.
        whole: How many images the source has, where only the first of them were kept.
        unlabelled: Numbers of images whose label stood in what cannot be read (in a torch ``Dataset``); it is -1 here.
        origin: Where they can be opened again; ``None`` for what is in memory.
        bound: Whether they are read in the thread that asks and never ahead, as a stranger's code has to be.

    Raises:
        LabelError: A label is negative or not an integer.
        ImageLayoutError: There is no image.

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
    on_error: OnError = "raise"
    exif: bool = True
    assumptions: tuple[str, ...] = ()
    unlabelled: frozenset[int] = frozenset()
    whole: int = 0
    origin: Origin | None = None
    bound: bool = False

    def __post_init__(self) -> None:
        if len(self.labels) == 0:
            raise ImageLayoutError(f"{self.source} holds no images")
        if not np.issubdtype(self.labels.dtype, np.integer):
            raise LabelError(f"the labels of {self.source} are {self.labels.dtype}; classes are integers from 0")
        wrong = [number for number in np.flatnonzero(self.labels < 0) if number not in self.unlabelled]
        if wrong:
            first = int(wrong[0])
            raise LabelError(
                f"image {first} of {self.source} has the label {self.labels[first]}; classes are integers from 0 "
                f"({len(wrong):,} of {len(self.labels):,} labels are negative; are the labels of a test set hidden?)"
            )

    def __len__(self) -> int:
        """Count the images of the source, those that do not decode included."""
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the whole source, whatever `limited` leaves of it."""
        return self.digest()

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """The images that `skipping` leaves out, found by decoding every image once.

        Code that decodes the images anyway finds the same in each block's ``skipped``.
        """
        return tuple(skipped for block in self.blocks(64) for skipped in block.skipped)

    def skipping(self) -> Images:
        """Leave out the pictures that do not decode, instead of stopping at the first.

        Everything else stays: the numbers, the count, the hash of the source, and the blocks' boundaries.

        Example:
            >>> from lenslab.units.images import open_images
            >>> open_images("digits").skipping().skipped
            ()
        """
        return replace(self, on_error="skip")

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
        return replace(self, labels=self.labels[:count], whole=self.whole or len(self))

    def mapped(
        self,
        network: Sequence[str] | int,
        mapping: Mapping[str, int | str] | Mapping[int, int | str] | str | Path | None = None,
    ) -> Images:
        """Map the classes to those of a network that has other, or more, classes than the images.

        A class goes to the network's class of the same name; capital letters, underscores, hyphens and spaces make no
        difference. Where names differ a mapping says what belongs together; it may send several classes to one.

        Args:
            network: The network's class names in the order of its logits, or, where they have none, their number.
            mapping: From names or labels of the images' classes to labels or names of the network's; or the path of a
                JSON file that holds such an object. Classes that it leaves out go by their names. The word `BY_NUMBER`
                says that labels are the network's numbers, whatever the classes are called.

        Returns:
            The same images with the network's labels and class names. Where a label changes, so does the hash.

        Raises:
            LabelError: A class has no counterpart or several, or the mapping names what does not exist.
            ImagesUnavailableError: The file of the mapping cannot be read.

        Example:
            >>> from lenslab.units.images import open_images
            >>> two = open_images((np.zeros((3, 4, 4), np.uint8), [0, 1, 1])).mapped(10, {0: 7, 1: 2})
            >>> two.labels
            array([7, 2, 2])
        """
        if isinstance(mapping, str | Path) and str(mapping) == BY_NUMBER:
            said = f"the labels of {self.source} are the network's numbers, whatever their classes are called"
            return replace(self, class_names=None, assumptions=(*self.assumptions, said))
        targets = mapped_labels(self.labels, self.class_names, network, mapping, source=self.source)
        return self._with_labels(targets, None if isinstance(network, int) else tuple(network))

    def reconciled(self, network: Sequence[str] | None) -> Images:
        """Bring the classes into agreement with a network's, where both name theirs.

        Where the numbers of the same names differ, labels go by name, and the ``assumptions`` say it. Of a name of
        synonyms with commas between them, as WordNet's are, any counts.

        Args:
            network: The network's class names in the order of its logits; ``None`` where it has none.

        Raises:
            LabelError: A class of the images is none of the network's.

        Example:
            >>> from lenslab.units.images import open_images
            >>> images = open_images("digits").limited(3)
            >>> images.labels, images.reconciled([str(9 - digit) for digit in range(10)]).labels
            (array([6, 7, 8]), array([3, 2, 1]))
        """
        if self.class_names is None or self.class_names == tuple(network or ()):
            return self
        if network is None:
            numbered = [f"{number} is {name!r}" for number, name in enumerate(self.class_names) if name != str(number)]
            said = f"the network names no classes: labels are the numbers of {self.source}, {some_of(numbered, 4)}"
            return replace(self, assumptions=(*self.assumptions, said)) if numbered else self
        targets = labels_by_name(self.labels, self.class_names, network, source=self.source)
        moved = sum(label != target for label, target in targets.items())
        if not moved:
            return self
        said = (
            f"{moved:,} of {len(targets):,} classes of {self.source} go by name, for the network numbers them otherwise"
        )
        return replace(self._with_labels(targets, tuple(network)), assumptions=(*self.assumptions, said))

    def _with_labels(self, targets: Mapping[int, int], names: tuple[str, ...] | None) -> Images:
        if all(label == target for label, target in targets.items()):
            return replace(self, class_names=names or self.class_names)
        lookup = np.full(int(self.labels.max()) + 2, -1)  # the last place is that of -1, the unlabelled
        lookup[list(targets)] = list(targets.values())

        def digest() -> str:
            return hashlib.sha256(f"{self.sha256} mapped {sorted(targets.items())}".encode()).hexdigest()

        return replace(self, labels=lookup[self.labels], class_names=names, digest=digest)

    def first(self) -> Pixels:
        """Decode the first image; with `skipping`, the first that decodes.

        Raises:
            UndecodableImageError: It does not decode; with `skipping`, none does.

        Example:
            >>> from lenslab.units.images import open_images
            >>> open_images("digits").first().shape
            (8, 8, 1)
        """
        reason = ""
        for block in self.blocks(1):
            if block.pixels:
                return block.pixels[0]
            reason = reason or block.skipped[0].reason
        raise UndecodableImageError(f"none of the {len(self):,} images of {self.source} decodes; the first: {reason}")

    def blocks(self, size: int, *, start: int = 0, stop: int | None = None) -> Iterator[ImageBlock]:
        """Decode the images numbered ``start`` to ``stop - 1``, ``size`` at a time, in source order.

        A block always stands for ``size`` numbers (the last for what is left), so where it begins does not depend on
        what decodes. With `skipping`, it holds fewer images where some do not, and none where none does.

        Args:
            size: Images per block; the last block may be smaller.
            start: Number of the first image.
            stop: One past the last image; the end of the source by default.

        Raises:
            UndecodableImageError: A picture does not decode, and they are not to be skipped.
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
        first, numbers, pictures, skipped = start, list[int](), list[Picture](), list[Skipped]()
        for number, decoded in enumerate(self.read(start, end), start=start):
            if isinstance(decoded, UndecodableImageError):
                if self.on_error != "skip":
                    raise UndecodableImageError(
                        f"{decoded}; --skip-broken leaves such pictures out (in Python: on_error='skip')"
                    ) from decoded
                skipped.append(Skipped(number, str(decoded)))
            else:
                numbers.append(number)
                pictures.append(decoded if isinstance(decoded, Picture) else Picture(decoded, turned=False))
            if number + 1 - first == size or number == end - 1:
                kept = np.array(numbers, np.int64)
                pixels, turned = tuple(each.pixels for each in pictures), [each.turned for each in pictures]
                yield ImageBlock(first, kept, pixels, self.labels[kept], np.array(turned, bool), tuple(skipped))
                first, numbers, pictures, skipped = number + 1, [], [], []
