import numpy as np
import pytest
from scipy.stats import binomtest

from lenslab.runs.statistics.accuracy_drops import heldout_class_drop
from lenslab.runs.statistics.drop_tests import class_p_values, heldout_p_values, overall_p_values, overall_spread
from lenslab.runs.statistics.flip_counts import count_flips, count_flips_by_draw
from lenslab.runs.statistics.hypothesis_tests import mcnemar
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def test_with_one_draw_the_tests_are_mcnemars():
    seen = random_observations(np.random.default_rng(0), images=200)
    counts = count_flips(seen)
    losses, gains = counts.losses.sum(axis=0), counts.gains.sum(axis=0)
    assert (overall_p_values(seen) == mcnemar(losses.sum(axis=1), gains.sum(axis=1))).all()
    assert (class_p_values(seen) == mcnemar(losses, gains)).all()
    assert np.isnan(overall_spread(seen)).all()


def test_with_several_draws_twice_the_mean_counts():
    random = np.random.default_rng(0)
    seen = planted_observations(random, np.full((2, 2), 0.05), np.full((2, 2), 0.05), per_class=50, draws=3)
    parts = [mcnemar(part.losses.sum(axis=0), part.gains.sum(axis=0)) for part in count_flips_by_draw(seen)]
    assert parts[0].tolist() != parts[1].tolist()
    assert class_p_values(seen) == pytest.approx(np.minimum(1, 2 * np.mean(parts, axis=0)))


def test_the_spread_is_that_of_the_draws_drops():
    random = np.random.default_rng(0)
    seen = planted_observations(random, np.full((2, 2), 0.1), np.full((2, 2), 0.1), per_class=50, draws=4)
    drops = [(part.losses - part.gains).sum(axis=(0, 2)) / 100 for part in count_flips_by_draw(seen)]
    assert overall_spread(seen) == pytest.approx(np.std(drops, axis=0, ddof=1))
    assert (overall_spread(seen) > 0).all()


def test_the_class_of_one_half_is_tested_on_the_other():
    # Half A (even images) loses class 1 most, half B class 0: each is read where it did not win.
    images = images_frame([0, 0, 0, 0, 1, 1, 1, 1], half=list("ABABABAB"))
    flips = flips_frame([(0, 4, 1, 0), (0, 6, 1, 0), (0, 0, 0, 1), (0, 5, 1, 0), (0, 1, 0, 1), (0, 3, 0, 1)])
    seen = observe(flips, images, np.ones((8, 1)), classes=2)
    counts = count_flips(seen)
    heldout = heldout_class_drop(counts.net, counts.images)
    assert heldout.label.tolist() == [[1], [0]]
    expected = binomtest(1, 1, alternative="greater").pvalue  # one loss of class 1 on B, one of class 0 on A
    assert heldout_p_values(seen, heldout).tolist() == [[expected], [expected]]


def test_without_a_class_in_both_halves_nothing_is_tested():
    seen = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1]), np.ones((2, 2)), classes=2)
    counts = count_flips(seen)
    assert np.isnan(heldout_p_values(seen, heldout_class_drop(counts.net, counts.images))).all()
