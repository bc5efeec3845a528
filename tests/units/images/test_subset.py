"""Some of the images: the same pictures under new numbers."""

from __future__ import annotations

import numpy as np
import pytest

from lenslab.units.errors import ImageLayoutError
from lenslab.units.images import open_images, subset
from tests.units import toys


@pytest.mark.parametrize("size", [1, 3, 10])
def test_it_gives_the_pictures_and_labels_of_the_numbers(size: int) -> None:
    images = toys.digits(30)
    numbers = np.array([4, 5, 17, 29, 11])
    (whole,) = images.blocks(30)
    blocks = list(subset(images, numbers).blocks(size))
    assert [content for block in blocks for content in block.contents] == [whole.contents[n] for n in sorted(numbers)]
    assert np.concatenate([block.labels for block in blocks]).tolist() == images.labels[np.sort(numbers)].tolist()
    assert [content for block in subset(images, numbers).blocks(2, start=1, stop=4) for content in block.contents] == [
        whole.contents[n] for n in (5, 11, 17)
    ]


def test_the_numbers_decide_the_hash_and_all_of_them_change_nothing() -> None:
    images = toys.digits(10)
    hashes = {subset(images, np.array(numbers)).sha256 for numbers in ([0, 1], [1, 2], [0, 1, 2])}
    assert len(hashes | {images.sha256}) == 4
    assert subset(images, np.array([1, 0])).sha256 == subset(images, np.array([0, 1])).sha256
    assert subset(images, np.arange(10)) is images


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ImageLayoutError, match="none of the images of digits"):
        subset(open_images("digits"), np.array([], int))
    with pytest.raises(ImageLayoutError, match="3 to 700 of the images of digits asked for; it has 0 to 589"):
        subset(open_images("digits"), np.array([3, 700]))
