import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from lenslab.runs.statistics.accuracy_drops import half_drops
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.reliability import reliability_table, spearman_brown
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def varied(random, units=40, classes=4, strength=0.1):
    """Units that cost their classes more or less."""
    return random.gamma(1, strength, (units, classes)).clip(max=1)


def test_the_halves_are_correlated_over_live_units():
    random = np.random.default_rng(0)
    seen = planted_observations(random, varied(random, 12), np.zeros((12, 4)), per_class=30)
    seen.activations[:, [2, 7]] = 0
    table = reliability_table("relu", seen, seed=0, replicates=40).set_index(["measure", "method"])
    counts, live = count_flips(seen), np.delete(np.arange(12), [2, 7])
    overall = half_drops(counts.net, counts.images)[:, live]
    classes = (counts.net / counts.images[:, None])[:, live].reshape(2, -1)
    for measure, halves in (("accuracy_drop", overall), ("class_drop", classes)):
        for method, correlation in (("spearman", spearmanr), ("pearson", pearsonr)):
            row = table.loc[measure, method]
            assert row.halves == pytest.approx(correlation(*halves).statistic)
            assert row.reliability == pytest.approx(2 * row.halves / (1 + row.halves))
            assert row.reliability_low == pytest.approx(spearman_brown(row.halves_low))
            assert row.halves_low < row.halves < row.halves_high <= 1
            assert (row.pairs, row.units, row.dead) == (halves.shape[1], 10, 2)


def test_stepping_up_is_spearman_browns_and_stays_within_one():
    assert spearman_brown([0.25, 0.8]).tolist() == pytest.approx([0.4, 1.6 / 1.8])
    assert spearman_brown(-1) == -1
    assert np.isnan(spearman_brown(float("nan")))


def test_noise_alone_has_no_reliability_and_large_differences_have():
    random = np.random.default_rng(0)
    same = planted_observations(random, np.full((60, 2), 0.05), np.full((60, 2), 0.45), per_class=100)
    apart = planted_observations(random, varied(random, 60, 2), np.zeros((60, 2)), per_class=300)
    noise, signal = (
        reliability_table("relu", seen, seed=0, replicates=100).set_index(["measure", "method"])
        for seen in (same, apart)
    )
    for row in (("accuracy_drop", "spearman"), ("accuracy_drop", "pearson"), ("class_drop", "pearson")):
        assert noise.loc[row].reliability_low < 0.2 < 0.8 < signal.loc[row].reliability_low


@pytest.mark.slow
def test_the_reliability_of_another_sample_is_covered():
    random = np.random.default_rng(0)
    found = []
    for number in range(100):
        seen = planted_observations(random, varied(random, 30, 3, 0.03), np.full((30, 3), 0.05), per_class=60)
        table = reliability_table("relu", seen, seed=number, replicates=60)
        found.append(table[["halves", "halves_low", "halves_high"]].to_numpy())
    assert table[["measure", "method"]].drop_duplicates().shape == (4, 2)
    halves, low, high = np.moveaxis(found, -1, 0)
    middle = halves.mean(axis=0)
    assert ((middle > 0.2) & (middle < 0.9)).all()
    assert (((low <= middle) & (middle <= high)).mean(axis=0) >= 0.93).all()


def test_where_nothing_varies_there_is_no_reliability_and_no_warning():
    still = observe(flips_frame([]), images_frame([0, 1] * 20), np.random.default_rng(0).random((40, 6)), classes=2)
    single = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1, 2]), np.eye(3), classes=3)
    dead = observe(flips_frame([]), images_frame([0, 1] * 20), np.zeros((40, 6)), classes=2)
    for seen in (still, single, dead):
        table = reliability_table("relu", seen, seed=0, replicates=20)
        assert table[["halves", "halves_low", "reliability", "reliability_high"]].isna().all(axis=None)


def test_the_same_seed_gives_the_same_table():
    seen = random_observations(np.random.default_rng(0), units=10)
    first, again, other = (reliability_table("relu", seen, seed=seed, replicates=30) for seed in (0, 0, 1))
    assert first.equals(again)
    assert (first.halves == other.halves).all()
    assert (first.halves_low != other.halves_low).all()
