import numpy as np
import pytest
from scipy.stats import t

from lenslab.runs.statistics.score_changes import (
    MEASURES,
    ScoreSums,
    class_score_means,
    unit_score_errors,
    unit_score_means,
)


def sums_of(differences, labels, classes):
    """Sums of differences of shape ``[3, units, images]``."""
    total, squares = (np.zeros((3, differences.shape[1], classes)) for _ in range(2))
    for label in range(classes):
        ours = differences[..., labels == label]
        total[..., label], squares[..., label] = ours.sum(axis=-1), (ours**2).sum(axis=-1)
    return ScoreSums(total, squares)


def test_means_and_errors_are_those_of_the_differences():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 50)
    differences = random.normal(1, 2, (3, 4, 50))
    sums, images = sums_of(differences, labels, 3), np.bincount(labels)
    assert unit_score_means(sums, images).mean == pytest.approx(differences.mean(axis=-1))
    assert unit_score_errors(sums, images) == pytest.approx(differences.std(axis=-1, ddof=1) / np.sqrt(50))
    classes = class_score_means(sums, images)
    for label in range(3):
        assert classes.mean[..., label] == pytest.approx(differences[..., labels == label].mean(axis=-1))
    assert MEASURES == ("loss_rise", "logit_drop", "margin_drop")


def test_with_many_images_that_differ_the_interval_is_students():
    random = np.random.default_rng(0)
    values = random.normal(5, 1, 400)
    sums = sums_of(np.tile(values, (3, 1, 1)), np.zeros(400, int), 1)
    found = class_score_means(sums, [400], confidence=0.9)
    low, high = t.interval(0.9, 399, loc=values.mean(), scale=values.std(ddof=1) / 20)
    assert found.low[0, 0, 0] == pytest.approx(low)
    assert found.high[0, 0, 0] == pytest.approx(high, rel=1e-3)
    assert found.high[0, 0, 0] > high


def test_the_interval_turns_round_with_the_sign():
    values = np.random.default_rng(0).gamma(0.3, 1, (3, 2, 60))
    one, other = (unit_score_means(sums_of(sign * values, np.zeros(60, int), 1), [60]) for sign in (1, -1))
    assert other.low == pytest.approx(-one.high)
    assert other.high == pytest.approx(-one.low)


def test_only_where_every_difference_is_zero_is_there_no_width():
    never, once, always = np.zeros(20), np.eye(20)[0], np.ones(20)
    differences = np.tile(np.stack([never, once, always]), (3, 1, 1))
    found = unit_score_means(sums_of(differences, np.zeros(20, int), 1), [20])
    width = found.high - found.low
    assert (width[:, 0] == 0).all()
    assert (found.mean[:, 0] == 0).all()
    assert (width[:, 1] > 0.1).all()
    assert (width[:, 2] > 0).all()


def test_one_image_has_a_mean_and_no_interval():
    sums = ScoreSums(np.full((3, 1, 2), 0.5), np.full((3, 1, 2), 0.25))
    found = class_score_means(sums, [1, 0])
    assert found.mean[0, 0, 0] == 0.5
    assert np.isnan([found.low[0, 0, 0], found.high[0, 0, 0]]).all()
    assert np.isnan([found.mean[0, 0, 1], found.low[0, 0, 1], found.high[0, 0, 1]]).all()


def test_sums_add_over_disjoint_images():
    random = np.random.default_rng(0)
    labels, differences = random.integers(0, 2, 30), random.normal(size=(3, 2, 30))
    whole = sums_of(differences, labels, 2)
    parts = sums_of(differences[..., :11], labels[:11], 2) + sums_of(differences[..., 11:], labels[11:], 2)
    assert parts.total == pytest.approx(whole.total)
    assert parts.squares == pytest.approx(whole.squares)


def held(differences, truth):
    """How often the interval of each row's mean holds the truth, of the rows in which an image differs."""
    sums = ScoreSums(differences.sum(axis=1)[None, :, None], (differences**2).sum(axis=1)[None, :, None])
    found = class_score_means(sums, [differences.shape[1]])
    seen = (differences != 0).any(axis=1)
    return np.mean(((found.low <= truth) & (truth <= found.high)).ravel()[seen])


SIZES = {
    "equal": (lambda random, shape: np.broadcast_to(random.permutation(1) + 1.0, shape), 1.0),
    "exponential": (lambda random, shape: random.exponential(1, shape), 1.0),
    "lognormal": (lambda random, shape: random.lognormal(0, 1, shape), np.exp(0.5)),
}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("images", "expected"), [(40, 5), (40, 8), (200, 5), (200, 20), (1000, 50)])
def test_skewed_and_sparse_differences_are_covered_from_five_images_on(sizes, images, expected):
    random = np.random.default_rng(0)
    draw, mean = SIZES[sizes]
    shape = (2000, images)
    differences = (random.random(shape) < expected / images) * draw(random, shape)
    assert held(differences, mean * expected / images) >= 0.93


@pytest.mark.parametrize("images", [20, 100, 1000])
def test_dense_differences_are_covered_with_and_without_skew(images):
    random = np.random.default_rng(0)
    shape = (2000, images)
    assert held(random.normal(0, 1, shape), 0) >= 0.93
    assert held(random.normal(0.1, 1, shape), 0.1) >= 0.93
    assert held(random.lognormal(0, 1, shape), np.exp(0.5)) >= 0.925


def test_differences_of_both_signs_are_covered_from_twenty_images_on():
    random = np.random.default_rng(0)
    differences = (random.random((2000, 200)) < 0.1) * random.normal(0.5, 1, (2000, 200))
    assert held(differences, 0.05) >= 0.93


def test_below_five_images_the_interval_fails_as_its_documentation_says():
    random = np.random.default_rng(0)
    differences = (random.random((4000, 200)) < 3 / 200) * random.exponential(1, (4000, 200))
    assert 0.89 <= held(differences, 3 / 200) < 0.94


def test_draws_that_agree_give_the_interval_of_one_draw():
    random = np.random.default_rng(0)
    sums = sums_of(random.gamma(0.5, 1, (3, 2, 40)), np.arange(40) % 2, 2)
    thrice = ScoreSums(3 * sums.total, 3 * sums.squares)
    for means in (unit_score_means, class_score_means):
        one, three = means(sums, [20, 20]), means(thrice, [20, 20], draws=3)
        assert three.mean == pytest.approx(one.mean)
        assert three.low == pytest.approx(one.low)
        assert three.high == pytest.approx(one.high)


def test_several_draws_are_covered_as_one():
    random = np.random.default_rng(0)
    images, draws = 100, 5
    own = random.gamma(0.5, 1, (1500, images, 1))  # each image has its own expected difference
    differences = own * random.exponential(1, (1500, images, draws))
    sums = ScoreSums(differences.sum(axis=(1, 2))[None, :, None], (differences**2).sum(axis=(1, 2))[None, :, None])
    found = class_score_means(sums, [images], draws=draws)
    assert found.mean[0, :, 0] == pytest.approx(differences.mean(axis=(1, 2)))
    assert np.mean((found.low <= 0.5) & (found.high >= 0.5)) >= 0.93
