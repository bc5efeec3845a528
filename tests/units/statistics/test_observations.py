import numpy as np
import pytest

from lenslab.records import BrokenRecordError
from lenslab.units.errors import LabelError
from lenslab.units.statistics.observations import observe
from tests.units.statistics.planting import flips_frame, images_frame


def test_a_flip_between_two_wrong_classes_changes_no_count():
    seen = observe(flips_frame([(0, 0, 1, 2), (0, 1, 0, 1)]), images_frame([0, 0]), np.ones((2, 1)), classes=3)
    assert seen.image.tolist() == [1]
    assert seen.change.tolist() == [1]


def test_images_are_found_by_number_and_not_by_row():
    images = images_frame([0, 1, 2]).assign(image=[30, 10, 20])
    seen = observe(flips_frame([(0, 20, 2, 0), (0, 30, 1, 0)]), images, np.ones((3, 1)), classes=3)
    assert seen.image.tolist() == [2, 0]
    assert seen.change.tolist() == [1, -1]


def test_images_of_each_half_and_class_are_counted():
    seen = observe(flips_frame([]), images_frame([0, 0, 0, 2]), np.ones((4, 1)), classes=3)
    assert seen.images.tolist() == [[2, 0, 1], [1, 0, 0]]


def test_a_label_without_a_logit_is_refused():
    with pytest.raises(LabelError, match="labels run from 0 to 5, but the network tells 3 apart"):
        observe(flips_frame([]), images_frame([0, 5]), np.ones((2, 1)), classes=3)


def test_a_flip_of_an_unknown_image_is_refused():
    with pytest.raises(BrokenRecordError, match="names image 7"):
        observe(flips_frame([(0, 7, 0, 1)]), images_frame([0, 1]), np.ones((2, 1)), classes=2)


def test_a_flip_of_an_unknown_unit_is_refused():
    with pytest.raises(BrokenRecordError, match="units 4 to 4, but there are 1"):
        observe(flips_frame([(4, 0, 0, 1)]), images_frame([0, 1]), np.ones((2, 1)), classes=2)


def test_activations_of_another_number_of_images_are_refused():
    with pytest.raises(BrokenRecordError, match="2 images but activations of shape"):
        observe(flips_frame([]), images_frame([0, 1]), np.ones((3, 1)), classes=2)
