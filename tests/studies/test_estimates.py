import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, false_discovery_control, spearmanr

from lenslab.records import BrokenRecordError
from lenslab.runs.errors import UnknownSiteError
from lenslab.runs.site import read_site, site_data
from lenslab.runs.statistics.confidence_intervals import score_interval
from lenslab.runs.statistics.observations import observe
from lenslab.studies.estimates import damaging, estimate, overall_bounds
from lenslab.studies.rulebook import load_rules
from tests.studies.planting import idle, make_run, wired

CLAIMS = {claim.id: claim for claim in load_rules("1806.02891").claims}


def by_hand():
    """Two classes of 40 images, halves of 20; unit 0 costs class 1 half of A and half of B, unit 1 a single image."""
    labels = np.repeat([0, 1], 40)
    images = pd.DataFrame({"image": np.arange(80), "label": labels, "half": np.tile(["A", "B"], 40)})
    flips = pd.DataFrame({"unit": [0] * 20 + [1], "image": [*range(40, 60), 0]})
    flips = flips.assign(before=labels[flips.image], after=1 - labels[flips.image])
    return site_data("relu", observe(flips, images, np.random.default_rng(0).random((80, 3)), classes=2), None)


def test_damage_needs_the_drop_and_the_significance():
    heldout, found = damaging(by_hand(), {"drop": 0.05, "false_discovery_rate": 0.05})
    assert heldout.drop[:, 0].tolist() == [0.5, 0.5]
    assert heldout.label[:, 0].tolist() == [1, 1]
    assert found.tolist() == [[True, False, False], [True, False, False]]
    p_value = binomtest(10, 10, alternative="greater").pvalue
    level = false_discovery_control([p_value, 1, 1])[0]
    assert not damaging(by_hand(), {"drop": 0.05, "false_discovery_rate": level / 2})[1].any()
    assert not damaging(by_hand(), {"drop": 0.51, "false_discovery_rate": 0.05})[1].any()


def test_damage_is_tested_on_the_half_that_did_not_choose():
    labels = np.zeros(40, int)
    images = pd.DataFrame({"image": np.arange(40), "label": labels, "half": ["A"] * 20 + ["B"] * 20})
    flips = pd.DataFrame({"unit": 0, "image": [*range(10), 20, 21], "before": 0, "after": 1})
    seen = site_data("relu", observe(flips, images, np.random.default_rng(0).random((40, 1)), classes=2), None)
    heldout, found = damaging(seen, CLAIMS["b"].settings)
    assert heldout.drop.tolist() == [[0.1], [0.5]]
    assert found.tolist() == [[False], [True]]


def test_a_drop_of_exactly_five_points_counts_as_damage():
    labels = np.zeros(400, int)
    images = pd.DataFrame({"image": np.arange(400), "label": labels, "half": np.tile(["A", "B"], 200)})
    flips = pd.DataFrame({"unit": 0, "image": np.arange(20), "before": 0, "after": 1})
    seen = site_data("relu", observe(flips, images, np.random.default_rng(0).random((400, 1)), classes=2), None)
    heldout, found = damaging(seen, CLAIMS["b"].settings)
    assert heldout.drop.tolist() == [[0.05], [0.05]]
    assert found.all()


def test_a_dead_unit_stays_out_of_the_family_and_of_the_share():
    seen = by_hand()
    seen.observations.activations[:, 2] = 0
    again = site_data("relu", seen.observations, None)
    found = estimate(CLAIMS["b"], again, confidence=0.99, replicates=10, seed=0)["share of damaging units"]
    assert found.figures["share"].estimate == 0.5
    assert "2 live units (1 dead left out)" in found.detail


def test_bounds_of_overall_drops_hold_together():
    drop, low, high = overall_bounds(by_hand(), 0.94)
    assert drop.tolist() == [20 / 80, 1 / 80, 0]
    expected = score_interval([20, 1, 0], 0, 80, confidence=0.98)
    assert low == pytest.approx(expected[0])
    assert high == pytest.approx(expected[1])


def test_the_worst_unit_is_named():
    found = estimate(CLAIMS["a"], by_hand(), confidence=0.99, replicates=10, seed=0)["largest overall drop"]
    assert found.detail == "unit 0 costs most of 3 live units"
    assert found.figures["drop"].estimate == 20 / 80


def test_simultaneous_bounds_cover_all_units_together():
    random = np.random.default_rng(0)
    images, units, chance = 400, 30, 0.02
    frame = pd.DataFrame({"image": np.arange(images), "label": 0, "half": np.tile(["A", "B"], images // 2)})
    alive = random.random((images, units))
    covered = []
    for _ in range(150):
        unit, image = np.nonzero(random.random((units, images)) < chance)
        flips = pd.DataFrame({"unit": unit, "image": image, "before": 0, "after": 1})
        _, low, high = overall_bounds(site_data("relu", observe(flips, frame, alive, classes=2), None), 0.95)
        covered.append(((low <= chance) & (chance <= high)).all())
    assert np.mean(covered) >= 0.93


def test_attribute_and_class_come_from_one_half_and_drops_from_the_other(tmp_path):
    random = np.random.default_rng(0)
    planted = wired(30, 5, random.uniform(0.05, 0.4, 30))
    seen = read_site(make_run(tmp_path, {"relu": planted}, per_class=60), "relu")
    found = estimate(CLAIMS["e"], seen, confidence=0.99, replicates=20, seed=0)
    counts, activations = seen.counts, seen.observations.activations
    expected = {"class selectivity": [], "L1 norm": [], "overall": []}
    for way in (0, 1):
        own = seen.observations.half == way
        means = np.stack([activations[own & (seen.observations.labels == k)].mean(axis=0) for k in range(5)], axis=1)
        best = means.max(axis=1)
        others = (means.sum(axis=1) - best) / 4
        chosen = (counts.net[way] / counts.images[way]).argmax(axis=1)
        read = counts.net[1 - way][np.arange(30), chosen] / counts.images[1 - way][chosen]
        overall = counts.net[1 - way].sum(axis=1)
        selectivity = (best - others) / (best + others)
        expected["class selectivity"].append(spearmanr(selectivity, read).statistic)
        expected["L1 norm"].append(spearmanr(planted.l1_norm, read).statistic)
        expected["overall"].append(spearmanr(selectivity, overall).statistic)
    figures = found["class selectivity"].figures
    assert figures["correlation"].estimate == pytest.approx(np.mean(expected["class selectivity"]))
    assert figures["correlation with the overall drop"].estimate == pytest.approx(np.mean(expected["overall"]))
    gain = np.mean(expected["class selectivity"]) - np.mean(expected["overall"])
    assert figures["gain"].estimate == pytest.approx(gain)
    assert found["L1 norm"].figures["correlation"].estimate == pytest.approx(np.mean(expected["L1 norm"]))


def test_only_the_asked_site_is_read(tmp_path):
    record = make_run(tmp_path, {"early": wired(6, 3, 0.5), "late": idle(4, 3)}, per_class=50)
    assert read_site(record, "early").counts.losses.sum() > 50
    assert read_site(record, "late").counts.losses.sum() == 0
    assert len(read_site(record, "late").dead) == 4


def test_a_site_that_the_record_lacks_is_refused(tmp_path):
    record = make_run(tmp_path, {"relu": idle(4, 3)}, per_class=10)
    with pytest.raises(UnknownSiteError, match="has no site 'another'"):
        read_site(record, "another")


def test_flips_of_images_that_the_record_lacks_are_refused(tmp_path):
    record = make_run(tmp_path, {"relu": wired(4, 3, 0.5)}, per_class=10)
    flips = record.table("flips").assign(image=9999)
    flips.to_parquet(tmp_path / "flips.parquet")
    with pytest.raises(BrokenRecordError, match="names image 9999"):
        read_site(record, "relu")
