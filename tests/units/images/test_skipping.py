import numpy as np
import pytest

from lenslab.units.errors import ImageLayoutError, LabelError, UndecodableImageError
from lenslab.units.images import Images, open_images
from tests.units.images.test_parquet import ENCODED, LABELS, write

BROKEN = (0, 6, 7, 8, 22)


@pytest.fixture
def damaged(tmp_path) -> Images:
    encoded = [content[:40] if number in BROKEN else content for number, content in enumerate(ENCODED)]
    return open_images(write(tmp_path / "mine.parquet", encoded), on_error="skip")


@pytest.fixture
def whole(tmp_path) -> Images:
    return open_images(write(tmp_path / "whole.parquet"))


def test_broken_pictures_are_counted_and_named_with_their_numbers(damaged):
    assert tuple(skipped.number for skipped in damaged.skipped) == BROKEN
    assert all(
        f"row {skipped.number} of {damaged.source} does not decode: " in skipped.reason for skipped in damaged.skipped
    )


@pytest.mark.parametrize("size", [1, 2, 3, 23, 50])
def test_the_others_keep_their_numbers_labels_and_contents(damaged, whole, size):
    (everything,) = whole.blocks(23)
    seen = {}
    for block in damaged.blocks(size):
        assert len(block.numbers) == len(block.labels) == len(block)
        for number, content, label in zip(block.numbers, block.contents, block.labels, strict=True):
            seen[int(number)] = (content, label)
    assert seen == {
        number: (everything.contents[number], LABELS[number]) for number in range(23) if number not in BROKEN
    }


def test_blocks_begin_where_they_would_without_broken_pictures(damaged, whole):
    for start in (0, 5):
        places = [(block.start, block.stop) for block in whole.blocks(3, start=start)]
        assert [(block.start, block.stop) for block in damaged.blocks(3, start=start)] == places
    assert [len(block) for block in damaged.blocks(3)] == [2, 3, 0, 3, 3, 3, 3, 1]


def test_count_and_hash_are_those_of_the_source(damaged):
    stopping = open_images(damaged.source)
    assert len(damaged) == len(stopping) == 23
    assert damaged.sha256 == stopping.sha256


def test_without_skipping_the_first_broken_picture_ends_the_reading(damaged):
    stopping = open_images(damaged.source)
    blocks = stopping.blocks(3, start=1)
    assert next(blocks).stop == 4
    with pytest.raises(UndecodableImageError, match="row 6 of"):
        list(blocks)
    with pytest.raises(UndecodableImageError, match="row 0 of"):
        stopping.first()


def test_the_first_picture_that_decodes_is_found(damaged, whole):
    np.testing.assert_array_equal(damaged.first(), list(whole.blocks(1))[1].pixels[0])


def test_pictures_of_which_none_decodes_are_refused_with_the_first_reason(tmp_path):
    images = open_images(write(tmp_path / "mine.parquet", [b"x"] * 3, LABELS[:3]), on_error="skip")
    with pytest.raises(UndecodableImageError, match=r"none of the 3 images of .* decodes; the first: row 0 of"):
        images.first()


def test_a_limit_counts_broken_pictures_too(damaged):
    limited = damaged.limited(8)
    assert [skipped.number for skipped in limited.skipped] == [0, 6, 7]
    assert sum(len(block) for block in limited.blocks(3)) == 5


def test_images_that_are_open_can_be_skipped_afterwards(damaged):
    stopping = open_images(damaged.source)
    assert open_images(stopping).on_error == "raise"
    assert open_images(stopping, on_error="skip").skipped == damaged.skipped
    assert open_images(damaged).on_error == "skip"
    with pytest.raises(ImageLayoutError, match="on_error is 'ignore'; give 'raise' or 'skip'"):
        open_images(damaged, on_error="ignore")


def test_skipping_forgives_no_label(tmp_path):
    with pytest.raises(LabelError, match="image 2 of"):
        open_images(write(tmp_path / "mine.parquet", ENCODED[:3], [0, 1, -1]), on_error="skip")


def test_whole_sources_skip_nothing(whole):
    assert whole.skipping().skipped == ()
    assert whole.skipped == ()
