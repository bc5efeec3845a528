import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.statistics.drop_prediction import coefficients_table, predictions_table
from lenslab.runs.statistics.drop_prediction import predict as predict_all
from lenslab.runs.statistics.unit_tables import units_table
from tests.runs.statistics.planting import norm_frame, planted_observations, random_observations


def ramp(random, units=40, classes=3):
    """Units of which each costs a little more than the one before, and an attribute that says so."""
    losses = np.linspace(0.02, 0.6, units)[:, None] * np.ones(classes)
    return planted_observations(random, losses, np.zeros((units, classes)), per_class=60), norm_frame(losses[:, 0])


def predict(attributes, target, *, seed):
    (found,) = predict_all(attributes, target[:, None], seed=seed)
    return found


def test_what_each_target_is_predicted_by_does_not_depend_on_the_others():
    random = np.random.default_rng(0)
    attributes = random.normal(size=(50, 6))
    targets = attributes[:, :3] + random.normal(size=(50, 3)) * [0.1, 1, 10]
    targets[:, 1] = np.nan
    together = predict_all(attributes, targets, seed=1)
    assert together[1].reason == "no class has images in both halves"
    assert np.isnan(together[1].explained).all()
    for number in (0, 2):
        assert together[number].explained == pytest.approx(predict(attributes, targets[:, number], seed=1).explained)


def test_a_straight_line_is_predicted_on_units_not_seen():
    random = np.random.default_rng(0)
    attributes = random.normal(size=(80, 4))
    target = attributes @ [1.0, -2.0, 0.0, 0.5]
    assert predict(attributes, target, seed=0).explained.min() > 0.99
    noisy = predict(attributes, target + random.normal(size=80) * target.std(), seed=0).explained
    assert 0.2 < noisy.mean() < 0.7
    assert 0 < np.std(noisy) < 0.1


def test_noise_predicts_nothing_though_it_would_fit_the_units_seen():
    random = np.random.default_rng(0)
    attributes, target = random.normal(size=(30, 14)), random.normal(size=30)
    assert LinearRegression().fit(attributes, target).score(attributes, target) > 0.3
    assert predict(attributes, target, seed=0).explained.max() < 0.15


def test_missing_and_constant_attributes_are_dealt_with_inside_the_fold():
    random = np.random.default_rng(0)
    attributes = random.normal(size=(60, 5))
    target = attributes[:, 0].copy()
    attributes[3:9, 0] = np.nan
    attributes[:, 1] = 7
    attributes[:, 2] = np.nan
    attributes[:, 3] = np.arange(60) == 5  # constant in the fold that tests unit 5
    assert predict(attributes, target, seed=0).explained.min() > 0.6


def test_only_constant_attributes_predict_the_mean():
    target = np.random.default_rng(0).normal(size=40)
    found = predict(np.ones((40, 2)), target, seed=0)
    assert -0.3 < found.explained.min() < found.explained.max() < 0


def test_the_same_seed_gives_the_same_folds():
    random = np.random.default_rng(0)
    attributes, target = random.normal(size=(2, 40))
    first, again, other = (predict(attributes[:, None], target, seed=seed).explained for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize("units", [19, 20])
def test_below_twenty_live_units_nothing_is_predicted_and_the_table_says_why(units):
    random = np.random.default_rng(0)
    seen, known = ramp(random, units + 2)
    seen.activations[:, [0, 5]] = 0
    table = predictions_table("relu", seen, known, seed=0)
    weights = coefficients_table("relu", seen, known)
    assert (table.units == units).all()
    assert (table.dead == 2).all()
    if units < 20:
        assert table.explained.isna().all()
        assert (table.reason == "19 live units, fewer than 20").all()
        assert weights.empty
    else:
        assert (table.explained > 0.4).all()
        assert (table.explained_low <= table.explained).all()
        assert (table.explained <= table.explained_high).all()
        assert (table.reason == "").all()
        assert len(weights) == 4


def test_units_that_all_cost_the_same_leave_nothing_to_predict():
    seen = planted_observations(np.random.default_rng(0), np.zeros((25, 2)), np.zeros((25, 2)), per_class=20)
    table = predictions_table("relu", seen, norm_frame(np.arange(25.0)), seed=0)
    assert (table.reason == "every unit costs the same").all()
    assert coefficients_table("relu", seen, norm_frame(np.arange(25.0))).empty


def test_the_coefficients_are_in_standard_deviations():
    random = np.random.default_rng(0)
    seen, known = ramp(random, 200)
    units = units_table("relu", seen, known)
    table = coefficients_table("relu", seen, known).set_index(["target", "attribute"]).coefficient
    columns = units[["class_selectivity", "l1_norm"]]
    standard = (columns - columns.mean()) / columns.std(ddof=0)
    plain = LinearRegression().fit(standard, units.accuracy_drop / units.accuracy_drop.std(ddof=0)).coef_
    assert table["accuracy_drop"][["class_selectivity", "l1_norm"]].to_numpy() == pytest.approx(plain, abs=0.01)


def test_every_attribute_that_is_known_is_used():
    random = np.random.default_rng(0)
    seen = random_observations(random, units=30, images=200)
    known = pd.DataFrame({"unit": np.arange(30), **{name: random.random(30) for name in SCORES}})
    known["taylor"] = np.nan
    assert (predictions_table("relu", seen, known, seed=0).attributes == len(SCORES) - 1).all()
    assert coefficients_table("relu", seen, known).attribute.nunique() == len(SCORES) - 1
