import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.units.errors import ImageLayoutError, LabelError
from lenslab.units.images import open_images
from lenslab.units.images.arrays import as_labels, as_pixels

BYTES = np.random.default_rng(1).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (BYTES, BYTES),
        (np.moveaxis(BYTES, 3, 1), BYTES),
        (BYTES[..., 0], BYTES[..., :1]),
        (BYTES[..., :1], BYTES[..., :1]),
        (BYTES.astype(np.int64), BYTES),
        (BYTES.astype(np.float32), BYTES),
        (BYTES.astype(np.float32) / 255, BYTES),
        (BYTES.astype(np.float64) / 255, BYTES),
        ((BYTES.astype(np.float64) / 255).astype(np.float16), BYTES),
    ],
)
def test_every_clear_convention_gives_the_same_bytes(array, expected):
    understood = as_pixels(array, "example")
    assert understood.dtype == np.uint8
    np.testing.assert_array_equal(understood, expected)


@given(st.integers(0, 255))
def test_a_byte_divided_by_255_comes_back_as_itself(value):
    array = np.full((1, 2, 2), value / 255, np.float32)
    assert as_pixels(array, "example").flatten().tolist() == [value] * 4


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ((BYTES.astype(np.float32) / 255 - 0.5) / 0.25, "already normalised"),
        (BYTES.astype(np.float32) / 255 * 0.7123, "already normalised"),
        (BYTES.astype(np.int64) + 200, "integers from 0 to 255"),
        (np.full((2, 4, 4), np.nan), "NaN"),
        (np.zeros((2, 4, 4), bool), "pixels of type bool"),
        (np.zeros((2, 784), np.uint8), "is not images"),
        (np.zeros((2, 8, 8, 4), np.uint8), "is not images"),
        (np.zeros((2, 3, 8, 3), np.uint8), "too small to tell"),
    ],
)
def test_pixels_that_would_have_to_be_guessed_are_refused(array, message):
    with pytest.raises(ImageLayoutError, match=message):
        as_pixels(array, "example")


def test_a_column_of_labels_is_a_list_of_labels():
    np.testing.assert_array_equal(as_labels(np.array([[4], [2]], np.uint8), "example"), [4, 2])


@pytest.mark.parametrize("labels", [np.zeros(6), np.eye(6, dtype=int), np.array(list("abcdef"))])
def test_labels_that_are_not_one_integer_each_are_refused(labels):
    with pytest.raises(LabelError, match="labels of arrays in memory"):
        open_images((BYTES, labels))


def test_another_number_of_labels_than_images_is_refused():
    with pytest.raises(LabelError, match="6 images and 5 labels"):
        open_images((BYTES, np.zeros(5, int)))
