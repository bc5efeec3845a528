"""The page of a screening: its estimates bit for bit, what was asked and reached, and what it is."""

import dataclasses
import re

import pytest

from lenslab.report import measured, write
from lenslab.report.data_packing import unpacked
from lenslab.report.screening_page import screening_facts, tops_table
from lenslab.report.script_bundle import PLACE
from lenslab.runs import Screening
from tests.report.conftest import NO_BUNDLE


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    from lenslab.units import load, screen

    if not (PLACE / "report.js").is_file():
        pytest.fail(NO_BUNDLE, pytrace=False)
    network = dataclasses.replace(load("small", weights="fashion-mnist"), class_names=None)
    out = tmp_path_factory.mktemp("screened") / "one"
    return screen(network, "digits", sites=["relu2", "relu3"], limit=80, precision=4.0, out=out)


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    return write(found, tmp_path_factory.mktemp("page") / "report.html").read_text(encoding="utf-8")


def test_the_page_carries_the_estimates_bit_for_bit_and_every_class_of_every_unit(found, page):
    header, tables = unpacked(re.search(r'id="data">([^<]*)<', page)[1])
    assert (header["kind"], header["key"]) == ("screening", found.key)
    units, classes = found.units, found.classes
    for name in ("accuracy_drop_estimate", "accuracy_drop_low", "heldout_max_class_drop_estimate", "pairs_run"):
        assert tables["units"][name].tobytes() == units[name].to_numpy().tobytes()
    assert len(tables["classes"]["row"]) == len(classes)
    assert sorted(tables["classes"]["drop"].tolist()) == sorted(classes["drop_estimate"].tolist())
    assert not {"accuracy_drop", "losses", "gains"} & {*tables["units"]}


def test_it_says_that_it_was_screened_before_anything_else(page):
    body = page[page.index("<body>") :]
    assert '<p class="kicker screened">Screened: estimates, not counts</p>\n<h1' in body
    assert "screened: drops are estimates with 95 % intervals" in body
    assert "Every unit silenced" not in body


def test_the_facts_say_what_was_asked_and_what_was_reached(found):
    facts = {fact.term: (fact.text, fact.note) for fact in screening_facts(found)}
    assert facts["Asked"][0] == "overall drops to ±4 points (95 %)"
    assert facts["Reached"] == (f"±{found.widest:.2f} points or better", "every figure is as sharp as was asked")
    assert facts["Run exactly"][0] == f"{found.share:.2%} of the pairs"


def test_lists_of_the_most_costly_units_come_with_their_probability(found):
    tops = tops_table(found)
    assert {*tops["by"]} == {"accuracy_drop", "heldout_max_class_drop"}
    assert tops.loc[0, "probability"] == found.top_units(1)[1]
    assert tops["probability"].between(0, 1).all()


def test_equal_screenings_give_equal_pages_and_a_directory_stands_for_its_record(found, page, tmp_path):
    assert write(found.directory, tmp_path / "again.html").read_text(encoding="utf-8") == page
    assert isinstance(measured(found.directory), Screening)
