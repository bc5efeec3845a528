import time

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr

from lenslab.units.statistics.observations import observe
from lenslab.units.statistics.tables import classes_table, correlations_table, units_table
from tests.units.statistics.planting import flips_frame, images_frame, random_observations

UNITS_COLUMNS = [
    *("site", "unit", "images", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high", "losses", "gains"),
    *("p_value", "q_value", "max_class_drop", "max_class", "heldout_a_to_b", "heldout_b_to_a"),
    *("heldout_max_class_drop", "dead", "class_selectivity", "l1_norm"),
]
CLASSES_COLUMNS = ["site", "unit", "label", "images", "drop", "low", "high", "losses", "gains", "p_value", "q_value"]
CORRELATIONS_COLUMNS = ["site", "attribute", "measure", "method", "estimate", "low", "high", "units", "dead"]


def solved_by_hand():
    """Two classes of four images; unit 0 is dead, unit 1 loses class 1 but for one image, unit 2 gains once."""
    images = images_frame([0, 0, 0, 0, 1, 1, 1, 1], half=list("ABABABAB"))
    flips = flips_frame([(1, 4, 1, 0), (1, 5, 1, 0), (1, 6, 1, 0), (2, 3, 1, 0)])
    activations = np.array([[0, 0, 1]] * 4 + [[0, 2, 1]] * 4, dtype=float)
    activations[0, 2] = 5
    return observe(flips, images, activations, classes=2)


def test_the_units_table_of_a_case_solved_by_hand():
    table = units_table("relu", solved_by_hand(), np.array([1.0, 2.0, 3.0]))
    assert list(table.columns) == UNITS_COLUMNS
    assert table.accuracy_drop.tolist() == [0, 3 / 8, -1 / 8]
    assert table.losses.tolist() == [0, 3, 0]
    assert table.gains.tolist() == [0, 0, 1]
    assert table.max_class_drop.tolist() == [0, 3 / 4, 0]
    assert table.max_class.tolist() == [0, 1, 1]
    assert table.heldout_a_to_b.tolist() == [0, 1 / 2, -1 / 2]
    assert table.heldout_b_to_a.tolist() == [0, 1, 0]
    assert table.heldout_max_class_drop.tolist() == [0, 3 / 4, -1 / 4]
    assert table.dead.tolist() == [True, False, False]
    assert table.class_selectivity.tolist() == [0, 1, 1 / 3]
    assert table.l1_norm.tolist() == [1, 2, 3]
    assert table.p_value.tolist() == [1, 2 * binomtest(3, 3, alternative="greater").pvalue, 1]
    assert table.q_value.tolist() == pytest.approx([1, 0.75, 1])
    assert (table.accuracy_drop_low < table.accuracy_drop).all()
    assert (table.accuracy_drop < table.accuracy_drop_high).all()


def test_without_weights_the_norm_is_unknown():
    assert units_table("relu", solved_by_hand(), None).l1_norm.isna().all()


def test_the_classes_table_of_a_case_solved_by_hand():
    table = classes_table("relu", solved_by_hand())
    assert list(table.columns) == CLASSES_COLUMNS
    assert table[["unit", "label"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert table["drop"].tolist() == [0, 0, 0, 3 / 4, -1 / 4, 0]
    assert (table.images == 4).all()
    assert table.q_value[3] == pytest.approx(1)  # 6 * 0.25, at most 1


def test_classes_without_images_have_no_rows():
    seen = observe(flips_frame([]), images_frame([0, 2, 2]), np.ones((3, 2)), classes=4)
    assert classes_table("relu", seen).label.tolist() == [0, 2, 0, 2]


def test_the_classes_add_up_to_the_units():
    seen = random_observations(np.random.default_rng(0))
    classes = classes_table("relu", seen).groupby("unit")[["losses", "gains"]].sum()
    units = units_table("relu", seen, None).set_index("unit")[["losses", "gains"]]
    assert units.losses.sum() > 20
    assert (classes.to_numpy() == units.to_numpy()).all()


def test_the_correlations_are_those_of_the_columns_of_live_units():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=12, images=200)
    seen.activations[:, [2, 7]] = 0
    norm = random.random(12)
    units, table = units_table("relu", seen, norm), correlations_table("relu", seen, norm, seed=0, replicates=50)
    assert list(table.columns) == CORRELATIONS_COLUMNS
    assert len(table) == 6
    live = units[~units.dead]
    for row in table.itertuples():
        assert row.estimate == pytest.approx(spearmanr(live[row.attribute], live[row.measure]).statistic)
        assert -1 <= row.low < row.estimate < row.high <= 1
        assert (row.units, row.dead) == (10, 2)


def test_without_flips_there_is_no_correlation_and_no_warning():
    seen = observe(flips_frame([]), images_frame([0, 1] * 20), np.random.default_rng(0).random((40, 6)), classes=2)
    table = correlations_table("relu", seen, np.arange(6.0), seed=0, replicates=20)
    assert table[["estimate", "low", "high"]].isna().all(axis=None)


def test_ten_thousand_images_take_seconds():
    seen = random_observations(np.random.default_rng(0), units=64, images=10_000, classes=10, rate=0.05)
    begun = time.process_time()
    units_table("relu", seen, None)
    classes_table("relu", seen)
    correlations_table("relu", seen, np.arange(64.0), seed=0)
    assert time.process_time() - begun < 8
