"""Images and labels in one ``.npz`` file, mapped instead of loaded; nothing in it is ever unpickled."""

from __future__ import annotations

import math
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from lenslab.records import sha256_of_file
from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError
from lenslab.units.images.arrays import images_of_arrays
from lenslab.units.images.labelled_images import Images

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

_CHUNK = 1 << 20
"""Bytes that are read at once where a whole member is gone through."""


def open_npz(path: Path, *, source: str | None = None) -> Images:
    """Open the images in an ``.npz`` file without loading it; `KEYS` lists the names of the two arrays.

    What ``np.savez`` wrote is mapped into memory where it lies. What ``np.savez_compressed`` wrote is unpacked once
    into a temporary file without a name, which goes with the images.

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
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            pixels, labels = (_mapped(path, archive, members[key], named) for key in _keys(members, named))
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, ImageLayoutError | ImagesUnavailableError):
            raise  # RuntimeError is what zipfile says of a password, or, as NotImplementedError, of a compression
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


def _mapped(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, named: str) -> NDArray[Any]:
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member, info.filename, named)
        begin = member.tell()
        size = math.prod(shape) * dtype.itemsize
        if info.file_size - begin != size:
            raise ImagesUnavailableError(f"{named} cannot be read: {info.filename} has another length than it states")
        if size == 0:
            return np.zeros(shape, dtype)
        stored = info.compress_type == zipfile.ZIP_STORED
        place: IO[bytes] = path.open("rb") if stored else _room(size, info.filename, named)
        offset = begin + _start_of_member(place, info) if stored else 0
        with place:  # the map keeps the file, also after it is closed
            while chunk := member.read(_CHUNK):  # to the end: only there zipfile compares the checksum
                if not stored:
                    place.write(chunk)
            place.flush()
            return np.memmap(place, dtype, "r", offset, shape, "F" if fortran else "C")


def _header(member: IO[bytes], name: str, named: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ImageLayoutError(f"{named}: {name} is no plain array of numbers")
    shape, fortran, dtype = read(member)
    if dtype.hasobject:
        raise ImageLayoutError(
            f"{named} holds Python objects, which are not unpickled here since that can run code; save plain arrays"
        )
    return shape, fortran, dtype


def _start_of_member(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    # A member's own header is 30 bytes, its name and its extra field, whose lengths stand in bytes 26 to 29; they may
    # differ from those in the archive's directory.
    file.seek(info.header_offset + 26)
    lengths = file.read(4)
    return info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")


def _room(size: int, name: str, named: str) -> IO[bytes]:
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free
    if free < size:
        raise ImagesUnavailableError(
            f"{named}: unpacking {name} takes {size:,} bytes and {place} has {free:,} left; set TMPDIR to a directory "
            "with room, or save the arrays with np.savez, which needs no unpacking"
        )
    return tempfile.TemporaryFile()
