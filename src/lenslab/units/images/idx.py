"""The idx format of MNIST and its successors: a magic number, the shape, then bytes, gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImagesUnavailableError


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read the array of bytes in a gzipped idx file.

    Source: Y. LeCun, C. Cortes, *The MNIST database*, section "File formats".

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "labels-idx1-ubyte.gz"
        ...     _ = path.write_bytes(gzip.compress(struct.pack(">HBBI", 0, 8, 1, 3) + bytes([5, 0, 4])))
        ...     read_idx(path)
        array([5, 0, 4], dtype=uint8)
    """
    try:
        content = gzip.decompress(path.read_bytes())
        zeros, kind, dimensions = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{dimensions}I", content, 4)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise ImagesUnavailableError(f"{path} cannot be read as a gzipped idx file: {error}") from error
    values = content[4 + 4 * dimensions :]
    if (zeros, kind) != (0, 8) or len(values) != math.prod(shape):
        raise ImagesUnavailableError(f"{path} is not an idx array of bytes of the shape that it states")
    return np.frombuffer(values, np.uint8).reshape(shape)
