"""From what a person typed to labelled images."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from numpy.typing import ArrayLike

from lenslab.units.errors import ImageLayoutError, UnknownImagesError
from lenslab.units.fragment import located
from lenslab.units.images.arrays import images_of_arrays
from lenslab.units.images.class_folders import open_folders
from lenslab.units.images.digits import digits
from lenslab.units.images.fashion_mnist import fashion_mnist
from lenslab.units.images.labelled_images import Images, OnError, Origin
from lenslab.units.images.npz import open_npz
from lenslab.units.images.parquet import open_parquet
from lenslab.units.images.splits import of_split
from lenslab.units.images.torch_datasets import Pairs, images_of_dataset

Source: TypeAlias = str | Path | tuple[ArrayLike, ArrayLike] | Pairs | Images
"""A name, a path, a pair (pixels, labels) of arrays, a data set of pairs, or images that are open already."""

NAMED: Mapping[str, tuple[str, Callable[[], Images]]] = MappingProxyType(
    {
        "digits": ("590 grey 8x8 images in 10 classes, held out from training; comes with scikit-learn", digits),
        "digits-train": ("the 1,207 digits that the shipped network was trained on", lambda: digits(train=True)),
        "fashion-mnist": ("10,000 grey 28x28 test images in 10 classes; fetched once", fashion_mnist),
        "fashion-mnist-train": ("its 60,000 training images; fetched once", lambda: fashion_mnist(train=True)),
    }
)
"""What each name means, and how it is opened."""


def open_images(source: Source, *, on_error: OnError = "raise", exif: bool = True) -> Images:
    """Open labelled images.

    Args:
        source: ``digits``, ``digits-train``, ``fashion-mnist`` or ``fashion-mnist-train``; the path of an ``.npz``
            file, of a Parquet file in Hugging Face's layout or of a directory or glob of such files, or of a directory
            with a directory for each class (where several splits lie side by side, ``PATH#test`` means one of them); a
            pair of arrays (pixels, labels); or a data set of pairs, such as a map-style `torch.utils.data.Dataset`.
            Images are returned as they are.
        on_error: ``"skip"`` leaves out the pictures that do not decode, see `Images.skipping`.
        exif: Turn pictures as their EXIF orientation says; without it they are as their pixels lie, which is how
            torchvision reads them.

    Raises:
        UnknownImagesError: There is nothing of that name.
        ImagesUnavailableError: It is known and cannot be had or read.
        ImageLayoutError: It is not labelled images.
        LabelError: A label is not a class.
        UndecodableImageError: An item of a data set cannot be read; files are decoded later.

    Example:
        >>> open_images("digits").class_names[:3]
        ('0', '1', '2')
        >>> open_images("digit")
        Traceback (most recent call last):
        lenslab.units.errors.UnknownImagesError: no images named 'digit' and no such file; did you mean 'digits'? ...
    """
    if on_error not in ("raise", "skip"):
        raise ImageLayoutError(f"on_error is {on_error!r}; give 'raise' or 'skip'")
    opened = _open(source, on_error, exif=exif)
    if isinstance(source, str | os.PathLike):
        origin = _origin(source, opened.digest)
        opened = replace(opened, origin=origin, digest=lambda: origin.sha256)
    return opened.skipping() if on_error == "skip" else opened


def _origin(source: str | os.PathLike[str], digest: Callable[[], str]) -> Origin:
    """Say where a name or a path leads, whatever the current directory is."""
    if str(source) in NAMED:
        return Origin(str(source), "", digest)
    path = Path(source).expanduser()
    return Origin(str(path.absolute()), "" if path.is_absolute() else f"{Path.cwd()}/", digest)


def _open(source: Source, on_error: OnError, *, exif: bool) -> Images:
    if isinstance(source, Images):
        return source
    if isinstance(source, tuple):
        if len(source) != 2:
            raise ImageLayoutError(f"{len(source)} arrays are given; expected two, (pixels, labels)")
        return images_of_arrays(*source)
    if not isinstance(source, str | os.PathLike):
        return images_of_dataset(source, on_error=on_error, exif=exif)
    if str(source) in NAMED:
        return NAMED[str(source)][1]()
    path, split = located(source)
    if path.is_dir():
        if any(path.glob("*.parquet")):
            return open_parquet(path, source=str(source), split=split, exif=exif)
        return open_folders(of_split(path, split), source=str(source), exif=exif)
    if path.suffix.lower() == ".parquet" and (path.exists() or glob.has_magic(str(path))):
        return open_parquet(path, source=str(source), split=split, exif=exif)
    if not path.exists():
        raise UnknownImagesError(_unknown(str(source)))
    if path.suffix.lower() == ".npz":
        return open_npz(path, source=str(source))
    raise UnknownImagesError(
        f"{source} is not a kind of file that is read here; give an .npz or .parquet file, a directory of .parquet "
        f"files or of class folders, or one of {', '.join(NAMED)}"
    )


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, NAMED, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else "."
    return (
        f"no images named {name!r} and no such file{guess} There are {', '.join(NAMED)}, .npz files, .parquet files, "
        "directories or globs of them, and directories with one for each class"
    )
