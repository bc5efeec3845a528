import json

import numpy as np
import pytest

from lenslab.runs.site import read_site
from lenslab.studies.claim_finding import Finding, Part, judge
from lenslab.studies.estimates import Estimate
from lenslab.studies.figure import Figure
from lenslab.studies.rulebook import load_rules
from lenslab.studies.verdict import Verdict
from tests.studies.planting import Planted, idle, make_run, wired

RULES = load_rules("1806.02891")


@pytest.fixture
def judged(tmp_path):
    def judged(planted, *, per_class, seed=0):
        record = make_run(tmp_path / f"run-{seed}", {"relu": planted}, per_class=per_class, seed=seed)
        seen = read_site(record, "relu")
        return {claim.id: judge(claim, seen, RULES, seed=0) for claim in RULES.claims}

    return judged


def predictive(units, classes, seed, *, selectivity, norm):
    """Units wired to one class by a strength that attributes may show; gains elsewhere blur the overall drop."""
    random = np.random.default_rng(seed)
    strength = random.uniform(0.02, 0.5, units)
    other = random.permutation(strength)
    own = np.arange(units) % classes
    losses, activations = np.zeros((units, classes)), np.ones((units, classes))
    losses[np.arange(units), own] = strength
    activations[np.arange(units), own] = 1 + 10 * (strength if selectivity else other)
    gains = np.repeat(random.uniform(0.0, 0.6, (units, 1)), classes, axis=1)
    gains[np.arange(units), own] = 0
    return Planted(losses, gains, activations, strength if norm else other)


def test_units_that_do_nothing_hurt_neither_accuracy_nor_a_class(judged):
    found = judged(idle(128, 10), per_class=400)
    assert found["a"].verdict == "supported"
    assert found["a"].decisive.headline.estimate == 0
    assert found["b"].verdict == "contradicted"
    assert found["e"].verdict == "not run"
    assert "a drop is the same for every unit" in found["e"].decisive.estimate.detail


def test_units_wired_to_one_class_each_damage_it(judged):
    found = judged(wired(40, 10, 0.3), per_class=400)
    assert found["b"].verdict == "supported"
    assert found["b"].decisive.headline.estimate == 1
    assert found["a"].verdict == "contradicted"
    assert found["a"].decisive.headline.estimate == pytest.approx(0.03, abs=0.006)


def test_with_many_classes_a_damaged_class_hides_in_the_overall_accuracy(judged):
    found = judged(wired(60, 60, 0.3), per_class=200)
    assert found["a"].verdict == "supported"
    assert found["b"].verdict == "supported"


def test_a_drop_beside_the_threshold_is_undecided(judged):
    assert judged(wired(40, 10, 0.1), per_class=100)["a"].verdict == "undecided"


def test_a_tenth_of_damaging_units_is_undecided(judged):
    found = judged(wired(40, 10, np.where(np.arange(40) < 4, 0.3, 0)), per_class=400)
    assert found["b"].verdict == "undecided"
    figures = found["b"].decisive.estimate.figures
    assert figures["share"].estimate == pytest.approx(0.1)
    assert figures["share chosen on A, read on B"].estimate == pytest.approx(0.1)


def test_attributes_that_show_the_strength_predict_the_max_class_drop(judged):
    found = judged(predictive(120, 10, 0, selectivity=True, norm=True), per_class=300)["e"]
    assert found.verdict == "supported"
    assert [part.verdict for part in found.parts] == ["supported", "supported"]
    assert found.decisive.headline.low == min(part.headline.low for part in found.parts)


def test_attributes_that_show_nothing_contradict_the_claim(judged):
    found = judged(predictive(120, 10, 0, selectivity=False, norm=False), per_class=300)["e"]
    assert found.verdict == "contradicted"


@pytest.mark.parametrize(
    ("selectivity", "norm", "fallen"), [(True, False, "L1 norm"), (False, True, "class selectivity")]
)
def test_one_attribute_that_fails_decides_the_conjunction_and_is_named(judged, selectivity, norm, fallen):
    found = judged(predictive(120, 10, 0, selectivity=selectivity, norm=norm), per_class=300)["e"]
    assert found.verdict == "contradicted"
    assert sorted(part.verdict for part in found.parts) == ["contradicted", "supported"]
    assert found.decisive.name == fallen
    assert found.document(scope=(), charted=False)["part"] == fallen


def test_predicting_the_overall_drop_just_as_well_is_not_enough(judged):
    # Nothing but one class is touched, so both drops rank the units alike and there is no gain.
    random = np.random.default_rng(0)
    strength = random.uniform(0.02, 0.5, 60)
    planted = wired(60, 10, strength)
    planted.activations[np.arange(60), np.arange(60) % 10] += 10 * strength
    found = judged(Planted(planted.losses, planted.gains, planted.activations, strength), per_class=300)["e"]
    assert found.verdict == "undecided"
    assert found.decisive.headline.low > 0.3
    assert found.decisive.estimate.figures["gain"].low < 0


def test_the_figure_shown_is_that_of_a_part_that_made_the_verdict():
    parts = [
        Part(name, verdict, Estimate({"correlation": Figure(low + 0.1, low, low + 0.2)}, "correlation", ""))
        for name, verdict, low in (
            ("lowest", Verdict.SUPPORTED, 0.35),
            ("open", Verdict.UNDECIDED, 0.5),
            ("lower and open", Verdict.UNDECIDED, 0.45),
        )
    ]
    assert Finding(RULES.claims[2], Verdict.UNDECIDED, tuple(parts), 0.99).decisive.name == "lower and open"


def test_a_few_units_leave_the_correlation_undecided(judged):
    assert judged(predictive(7, 10, 0, selectivity=True, norm=True), per_class=300)["e"].verdict == "undecided"


def test_a_site_without_weights_leaves_the_conjunction_open(judged):
    planted = predictive(120, 10, 0, selectivity=True, norm=True)
    found = judged(Planted(planted.losses, planted.gains, planted.activations, None), per_class=300)["e"]
    assert found.verdict == "undecided"
    assert found.decisive.name == "L1 norm"
    assert found.decisive.verdict == "not run"


def test_dead_units_are_left_out_and_counted(judged):
    planted = wired(40, 10, 0.3)
    planted.activations[:10] = 0
    planted.losses[:10] = 0
    found = judged(planted, per_class=400)["b"]
    assert found.decisive.headline.estimate == 1
    assert "30 live units (10 dead left out)" in found.decisive.estimate.detail


def test_without_live_units_nothing_was_run(judged):
    planted = idle(8, 4)
    planted.activations[:] = 0
    found = judged(planted, per_class=50)
    assert {finding.verdict for finding in found.values()} == {"not run"}
    assert found["a"].decisive.estimate.detail == "all 8 units of relu are dead"


def test_one_image_per_class_decides_no_claim_about_classes(judged):
    found = judged(wired(10, 40, 0.5), per_class=1)
    assert found["b"].verdict == found["e"].verdict == "not run"
    assert "one image per class" in found["b"].decisive.estimate.detail


def test_what_is_unknown_is_null_in_the_record(judged):
    document = judged(idle(8, 4), per_class=50)["e"].document(scope=("training images",), charted=False)
    assert json.loads(json.dumps(document, allow_nan=False))["estimate"] is None
    assert document["scope"] == ["training images"]
    assert document["chart"] is None


def test_another_seed_moves_the_interval_and_not_the_estimate(tmp_path):
    record = make_run(tmp_path, {"relu": predictive(60, 10, 0, selectivity=True, norm=True)}, per_class=100)
    seen = read_site(record, "relu")
    first, again, other = (
        judge(RULES.claims[2], seen, RULES, seed=seed).decisive.headline
        for seen, seed in ((seen, 0), (seen, 0), (seen, 1))
    )
    assert first == again
    assert first.estimate == other.estimate
    assert first.low != other.low


@pytest.mark.thorough
def test_noise_alone_rarely_makes_a_damaging_unit(judged):
    # Losses and gains balance in every class: half of all units' chosen classes look bad on the choosing half.
    noise = Planted(np.full((60, 10), 0.04), np.full((60, 10), 0.4), np.ones((60, 10)), np.ones(60))
    shares = [judged(noise, per_class=200, seed=seed)["b"].decisive.headline.estimate for seed in range(5)]
    assert np.mean(shares) <= 0.01
