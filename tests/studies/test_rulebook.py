import hashlib

import pytest

from lenslab.studies.errors import BrokenRulesError, UnknownStudyError
from lenslab.studies.rulebook import RULES, Scope, list_studies, load_rules, read_rules

FILE = RULES / "1806.02891.toml"


def changed(tmp_path, old, new):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_hash_is_that_of_the_files_bytes():
    assert load_rules("1806.02891").sha256 == hashlib.sha256(FILE.read_bytes()).hexdigest()


def test_changing_a_threshold_changes_the_hash(tmp_path):
    rules = read_rules(changed(tmp_path, "at_most = 0.01", "at_most = 0.02"))
    assert rules.claims[0].rule.supported[0].threshold == 0.02
    assert rules.sha256 != load_rules("1806.02891").sha256


def test_the_thresholds_are_those_that_were_written_before_any_run():
    rules = load_rules("1806.02891")
    sentences = {claim.id: claim.rule.sentences(claim.measure) for claim in rules.claims}
    assert sentences == {
        "a": {
            "supported": "upper bound of the drop at most 1 point",
            "contradicted": "lower bound of the drop above 1 point",
        },
        "b": {
            "supported": "lower bound of the share at least 25 %",
            "contradicted": "upper bound of the share below 5 %",
        },
        "e": {
            "supported": "lower bound of the correlation above 0.3 and lower bound of the gain above 0",
            "contradicted": "upper bound of the correlation below 0.3",
        },
    }
    assert rules.claims[1].settings == {"drop": 0.05, "false_discovery_rate": 0.05}
    assert rules.confidence == 0.99
    assert rules.scope == Scope(classes=100, units=256, images_per_class=50)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("at_most = 0.01", "at_most = nan", "nan is not a number between"),
        ("at_most = 0.01", "near = 0.01", "a condition takes one of"),
        ("at_most = 0.01", "at_most = 0.01, above = 0.02", "a condition takes one of"),
        ('bound = "high", at_most', 'bound = "middle", at_most', "low or high, not 'middle'"),
        ('measure = "share"', 'measure = "percent"', "claim b has the measure 'percent'"),
        ('id = "b"', 'id = "../b"', "a claim's id is one letter"),
        ("confidence = 0.99", "confidence = 99", "99 is not a number between 0 and 1"),
        ("confidence = 0.99", "", "lacks the field 'confidence'"),
        ("[scope]", "[scope", "cannot be followed"),
        (
            'supported = [{ figure = "drop", bound = "high", at_most = 0.01 }]',
            "supported = []",
            "no condition for supported",
        ),
    ],
)
def test_rules_that_leave_something_open_are_refused(tmp_path, old, new, message):
    with pytest.raises(BrokenRulesError, match=message):
        read_rules(changed(tmp_path, old, new))


def test_an_unknown_study_names_those_there_are():
    with pytest.raises(UnknownStudyError, match=r"no study of '1706.03762'; there is 1806.02891"):
        load_rules("1706.03762")


def test_every_rulebook_is_listed_under_its_papers_id():
    assert [rules.file for rules in list_studies()] == [f"{rules.study}.toml" for rules in list_studies()]


def test_small_settings_raise_flags_and_large_ones_none():
    scope = load_rules("1806.02891").scope
    assert scope.flags(classes=100, units=256, images_per_class=50, training_images=False) == ()
    assert scope.flags(classes=99, units=255, images_per_class=49, training_images=True) == (
        "fewer than 100 classes",
        "fewer than 256 units at the site",
        "fewer than 50 images per class",
        "training images",
    )
