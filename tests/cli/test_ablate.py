"""The command line of the ablation half: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lenslab import records
from lenslab.cli import main
from lenslab.units.images import ImageBlock
from tests.cli.conftest import Typed

pytestmark = pytest.mark.usefixtures("lean")


def test_networks_are_listed_by_where_their_weights_come_from(typed: Typed) -> None:
    code, out, _ = typed("networks")
    assert code == 0
    assert "digits (99." in out
    wanted = ["with shipped weights", "small", "from an extra", "efficientnet_lite0", "that take weights", "resnet50"]
    places = [out.index(text) for text in [*wanted, "from elsewhere", "torchvision:NAME", "'lenslab[vision]'"]]
    assert places == sorted(places)
    document = json.loads(typed("networks", "--json")[1])
    assert [entry["name"] for entry in document["networks"]][:3] == ["small", "efficientnet_lite0", "resnet20"]
    assert {"form": "package.module:callable", "install": None} in document["other_sources"]


def test_sites_counts_resnet20s_688_units(typed: Typed) -> None:
    code, out, err = typed("sites", "resnet20")
    assert (code, "19 default sites with 688 units" in err) == (0, True)
    assert "layer1.0.add" in out
    default = [site for site in json.loads(typed("sites", "resnet20", "--json")[1])["sites"] if site["default"]]
    assert (len(default), sum(site["units"] for site in default)) == (19, 688)


def test_ablate_leaves_a_record_where_it_says(typed: Typed, tmp_path: Path) -> None:
    code, out, err = typed("ablate", "small", "--images", "digits", "--limit", 60)
    assert code == 0
    (directory,) = (tmp_path / "runs").iterdir()
    assert directory.name.startswith("small-")
    assert f"record: runs/{directory.name}" in out
    assert f"into runs/{directory.name}" in err
    assert sorted(path.name for path in directory.iterdir()) == [
        *("activations.parquet", "attribute_classes.parquet", "classes.parquet", "coefficients.parquet"),
        *("correlations.parquet", "exemplars.parquet", "flips.parquet", "images.parquet", "predictions.parquet"),
        *("record.json", "reliability.parquet", "thumbnails.parquet", "units.parquet"),
    ]
    record = records.read(directory)
    assert {"kind", "network", "images", "accuracy", "sites", "paths"} <= set(record.document)
    assert list(record.table("units").columns[:3]) == ["site", "unit", "images"]
    site, took = record.document["sites"][0], record.document["site_seconds"]["relu1"]
    (line,) = (line for line in out.splitlines() if line.startswith("relu1") and "update" in line)
    assert line.split()[-3:] == [f"{site['multiply_accumulates'] / 1e9:.3f}", "?", f"{took['measured']:.2f}"]
    again = typed("ablate", "small", "--images", "digits", "--limit", 60)
    assert "this was measured before" in again[2]
    assert again[1] == out


def test_ablate_as_json_prints_one_document_and_nothing_else(typed: Typed, tmp_path: Path) -> None:
    arguments = ("ablate", "small", "--images", "digits", "--limit", 30, "--sites", "relu3", "--out", tmp_path / "o")
    code, out, _ = typed(*arguments, "--verify", 10, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["directory"] == str(tmp_path / "o")
    assert [site["name"] for site in document["sites"]] == ["relu3"]
    assert sum(document["verification"].values()) == 10


def test_both_engines_write_the_same_tables(typed: Typed, tmp_path: Path) -> None:
    for engine in ("exact", "plain"):
        asked = ("small", "--images", "digits", "--limit", 100, "--sites", "relu1", "--no-attributes")
        assert typed("ablate", *asked, "--engine", engine, "--out", engine)[0] == 0
    exact, plain = (records.read(tmp_path / engine) for engine in ("exact", "plain"))
    assert len(exact.table("flips")) > 20
    assert exact.table("flips").equals(plain.table("flips"))
    integers = ["site", "unit", "label", "images", "drop", "losses", "gains", "p_value", "q_value", "precision_drop"]
    assert exact.table("classes")[integers].equals(plain.table("classes")[integers])


def test_a_dry_run_shows_the_plan_and_runs_nothing(typed: Typed, tmp_path: Path) -> None:
    code, out, err = typed("ablate", "small", "--images", "digits", "--dry-run")
    assert (code, list(tmp_path.iterdir())) == (0, [])
    assert "linear tail" in out
    assert "160 units x 590 images = 94,400 pairs" in err
    plans = json.loads(typed("ablate", "small", "--images", "digits", "--dry-run", "--json")[1])["plans"]
    assert [plan["path"] for plan in plans] == ["low-rank update", "low-rank update", "linear tail"]
    assert "memory" in out
    assert all(1e5 < plan["peak_bytes"] < 1e9 for plan in plans)


def test_a_network_of_ones_own_is_named_by_module_and_callable(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def net():\n"
        "    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10)]\n"
        "    return nn.Sequential(*layers)\n"
    )
    np.savez(tmp_path / "mine.npz", X=np.arange(20 * 36, dtype=np.uint8).reshape(20, 6, 6), Y=np.arange(20) % 10)
    options = ("--mean", "0.5", "--sd", "0.5", "--size", "6")
    code, out, _ = typed("ablate", "mine:net", "--images", "mine.npz", *options, "--out", "out")
    assert code == 0
    assert records.read(tmp_path / "out").document["network"]["name"] == "mine:net"
    assert "mine:net" not in out


def test_preprocessing_and_classes_are_read_from_files(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "timm.json").write_text('{"input_size": [1, 8, 8], "mean": [0.25], "std": [0.5]}')
    (tmp_path / "turned.json").write_text(json.dumps({str(digit): 9 - digit for digit in range(10)}))
    options = ("ablate", "small", "--weights", "digits", "--images", "digits", "--sites", "relu3", "--limit", 50)
    code, _, err = typed(*options, "--preprocessing", "timm.json", "--classes", "turned.json", "--out", "o")
    assert code == 0, err
    record = records.read(tmp_path / "o")
    assert record.document["network"]["preprocessing"]["mean"] == [0.25]
    assert record.document["accuracy"] < 0.2  # every label stands for another digit now
    (tmp_path / "wrong.json").write_text('{"0": "zebra"}')
    assert "zebra" in typed(*options, "--classes", "wrong.json")[2]
    assert "no.json" in typed(*options, "--preprocessing", "no.json")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ablate", "smal", "--images", "digits"), "no network named 'smal'; did you mean 'small'?"),
        (("ablate", "small", "--images", "digit"), "no images named 'digit' and no such file; did you mean 'digits'?"),
        (("ablate", "small", "--images", "digits", "--sites", "relu9"), "no site matches 'relu9'"),
        (("ablate", "resnet20", "--images", "digits"), "resnet20 comes without weights"),
        (("ablate", "small", "--images", "digits", "--weights", "no.pth"), "no weights 'no.pth': no such file"),
        (("ablate", "small", "--images", "digits", "--engine", "magic"), "no engine named 'magic'"),
        (("ablate", "small", "--images", "digits", "--limit", "0"), "a limit of 0 leaves no images"),
        (("ablate", "small", "--images", "digits", "--size", "big"), "'big' is not a size"),
        (("ablate", "small", "--images", "digits", "--mean", "a,b"), "'a,b' is not a list of numbers"),
        (("ablate", "small", "--images", "digits", "--device", "toaster"), "no device 'toaster' here"),
        (("ablate", "nowhere:net", "--images", "digits", "--mean", "0", "--sd", "1", "--size", "8"), "nowhere"),
        (("sites", "small", "--weights", "hostile.pth"), "hostile.pth"),
        (
            (
                "ablate",
                "small",
            ),
            "--images",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_one_message(
    typed: Typed, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "hostile.pth").write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "executed").exists()
    assert not (tmp_path / "runs").exists()


def test_an_output_directory_with_another_run_is_refused_and_kept(typed: Typed, tmp_path: Path) -> None:
    first = ("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--out", "o")
    typed(*first)
    before = (tmp_path / "o" / "record.json").read_bytes()
    code, _, err = typed(*first, "--seed", 1)
    assert (code, "holds another run: seed is 0 there and 1 here" in err) == (2, True)
    assert (tmp_path / "o" / "record.json").read_bytes() == before


def test_resume_goes_on_and_never_begins(typed: Typed, tmp_path: Path) -> None:
    arguments = ("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--out", "o", "--resume")
    code, _, err = typed(*arguments)
    assert (code, "nothing to resume in o: no record was begun there" in err) == (2, True)
    assert not (tmp_path / "o").exists()
    typed(*arguments[:-1])
    assert typed(*arguments)[0] == 0
    code, _, err = typed(*arguments, "--top", 3)
    assert (code, "holds another run: top is null there and 3 here" in err) == (2, True)


def test_images_that_do_not_decode_are_left_out_where_asked(typed: Typed, tmp_path: Path) -> None:
    from PIL import Image

    for label in range(10):
        (tmp_path / "pictures" / str(label)).mkdir(parents=True)
        for number in range(2):
            Image.new("L", (8, 8), 20 * label + number).save(tmp_path / "pictures" / str(label) / f"{number}.png")
    (tmp_path / "pictures" / "3" / "1.png").write_bytes(b"no picture")
    arguments = ("ablate", "small", "--weights", "digits", "--images", "pictures", "--sites", "relu3")
    code, _, err = typed(*arguments)
    assert (code, "3/1.png does not decode" in err) == (2, True)
    code, out, err = typed(*arguments, "--skip-broken", "--json")
    assert code == 0
    (skipped,) = json.loads(out)["images"]["skipped"]
    assert (skipped["image"], "3/1.png does not decode" in skipped["reason"]) == (7, True)


def test_a_split_is_asked_for_and_what_was_assumed_is_said_at_the_end(typed: Typed, tmp_path: Path) -> None:
    import torch
    from PIL import Image

    from lenslab.units import load

    for split, numbers in (("train", range(10)), ("test", range(4))):
        for label in numbers:
            (tmp_path / "pictures" / split / str(label)).mkdir(parents=True)
            Image.new("L", (8, 8), 20 * label).save(tmp_path / "pictures" / split / str(label) / "0.png")
    (tmp_path / "pictures" / "test" / "3" / "notes.txt").touch()
    state = {f"model.{name}": each for name, each in load("small", weights="digits").module.state_dict().items()}
    torch.save({"net": state}, tmp_path / "mine.ckpt")
    own = ("--weights", "mine.ckpt", "--mean", "0.3051", "--sd", "0.3757", "--size", "8")
    arguments = ("ablate", "small", *own, "--images", "pictures", "--sites", "relu3", "--no-attributes")
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    assert "are splits of a data set and no classes; give one of them with --split test" in err
    code, _, err = typed(*arguments, "--split", "test", "--out", "here")
    assert code == 0, err
    document = json.loads((tmp_path / "here" / "record.json").read_text())
    assert (document["images"]["count"], document["images"]["source"]) == (4, "pictures#test")
    assert len(document["assumptions"]) == 4
    assert err.splitlines()[-4:] == [f"assumed: {each}" for each in document["assumptions"]]
    code, _, err = typed("curve", "here", "--order", "l1_norm", "--steps", "8", "--out", "curve")
    assert code == 0, err


def test_ctrl_c_keeps_what_was_finished(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lenslab.units.sweep import schedule, shard_tables

    monkeypatch.setattr(schedule, "BUDGET", 0)
    monkeypatch.setattr(schedule, "_OVERHEAD", 0)
    flips = shard_tables._flips

    def interrupt(site: object, reference: object, images: ImageBlock, draw: int) -> object:
        if images.start:
            raise KeyboardInterrupt
        return flips(site, reference, images, draw)

    arguments = ("ablate", "small", "--images", "digits", "--limit", 40, "--batch-size", 20, "--out", "o")
    monkeypatch.setattr(shard_tables, "_flips", interrupt)
    code, _, err = typed(*arguments)
    assert (code, "the same command goes on from there" in err) == (130, True)
    assert [path.name for path in (tmp_path / "o" / "shards").glob("images*")] == ["images-000000000-000000020.parquet"]
    monkeypatch.setattr(shard_tables, "_flips", flips)
    assert typed(*arguments)[0] == 0
    assert len(records.read(tmp_path / "o").table("images")) == 40


def test_units_for_names_the_units_a_class_needs_in_the_newest_run(typed: Typed) -> None:
    code, _, err = typed("units-for", "8")
    assert (code, "no run in runs" in err) == (2, True)
    typed("ablate", "small", "--images", "digits", "--sites", "relu1")
    code, out, err = typed("units-for", "8")
    assert code == 0
    assert out.splitlines()[1].split()[:3] == ["relu1", "31", "75.38"]
    assert "drops in points of the class's recall" in err
    rows = json.loads(typed("units-for", "8", "--json")[1])["units"]
    assert (rows[0]["unit"], rows[0]["losses"], rows[0]["images"]) == (31, 49, 65)
    assert "beyond chance" in typed("units-for", "0", "--level", "0")[2]
    assert "no class 'eight'" in typed("units-for", "eight")[2]


def test_a_failed_verification_leaves_with_1(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    from lenslab.units.engine.exact_engine import ExactEngine

    right = ExactEngine._exactly

    def wrong(self: ExactEngine, *arguments: object) -> object:
        for rows, units, logits in right(self, *arguments):
            yield rows, units, logits.roll(1, dims=1)

    monkeypatch.setattr(ExactEngine, "_exactly", wrong)
    code, _, err = typed("ablate", "small", "--images", "digits", "--limit", 20, "--verify", 20, "--out", "o")
    assert code == 1
    assert "differ from the plain way" in err


def test_what_is_printed_is_what_the_record_says(typed: Typed, tmp_path: Path) -> None:
    out = typed("ablate", "small", "--images", "digits", "--limit", 60, "--out", "o")[1]
    record = records.read(tmp_path / "o")
    assert f"accuracy before: {100 * record.document['accuracy']:.2f} %" in out
    printed = {
        line.split()[0]: line.split()[1:]
        for line in out.partition("pairs by path")[0].splitlines()
        if line.startswith("relu")
    }
    assert list(printed) == ["relu1", "relu2", "relu3"]
    for site, units in record.table("units").groupby("site"):
        worst = units.loc[units["heldout_max_class_drop"].idxmax()]
        drops, class_drops = units["accuracy_drop"], units["heldout_max_class_drop"]
        figures = [drops.mean(), drops.max(), class_drops.mean(), class_drops.max()]
        assert printed[str(site)] == [
            *(str(len(units)), str(units["dead"].sum())),
            *(f"{100 * figure:.2f}" for figure in figures),
            *((str(worst["max_class"]), str(worst["unit"])) if class_drops.max() > 0 else ("none",)),
        ]
    assert "none" not in printed["relu1"]
    assert "none" in printed["relu3"]


def test_a_note_says_which_classes_have_no_images(typed: Typed) -> None:
    _, out, err = typed("ablate", "small", "--images", "digits", "--limit", 5, "--sites", "relu3")
    assert "classes have no images among the first 5 of 590" in err
    assert "left out" not in out


def test_json_is_not_wrapped_to_the_width_of_the_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = typed("networks", "--json")[1]
    monkeypatch.setenv("COLUMNS", "20")
    assert typed("networks", "--json")[1] == wide
    assert json.loads(wide)["networks"]


def test_json_says_whether_it_was_measured_before(typed: Typed) -> None:
    arguments = ("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--json")
    documents = [json.loads(typed(*arguments)[1]) for _ in range(2)]
    assert [document["reused"] for document in documents] == [False, True]
    assert documents[0]["key"] == documents[1]["key"]


def test_json_leaves_standard_error_to_the_progress(typed: Typed) -> None:
    err = typed("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--json")[2]
    assert "units at" not in err


NARROW = """
import torch
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 4 * 2, 10))

class Asks(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 3, 3), nn.Linear(3, 10)
    def forward(self, x):
        x = self.conv(x)
        return self.last(x.mean(dim=(2, 3)) if bool(x.isfinite().all()) else x.amax(dim=(2, 3)))
"""


def test_size_mean_and_sd_reach_ones_own_network(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "narrow.py").write_text(NARROW)
    options = ("--mean", "0.25", "--sd", "0.5", "--size", "6x4")
    sites = json.loads(typed("sites", "narrow:net", *options, "--json")[1])["sites"]
    assert sites[0]["shape"] == [3, 4, 2]
    arguments = ("ablate", "narrow:net", "--images", "digits", "--limit", 12, *options)
    assert typed(*arguments, "--batch-size", 5)[0] == 0
    (directory,) = (tmp_path / "runs").iterdir()
    assert directory.name.startswith("narrow-net-")
    assert records.read(directory).document["network"]["preprocessing"] == {
        "channels": 1,
        "size": [6, 4],
        "mean": [0.25],
        "sd": [0.5],
    }


def test_another_question_goes_into_another_directory(typed: Typed, tmp_path: Path) -> None:
    for seed in (0, 1):
        typed("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--seed", seed)
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_sites_of_a_network_that_cannot_be_traced_come_with_the_reason(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(NARROW)
    code, out, err = typed("sites", "asking:Asks", "--mean", "0", "--sd", "1", "--size", "8")
    assert (code, "conv" in out) == (0, True)
    assert "torch.fx cannot trace it" in err


def test_weights_that_are_named_win_over_the_shipped_ones(typed: Typed) -> None:
    arguments = ("ablate", "small", "--images", "digits", "--limit", 20, "--sites", "relu3", "--json")
    assert json.loads(typed(*arguments)[1])["network"]["weights_sha256"] is not None
    assert typed(*arguments, "--weights", "nothing.safetensors", "--out", "o")[0] == 2


def test_a_name_in_brackets_is_shown_as_it_is(typed: Typed) -> None:
    err = typed("ablate", "small", "--images", "[red]digits[/red]")[2]
    assert "'[red]digits[/red]'" in err


@pytest.mark.parametrize("options", [("--seed", "-1"), ("--size", "\u00b2"), ("--device", "meta")])
def test_more_that_cannot_be(options: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["ablate", "small", "--images", "digits", "--limit", "20", *options]) == 2
