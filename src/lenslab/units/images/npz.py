"""Images and labels in one ``.npz`` file; nothing in it is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lenslab.records import sha256_of_file
from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError
from lenslab.units.images.arrays import images_of_arrays
from lenslab.units.images.collection import Images

KEYS = (
    ("x", "y"),
    ("images", "labels"),
    ("image", "label"),
    ("data", "labels"),
    ("pixels", "labels"),
    ("x_test", "y_test"),
    ("test_images", "test_labels"),
)
"""Names of the two arrays, in any case of letters; the first pair that is there is taken."""


def open_npz(path: Path, *, source: str | None = None) -> Images:
    """Open the images in an ``.npz`` file.

    Args:
        path: of the file. `KEYS` lists the names of the two arrays; `as_pixels` tells which numbers are pixels.
        source: what messages call it; the path by default.

    Raises:
        ImagesUnavailableError: it is not an ``.npz`` file, or is damaged.
        ImageLayoutError: it does not hold images and labels.
        LabelError: the labels are not classes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "mine.npz"
        ...     np.savez(path, X=np.zeros((2, 4, 4), np.uint8), Y=np.array([0, 1]))
        ...     open_npz(path).name
        'mine'
    """
    named = source or str(path)
    if not zipfile.is_zipfile(path):
        raise ImagesUnavailableError(f"{named} is not an .npz file (or was cut short)")
    try:
        with np.load(path, allow_pickle=False) as file:
            keys = _keys(file.files, named)
            pixels, labels = (file[key] for key in keys)
    except ValueError as error:
        if isinstance(error, ImageLayoutError):
            raise
        if "allow_pickle" in str(error):
            raise ImageLayoutError(
                f"{named} holds Python objects, which are not unpickled here since that can run code; save plain arrays"
            ) from error
        raise ImagesUnavailableError(f"{named} cannot be read: {error}") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ImagesUnavailableError(f"{named} cannot be read as an .npz file: {error}") from error
    return images_of_arrays(pixels, labels, name=path.stem, source=named, sha256=sha256_of_file(path))


def _keys(present: Iterable[str], named: str) -> tuple[str, str]:
    by_lower = {key.lower(): key for key in present}
    for pixels, labels in KEYS:
        if pixels in by_lower and labels in by_lower:
            return by_lower[pixels], by_lower[labels]
    raise ImageLayoutError(
        f"{named} holds {', '.join(by_lower.values()) or 'nothing'}; expected two arrays named "
        + ", ".join(f"{pixels}/{labels}" for pixels, labels in KEYS)
    )
