import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.units.errors import ImageLayoutError, LabelError
from lenslab.units.images import content_hash, open_images


def some_images(count: int = 7):
    generator = np.random.default_rng(0)
    return open_images((generator.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8), np.arange(count) % 3))


@given(size=st.integers(1, 9), start=st.integers(0, 7), length=st.integers(0, 7))
def test_blocks_of_any_size_give_the_same_images_in_source_order(size, start, length):
    images = some_images()
    whole = next(images.blocks(100))
    stop = min(start + length, len(images))
    blocks = list(images.blocks(size, start=start, stop=stop))
    assert [block.start for block in blocks] == list(range(start, stop, size))
    assert [content for block in blocks for content in block.contents] == whole.contents[start:stop]
    assert [label for block in blocks for label in block.labels] == list(whole.labels[start:stop])
    assert all(len(block) == size for block in blocks[:-1])


def test_equal_pictures_have_equal_content_and_different_shapes_do_not():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 6, 1)
    assert content_hash(picture) == content_hash(picture.copy())
    assert content_hash(picture) == content_hash(np.asfortranarray(picture))
    assert content_hash(picture) != content_hash(picture.reshape(6, 2, 1))
    assert content_hash(picture) != content_hash(picture + 1)


def test_a_limit_keeps_the_first_images_and_the_hash_of_the_whole_source():
    images = some_images()
    limited = images.limited(3)
    assert len(limited) == 3
    assert limited.sha256 == images.sha256
    assert limited.labels.tolist() == images.labels[:3].tolist()
    assert images.limited(2).labels.tolist() == [0, 1]
    assert next(limited.blocks(100)).contents == next(images.blocks(100)).contents[:3]
    assert len(images.limited(99)) == 7
    assert images.limited(None) is images


def test_a_limit_below_one_and_blocks_outside_the_source_are_refused():
    images = some_images()
    with pytest.raises(ImageLayoutError, match="a limit of 0 leaves no images"):
        images.limited(0)
    with pytest.raises(ImageLayoutError, match="has 0 to 7"):
        images.blocks(2, stop=8)
    with pytest.raises(ImageLayoutError, match="a block of 0 images"):
        images.blocks(0)


def test_one_other_pixel_or_label_is_another_source():
    pixels, labels = np.zeros((3, 4, 4), np.uint8), np.array([0, 1, 2])
    sha256 = open_images((pixels, labels)).sha256
    other = pixels.copy()
    other[2, 3, 3] = 1
    hashes = {sha256, open_images((other, labels)).sha256, open_images((pixels, labels[::-1])).sha256}
    assert len(hashes) == 3


def test_a_negative_label_is_refused_with_its_image():
    with pytest.raises(LabelError, match="image 1 of arrays in memory has the label -1"):
        open_images((np.zeros((3, 4, 4), np.uint8), [0, -1, -1]))


def test_no_images_are_refused():
    with pytest.raises(ImageLayoutError, match="holds no images"):
        open_images((np.zeros((0, 4, 4), np.uint8), np.zeros(0, np.int64)))
