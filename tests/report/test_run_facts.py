from pathlib import Path

import pandas as pd
import pytest

from lenslab.records import Record
from lenslab.report.run_facts import describe_silencing, describe_verification, run_facts
from lenslab.runs import Intervention, Run

UNITS = pd.DataFrame({"site": ["a", "a", "b"], "dead": [True, False, False]})


def of(document):
    return Run(Record(Path("run"), {"kind": "run", "key": "0", **document}))


def said(document, images=1000):
    return {fact.term: (fact.text, fact.note) for fact in run_facts(of(document), UNITS, images)}


def test_the_head_of_a_real_run_says_what_was_measured(run):
    document = run.record.document
    lines = {fact.term: fact for fact in run_facts(run, run.units, 200)}
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
        ({"groups": {"relu": [[0, 1]]}}, "5 sets of units at 2 sites, one at a time"),
    ],
)
def test_sets_and_directions_are_called_so(request_, words):
    assert describe_silencing(Intervention.recorded({"request": request_}), 5, 2) == words


def test_what_a_damaged_or_older_document_lacks_is_named():
    for document in ({}, {"network": None, "images": [], "verification": 3, "warnings": "x", "versions": None}):
        assert said(document)["Network"] == ("unnamed", "")
        assert said(document)["Seed"] == ("not recorded", "")
        assert said(document)["Versions"] == ("not recorded", "")
        assert said(document)["Accuracy before"] == ("not recorded", "")
        assert said(document)["Verified"] == ("no pair was done again the plain way", "")
        assert of(document).warnings == ()
        assert of(document).dataset.class_names is None


def test_verified_pairs_are_summed_over_paths():
    words = describe_verification({"tail": 1, "suffix": 2})
    assert words == "3 pairs done again the plain way, and equal: 1 tail, 2 suffix"
