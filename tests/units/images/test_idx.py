import gzip
import struct

import numpy as np
import pytest

from lenslab.units.errors import ImagesUnavailableError
from lenslab.units.images.idx import read_idx


def idx(shape: tuple[int, ...], content: bytes, kind: int = 8) -> bytes:
    return gzip.compress(struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + content)


def test_an_array_is_read_in_its_shape(tmp_path):
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(idx((2, 3, 4), bytes(range(24))))
    np.testing.assert_array_equal(read_idx(path), np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip",
        idx((5,), bytes(5))[:-9],
        gzip.compress(b"\0\0"),
        idx((5,), bytes(4)),
        idx((5,), bytes(5), kind=13),
        idx((2**31, 2**31), b""),
    ],
    ids=["not gzip", "cut short", "no header", "too few", "not bytes", "huge"],
)
def test_what_is_no_array_of_bytes_is_one_message(tmp_path, content):
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ImagesUnavailableError, match=r"images-idx3-ubyte\.gz"):
        read_idx(path)


def test_a_missing_file_is_one_message(tmp_path):
    with pytest.raises(ImagesUnavailableError, match="cannot be read"):
        read_idx(tmp_path / "none.gz")
