import json
import os
import shutil

import pytest

from lenslab.cli.main import run as lenslab
from tests.report.changing import changed
from tests.report.conftest import run

__all__ = ["run"]


def test_a_report_is_written_and_its_path_and_size_are_printed(run, tmp_path, capsys):
    copy = changed(run, tmp_path / "copy")
    assert lenslab(["report", str(copy.directory)]) == 0
    path = copy.directory / "report.html"
    assert capsys.readouterr().out == f"{path}  ({path.stat().st_size / 1e6:.1f} MB)\n"


def test_json_says_where_it_is_and_of_what(run, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert lenslab(["report", str(run.directory), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"report": str(out), "bytes": out.stat().st_size, "run": str(run.directory)}


def test_without_a_run_the_newest_in_runs_is_taken(run, tmp_path, monkeypatch, capsys):
    changed(run, tmp_path / "runs" / "old", document={**run.record.document, "finished": "2020-01-01"})
    changed(run, tmp_path / "runs" / "new", document={**run.record.document, "finished": "2030-01-01"})
    monkeypatch.chdir(tmp_path)
    assert lenslab(["report"]) == 0
    assert capsys.readouterr().out.startswith("runs/new/report.html")
    assert not (tmp_path / "runs" / "old" / "report.html").exists()


def test_a_study_stands_for_its_run(run, tmp_path, capsys):
    changed(run, tmp_path / "run")
    (tmp_path / "record.json").write_text('{"schema": 1, "kind": "study", "key": "k"}', encoding="utf-8")
    assert lenslab(["report", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == str(tmp_path / "run")


def refused(arguments, capsys):
    assert lenslab(["report", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return " ".join(printed.err.split())


def test_what_cannot_be_done_is_one_message_and_exit_code_2(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    directory = str(run.directory)
    assert "no run in runs; name its directory" in refused([], capsys)
    assert "no record in nowhere" in refused(["nowhere"], capsys)
    assert "does not end in .html" in refused([directory, "--out", f"{directory}/units.parquet"], capsys)
    (tmp_path / "file").write_text("")
    assert "name another place with --out FILE" in refused([directory, "--out", "file/report.html"], capsys)
    (tmp_path / "record.json").write_text('{"schema": 1, "kind": "study", "key": "k"}', encoding="utf-8")
    assert "is a study without its run" in refused(["."], capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_leave_to_write_is_one_message(run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(run.directory, copy)
    copy.chmod(0o500)
    try:
        assert "Permission denied" in refused([str(copy)], capsys)
    finally:
        copy.chmod(0o700)


def test_a_table_that_is_missing_is_named(run, tmp_path, capsys):
    assert "classes.parquet" in refused([str(changed(run, tmp_path, classes=None).directory)], capsys)
