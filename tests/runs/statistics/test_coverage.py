"""Simulations: do the intervals hold, and the discoveries stay true, as often as they say?"""

import numpy as np
import pytest

from lenslab.runs.statistics.confidence_intervals import mean_interval, score_interval
from lenslab.runs.statistics.unit_tables import classes_table, units_table
from tests.runs.statistics.planting import planted_observations

pytestmark = pytest.mark.slow

DAMAGES = [(6, 3), *(pytest.param(*case, marks=pytest.mark.thorough) for case in [(0, 1), (6, 1)])]


def drawn(random, losses, gains, images):
    """Losses and gains of some images, from the chance of each."""
    chances = np.stack([losses, gains, 1 - losses - gains], axis=-1)
    return np.moveaxis(random.multinomial(images, chances), -1, 0)[:2]


@pytest.mark.crossed
@pytest.mark.parametrize("images", [50, 1000, 10_000])
@pytest.mark.parametrize("band", [(0, 0), (1, 2), (3, 9), (10, 49), (50, 250)])
def test_tangos_interval_holds_in_every_band_of_expected_flips(images, band):
    random = np.random.default_rng(0)
    flips = random.uniform(*band, 4000) / images
    if flips.max() > 0.9:
        return  # fifty images do not have so many
    share = random.choice([0.0, 0.5, 0.8, 1.0], 4000)
    losses, gains = flips * share, flips * (1 - share)
    low, high = score_interval(*drawn(random, losses, gains, images), images)
    held = (low <= losses - gains) & (losses - gains <= high)
    for kind in np.unique(share):
        assert held[share == kind].mean() >= 0.93


@pytest.mark.crossed
@pytest.mark.parametrize("draws", [2, 5, 20])
@pytest.mark.parametrize("shared", [0.1, 1.0, 20.0])
def test_the_interval_of_a_mean_over_draws_holds(draws, shared):
    """The smaller ``shared``, the more an image either always flips or never."""
    random = np.random.default_rng(0)
    images, rate = 200, 0.05
    own = random.beta(rate * shared, (1 - rate) * shared, (2000, images))
    losses = random.binomial(draws, own).sum(axis=1) / draws
    low, high = score_interval(losses, 0, images)
    assert np.mean((low <= rate) & (rate <= high)) >= 0.93
    wide_low, wide_high = score_interval(losses * draws, 0, images * draws)
    if shared == 0.1:  # draws of one image are no images of their own
        assert np.mean((wide_low <= rate) & (rate <= wide_high)) < 0.93


@pytest.mark.crossed
@pytest.mark.parametrize("images", [20, 100, 500])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1])
def test_the_interval_of_the_balanced_drop_holds(images, rate):
    random = np.random.default_rng(0)
    losses = np.broadcast_to(random.exponential(rate, 10).clip(max=0.6), (3000, 10))
    gains = np.broadcast_to(random.exponential(rate / 3, 10).clip(max=0.3), (3000, 10))
    lost, gained = drawn(random, losses, gains, images)
    low, high = mean_interval((lost - gained) / images, *score_interval(lost, gained, images))
    truth = (losses - gains)[0].mean()
    assert np.mean((low <= truth) & (truth <= high)) >= 0.93


@pytest.mark.thorough
def test_the_simultaneous_bounds_hold_for_all_units_together():
    random = np.random.default_rng(0)
    losses = random.exponential(0.03, (15, 3)).clip(max=0.5)
    truth = 0.9 * losses.mean(axis=1)
    together, alone = [], []
    for _ in range(120):
        table = units_table("relu", planted_observations(random, losses, 0 * losses, per_class=100), None)
        low, high = table.accuracy_drop_simultaneous_low, table.accuracy_drop_simultaneous_high
        together.append(((low <= truth) & (truth <= high)).all())
        alone.append(((table.accuracy_drop_low <= truth) & (truth <= table.accuracy_drop_high)).all())
    assert np.mean(together) >= 0.93
    assert np.mean(alone) < 0.85, "each by itself they do not"


def planted_damage(units, classes, damaging):
    """Chances of units that lose and gain alike, of which some also damage one class."""
    losses, gains = np.full((units, classes), 0.02), np.full((units, classes), 0.18)  # nine in ten are right before
    hit = np.zeros((units, classes), dtype=bool)
    hit[np.arange(damaging), np.arange(damaging) % classes] = True
    return np.where(hit, 0.3, losses), np.where(hit, 0.0, gains), hit


@pytest.mark.parametrize(("damaging", "draws"), DAMAGES)
def test_false_discoveries_of_units_and_classes_stay_below_their_level(damaging, draws):
    random = np.random.default_rng(0)
    losses, gains, hit = planted_damage(16, 5, damaging)
    false, power = [], []
    for _ in range(80 if draws == 1 else 30):
        seen = planted_observations(random, losses, gains, per_class=60 if draws == 1 else 120, draws=draws)
        found = classes_table("relu", seen).q_value.to_numpy() <= 0.05
        false.append((found & ~hit.ravel()).sum() / max(found.sum(), 1))
        power.append(found[hit.ravel()].mean() if damaging else np.nan)
    assert np.mean(false) <= 0.05
    if damaging:
        assert np.mean(power) > 0.8


@pytest.mark.parametrize(("damaging", "draws"), DAMAGES)
def test_false_discoveries_of_heldout_damage_stay_below_their_level(damaging, draws):
    random = np.random.default_rng(0)
    losses, gains, hit = planted_damage(16, 5, damaging)
    null = ~hit.any(axis=1)
    false, power = [], []
    for _ in range(80 if draws == 1 else 30):
        seen = planted_observations(random, losses, gains, per_class=60 if draws == 1 else 120, draws=draws)
        found = units_table("relu", seen, None).heldout_q_value.to_numpy() <= 0.05
        false.append((found & null).sum() / max(found.sum(), 1))
        power.append(found[~null].mean() if damaging else np.nan)
    assert np.mean(false) <= 0.05
    if damaging:
        assert np.mean(power) > 0.8
