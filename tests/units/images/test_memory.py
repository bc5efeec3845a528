"""Reading every image of a source takes no more memory where there are many times as many images."""

import gc
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lenslab.units.images import open_images

SIDE = 32
FEW = 1000
"""So many that every buffer is full once."""

MAY_STAY = 200
"""Bytes that may stay for each image: its label, its name, its hash; the image itself has 3,072."""

PICTURE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def encoded() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "PPM")
    return buffer.getvalue()


def write(path: Path, count: int, group: int) -> Path:
    table = pa.table({"image": [{"bytes": encoded()}] * count, "label": np.zeros(count, int)})
    pq.write_table(table, path, row_group_size=group, use_dictionary=False, compression="none")
    assert path.stat().st_size > count * PICTURE.nbytes
    return path


def parquet(directory: Path, count: int) -> Path:
    return write(directory / "mine.parquet", count, group=count)


def parquet_files(directory: Path, count: int) -> Path:
    for part in range(4):
        write(directory / f"{part}.parquet", count // 4, group=100)
    return directory


def folders(directory: Path, count: int) -> Path:
    picture = directory.parent / f"{count}.ppm"
    picture.write_bytes(encoded())
    for label in range(4):
        (directory / str(label)).mkdir()
        for number in range(count // 4):
            (directory / str(label) / f"{number:06d}.ppm").hardlink_to(picture)  # faster than another file
    return directory


def npz(directory: Path, count: int) -> Path:
    np.savez(directory / "mine.npz", x=np.tile(PICTURE, (count, 1, 1, 1)), y=np.zeros(count, int))
    return directory / "mine.npz"


def npz_compressed(directory: Path, count: int) -> Path:
    np.savez_compressed(directory / "mine.npz", x=np.tile(PICTURE, (count, 1, 1, 1)), y=np.zeros(count, int))
    return directory / "mine.npz"


def npz_of_floats(directory: Path, count: int) -> Path:
    floats = np.tile((PICTURE / 255).astype(np.float16), (count, 1, 1, 1))
    np.savez(directory / "mine.npz", x=floats, y=np.zeros(count, int))
    return directory / "mine.npz"


class Made:
    def __init__(self, count: int):
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return PICTURE.copy(), number % 3


def pairs(_directory: Path, count: int) -> Made:
    return Made(count)


def peak(source) -> int:
    """Most bytes that Python, NumPy and Arrow held while every image was read, in addition to those before."""
    gc.collect()
    arrow, most = pa.total_allocated_bytes(), 0
    tracemalloc.start()
    try:
        for block in open_images(source).blocks(50):
            assert len(block) == 50
            most = max(most, pa.total_allocated_bytes() - arrow)
        return most + tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("many", [2000, pytest.param(20_000, marks=pytest.mark.thorough)])
@pytest.mark.parametrize(
    "make",
    [
        *(parquet, folders, npz),
        *(
            pytest.param(more, marks=pytest.mark.thorough)
            for more in (parquet_files, npz_compressed, npz_of_floats, pairs)
        ),
    ],
    ids=lambda make: make.__name__,
)
def test_memory_does_not_grow_with_the_number_of_images(tmp_path, make, many):
    peaks = []
    for count in (FEW, many):
        directory = tmp_path / str(count)
        directory.mkdir()
        peaks.append(peak(make(directory, count)))
    assert peaks[1] - peaks[0] < MAY_STAY * (many - FEW)
