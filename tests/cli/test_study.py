import json

import pytest

from lenslab.cli.main import run
from lenslab.studies.rulebook import load_rules


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    place = tmp_path_factory.mktemp("study") / "digits"
    assert run(["study", "run", "1806.02891", "--images", "digits", "--limit", "60", "--out", str(place)]) == 0
    return place


def test_list_names_every_study_and_its_claims(capsys):
    assert run(["study", "list"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "1806.02891" in printed
    for claim in load_rules("1806.02891").claims:
        assert claim.statement in printed


def test_list_prints_json(capsys):
    assert run(["study", "list", "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    assert study["id"] == "1806.02891"
    assert [claim["id"] for claim in study["claims"]] == ["a", "b", "e"]


def test_show_prints_verdicts_figures_and_scope(directory, capsys):
    assert run(["study", "show", str(directory)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "1806.02891 on small and 60 images of digits" in printed
    assert "undecided" in printed
    assert "points [" in printed
    assert "scope flags: fewer than 100 classes; fewer than 256 units at the site" in printed
    assert load_rules("1806.02891").sha256[:12] in printed


def test_show_prints_the_record_as_json(directory, capsys):
    assert run(["study", "show", str(directory), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["kind"] == "study"
    assert [claim["id"] for claim in shown["claims"]] == ["a", "b", "e"]
    assert {"verdict", "estimate", "low", "high", "scope"} <= shown["claims"][0].keys()


def test_running_again_says_that_it_was_measured_and_prints_json_alone(directory, capsys):
    command = ["study", "run", "1806.02891", "--images", "digits", "--limit", "60", "--out", str(directory), "--json"]
    assert run(command) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["directory"] == str(directory)
    assert "already measured" in printed.err


@pytest.mark.thorough
def test_without_out_the_record_goes_below_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["study", "run", "1806.02891", "--images", "digits", "--limit", "15"]) == 0
    (place,) = (tmp_path / "runs").iterdir()
    assert place.name.startswith("1806.02891-small-")
    assert f"runs/{place.name}" in "".join(capsys.readouterr().out.split("\n"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "1706.03762"], "no study of '1706.03762'; there is 1806.02891"),
        (["run", "1806.02891", "--network", "smal", "--images", "digits"], "did you mean 'small'"),
        (["run", "1806.02891", "--network", "resnet20"], "--images SOURCE"),
        (["run", "1806.02891", "--images", "digit"], "did you mean 'digits'"),
        (["show", "nowhere"], "no record in nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_exit_code_2(arguments, message, capsys):
    assert run(["study", *arguments]) == 2
    printed = capsys.readouterr()
    assert message in " ".join(printed.err.split())
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_markup_in_a_record_is_shown_and_not_obeyed(directory, tmp_path, capsys):
    document = json.loads((directory / "record.json").read_text(encoding="utf-8"))
    document["claims"][0]["statement"] = "[red]\x1b[31mloud[/red] claim"
    (tmp_path / "record.json").write_text(json.dumps(document), encoding="utf-8")
    assert run(["study", "show", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "[red]" in printed
    assert "\x1b[31m" not in printed


def test_a_damaged_record_is_refused_by_the_name_of_its_field(directory, tmp_path, capsys):
    document = json.loads((directory / "record.json").read_text(encoding="utf-8"))
    document["claims"][1]["verdict"] = "proved"
    (tmp_path / "record.json").write_text(json.dumps(document), encoding="utf-8")
    assert run(["study", "show", str(tmp_path)]) == 2
    assert "as 'verdict', and not one of supported, contradicted" in " ".join(capsys.readouterr().err.split())
