"""``lenslab ablate --engine screen``: what it prints, goes on with and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lenslab.runs import Screening
from tests.cli.conftest import Typed

ASKED = ("ablate", "small", "--images", "digits", "--limit", "60", "--sites", "relu2", "--engine", "screen")


def test_a_screening_says_what_it_is_and_how_sharp(typed: Typed, tmp_path: Path) -> None:
    place = tmp_path / "one"
    code, out, err = typed(*ASKED, "--precision", "5", "--top-units", "2", "--out", str(place))
    found = Screening.of(place)
    assert (code, "note: screened: drops are estimates" in err) == (0, True)
    assert f"{100 * found.share:.2f} % of the pairs were run" in out
    assert "the 2 units with the largest drops with probability " in out
    assert f"record: {place}" in out
    again = typed(*ASKED, "--precision", "5", "--out", str(place))
    assert "this was screened before" in again[2]


def test_it_goes_on_to_a_narrower_precision_and_prints_json(typed: Typed, tmp_path: Path) -> None:
    place = str(tmp_path / "one")
    first = json.loads(typed(*ASKED, "--precision", "6", "--out", place, "--json")[1])
    second = json.loads(typed(*ASKED, "--precision", "0", "--resume", "--top-units", "1", "--out", place, "--json")[1])
    assert first["screening"]["pairs_run"] < second["screening"]["pairs_run"]
    assert (second["engine"], second["screening"]["widest_half_width"]) == ("screen", 0.0)
    assert second["top_units"]["probability"] == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "exact", "--precision", "1"], "--precision goes with --engine screen, and the engine is exact"),
        (["--top-units", "3"], "--top-units goes with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--top", "3"], "--top does not go with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--verify", "9"], "--verify does not go with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--on", "ray"], "--on does not go with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--workers", "2"], "--workers does not go with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--dry-run"], "--dry-run does not go with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--basis", "haar"], "--basis does not go with --engine screen"),
        (["--by", "accuracy_drop"], "--by goes with --engine screen"),
        (["--engine", "screen", "--precision", "1", "--by", "accuracy_drop"], "--by ranks the units that --top-units"),
        (["--engine", "screen", "--precision", "1", "--top-units", "2", "--by", "x"], "--by is accuracy_drop or held"),
        (["--engine", "screen"], "give a precision in points, a budget, or both"),
    ],
)
def test_options_that_contradict_each_other_are_refused(typed: Typed, options: list[str], said: str) -> None:
    code, _, err = typed("ablate", "small", "--images", "digits", "--limit", "20", *options)
    assert (code, said in " ".join(err.split())) == (2, True)


@pytest.mark.parametrize("command", [["units-for", "8", "--run"], ["flips"], ["curve"], ["compare"]])
def test_other_commands_refuse_a_screening_with_one_sentence(typed: Typed, tmp_path: Path, command: list[str]) -> None:
    place = str(tmp_path / "one")
    typed(*ASKED, "--precision", "6", "--out", place)
    places = [place, place] if command == ["compare"] else [place]
    code, _, err = typed(*command, *places)
    assert (code, "was screened: its drops are estimates" in " ".join(err.split())) == (2, True)


def test_the_top_units_can_be_ranked_by_their_held_out_class_drop(typed: Typed, tmp_path: Path) -> None:
    asked = (*ASKED, "--precision", "5", "--top-units", "2", "--by", "heldout_max_class_drop")
    code, out, _ = typed(*asked, "--out", str(tmp_path / "one"))
    assert (code, "2 units with the largest held-out class drops with probability" in " ".join(out.split())) == (
        0,
        True,
    )
    said = json.loads(typed(*asked, "--out", str(tmp_path / "one"), "--json")[1])["top_units"]
    rows, probability = Screening.of(tmp_path / "one").top_units(2, "heldout_max_class_drop")
    assert (said["by"], said["probability"]) == ("heldout_max_class_drop", probability)
    assert [row["unit"] for row in said["units"]] == rows["unit"].tolist()


def test_a_screening_has_a_report(typed: Typed, tmp_path: Path) -> None:
    place = str(tmp_path / "one")
    typed(*ASKED, "--precision", "6", "--out", place)
    code, out, _ = typed("report", place)
    assert (code, out.startswith(f"{place}/report.html")) == (0, True)
    assert "Screened: estimates, not counts" in (tmp_path / "one/report.html").read_text(encoding="utf-8")
