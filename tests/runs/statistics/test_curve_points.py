"""Points of a curve, against counting by hand."""

import numpy as np
import pandas as pd
import pytest

from lenslab.runs.statistics.confidence_intervals import mean_interval, score_interval
from lenslab.runs.statistics.curve_points import correctness, points_table, recalls_table

IMAGES = pd.DataFrame({"image": [10, 3, 7, 5], "label": [0, 0, 0, 2], "prediction": [0, 0, 1, 2]})
FLIPS = pd.DataFrame({"unit": [1, 1, 1, 0], "image": [10, 7, 5, 5], "after": [2, 0, 0, 1]})
POINTS = pd.DataFrame({"order": "x", "set": [2, 1, 0]})


def test_correctness_follows_the_flips_whatever_the_order_of_the_images():
    correct = correctness(FLIPS, IMAGES, 3)
    assert correct.astype(int).tolist() == [[1, 1, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0], [1, 0, 0, 1]]
    turned = IMAGES.iloc[::-1]
    assert correctness(FLIPS, turned, 3).tolist() == correct[::-1].tolist()
    assert correctness(FLIPS.iloc[:0], IMAGES, 1)[:, 1].tolist() == [True, True, False, True]


def test_points_are_what_the_hand_counts():
    labels = IMAGES["label"].to_numpy()
    table = points_table(POINTS, correctness(FLIPS, IMAGES, 3), labels)
    assert table["accuracy"].tolist() == [0.75, 0.5, 0.5]
    assert table["accuracy_drop"].tolist() == [0.0, 0.25, 0.25]
    assert table[["losses", "gains"]].to_numpy().tolist() == [[0, 0], [2, 1], [1, 0]]
    assert table["balanced_accuracy"].tolist() == pytest.approx([5 / 6, 1 / 3, 1 / 3])
    assert table["balanced_accuracy_drop"].tolist() == pytest.approx([0, 0.5, 0.5])
    low, high = score_interval([0, 2, 1], [0, 1, 0], 4)
    assert table["accuracy_drop_low"].tolist() == low.tolist()
    assert table["accuracy_drop_high"].tolist() == high.tolist()
    of_zero, of_two = score_interval(1, 1, 3), score_interval(1, 0, 1)
    bounds = mean_interval([0.0, 1.0], [of_zero[0], of_two[0]], [of_zero[1], of_two[1]])
    assert table.loc[1, ["balanced_accuracy_drop_low", "balanced_accuracy_drop_high"]].tolist() == pytest.approx(
        [float(bound) for bound in bounds]
    )


def test_recalls_stand_by_point_and_then_by_class():
    labels = IMAGES["label"].to_numpy()
    table = recalls_table(POINTS, correctness(FLIPS, IMAGES, 3), labels)
    assert table["label"].tolist() == [0, 2] * 3
    assert table["set"].tolist() == [2, 2, 1, 1, 0, 0]
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1, 2 / 3, 0, 2 / 3, 0])
    assert table["images"].tolist() == [3, 1] * 3
    assert np.isfinite(table[["recall_drop_low", "recall_drop_high"]]).all(axis=None)
