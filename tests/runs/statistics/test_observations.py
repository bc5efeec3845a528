import numpy as np
import pandas as pd
import pytest

from lenslab.records import BrokenRecordError
from lenslab.runs.errors import LabelError
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.observations import align_attributes, observe
from tests.runs.statistics.planting import flips_frame, images_frame


def test_a_flip_between_two_wrong_classes_changes_no_count():
    seen = observe(flips_frame([(0, 0, 1, 2), (0, 1, 0, 1)]), images_frame([0, 0]), np.ones((2, 1)), classes=3)
    assert seen.change.tolist() == [0, 1]
    counts = count_flips(seen)
    assert (counts.losses.sum(), counts.gains.sum()) == (1, 0)


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


@pytest.mark.parametrize(
    ("draws", "draw", "said"), [(2, 2, "draws 2 to 2, but there are 2"), (1, -1, "draws -1 to -1")]
)
def test_a_flip_of_an_unknown_draw_is_refused(draws, draw, said):
    flips = flips_frame([(0, 0, 0, 1)]).assign(draw=draw)
    with pytest.raises(BrokenRecordError, match=said):
        observe(flips, images_frame([0, 1]), np.ones((2, 1)), classes=2, draws=draws)


def test_flips_of_several_draws_must_say_which():
    with pytest.raises(BrokenRecordError, match="there are 3 draws, but the flips do not say which"):
        observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1]), np.ones((2, 1)), classes=2, draws=3)


@pytest.mark.parametrize("units", [[0], [0, 0], [0, 2], [0, 1, 2]])
def test_attributes_of_other_units_are_refused(units):
    seen = observe(flips_frame([]), images_frame([0, 1]), np.ones((2, 2)), classes=2)
    with pytest.raises(BrokenRecordError, match="the site has units 0 to 1; give one row for each"):
        align_attributes(pd.DataFrame({"unit": units}), seen)
