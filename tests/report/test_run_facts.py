import pandas as pd
import pytest

from lenslab.report.run_facts import class_names, describe_silencing, describe_verification, run_facts, warnings

UNITS = pd.DataFrame({"site": ["a", "a", "b"], "dead": [True, False, False]})


def said(document, images=1000):
    return {fact.term: (fact.text, fact.note) for fact in run_facts(document, UNITS, images)}


def test_the_head_of_a_real_run_says_what_was_measured(run):
    document = run.document
    lines = {fact.term: fact for fact in run_facts(document, run.table("units"), 200)}
    assert lines["Network"].text == "small"
    assert document["network"]["weights_sha256"][:12] in lines["Network"].note
    assert lines["Images"].text == "200 of digits"
    assert lines["Accuracy before"].text == f"{100 * document['accuracy']:.2f} %"
    assert lines["Silenced"].text.endswith("at 3 sites, one at a time")
    assert lines["Replacement"].text == "zero"
    assert f"torch {document['versions']['torch']}" in lines["Versions"].text
    assert "UTC" in lines["Measured"].text
    assert "not recorded" not in {fact.text for fact in lines.values()}


def test_units_dead_ones_and_pairs_are_counted():
    assert said({})["Silenced"] == ("3 units at 2 sites, one at a time", "1 of them dead")
    assert said({})["Engine"][1] == "3,000 pairs of unit and image"
    assert said({"draws": 4})["Engine"][1] == "12,000 pairs of unit and image"
    assert said({"draws": 4, "replacement": "resample"})["Replacement"] == ("resample", "4 draws")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "5 units at 2 sites, one at a time"),
        ({"basis": "units"}, "5 units at 2 sites, one at a time"),
        ({"basis": "haar"}, "5 random directions at 2 sites, one at a time"),
        ({"groups": {"relu": [[0, 1]]}}, "5 units or sets of units at 2 sites, one at a time"),
    ],
)
def test_sets_and_directions_are_called_so(request_, words):
    assert describe_silencing({"request": request_}, 5, 2) == words


def test_what_a_damaged_or_older_document_lacks_is_named():
    for document in ({}, {"network": None, "images": [], "verification": 3, "warnings": "x", "versions": None}):
        assert said(document)["Network"] == ("not recorded", "")
        assert said(document)["Seed"] == ("not recorded", "")
        assert said(document)["Versions"] == ("not recorded", "")
        assert describe_verification(document) == "no pair was done again the plain way"
        assert warnings(document) == []
        assert class_names(document) is None


def test_verified_pairs_are_summed_over_paths():
    words = describe_verification({"verification": {"tail": 1, "suffix": 2, "skipped": 0}})
    assert words == "3 pairs done again the plain way, and equal: 1 tail, 2 suffix"
