import dataclasses

import numpy as np
import pandas as pd
import pytest

from lenslab.runs.attributes.activation_statistics import class_means
from lenslab.runs.attributes.selectivity import class_selectivity
from lenslab.runs.statistics import drawn_drops, drawn_selectivity, image_draws
from lenslab.runs.statistics.accuracy_drops import half_drops, heldout_class_drop, max_class_drop, overall_drop
from lenslab.runs.statistics.bootstrap import (
    UnitMeasures,
    bootstrap_half_selectivity,
    bootstrap_measures,
    half_selectivity,
    unit_measures,
)
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.image_draws import draw_images
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def by_resampled_frames(seen, drawn):
    """The figures of one replicate the slow way: every drawn image written down as an image of its own."""
    rows = np.repeat(np.arange(len(drawn)), drawn.astype(int))
    flips = [
        (unit, row, before, after, draw)
        for unit, image, before, after, draw in zip(
            seen.unit, seen.image, seen.before, seen.after, seen.draw, strict=True
        )
        for row in np.flatnonzero(rows == image)
    ]
    frame = pd.DataFrame(flips, columns=["unit", "image", "before", "after", "draw"])
    images = images_frame(seen.labels[rows], half=np.array(["A", "B"])[seen.half[rows]])
    return observe(frame, images, seen.activations[rows], classes=seen.classes, draws=seen.draws)


def several_draws(random):
    """Observations over three draws, the thirds of which have no exact binary fraction."""
    return planted_observations(random, np.full((6, 4), 0.3), np.full((6, 4), 0.5), per_class=16, draws=3)


def uneven_classes(random):
    """Classes of one to many images, so that some lack a half, and one has none."""
    seen = random_observations(random, images=90, classes=9)
    labels = np.array([0, 0, 0, 1, 1, 2, 3, 5, 8])[seen.labels]
    truth = labels[seen.image]
    return dataclasses.replace(seen, labels=labels, change=(seen.before == truth).astype(int) - (seen.after == truth))


def around_zero(random):
    """Activations below 0 as well, of which some class means are."""
    seen = random_observations(random)
    return dataclasses.replace(seen, activations=seen.activations - 0.48)


@pytest.mark.parametrize("made", [random_observations, several_draws, uneven_classes, around_zero])
def test_a_replicate_equals_the_figures_of_the_drawn_images(made):
    seen = made(np.random.default_rng(0))
    draws = np.concatenate(list(draw_images(seen, replicates=5, seed=3)))
    found = bootstrap_measures(seen, replicates=5, seed=3)
    selectivity = bootstrap_half_selectivity(seen, replicates=5, seed=3)
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
        assert found.class_selectivity[number] == pytest.approx(class_selectivity(means), nan_ok=True)
        half = np.repeat(seen.half, drawn.astype(int)) == 1
        means = class_means(activations[half], labels[half], classes=seen.classes)
        assert selectivity[number, 1] == pytest.approx(class_selectivity(means), nan_ok=True)
    assert np.isnan(found.class_selectivity).any() == (seen.activations.min() < 0)


def test_the_draws_of_a_seed_are_those_of_its_first_sequence():
    seen = random_observations(np.random.default_rng(0), images=11)
    (drawn,) = draw_images(seen, replicates=3, seed=5)
    random = np.random.default_rng(5).random((3, 11), dtype=np.float32)
    for row, chances in zip(drawn, random, strict=True):
        times = np.zeros(11)
        order = np.argsort(seen.stratum, kind="stable")
        for place, chance in zip(order, chances, strict=True):
            members = np.flatnonzero(seen.stratum == seen.stratum[place])
            times[members[int(chance * len(members))]] += 1
        assert row.tolist() == times.tolist()


def test_each_half_has_its_own_selectivity():
    seen = random_observations(np.random.default_rng(0))
    found = half_selectivity(seen)
    for half in (0, 1):
        own = seen.half == half
        means = class_means(seen.activations[own], seen.labels[own], classes=seen.classes)
        assert found[half] == pytest.approx(class_selectivity(means))
    assert found[0] != pytest.approx(found[1])


def test_blocks_do_not_change_the_replicates(monkeypatch):
    seen = random_observations(np.random.default_rng(0))
    whole = bootstrap_measures(seen, replicates=7, seed=0)
    monkeypatch.setattr(image_draws, "_CHUNK", 3 * 60)
    monkeypatch.setattr(drawn_drops, "_BLOCK", 1)
    monkeypatch.setattr(drawn_selectivity, "_BLOCK", 1)
    assert len(list(draw_images(seen, replicates=7, seed=0))) == 3
    blocks = bootstrap_measures(seen, replicates=7, seed=0)
    for field in dataclasses.fields(UnitMeasures):
        assert getattr(whole, field.name) == pytest.approx(getattr(blocks, field.name), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("made", [random_observations, several_draws])
def test_what_is_observed_are_the_figures_of_the_counts(made):
    seen = made(np.random.default_rng(1))
    counts, found = count_flips(seen), unit_measures(seen)
    assert (found.max_class_drop == max_class_drop(counts.net, counts.images)[0]).all()
    assert (found.heldout_ways == heldout_class_drop(counts.net, counts.images).drop).all()
    assert found.half_accuracy_drop == pytest.approx(half_drops(counts.net, counts.images), abs=1e-15)


def test_the_order_of_the_images_changes_no_drop():
    random = np.random.default_rng(0)
    seen = random_observations(random)
    place = random.permutation(len(seen.labels))
    rows = np.argsort(place)
    moved = dataclasses.replace(
        seen,
        image=place[seen.image],
        activations=seen.activations[rows],
        **{name: getattr(seen, name)[rows] for name in ("numbers", "labels", "half", "predictions")},
    )
    first, second = unit_measures(seen), unit_measures(moved)
    assert not np.array_equal(seen.image, moved.image)
    for field in dataclasses.fields(UnitMeasures):
        assert getattr(first, field.name) == pytest.approx(getattr(second, field.name), abs=1e-12)
    assert (first.max_class_drop == second.max_class_drop).all()


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
    assert bootstrap_measures(seen, replicates=4, seed=0).accuracy_drop == pytest.approx(np.mean(single, axis=0))


def test_the_drops_of_the_halves_alone_are_those_of_all_measures():
    seen = several_draws(np.random.default_rng(0))
    (drawn,) = draw_images(seen, replicates=5, seed=3)
    expected = bootstrap_measures(seen, replicates=5, seed=3).half_accuracy_drop
    assert drawn_drops.drawn_half_drops(seen, drawn) == pytest.approx(expected, abs=1e-15)


def test_a_class_with_images_in_one_half_is_never_chosen():
    labels, half = [0, 0, 0, 0, 1], ["A", "B", "A", "B", "A"]
    flips = flips_frame([(0, 0, 0, 1), (0, 1, 0, 1), (0, 4, 1, 0)])
    seen = observe(flips, images_frame(labels, half), np.ones((5, 1)), classes=2)
    assert unit_measures(seen).heldout_ways.tolist() == [[0.5], [0.5]]
    assert unit_measures(seen).max_class_drop.tolist() == [1.0]


def test_one_image_per_class_has_no_heldout_replicates():
    seen = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1, 2]), np.ones((3, 2)), classes=3)
    assert np.isnan(bootstrap_measures(seen, replicates=3, seed=0).heldout_max_class_drop).all()
