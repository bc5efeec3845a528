import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.score_changes import ScoreSums
from lenslab.runs.statistics.unit_tables import units_table
from tests.runs.statistics.planting import flips_frame, images_frame, norm_frame, random_observations

COLUMNS = ["site", "attribute", "measure", "method", "estimate", "low", "high", "units", "dead", "given"]
SCIPY = {"spearman": spearmanr, "pearson": pearsonr, "kendall": kendalltau}


def everything(random, units):
    return pd.DataFrame({"unit": np.arange(units), **{name: random.random(units) for name in SCORES}})


def random_sums(random, units, classes, images):
    mean = random.random((3, units, classes))
    return ScoreSums(mean * images, (mean**2 + random.random((3, units, classes))) * images)


def test_every_correlation_is_that_of_the_columns_of_live_units():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=14, images=200)
    seen.activations[:, [2, 7]] = 0
    known, sums = everything(random, 14), random_sums(random, 14, 4, 50)
    known.loc[4, "taylor"] = np.nan
    units = units_table("relu", seen, known.drop(columns="class_selectivity"), sums=sums)
    table = correlations_table("relu", seen, known, seed=0, sums=sums, replicates=50)
    assert list(table.columns) == COLUMNS
    assert len(table) == 4 * 4 * len(SCORES)
    assert len(table[table.given == ""]) == 3 * 4 * len(SCORES)
    live = units[~units.dead]
    for row in table[table.given == ""].itertuples():
        pair = live[[row.attribute, row.measure]].dropna()
        assert row.estimate == pytest.approx(SCIPY[row.method](*pair.to_numpy().T).statistic)
        assert -1 <= row.low < row.estimate < row.high <= 1
        assert (row.units, row.dead) == (11 if row.attribute == "taylor" else 12, 2)


def test_a_partial_correlation_is_that_of_what_a_line_in_the_third_leaves():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=30, images=300)
    known = everything(random, 30)
    known["apoz"] = known.l1_norm + 0.3 * random.random(30)
    table = correlations_table("relu", seen, known, seed=0, replicates=30).set_index(["attribute", "measure", "given"])
    ranks = units_table("relu", seen, known.drop(columns="class_selectivity")).rank(numeric_only=True)

    def left(name, given):
        slope, start = np.polyfit(ranks[given], ranks[name], 1)
        return ranks[name] - start - slope * ranks[given]

    for attribute, given in (("apoz", "l1_norm"), ("l1_norm", "class_selectivity"), ("class_selectivity", "l1_norm")):
        row = table.loc[attribute, "heldout_max_class_drop", given]
        expected = pearsonr(left(attribute, given), left("heldout_max_class_drop", given)).statistic
        assert row.estimate == pytest.approx(expected)
        assert row.low < row.estimate < row.high
    assert set(table.index.get_level_values("given")) == {"", "l1_norm", "class_selectivity"}


def test_the_correlation_with_the_loss_allows_for_its_standard_error():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=40, images=200)
    total = 50 * np.arange(40.0)[None, :, None] * np.ones((3, 40, 4))
    spread = np.ones_like(total) * 1e6
    norm = norm_frame(np.arange(40.0) + 20 * random.normal(size=40))
    tables = [
        correlations_table("relu", seen, norm, seed=0, replicates=60, sums=ScoreSums(total, squares))
        for squares in (total**2 / 50, total**2 / 50 + spread)
    ]
    wanted = "attribute == 'l1_norm' and measure == 'loss_rise' and method == 'spearman' and given == ''"
    sure, unsure = (table.query(wanted).iloc[0] for table in tables)
    assert 0.2 < sure.estimate < 0.9
    assert sure.estimate == unsure.estimate
    assert unsure.high > sure.high + 0.01  # what less noise would show is farther away


def test_attributes_that_no_unit_has_have_no_rows():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=12, images=100)
    alone = correlations_table("relu", seen, None, seed=0, replicates=20)
    assert set(alone.attribute) == {"class_selectivity"}
    assert (alone.given == "").all()
    unknown = correlations_table("relu", seen, norm_frame(np.full(12, np.nan)), seed=0, replicates=20)
    pd.testing.assert_frame_equal(alone, unknown)


def test_the_same_seed_gives_the_same_table_and_the_order_of_units_does_not_matter():
    random = np.random.default_rng(0)
    seen, known = random_observations(random, units=12, images=100), everything(random, 12)
    first = correlations_table("relu", seen, known, seed=0, replicates=30)
    again = correlations_table("relu", seen, known.sample(frac=1, random_state=0), seed=0, replicates=30)
    pd.testing.assert_frame_equal(first, again)
    other = correlations_table("relu", seen, known, seed=1, replicates=30)
    assert (first.estimate == other.estimate).all()
    assert (first.low != other.low).mean() > 0.95


def test_other_attributes_change_no_row_of_the_first():
    random = np.random.default_rng(0)
    seen, known = random_observations(random, units=12, images=100), everything(random, 12)
    few = correlations_table("relu", seen, known[["unit", "l1_norm"]], seed=0, replicates=30)
    many = correlations_table("relu", seen, known, seed=0, replicates=30)
    shared = many[many.attribute.isin(["class_selectivity", "l1_norm"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, shared, check_exact=True)


def test_without_flips_there_is_no_correlation_and_no_warning():
    seen = observe(flips_frame([]), images_frame([0, 1] * 20), np.random.default_rng(0).random((40, 6)), classes=2)
    table = correlations_table("relu", seen, norm_frame(np.arange(6.0)), seed=0, replicates=20)
    assert table[["estimate", "low", "high"]].isna().all(axis=None)


def test_one_image_per_class_leaves_the_heldout_drop_without_units():
    seen = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 1, 2]), np.eye(3), classes=3)
    table = correlations_table("relu", seen, norm_frame(np.arange(3.0)), seed=0, replicates=20)
    heldout = table[table.measure == "heldout_max_class_drop"]
    assert (heldout.units == 0).all()
    assert heldout.estimate.isna().all()
    assert (table[table.measure == "accuracy_drop"].units == 3).all()


@pytest.mark.thorough
def test_the_correlation_of_another_sample_of_units_is_covered():
    random = np.random.default_rng(0)
    found = []
    for number in range(120):
        truth = random.normal(size=40)
        chance = 0.1 / (1 + np.exp(-truth))
        labels, flips = np.arange(300) % 3, np.nonzero(random.random((40, 300)) < chance[:, None])
        rows = flips_frame(np.stack([*flips, labels[flips[1]], (labels[flips[1]] + 1) % 3], axis=1))
        seen = observe(rows, images_frame(labels), random.random((300, 40)), classes=3)
        norm = norm_frame(truth + 0.7 * random.normal(size=40))
        table = correlations_table("relu", seen, norm, seed=number, replicates=60)
        wanted = (table.attribute == "l1_norm") & (table.measure == "accuracy_drop") & (table.given == "")
        found.append(table[wanted].set_index("method").loc[list(SCIPY), ["estimate", "low", "high"]].to_numpy())
    estimate, low, high = np.moveaxis(found, -1, 0)
    middle = estimate.mean(axis=0)
    assert ((middle > 0.3) & (middle < 0.8)).all()
    assert (((low <= middle) & (middle <= high)).mean(axis=0) >= 0.93).all()
    assert ((high - low).mean(axis=0) < 0.9).all()


@pytest.mark.slow
def test_all_correlations_of_a_site_of_64_units_take_seconds():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=64, images=1000, classes=10, rate=0.05)
    known, sums = everything(random, 64), random_sums(random, 64, 10, 100)
    begun = time.process_time()
    correlations_table("relu", seen, known, seed=0, sums=sums)
    assert time.process_time() - begun < 6  # twice what it may take on a quiet machine
