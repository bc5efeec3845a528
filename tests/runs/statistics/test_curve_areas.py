"""Areas under curves: sums that are known, and intervals that hold the truth."""

import numpy as np
import pytest

from lenslab.runs.statistics.curve_areas import areas_table, trapezoid_sums


def by_measure(table, order):
    return table[table["order"] == order].set_index(["measure", "label"])


def test_the_area_is_that_of_the_trapezoidal_rule():
    random = np.random.default_rng(0)
    sizes = [0, 1, 2, 5, 11, 20]
    correct = random.random((7, 6)) < 0.5
    np.testing.assert_array_equal(
        trapezoid_sums(correct, sizes) / 2, np.trapezoid(correct.astype(float), sizes, axis=-1)
    )


def test_an_area_is_between_nothing_and_everything():
    labels = np.array([0, 0, 1, 2])
    doubled = {"never": np.zeros((1, 4), int), "always": np.full((1, 4), 2 * 9)}
    table = areas_table(doubled, labels, units=9, classes=3)
    assert (by_measure(table, "never")[["area", "low", "high"]] == 0).all(axis=None)
    assert (by_measure(table, "always")[["area", "low", "high"]] == 1).all(axis=None)


def test_balanced_accuracy_is_the_mean_of_the_recalls_and_accuracy_that_of_the_images():
    labels = np.array([0, 0, 0, 3])
    rows = by_measure(areas_table({"one": np.array([[10, 10, 4, 0]])}, labels, units=5, classes=5), "one")
    assert rows.loc[("accuracy", -1), "area"] == pytest.approx(24 / 40)
    assert rows.loc[("recall", 0), "area"] == pytest.approx(24 / 30)
    assert rows.loc[("recall", 3), "area"] == 0
    assert rows.loc[("balanced_accuracy", -1), "area"] == pytest.approx(24 / 60)
    assert rows["images"].tolist() == [4, 4, 3, 1]


def test_an_order_that_is_always_better_by_the_same_differs_without_doubt():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 50)
    worse = random.integers(0, 10, (1, 50))
    table = areas_table({"random": worse, "other": worse + 4}, labels, units=10, classes=3, against="random")
    rows = by_measure(table, "other")
    np.testing.assert_allclose(rows[["difference", "difference_low", "difference_high"]], 0.2)
    assert (rows["high"] > rows["low"]).all()
    assert by_measure(table, "random")["difference"].isna().all()


def test_repeats_that_differ_widen_the_interval():
    labels = np.zeros(30, int)
    same, apart = np.full((6, 30), 5), np.repeat(np.arange(6)[:, None], 30, axis=1)
    table = areas_table({"same": same, "apart": apart}, labels, units=10, classes=1)
    assert by_measure(table, "same").loc[("accuracy", -1), ["low", "high"]].tolist() == [0.25, 0.25]
    low, high = by_measure(table, "apart").loc[("accuracy", -1), ["low", "high"]]
    assert low < 0.125 < high
    assert by_measure(table, "apart").loc[("accuracy", -1), "repeats"] == 6


@pytest.mark.slow
def test_the_interval_holds_the_true_area_as_often_as_it_promises():
    random, held = np.random.default_rng(3), 0
    labels = np.repeat([0, 1], 40)
    for trial in range(200):
        doubled = random.binomial(20, np.where(labels == 0, 0.8, 0.3))[None]
        row = by_measure(areas_table({"one": doubled}, labels, units=10, classes=2, seed=trial, replicates=200), "one")
        low, high = row.loc[("accuracy", -1), ["low", "high"]]
        held += low <= 0.55 <= high
    assert 180 <= held <= 199
