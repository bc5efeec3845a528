"""Class folders: a directory for each class with the pictures of the class, as torchvision's ``ImageFolder`` reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenslab.records import sha256_of_file
from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, UndecodableImageError, some_of
from lenslab.units.images.labelled_images import Images, Picture
from lenslab.units.images.splits import SPLITS

_TRAINING = frozenset(("train", "training"))
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", *(".gif", ".pbm", ".pnm"))
)
"""Endings of files that are pictures, in any case of letters: torchvision's, and three more."""


@dataclass(frozen=True)
class _Shelf:
    """The pictures of one directory; only their names are in memory."""

    directory: Path
    label: int
    start: int
    names: tuple[str, ...]


def open_folders(path: Path, *, source: str | None = None, exif: bool = True) -> Images:
    """Open a directory that holds a directory for each class.

    The classes are numbered in the order of their sorted names and an empty one keeps its number; the pictures of a
    class are in the order of the directories and then of the files, at any depth: the numbers that torchvision's
    ``ImageFolder`` gives. Names that are all numbers are sorted as numbers, though, 2 before 10, and a split that lacks
    classes of the training split beside it is numbered as that one is. What begins with a dot is ignored; such numbers,
    classes without pictures, and files that are none, stand in the ``assumptions``. Names are read at once, pictures
    only when asked for.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for name in ("dog", "cat"):
        ...         Path(directory, name).mkdir()
        ...         Image.new("RGB", (3, 2)).save(Path(directory, name, "1.png"))
        ...     images = open_folders(Path(directory))
        ...     images.class_names, images.labels, images.first().shape
        (('cat', 'dog'), array([0, 1]), (2, 3, 3))
    """
    named = source or str(path)
    try:
        present = _classes(path, named)
        classes, numbering = _numbered(path, present, named)
        shelves, empty, others = _search(path, present, classes)
    except OSError as error:
        raise ImagesUnavailableError(f"{error.filename or named} cannot be read: {error.strerror or error}") from error
    if not shelves:
        raise ImageLayoutError(_without_pictures(path, present, others, named))

    def read(start: int, stop: int) -> Iterator[Picture | UndecodableImageError]:
        for shelf in shelves:
            for name in shelf.names[max(start - shelf.start, 0) : max(stop - shelf.start, 0)]:
                yield _picture(shelf.directory / name, exif=exif)

    def digest() -> str:
        lines = hashlib.sha256("".join(f"{name}/\n" for name in classes).encode(errors="surrogateescape"))
        for shelf in shelves:
            for name in shelf.names:
                file = shelf.directory / name
                line = f"{_sha256(file)}  {file.relative_to(path).as_posix()}\n"
                lines.update(line.encode(errors="surrogateescape"))
        return lines.hexdigest()

    labels = np.repeat([shelf.label for shelf in shelves], [len(shelf.names) for shelf in shelves])
    assumptions = (*numbering, *_of_numbers(classes, named), *_assumptions(empty, others, named))
    return Images(path.resolve().name, named, labels, tuple(classes), read, digest, exif=exif, assumptions=assumptions)


def open_pictures(path: Path, *, source: str | None = None, exif: bool = True) -> tuple[Images, list[Path]]:
    """Open the pictures of a directory at any depth, each with the label 0, and name the path of each below it."""
    named = source or str(path)
    try:
        files = [directory / name for directory, names in _walk(path) for name in names if _is_picture(name)]
    except OSError as error:
        raise ImagesUnavailableError(f"{error.filename or named} cannot be read: {error.strerror or error}") from error
    below = [file.relative_to(path) for file in files]

    def digest() -> str:
        lines = (f"{_sha256(file)}  {name.as_posix()}\n" for file, name in zip(files, below, strict=True))
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()

    def read(start: int, stop: int) -> Iterator[Picture | UndecodableImageError]:
        return (_picture(file, exif=exif) for file in files[start:stop])

    return Images(path.resolve().name, named, np.zeros(len(files), np.int64), None, read, digest, exif=exif), below


def _classes(path: Path, named: str) -> list[str]:
    classes = _subdirectories(path)
    loose = sorted(file.name for file in path.iterdir() if _is_picture(file.name) and file.is_file())
    if not classes:
        holds = f"{len(loose):,} pictures ({some_of(loose)})" if loose else "no .parquet files"
        raise ImageLayoutError(
            f"the directory {named} holds {holds} and no directory for each class; put the pictures of each class into "
            "a directory with its name"
        )
    if loose:
        raise ImageLayoutError(
            f"{named} holds {len(loose):,} pictures ({some_of(loose)}) beside the directories of its {len(classes)} "
            "classes; they have no class: move them into one, or away"
        )
    if {name.lower() for name in classes} <= SPLITS:
        raise ImageLayoutError(
            f"the directories in {named} ({some_of(classes)}) are splits of a data set and no classes; give one of "
            f"them with --split {classes[0]}, that is {path / classes[0]}"
        )
    return classes


def _numbered(path: Path, present: list[str], named: str) -> tuple[list[str], tuple[str, ...]]:
    """Give the classes in the order of their numbers, and what was assumed of it.

    A network knows the classes of its training images: a split that has some of them only keeps their numbers.
    """
    here = path.resolve()
    beside = [other for other in here.parent.iterdir() if other.name.lower() in _TRAINING and other.is_dir()]
    if here.name.lower() not in SPLITS - _TRAINING or len(beside) != 1:
        return present, ()
    trained = _subdirectories(beside[0])
    if trained == present or not trained:
        return present, ()
    if further := [name for name in present if name not in trained]:
        lacks = f"{named} has classes that {beside[0].name} beside it lacks: {some_of(further)}"
        return present, (f"{lacks}; its classes are numbered by themselves, {present[0]!r} is 0",)
    some = f"{len(present)} of the {len(trained)} classes of {beside[0].name} beside it"
    return trained, (
        f"{named} has {some}; they are numbered as there, {present[-1]!r} is {trained.index(present[-1])}",
    )


def _search(path: Path, present: list[str], classes: list[str]) -> tuple[list[_Shelf], list[str], list[Path]]:
    """Find the pictures in the directories of the classes, the classes without any, and the files that are none."""
    shelves, empty, others, count = list[_Shelf](), list[str](), list[Path](), 0
    for name in present:
        label, before = classes.index(name), count
        for directory, files in _walk(path / name):
            pictures = tuple(file for file in files if _is_picture(file))
            others += [directory / file for file in files if not _is_picture(file)]
            if pictures:
                shelves.append(_Shelf(directory, label, count, pictures))
                count += len(pictures)
        if count == before:
            empty.append(name)
    return shelves, empty, others


def _walk(top: Path) -> list[tuple[Path, list[str]]]:
    """List the directories below one, and the files in each, both sorted, hidden ones left out, links followed."""

    def fail(error: OSError) -> None:
        raise error

    seen: set[str] = set()
    found: list[tuple[Path, list[str]]] = []
    for directory, below, files in os.walk(top, followlinks=True, onerror=fail):
        real = os.path.realpath(directory)
        if real in seen:  # a link to a directory above it
            below.clear()
            continue
        seen.add(real)
        below[:] = [name for name in below if not name.startswith(".")]
        found.append((Path(directory), sorted(name for name in files if not name.startswith("."))))
    return sorted(found, key=lambda each: str(each[0]))


def _subdirectories(path: Path) -> list[str]:
    names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    return sorted(names, key=int) if _are_numbers(names) else names


def _are_numbers(names: list[str]) -> bool:
    return all(name.isascii() and name.isdecimal() for name in names)


def _of_numbers(classes: list[str], named: str) -> Iterator[str]:
    """Say how directories that are named by numbers got their labels, where that is not beyond doubt."""
    if not _are_numbers(classes):
        return
    if classes != sorted(classes):
        yield f"the directories of {named} are numbers and sorted as such, {classes[0]} to {classes[-1]}, not as text"
    others = [f"{name!r} is {label}" for label, name in enumerate(classes) if int(name) != label]
    if others:
        yield f"the directories of {named} are numbers and not 0 to {len(classes) - 1}; the label of {some_of(others)}"


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 a name, no path


def _picture(file: Path, *, exif: bool) -> Picture | UndecodableImageError:
    from lenslab.units.images.picture_decoding import decode

    try:
        return decode(file.read_bytes(), str(file), exif=exif)
    except UndecodableImageError as error:
        return error
    except OSError as error:
        raise ImagesUnavailableError(f"{file} cannot be read: {error.strerror or error}") from error


def _sha256(file: Path) -> str:
    try:
        return sha256_of_file(file)
    except OSError as error:
        raise ImagesUnavailableError(f"{file} cannot be read: {error.strerror or error}") from error


def _without_pictures(path: Path, classes: list[str], others: list[Path], named: str) -> str:
    tables = sorted({file.parent for file in others if file.suffix.lower() == ".parquet"})
    if tables:
        return f"{named} holds no pictures, but .parquet files in {tables[0]}; give that directory"
    return (
        f"the {len(classes)} directories in {path} ({some_of(classes)}) hold no pictures; they end in "
        f"{', '.join(sorted(SUFFIXES))}"
    )


def _assumptions(empty: list[str], others: list[Path], named: str) -> tuple[str, ...]:
    assumptions = []
    if empty:
        assumptions.append(
            f"{len(empty):,} classes of {named} have no pictures and keep their numbers: {some_of(empty)}"
        )
    if others:
        left = some_of(map(str, others))
        assumptions.append(f"{len(others):,} files of {named} are no pictures by their endings and left out: {left}")
    return tuple(assumptions)
