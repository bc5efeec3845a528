"""``lenslab flips``: what it prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lenslab.cli import main
from lenslab.units import ablate, load

pytestmark = pytest.mark.usefixtures("lean")


def test_the_images_of_a_unit_are_shown_with_the_classes_they_go_to(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    run = ablate(load("small", weights="digits"), "digits", sites=["relu1"], limit=150, out="runs/one")
    capfd.readouterr()
    assert main.run(["flips", "--site", "relu1", "--unit", "31"]) == 0
    out, err = capfd.readouterr()
    changed = int((run.flips["unit"] == 31).sum())
    assert changed > 5
    assert "lost" in out
    assert f"{changed} changed predictions of runs/one" in err
    assert main.run(["flips", "runs/one", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert sum(row["images"] for row in document["flips"]) == len(run.flips)
    assert main.run(["flips"]) == 0
    assert "the first 40 ways are shown, all with --json" in capfd.readouterr().err
    assert main.run(["flips", "--unit", "99"]) == 2
    assert "has no unit 99; relu1 has 0 to 31" in capfd.readouterr().err
