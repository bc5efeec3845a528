import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.statistics.accuracy_drops import (
    class_drops,
    half_drops,
    heldout_class_drop,
    max_class_drop,
    overall_drop,
)
from lenslab.runs.statistics.flip_counts import count_flips
from tests.runs.statistics.planting import random_observations

# Two halves, one unit, three classes: 10 images each in A, 20, 20 and 0 in B.
NET = np.array([[[5, 1, 0]], [[1, 4, 0]]])
IMAGES = np.array([[10, 10, 10], [20, 20, 0]])


def test_the_overall_drop_is_net_losses_over_all_images():
    assert overall_drop(NET, IMAGES).tolist() == [11 / 70]


def test_a_gain_makes_a_negative_drop():
    assert overall_drop(-NET, IMAGES).tolist() == [-11 / 70]


def test_the_drop_of_each_half():
    assert half_drops(NET, IMAGES).tolist() == [[6 / 30], [5 / 40]]


def test_the_drop_of_each_class_leaves_out_classes_without_images():
    found = class_drops(NET, np.array([[10, 10, 0], [20, 20, 0]]))
    assert found[0, :2].tolist() == [6 / 30, 5 / 30]
    assert np.isnan(found[0, 2])


def test_the_max_class_drop_names_its_class():
    drop, label = max_class_drop(NET, IMAGES)
    assert (drop.tolist(), label.tolist()) == ([6 / 30], [0])


def test_ties_go_to_the_lowest_label():
    _, label = max_class_drop(np.array([[[1, 2, 2]], [[0, 0, 0]]]), np.full((2, 3), 4))
    assert label.tolist() == [1]


def test_a_class_without_images_is_never_the_largest():
    drop, label = max_class_drop(np.array([[[0, -2]], [[0, 0]]]), np.array([[0, 4], [0, 4]]))
    assert (drop.tolist(), label.tolist()) == ([-0.25], [1])


def test_the_class_is_chosen_on_one_half_and_the_drop_read_on_the_other():
    found = heldout_class_drop(NET, IMAGES)
    assert found.label.tolist() == [[0], [1]]
    assert found.drop.tolist() == [[1 / 20], [1 / 10]]
    assert found.mean.tolist() == [(1 / 20 + 1 / 10) / 2]


def test_a_class_that_has_no_images_in_the_other_half_is_not_chosen():
    net = np.array([[[1, 0, 9]], [[1, 0, 0]]])
    assert heldout_class_drop(net, IMAGES).label.tolist() == [[0], [0]]


def test_one_image_per_class_has_no_heldout_drop():
    found = heldout_class_drop(np.array([[[1, 0]], [[0, 0]]]), np.array([[1, 1], [0, 0]]))
    assert np.isnan(found.mean).all()
    assert (found.label == -1).all()


def test_the_heldout_drop_of_pure_noise_is_not_biased_upward():
    random = np.random.default_rng(0)
    net = random.binomial(50, 0.1, (2, 2000, 10)) - random.binomial(50, 0.1, (2, 2000, 10))
    images = np.full((2, 10), 50)
    assert max_class_drop(net, images)[0].mean() > 0.05
    assert abs(heldout_class_drop(net, images).mean.mean()) < 0.003


@given(st.integers(0, 1000))
def test_permuting_units_permutes_the_drops(seed):
    random = np.random.default_rng(seed)
    counts = count_flips(random_observations(random))
    order = random.permutation(counts.net.shape[1])
    shuffled = counts.net[:, order]
    assert (overall_drop(shuffled, counts.images) == overall_drop(counts.net, counts.images)[order]).all()
    assert (max_class_drop(shuffled, counts.images)[1] == max_class_drop(counts.net, counts.images)[1][order]).all()
    found, expected = heldout_class_drop(shuffled, counts.images), heldout_class_drop(counts.net, counts.images)
    assert np.array_equal(found.drop, expected.drop[:, order], equal_nan=True)


def test_leading_axes_are_carried_along():
    stacked = np.stack([NET, 2 * NET])
    assert overall_drop(stacked, IMAGES).tolist() == [[11 / 70], [22 / 70]]
    assert heldout_class_drop(stacked, IMAGES).drop[0].tolist() == heldout_class_drop(NET, IMAGES).drop.tolist()
    assert max_class_drop(stacked, IMAGES)[0].tolist() == [[6 / 30], [12 / 30]]
