"""``lenslab curve``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lenslab import records
from lenslab.cli import main
from tests.cli.conftest import Typed

pytestmark = pytest.mark.usefixtures("lean")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``ablate`` leaves in ``runs/``, made once for all tests."""
    arguments = "ablate small --weights digits --images digits --limit 120 --sites relu[13]"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("measured"))
        assert main.run(arguments.split()) == 0
        return Path.cwd() / "runs"


@pytest.fixture
def measured(typed: Typed, runs: Path, tmp_path: Path) -> Typed:
    shutil.copytree(runs, tmp_path / "runs")
    return typed


def test_the_newest_run_is_silenced_in_several_orders(measured: Typed, tmp_path: Path) -> None:
    orders = ("--order", "own-drop", "--order", "random", "--order", "-l1_norm", "--order", "class-drop:8")
    code, out, err = measured("curve", *orders, "--repeats", 2, "--steps", "0,4,16", "--site", "relu1", "--verify", 9)
    assert code == 0, err
    (directory,) = (tmp_path / "runs").glob("small-curve-*")
    assert f"record: runs/{directory.name}, with charts/curve.light.svg" in out
    for text in ("own-drop", "-l1_norm", "recall of 8", "units silent: 0, 4, 16, 32"):
        assert text in out
    assert "ranked on half A of the run: own-drop, class-drop:8" in err
    held = {path.relative_to(directory).as_posix() for path in directory.rglob("*")}
    assert {"record.json", "curve.json", "curve.parquet", "recalls.parquet", "areas.parquet"} <= held
    assert {"charts/curve.vl.json", "charts/curve.light.svg", "charts/curve.dark.svg"} <= held
    record = records.read(directory)
    assert len(record.table("curve")) == 4 * (1 + 2 + 1 + 1)
    again = measured("curve", *orders, "--repeats", 2, "--steps", "0,4,16", "--site", "relu1")
    assert again[1] == out
    assert measured("units-for", 8)[0] == 0  # a run by sets is not taken for the newest run of units


def test_as_json_it_prints_one_document_and_nothing_else(measured: Typed) -> None:
    code, out, _ = measured("curve", "--keep", "--steps", 5, "--repeats", 2, "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["site"], document["keep"], document["sizes"][-1]) == ("relu3", True, 64)
    assert [each["order"] for each in document["orders"]] == ["own-drop", "random"]
    assert {row["measure"] for row in document["areas"]} == {"accuracy", "balanced_accuracy", "recall"}
    random = [row for row in document["areas"] if row["order"] == "random"]
    assert all(row["difference"] is None for row in random)
    assert document["points"][0]["silenced"] == 64
    assert document["read_on"]["images_that_ranked"] == 0


def test_a_dry_run_says_how_much_there_is_to_do_and_does_nothing(measured: Typed, tmp_path: Path) -> None:
    code, out, err = measured("curve", "--order", "unit", "--dry-run", "--steps", "1,2")
    assert (code, out) == (0, "")
    assert "relu3: 4 sets of its 64 units on 120 images of digits; nothing was run" in err
    assert json.loads(measured("curve", "--order", "unit", "--dry-run", "--steps", "1,2", "--json")[1])["sets"] == 4
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_it_reads_on_other_images_and_ranks_by_another_run(measured: Typed, tmp_path: Path) -> None:
    (first,) = (tmp_path / "runs").iterdir()
    options = ("--ranked-by", first, "--images", "digits-train", "--limit", 60, "--steps", 4, "--repeats", 2)
    code, out, err = measured("curve", first, *options, "--order", "accuracy_drop", "--order", "random", "--out", "o")
    assert code == 0, err
    assert "60 of the 60 images that the curves are read on are not those of the run" in err
    assert "% of 60 images" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--order", "l2_norm"), "no order 'l2_norm'; did you mean 'l1_norm'?"),
        (("--order", "accuracy_drop"), "rank by own-drop, which leaves half B"),
        (("--site", "relu2"), "has no site 'relu2'; did you mean 'relu"),
        (("--steps", "1,99"), "99 units cannot be silenced at a site of 64"),
        (("--steps", "many"), "is neither a count nor sizes"),
        (("--weights", "fashion-mnist"), "are not those of"),
        (("--ranked-by", "nowhere"), "no record in nowhere"),
        (("nowhere",), "no record in nowhere"),
    ],
)
def test_what_cannot_be_is_refused(measured: Typed, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = measured("curve", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.replace("│", " ").split())


def test_without_a_run_it_says_how_to_make_one(typed: Typed) -> None:
    code, _, err = typed("curve")
    assert code == 2
    assert "no run in runs; name its directory, or make one with: lenslab ablate" in err
