"""``lenslab compare``: what it prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lenslab.units import ablate, load
from tests.cli.conftest import Typed


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints: in the second one nothing hears unit 31 of the first site, on which the first one leans."""
    place = tmp_path_factory.mktemp("compared")
    first, second = load("small", weights="digits"), load("small", weights="digits")
    with torch.no_grad():
        second.module.conv2.weight[:, 31] = 0
    ablate(first, "digits", sites=["relu1", "relu2"], limit=200, out=place / "first")
    ablate(second, "digits", sites=["relu1"], limit=200, out=place / "second")
    ablate(first, "digits", sites=["relu3"], limit=20, out=place / "elsewhere")
    ablate(first, "digits", sites=["relu1"], limit=2, out=place / "unmoved")
    return place


@pytest.fixture
def typed(typed: Typed, place: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.chdir(place)
    return typed


def test_two_seeds_are_compared_by_their_distributions(typed: Typed) -> None:
    code, out, err = typed("compare", "first", "second")
    assert code == 0, err
    assert "relu1" in out
    assert "Cliff's" in out
    assert "Spearman" not in out
    assert "on 200 images of both" in out
    assert "only in the first run: relu2" in err


def test_two_checkpoints_are_compared_unit_by_unit(typed: Typed) -> None:
    code, out, err = typed("compare", "first", "second", "--paired")
    assert code == 0, err
    assert "Spearman" in out
    assert "differing" in out
    document = json.loads(typed("compare", "first", "second", "--paired", "--json")[1])
    changed = document["units"][31]
    assert (changed["unit"], changed["drop_other"]) == (31, 0)
    assert changed["difference"] > changed["low"] > 0
    assert changed["q_value"] < 0.05
    assert document["sites"][0]["changed"] == sum(row["q_value"] <= 0.05 for row in document["units"])
    assert document["only_one"] == ["relu2"]


def test_a_run_beside_itself_shows_no_changed_unit(typed: Typed) -> None:
    code, out, err = typed("compare", "first", "first", "--paired")
    assert code == 0
    assert "differing" not in out
    assert "note: both runs have the same weights" in err


def test_drops_that_are_all_equal_have_no_correlation(typed: Typed) -> None:
    code, out, _ = typed("compare", "unmoved", "unmoved", "--paired")
    assert code == 0
    assert "not defined" in out
    assert "nan" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("first", "elsewhere"), "have no site in common"),
        (("first", "nowhere"), "no record in nowhere"),
    ],
)
def test_what_cannot_be_compared_is_refused(typed: Typed, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = typed("compare", *arguments)
    assert (code, out) == (2, "")
    assert message in err
