"""Splits of a data set that lie side by side: training and test images are never joined unless a person says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lenslab.units.errors import ImageLayoutError, some_of

SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval"))
"""Names of directories, and beginnings of the names of files, that are splits of a data set and no classes."""


def split_of(name: str) -> str | None:
    """Tell which split a file or a directory is by a word of its name, the last such word.

    Example:
        >>> split_of("train-00000-of-00004.parquet"), split_of("cifar_Test"), split_of("testimony.parquet")
        ('train', 'test', None)
    """
    return next((word for word in reversed(re.split(r"[^a-z]+", name.lower())) if word in SPLITS), None)


def of_splits(files: Sequence[Path], wanted: str, *, named: str) -> list[Path]:
    """Choose the files of the splits that are wanted, ``train+test`` for two of them.

    Raises:
        ImageLayoutError: None is wanted and there are several, or one that is wanted is not there.

    Example:
        >>> of_splits([Path("test.parquet"), Path("train.parquet")], "", named="data")
        Traceback (most recent call last):
        lenslab.units.errors.ImageLayoutError: data holds several splits of a data set: test (1 file), train (1 ...
    """
    splits = [split_of(file.name) or split_of(file.parent.name) for file in files]
    known = sorted({split for split in splits if split})
    if not wanted:
        if len(known) > 1:
            counts = [f"{each} ({splits.count(each)} file{'s' * (splits.count(each) > 1)})" for each in known]
            raise ImageLayoutError(
                f"{named} holds several splits of a data set: {', '.join(counts)}; give one of them with --split "
                f"{known[0]}, that is {named}#{known[0]}, or several with --split {'+'.join(known)}"
            )
        return [*files]
    chosen = [each.strip().lower() for each in wanted.split("+")]
    lacking = [each for each in chosen if each not in known]
    if lacking:
        have = f"it has {some_of(known)}" if known else "its files are no splits by their names"
        raise ImageLayoutError(f"{named} has no split {lacking[0]!r}; {have}")
    return [file for file, split in zip(files, splits, strict=True) if split in chosen]


def of_split(path: Path, wanted: str) -> Path:
    """Find the directory of a split, whatever the case of its name; the directory itself where none is wanted.

    Raises:
        ImageLayoutError: There is none.
    """
    if not wanted:
        return path
    below = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = [name for name in below if name.lower() == wanted.lower()]
    if "+" in wanted:
        raise ImageLayoutError(
            f"{path} has a directory for each split, and one of them is measured at a time; not {wanted}"
        )
    if len(found) != 1:
        raise ImageLayoutError(f"{path} has no directory of a split {wanted!r}; it holds {some_of(below) or 'none'}")
    return path / found[0]
