import numpy as np
from sklearn.datasets import load_digits

from lenslab.units.images import open_images


def contents(name: str) -> list[str]:
    return [content for block in open_images(name).blocks(500) for content in block.contents]


def test_the_two_parts_share_no_picture_and_are_all_digits():
    held_out, training = contents("digits"), contents("digits-train")
    assert not set(held_out) & set(training)
    assert len(held_out) + len(training) == 1797
    assert 0.3 < len(held_out) / 1797 < 0.37


def test_the_values_0_to_16_are_scaled_to_bytes():
    values, labels = load_digits(return_X_y=True)
    images = open_images("digits")
    first = next(images.blocks(1))
    matches = [(np.rint(value * 255 / 16) == first.pixels[0].flatten()).all() for value in values]
    assert sum(matches) == 1
    assert labels[matches.index(True)] == images.labels[0]


def test_every_digit_is_held_out_at_least_forty_times():
    assert np.bincount(open_images("digits").labels).min() >= 40
