"""Images with pixel masks of concepts: where on each image every concept is to be seen.

Two layouts on disk are read. A directory holds the images and, for each concept, a directory of masks that are named
like the images::

    broden/
        images/          pictures, in class folders or not
            street/001.jpg
        masks/
            sky/         one directory per concept
                street/001.png

A Parquet file holds encoded pictures in ``image`` and, for each concept, encoded masks in a column ``mask:CONCEPT``; a
column ``label`` may stand beside them. A mask has the size of its image, and the concept is where it is not black.
Where there is no mask (no file, or null), the image was not annotated for the concept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, UnknownImagesError
from lenslab.units.images.class_folders import open_pictures
from lenslab.units.images.image_sources import Source, open_images
from lenslab.units.images.labelled_images import ImageBlock, Images, OnError
from lenslab.units.images.parquet import open_parquet
from lenslab.units.images.preprocessing import Preprocessing

Mask: TypeAlias = NDArray[np.bool_]

MaskSource: TypeAlias = Mask | Callable[[int, int], Mask]
"""Masks ``[images, concepts, rows, columns]``, or a callable that gives those of images ``start`` to ``stop - 1``."""

MASK_COLUMN = "mask:"
"""How the name of a Parquet file's column of masks begins; the concept's name follows."""

_BLOCK = 64


@dataclass(frozen=True, eq=False)
class ConceptImages:
    """Images with a mask for each concept.

    Attributes:
        images: The images; their labels play no part.
        concepts: The concepts' names.
        read: Gives, for each of the images ``start`` to ``stop - 1``, its mask of every concept, bool ``[rows,
            columns]``, or ``None`` where it was not annotated for the concept.
        preprocessed: Whether the masks are of the images as the network sees them, after resizing and cropping, rather
            than as they are in the source.

    Example:
        >>> pixels = np.zeros((2, 4, 4), np.uint8)
        >>> found = ConceptImages.of_arrays((pixels, [0, 0]), np.ones((2, 1, 4, 4), bool), concepts=["dark"])
        >>> found.concepts, [known.tolist() for _, _, known in found.blocks(2, Preprocessing(1, None, (0,), (1,)))]
        (('dark',), [[[True], [True]]])
    """

    images: Images
    concepts: tuple[str, ...]
    read: Callable[[int, int], Sequence[Sequence[Mask | None]]]
    preprocessed: bool = False

    @classmethod
    def of_arrays(
        cls,
        images: Source,
        masks: MaskSource,
        *,
        concepts: Sequence[str] | None = None,
        annotated: NDArray[np.bool_] | None = None,
    ) -> ConceptImages:
        """Put masks in memory beside images.

        Args:
            images: The images, see `lenslab.units.open_images`.
            masks: Where each concept is, for the images in source order and as the network sees them; all of one size,
                which need not be the images' own.
            concepts: Their names; numbers by default.
            annotated: Which images were labelled for which concepts, bool ``[images, concepts]``; all by default.

        Raises:
            ImageLayoutError: Masks and images do not fit together.
        """
        opened = open_images(images)
        some = _checked_masks(
            masks, 0, 1 if callable(masks) else len(opened), None if concepts is None else len(concepts)
        )
        count = some.shape[1]
        names = tuple(map(str, range(count)) if concepts is None else concepts)
        if annotated is not None and (annotated.shape != (len(opened), count) or annotated.dtype != np.bool_):
            raise ImageLayoutError(
                f"annotated is {annotated.dtype} {list(annotated.shape)}; give bool [{len(opened)}, {count}]"
            )

        def read(start: int, stop: int) -> list[list[Mask | None]]:
            given = _checked_masks(masks, start, stop, count)
            known = np.ones((stop - start, count), bool) if annotated is None else annotated[start:stop]
            return [
                [mask if there else None for mask, there in zip(*each, strict=True)]
                for each in zip(given, known, strict=True)
            ]

        return cls(opened, names, read, preprocessed=True)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the images, the concepts' names and the masks of all images, whatever their layout."""
        digest = hashlib.sha256(f"{self.images.sha256} {self.concepts} {self.preprocessed}\n".encode())
        for start in range(0, len(self.images), _BLOCK):
            for masks in self.read(start, min(start + _BLOCK, len(self.images))):
                for mask in masks:
                    digest.update(b"none" if mask is None else f"{mask.shape}".encode() + np.packbits(mask).tobytes())
        return digest.hexdigest()

    def limited(self, count: int | None) -> ConceptImages:
        """Keep the first ``count`` images, see `Images.limited`."""
        return replace(self, images=self.images.limited(count))

    def blocks(self, size: int, preprocessing: Preprocessing) -> Iterator[tuple[ImageBlock, list[Mask], Mask]]:
        """Decode images and masks block by block; masks are resized and cropped as the images, pixels never mixed.

        Yields:
            A block of images; for each its masks as the network sees the image, bool ``[concepts, rows, columns]``; and
            which images were annotated for which concepts, bool ``[images, concepts]``.
        """
        nearest = replace(preprocessing, channels=1, mean=(0.0,), sd=(1.0,), filter="nearest")
        for block in self.images.blocks(size):
            given = self.read(block.start, block.stop)
            kept = [given[number - block.start] for number in block.numbers]
            known = np.array([[mask is not None for mask in masks] for masks in kept], bool)
            known = known.reshape(len(block), len(self.concepts))
            self._refuse_turned(block, known)
            fitted = [
                self._fitted(masks, pixels.shape[:2], int(number), nearest)
                for masks, pixels, number in zip(kept, block.pixels, block.numbers, strict=True)
            ]
            yield block, fitted, known

    def _refuse_turned(self, block: ImageBlock, known: Mask) -> None:
        """Refuse masks of a square image that was turned: nobody sees whether they were turned, too."""
        square = np.array([pixels.shape[0] == pixels.shape[1] for pixels in block.pixels], bool)
        unclear = block.numbers[block.turned & square & known.any(axis=1)]
        if len(unclear) and not self.preprocessed:
            raise ImageLayoutError(
                f"image {unclear[0]} of {self.images.source} is square and turned as its EXIF orientation says, so it "
                "cannot be seen whether its masks are of the turned image; --no-exif leaves images as their pixels lie"
            )

    def _fitted(
        self, masks: Sequence[Mask | None], shape: tuple[int, ...], number: int, nearest: Preprocessing
    ) -> Mask:
        for concept, mask in zip(self.concepts, masks, strict=True):
            if mask is not None and mask.shape != shape and not self.preprocessed:
                raise ImageLayoutError(
                    f"the mask of {concept!r} for image {number} of {self.images.source} has {mask.shape[0]}x"
                    f"{mask.shape[1]} pixels and the image {shape[0]}x{shape[1]}; give masks of the images' own size, "
                    "turned as their EXIF orientation says; --no-exif leaves images as their pixels lie"
                )
        nothing = np.zeros(next((mask.shape for mask in masks if mask is not None), (1, 1)), bool)
        whole = np.stack([nothing if mask is None else mask for mask in masks])
        return whole if self.preprocessed else nearest(np.uint8(255) * whole[..., None]).numpy()[:, 0] > 0


def open_concept_images(
    source: str | Path | ConceptImages, *, on_error: OnError = "raise", exif: bool = True
) -> ConceptImages:
    """Open images with pixel masks of concepts.

    Args:
        source: A directory with ``images`` and ``masks/CONCEPT``, or a Parquet file with columns ``mask:CONCEPT``; see
            this module. What is open already is returned as it is.
        on_error: ``"skip"`` leaves out the pictures that do not decode.
        exif: Turn pictures, and masks, as their EXIF orientation says.

    Example:
        >>> open_concept_images("no/such/directory")
        Traceback (most recent call last):
        ...
        lenslab.units.errors.UnknownImagesError: no images with masks at no/such/directory; give a directory with ...
    """
    if isinstance(source, ConceptImages):
        return source
    if not isinstance(source, str | os.PathLike):
        raise UnknownImagesError(f"images with masks are given by where they are, not as {source!r:.80}")
    path = Path(source).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix.lower() == ".parquet"):
        opened = _of_directory(path, exif=exif) if path.is_dir() else _of_parquet(path, exif=exif)
        return replace(opened, images=opened.images.skipping()) if on_error == "skip" else opened
    raise UnknownImagesError(
        f"no images with masks at {source}; give a directory with images/ and masks/CONCEPT/, or a Parquet file with "
        f"columns image and {MASK_COLUMN}CONCEPT"
    )


def _of_directory(path: Path, *, exif: bool) -> ConceptImages:
    folders = path / "masks"
    lacking = [name for name in ("images", "masks") if not (path / name).is_dir()]
    if lacking:
        raise ImageLayoutError(f"{path} holds no directory {' and no '.join(lacking)}; give images/ and masks/CONCEPT/")
    concepts = tuple(sorted(each.name for each in folders.iterdir() if each.is_dir() and each.name[0] != "."))
    if not concepts:
        raise ImageLayoutError(f"{folders} holds no directory; put the masks of each concept into one with its name")
    images, files = open_pictures(path / "images", source=str(path), exif=exif)
    stems = {file.with_suffix("") for file in files}
    found: list[dict[Path, Path]] = []
    for concept in concepts:
        masks = {
            mask.relative_to(folders / concept).with_suffix(""): mask for mask in (folders / concept).rglob("*.png")
        }
        strange = sorted(set(masks) - stems)
        if strange:
            raise ImageLayoutError(
                f"{masks[strange[0]]} belongs to no image: there is no {path / 'images' / strange[0]}.* "
                f"({len(strange):,} such masks of {concept!r})"
            )
        if not masks:
            raise ImageLayoutError(f"{folders / concept} holds no masks; they end in .png")
        found.append(masks)

    def read(start: int, stop: int) -> list[list[Mask | None]]:
        some = files[start:stop]
        return [[_of_file(masks.get(file.with_suffix("")), exif=exif) for masks in found] for file in some]

    return ConceptImages(images, concepts, read)


def _of_parquet(path: Path, *, exif: bool) -> ConceptImages:
    images = open_parquet(path, labelled=False, exif=exif)
    with pq.ParquetFile(path) as parquet:
        columns = [name for name in parquet.schema_arrow.names if name.startswith(MASK_COLUMN)]
        groups = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
    if not columns:
        raise ImageLayoutError(f"{path} has no masks; put those of each concept into a column {MASK_COLUMN}CONCEPT")
    edges = np.cumsum([0, *groups])
    held: dict[int, pa.Table] = {}

    def group_of(row: int) -> tuple[int, pa.Table]:
        group = int(np.searchsorted(edges, row, side="right")) - 1
        if group not in held:
            held.clear()  # one row group is in memory at a time
            try:
                with pq.ParquetFile(path) as parquet:
                    held[group] = parquet.read_row_group(group, columns)
            except (OSError, pa.ArrowException) as error:
                raise ImagesUnavailableError(f"{path} cannot be read: {error}") from error
        return row - int(edges[group]), held[group]

    def read(start: int, stop: int) -> list[list[Mask | None]]:
        rows = []
        for number in range(start, stop):
            row, table = group_of(number)
            cells = [table.column(name)[row].as_py() for name in columns]
            named = [f"row {number} of {path}, column {name}" for name in columns]
            rows.append([_of_cell(cell, name, exif=exif) for cell, name in zip(cells, named, strict=True)])
        return rows

    return ConceptImages(images, tuple(name.removeprefix(MASK_COLUMN) for name in columns), read)


def _of_file(path: Path | None, *, exif: bool) -> Mask | None:
    if path is None:
        return None
    try:
        return _decoded(path.read_bytes(), str(path), exif=exif)
    except OSError as error:
        raise ImagesUnavailableError(f"{path} cannot be read: {error.strerror or error}") from error


def _of_cell(cell: object, named: str, *, exif: bool) -> Mask | None:
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is not None and not isinstance(content, bytes):
        raise ImageLayoutError(f"{named} is {type(content).__name__}; expected an encoded picture (binary)")
    return None if content is None else _decoded(content, named, exif=exif)


def _decoded(content: bytes, named: str, *, exif: bool) -> Mask:
    from lenslab.units.images.picture_decoding import decode

    return np.asarray(decode(content, named, exif=exif).pixels.any(axis=2))


def _checked_masks(masks: MaskSource, start: int, stop: int, concepts: int | None = None) -> Mask:
    given = np.asarray(masks(start, stop) if callable(masks) else masks[start:stop])
    wrong = given.ndim != 4 or len(given) != stop - start or given.dtype != np.bool_
    if wrong or concepts not in (None, given.shape[1]):
        expected = "concepts" if concepts is None else concepts
        raise ImageLayoutError(
            f"masks of images {start} to {stop - 1} are {given.dtype} {list(given.shape)}; "
            f"give bool [{stop - start}, {expected}, rows, columns]"
        )
    return given
