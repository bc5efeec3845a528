import dataclasses

import numpy as np
import pytest

from lenslab.runs.attributes.activation_statistics import class_means
from lenslab.runs.attributes.selectivity import class_selectivity
from lenslab.runs.statistics import bootstrap
from lenslab.runs.statistics.accuracy_drops import half_drops, heldout_class_drop, max_class_drop, overall_drop
from lenslab.runs.statistics.bootstrap import UnitMeasures, bootstrap_measures, bootstrap_net_losses, unit_measures
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def by_resampled_frames(seen, drawn):
    """The figures of one replicate the slow way: every drawn image written down as an image of its own."""
    rows = np.repeat(np.arange(len(drawn)), drawn.astype(int))
    flips = [
        (unit, row, before, after)
        for unit, image, before, after in zip(seen.unit, seen.image, seen.before, seen.after, strict=True)
        for row in np.flatnonzero(rows == image)
    ]
    images = images_frame(seen.labels[rows], half=np.array(["A", "B"])[seen.half[rows]])
    return observe(flips_frame(flips), images, seen.activations[rows], classes=seen.classes)


def test_a_replicate_equals_the_figures_of_the_drawn_images():
    seen = random_observations(np.random.default_rng(0))
    draws = np.concatenate(list(bootstrap._draws(seen, 5, 3)))
    found = bootstrap_measures(seen, replicates=5, seed=3)
    assert len(np.unique(found.accuracy_drop[:, 0])) > 1
    for number, drawn in enumerate(draws):
        counts = count_flips(by_resampled_frames(seen, drawn))
        assert (counts.images == seen.images).all()
        heldout = heldout_class_drop(counts.net, counts.images)
        assert found.accuracy_drop[number] == pytest.approx(overall_drop(counts.net, counts.images))
        assert found.max_class_drop[number] == pytest.approx(max_class_drop(counts.net, counts.images)[0])
        assert found.half_accuracy_drop[number] == pytest.approx(half_drops(counts.net, counts.images))
        assert found.heldout_ways[number] == pytest.approx(heldout.drop)
        assert found.heldout_max_class_drop[number] == pytest.approx(heldout.mean)
        labels = seen.labels[np.repeat(np.arange(len(drawn)), drawn.astype(int))]
        activations = np.repeat(seen.activations, drawn.astype(int), axis=0)
        means = class_means(activations, labels, classes=seen.classes)
        assert found.class_selectivity[number] == pytest.approx(class_selectivity(means))


def test_each_half_has_its_own_selectivity():
    seen = random_observations(np.random.default_rng(0))
    found = unit_measures(seen).half_class_selectivity
    for half in (0, 1):
        own = seen.half == half
        means = class_means(seen.activations[own], seen.labels[own], classes=seen.classes)
        assert found[half] == pytest.approx(class_selectivity(means))
    assert found[0] != pytest.approx(found[1])


def test_chunks_do_not_change_the_replicates(monkeypatch):
    seen = random_observations(np.random.default_rng(0))
    whole = bootstrap_measures(seen, replicates=7, seed=0)
    monkeypatch.setattr(bootstrap, "_CHUNK", 3 * 60)
    assert len(list(bootstrap._draws(seen, 7, 0))) == 3
    chunked = bootstrap_measures(seen, replicates=7, seed=0)
    for field in dataclasses.fields(UnitMeasures):
        assert getattr(whole, field.name) == pytest.approx(getattr(chunked, field.name), rel=1e-5, nan_ok=True)


def test_the_spread_of_replicates_is_that_of_a_binomial_drop():
    random = np.random.default_rng(0)
    lost = np.flatnonzero(random.random(2000) < 0.1)
    flips = flips_frame([(0, image, 0, 1) for image in lost])
    seen = observe(flips, images_frame([0] * 2000), np.ones((2000, 1)), classes=2)
    share = len(lost) / 2000
    spread = bootstrap_measures(seen, replicates=2000, seed=0).accuracy_drop.std()
    assert spread == pytest.approx(np.sqrt(share * (1 - share) / 2000), rel=0.05)


def test_a_replicate_over_draws_is_the_average_of_its_draws():
    random = np.random.default_rng(0)
    seen = planted_observations(random, np.full((3, 2), 0.3), np.full((3, 2), 0.3), per_class=20, draws=3)
    single = []
    for draw in range(3):
        ours = seen.draw == draw
        parts = {name: getattr(seen, name)[ours] for name in ("unit", "image", "before", "after", "change")}
        alone = dataclasses.replace(seen, **parts, draw=np.zeros(ours.sum(), int), draws=1)
        single.append(bootstrap_measures(alone, replicates=4, seed=0).accuracy_drop)
    assert single[0] != pytest.approx(single[1])
    assert bootstrap_measures(seen, replicates=4, seed=0).accuracy_drop == pytest.approx(
        np.mean(single, axis=0), abs=1e-6
    )


def test_the_nets_are_those_behind_the_replicates():
    seen = random_observations(np.random.default_rng(0))
    nets = np.concatenate(list(bootstrap_net_losses(seen, replicates=5, seed=3)))
    expected = bootstrap_measures(seen, replicates=5, seed=3).half_accuracy_drop
    assert half_drops(nets, seen.images) == pytest.approx(expected)


def test_one_image_per_class_has_no_heldout_replicates():
    seen = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1, 2]), np.ones((3, 2)), classes=3)
    assert np.isnan(bootstrap_measures(seen, replicates=3, seed=0).heldout_max_class_drop).all()
