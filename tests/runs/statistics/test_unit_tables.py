import dataclasses
import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.confidence_intervals import score_interval
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.score_changes import ScoreSums
from lenslab.runs.statistics.unit_tables import classes_table, units_table
from tests.runs.statistics.planting import (
    flips_frame,
    images_frame,
    norm_frame,
    planted_observations,
    random_observations,
)

UNITS_COLUMNS = [
    *("site", "unit", "images", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high"),
    *("accuracy_drop_simultaneous_low", "accuracy_drop_simultaneous_high", "losses", "gains", "p_value", "q_value"),
    *("draws_sd", "max_class_drop", "max_class", "heldout_a_to_b", "heldout_b_to_a", "heldout_max_class_drop"),
    *("heldout_p_value", "heldout_q_value"),
    *("balanced_accuracy_drop", "balanced_accuracy_drop_low", "balanced_accuracy_drop_high"),
    *("dead", "class_selectivity", "l1_norm"),
]
CLASSES_COLUMNS = [
    *("site", "unit", "label", "images", "drop", "low", "high", "losses", "gains", "p_value", "q_value"),
    *("precision_drop", "precision_drop_low", "precision_drop_high"),
]
TOP = ["top_drop", "top_drop_low", "top_drop_high", "top_losses", "top_gains"]
CONTINUOUS = [f"{name}{end}" for name in ("loss_rise", "logit_drop", "margin_drop") for end in ("", "_low", "_high")]


def solved_by_hand():
    """Two classes of four images; unit 0 is dead, unit 1 loses class 1 but for one image, unit 2 gains once."""
    images = images_frame([0, 0, 0, 0, 1, 1, 1, 1], half=list("ABABABAB")).assign(prediction=[0, 0, 0, 1, 1, 1, 1, 1])
    flips = flips_frame([(1, 4, 1, 0), (1, 5, 1, 0), (1, 6, 1, 0), (2, 3, 1, 0)])
    activations = np.array([[0, 0, 1]] * 4 + [[0, 2, 1]] * 4, dtype=float)
    activations[0, 2] = 5
    return observe(flips, images, activations, classes=2)


def test_the_units_table_of_a_case_solved_by_hand():
    table = units_table("relu", solved_by_hand(), norm_frame([1.0, 2.0, 3.0]))
    assert list(table.columns) == UNITS_COLUMNS
    assert table.accuracy_drop.tolist() == [0, 3 / 8, -1 / 8]
    assert table.losses.tolist() == [0, 3, 0]
    assert table.gains.tolist() == [0, 0, 1]
    assert table.max_class_drop.tolist() == [0, 3 / 4, 0]
    assert table.max_class.tolist() == [0, 1, 1]
    assert table.heldout_a_to_b.tolist() == [0, 1 / 2, -1 / 2]
    assert table.heldout_b_to_a.tolist() == [0, 1, 0]
    assert table.heldout_max_class_drop.tolist() == [0, 3 / 4, -1 / 4]
    # Unit 1: class 1 both ways, one loss read on B and two on A; twice the smaller of 1/2 and 1/4.
    assert table.heldout_p_value.tolist() == [1, 0.5, 1]
    assert np.isnan(table.heldout_q_value[0])
    assert table.heldout_q_value[1:].tolist() == [1, 1]  # two live units
    assert table.balanced_accuracy_drop.tolist() == [0, 3 / 8, -1 / 8]
    assert table.dead.tolist() == [True, False, False]
    assert table.class_selectivity.tolist() == [0, 1, 1 / 3]
    assert table.l1_norm.tolist() == [1, 2, 3]
    assert table.p_value.tolist() == [1, 2 * binomtest(3, 3, alternative="greater").pvalue, 1]
    assert table.q_value.tolist() == pytest.approx([1, 0.75, 1])
    assert table.draws_sd.isna().all()
    for name in ("accuracy_drop", "balanced_accuracy_drop"):
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()


def test_the_simultaneous_bounds_are_those_of_the_live_units():
    table = units_table("relu", solved_by_hand(), None)
    low, high = score_interval(table.losses, table.gains, 8, confidence=1 - 0.05 / 2)
    assert table.accuracy_drop_simultaneous_low[1:].tolist() == pytest.approx(low[1:].tolist())
    assert table.accuracy_drop_simultaneous_high[1:].tolist() == pytest.approx(high[1:].tolist())
    assert table.accuracy_drop_simultaneous_low.isna().tolist() == [True, False, False]


def test_attributes_stand_beside_the_figures_and_what_they_lack_is_computed():
    seen = solved_by_hand()
    known = pd.DataFrame(
        {"site": "relu", "unit": [2, 1, 0], "dead": False, "apoz": [0.3, 0.2, 0.1], "label": [7, 8, 9]}
    )
    table = units_table("relu", seen, known)
    assert list(table.columns) == [*UNITS_COLUMNS, "apoz", "label"]
    assert table.apoz.tolist() == [0.1, 0.2, 0.3]
    assert table.dead.tolist() == [True, False, False]
    assert table.class_selectivity.tolist() == [0, 1, 1 / 3]
    given = units_table("relu", seen, known.assign(class_selectivity=[0.6, 0.5, 0.4], l1_norm=1.0))
    assert given.class_selectivity.tolist() == [0.4, 0.5, 0.6]
    assert list(given.columns) == list(table.columns)


def test_only_what_was_measured_has_columns():
    seen = solved_by_hand()
    sums = ScoreSums(np.ones((3, 3, 2)), np.ones((3, 3, 2)))
    top = pd.DataFrame({"unit": [1, 1, 2], "image": [4, 5, 3], "lost": [True, True, False]})
    units = units_table("relu", seen, None, sums=sums, top_flips=top)
    classes = classes_table("relu", seen, sums=sums, top_flips=top)
    assert [name for name in units if name not in UNITS_COLUMNS] == [*TOP, *CONTINUOUS]
    assert list(classes.columns) == [*CLASSES_COLUMNS, *TOP, *CONTINUOUS]
    assert units.top_drop.tolist() == [0, 1 / 4, -1 / 8]
    assert classes.top_drop.tolist() == [0, 0, 0, 1 / 2, -1 / 4, 0]
    assert (units.loss_rise == 1 / 4).all()
    assert (classes.margin_drop == 1 / 4).all()
    low, high = score_interval(units.top_losses, units.top_gains, 8)
    assert (units.top_drop_low == low).all()
    assert (units.top_drop_high == high).all()
    unpredicted = dataclasses.replace(seen, predictions=None)
    assert "precision_drop" not in classes_table("relu", unpredicted)


def test_every_drop_over_draws_is_the_average_of_the_draws():
    random = np.random.default_rng(0)
    chances = random.random((2, 4, 3)) / 4
    seen = planted_observations(random, *chances, per_class=20, draws=3)
    single = []
    for draw in range(3):
        ours = seen.draw == draw
        parts = {name: getattr(seen, name)[ours] for name in ("unit", "image", "before", "after", "change")}
        single.append(dataclasses.replace(seen, **parts, draw=np.zeros(ours.sum(), int), draws=1))
    for made, figures in (
        (lambda one: units_table("relu", one, None), ["accuracy_drop", "balanced_accuracy_drop"]),
        (lambda one: classes_table("relu", one), ["drop"]),
    ):
        whole, parts = made(seen), [made(one) for one in single]
        for figure in figures:
            assert parts[0][figure].tolist() != parts[1][figure].tolist()
            assert whole[figure].to_numpy() == pytest.approx(np.mean([part[figure] for part in parts], axis=0))
        assert (whole.losses == sum(part.losses for part in parts)).all()
        expected = np.minimum(1, 2 * np.mean([part.p_value for part in parts], axis=0))
        assert whole.p_value.to_numpy() == pytest.approx(expected)
    units = units_table("relu", seen, None)
    assert (units.draws_sd > 0).all()
    low, high = score_interval(units.losses / 3, units.gains / 3, 60)
    assert (units.accuracy_drop_low == low).all()
    assert (units.accuracy_drop_high == high).all()


def test_without_weights_the_norm_is_unknown():
    assert units_table("relu", solved_by_hand(), None).l1_norm.isna().all()


def test_the_classes_table_of_a_case_solved_by_hand():
    table = classes_table("relu", solved_by_hand())
    assert list(table.columns) == CLASSES_COLUMNS
    assert table[["unit", "label"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert table["drop"].tolist() == [0, 0, 0, 3 / 4, -1 / 4, 0]
    assert (table.images == 4).all()
    assert table.q_value[3] == pytest.approx(1)  # 6 * 0.25, at most 1
    # Called 0 before: three of class 0. Unit 1 adds three of class 1, and leaves two of the five called 1, one of them
    # of class 1. Unit 2 moves the one of class 0 that was called 1.
    assert table.precision_drop.to_numpy() == pytest.approx([0, 0, 1 / 2, 4 / 5 - 1 / 2, 0, 4 / 5 - 1])
    assert (table.precision_drop_low < table.precision_drop).all()
    assert (table.precision_drop < table.precision_drop_high).all()


def test_classes_without_images_have_no_rows():
    seen = observe(flips_frame([]), images_frame([0, 2, 2]), np.ones((3, 2)), classes=4)
    assert classes_table("relu", seen).label.tolist() == [0, 2, 0, 2]


def test_the_classes_add_up_to_the_units():
    seen = random_observations(np.random.default_rng(0))
    classes = classes_table("relu", seen).groupby("unit")[["losses", "gains"]].sum()
    units = units_table("relu", seen, None).set_index("unit")[["losses", "gains"]]
    assert units.losses.sum() > 20
    assert (classes.to_numpy() == units.to_numpy()).all()


@pytest.mark.slow
def test_ten_thousand_images_take_seconds():
    seen = random_observations(np.random.default_rng(0), units=64, images=10_000, classes=10, rate=0.05)
    begun = time.process_time()
    units_table("relu", seen, None)
    classes_table("relu", seen)
    correlations_table("relu", seen, norm_frame(np.arange(64.0)), seed=0)
    assert time.process_time() - begun < 8
