import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import precision_score

from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.precision_drops import precision_drops
from tests.runs.statistics.planting import flips_frame, images_frame, random_observations


def one_unit(labels, before, after, classes):
    changed = np.flatnonzero(before != after)
    flips = pd.DataFrame({"unit": 0, "image": changed, "before": before[changed], "after": after[changed]})
    images = images_frame(labels).assign(prediction=before)
    return observe(flips, images, np.ones((len(labels), 1)), classes=classes)


def test_the_drop_is_that_of_scikit_learns_precision():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=5, images=200, classes=4)
    found = precision_drops(seen)
    assert np.ptp(found.drop) > 0.01
    for unit in range(5):
        after = seen.predictions.copy()
        ours = seen.unit == unit
        after[seen.image[ours]] = seen.after[ours]
        before, again = (
            precision_score(seen.labels, predicted, average=None) for predicted in (seen.predictions, after)
        )
        assert found.drop[unit] == pytest.approx(before - again)
    assert (found.low < found.drop).all()
    assert (found.drop < found.high).all()


def test_a_class_that_nothing_is_called_has_no_precision():
    labels, before = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 0])
    seen = one_unit(labels, before, np.array([0, 0, 0, 0]), 3)
    found = precision_drops(seen)
    assert found.drop[0].round(9).tolist()[:1] == [round(2 / 3 - 2 / 4, 9)]
    assert np.isnan(found.drop[0, 1:]).all()  # class 1 is called by none after, class 2 by none before
    assert np.isnan([found.low[0, 1:], found.high[0, 1:]]).all()


def test_without_predictions_there_is_no_precision():
    assert precision_drops(observe(flips_frame([]), images_frame([0, 1]), np.ones((2, 1)), classes=2)) is None


def test_no_change_is_a_drop_of_zero_with_a_width_that_images_shrink():
    widths = []
    for images in (50, 500):
        labels = np.arange(images) % 2
        found = precision_drops(one_unit(labels, labels, labels, 2))
        assert (found.drop == 0).all()
        widths.append((found.high - found.low).max())
    assert 0 < widths[1] < widths[0] / 5


def test_images_that_stay_make_the_interval_narrower_than_two_precisions_apart():
    labels = np.arange(400) % 2
    before = np.where(np.arange(400) % 10 < 3, 1 - labels, labels)  # seven in ten are right
    after = before.copy()
    after[:4] = 0
    found = precision_drops(one_unit(labels, before, after, 2))
    apart = 2 * norm.isf(0.025) * np.sqrt(2 * 0.7 * 0.3 / 200)
    assert (found.high - found.low > 0.01).all()
    assert (found.high - found.low < apart / 2).all()


def test_draws_that_agree_give_the_drop_of_one_draw():
    labels, before, after = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([1, 0, 1, 1])
    once = one_unit(labels, before, after, 2)
    flips = pd.DataFrame({"unit": 0, "image": 0, "draw": range(3), "before": 0, "after": 1})
    images = images_frame(labels).assign(prediction=before)
    thrice = observe(flips, images, np.ones((4, 1)), classes=2, draws=3)
    assert precision_drops(thrice).drop.tolist() == precision_drops(once).drop.tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "right", "stay"),
    [
        (100, 0.9, 0.95),
        *(pytest.param(*case, marks=pytest.mark.thorough) for case in [(300, 0.99, 0.99), (600, 0.7, 0.8)]),
    ],
)
def test_the_drop_of_precision_is_covered(images, right, stay):
    random = np.random.default_rng(0)

    def draw(count):
        labels = random.integers(0, 4, count)
        before = np.where(random.random(count) < right, labels, random.integers(0, 4, count))
        to = np.where(random.random(count) < 0.5, 0, random.integers(0, 4, count))
        return labels, before, np.where(random.random(count) < stay, before, to)

    labels, before, after = draw(1_000_000)
    first, second = (precision_score(labels, predicted, average=None) for predicted in (before, after))
    truth = first - second
    assert truth[0] > 0.01
    found = [precision_drops(one_unit(*draw(images), 4)) for _ in range(400)]
    holds = np.array([(one.low[0] <= truth) & (truth <= one.high[0]) for one in found])
    assert (holds.mean(axis=0) >= 0.93).all()
