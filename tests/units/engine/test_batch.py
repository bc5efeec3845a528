"""Batches: what is read ahead is what would have been read in line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lenslab.units.engine.batch import Batch, batches, preprocessed
from lenslab.units.errors import UndecodableImageError
from lenslab.units.images import ImageBlock, Images, open_images
from lenslab.units.images.preprocessing import Preprocessing
from tests.units.engine.test_read_ahead import readers

CPU = torch.device("cpu")
COLOUR = Preprocessing(3, (6, 6), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
BROKEN = (5, 8, 9, 10, 11)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty pictures of two classes, some of them broken, a whole batch of four among them."""
    random = np.random.default_rng(0)
    for number in range(20):
        file = tmp_path / f"class{number // 10}" / f"{number:02}.png"
        file.parent.mkdir(exist_ok=True)
        if number in BROKEN:
            file.write_bytes(b"no picture")
        else:
            Image.fromarray(random.integers(0, 256, (9, 7, 3), np.uint8)).save(file)
    return tmp_path


def in_line(images: Images, size: int) -> Iterator[tuple[ImageBlock, Batch]]:
    for block in images.blocks(size):
        yield block, preprocessed(block, COLOUR, CPU)


def told(found: tuple[ImageBlock, Batch]) -> list[object]:
    block, batch = found
    return [
        block.start,
        block.numbers.tolist(),
        [pixels.tobytes() for pixels in block.pixels],
        [(skipped.number, skipped.reason) for skipped in block.skipped],
        batch.inputs.numpy().tobytes(),
        batch.labels.tolist(),
        batch.numbers.tolist(),
    ]


@pytest.mark.parametrize("size", [1, 4, 7, 64])
def test_batches_are_those_of_reading_in_line(folder: Path, size: int) -> None:
    images = open_images(folder, on_error="skip")
    assert [*map(told, batches(images, COLOUR, size, CPU))] == [*map(told, in_line(images, size))]
    assert readers() == []


def test_a_picture_that_does_not_decode_is_said_where_it_was_before(folder: Path) -> None:
    images, seen = open_images(folder), []
    for read in (batches(images, COLOUR, 2, CPU), in_line(images, 2)):
        before: list[object] = []
        with pytest.raises(UndecodableImageError) as said:
            before.extend(map(told, read))
        seen.append((str(said.value), before))
    assert seen[0] == seen[1]
    assert len(seen[0][1]) == 2, "two batches come before the one of image 5"
    assert readers() == []


def test_leaving_early_leaves_no_thread(folder: Path) -> None:
    images = open_images(folder, on_error="skip")
    found = batches(images, COLOUR, 2, CPU)
    next(found)
    assert len(readers()) == 1
    found.close()
    assert readers() == []
    for _ in batches(images, COLOUR, 2, CPU):
        break
    assert readers() == []


def test_batches_can_be_gone_through_again_and_within_each_other(folder: Path) -> None:
    images = open_images(folder, on_error="skip")
    once = [*map(told, batches(images, COLOUR, 4, CPU))]
    nested = [
        (told(one), told(other)) for one in batches(images, COLOUR, 4, CPU) for other in batches(images, COLOUR, 4, CPU)
    ]
    assert nested == [(one, other) for one in once for other in once]


def test_an_input_can_be_differentiated_whatever_mode_its_reader_was_asked_in(folder: Path) -> None:
    images = open_images(folder, on_error="skip")
    with torch.inference_mode():
        (_, batch), *_ = batches(images, COLOUR, 4, CPU)
    assert not batch.inputs.is_inference()


def test_a_strangers_data_set_is_read_in_the_thread_that_asks() -> None:
    seen = set()

    class Pairs:
        def __len__(self) -> int:
            return 12

        def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
            seen.add(threading.current_thread())
            return np.full((6, 6, 3), number, np.uint8), number % 3

    images = open_images(Pairs())
    bound = [*map(told, batches(images, COLOUR, 5, CPU))]
    assert seen == {threading.current_thread()}
    assert bound == [*map(told, batches(replace(images, bound=False), COLOUR, 5, CPU))]
    assert len(seen) == 2
