import hashlib
import html
import json
import re

import pytest

from lenslab.records import read
from lenslab.report import UnwritableReportError, write
from lenslab.report.data_packing import unpacked
from lenslab.report.script_bundle import read_bundle, source_hash
from lenslab.runs import read as read_run
from lenslab.runs.errors import NotARunError
from tests.report.changing import changed

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e&\"'\u2028"


def data_of(text):
    return unpacked(re.search(r'id="data">([^<]*)<', text)[1])


def hashes(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def test_a_report_lies_beside_the_tables_and_changes_none_of_them(run, tmp_path):
    copy = changed(run, tmp_path)
    before = hashes(tmp_path)
    path = write(copy)
    assert path == tmp_path / "report.html"
    after = hashes(tmp_path)
    assert after.pop("report.html")
    assert after == before
    assert read(tmp_path).key == run.key


def test_equal_records_give_equal_reports_wherever_they_go(run, tmp_path):
    first, second = write(run, tmp_path / "one.html"), write(run.directory, tmp_path / "deep" / "two.htm")
    assert first.read_bytes() == second.read_bytes()
    assert write(run, tmp_path) == tmp_path / "report.html"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["deep", "one.html", "report.html"]


def test_the_page_carries_the_records_figures_bit_for_bit(run, tmp_path):
    header, tables = data_of(write(run, tmp_path).read_text(encoding="utf-8"))
    units = run.table("units")
    for name in ("unit", "accuracy_drop", "accuracy_drop_low", "q_value", "class_selectivity", "taylor", "apoz"):
        assert tables["units"][name].tobytes() == units[name].to_numpy().astype(tables["units"][name].dtype).tobytes()
    assert header["class_names"] == [*run.dataset.class_names]
    assert header["key"] == run.key
    assert set(header["themes"]) == {"light", "dark"}


def test_the_page_says_without_a_script_what_each_site_cost(run, tmp_path):
    text = write(run, tmp_path).read_text(encoding="utf-8")
    table = re.search(r"<summary>What each site cost</summary>(.*?)</details>", text, re.DOTALL)[1]
    rows = [re.findall(r"<t[hd][^>]*>(?:<bdi>)?([^<]*)", row) for row in re.findall(r"<tr>.*?</tr>", table)[1:]]
    assert [row[:2] for row in rows] == [[work.site, work.path] for work in run.work]
    assert [row[-1] for row in rows] == [f"{work.seconds:,.2f}" for work in run.work]


def test_the_policy_allows_this_script_and_this_style_and_no_connection(run, tmp_path):
    text = write(run, tmp_path).read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    assert rules["script-src"] == f"'{source_hash(script)}'"
    assert rules["style-src"] == f"'{source_hash(style)}'"
    assert rules["img-src"] == "data:"
    assert (script, style) == (read_bundle().script, read_bundle().style)


def test_nothing_in_the_page_has_an_address_elsewhere(run, tmp_path):
    text = write(run, tmp_path).read_text(encoding="utf-8")
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    assert re.findall(r'(?:src|href|action|data)="([^"]*)"', body) == ["#content", "#/", "#units", "#scatter", "#heat"]


def test_hostile_names_are_text_in_the_head_and_data_elsewhere(run, tmp_path):
    document = json.loads(json.dumps(run.record.document))
    document["network"]["name"] = document["images"]["name"] = HOSTILE
    document["warnings"] = [HOSTILE]
    document["images"]["class_names"] = [HOSTILE] * 10
    hostile = changed(run, tmp_path, document=document)
    text = write(hostile).read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert text.count("</script>") == 3
    assert f"<bdi>{html.escape(HOSTILE)}</bdi>" in text
    header, _ = data_of(text)
    assert header["class_names"] == [HOSTILE] * 10
    assert header["network"] == HOSTILE


def test_a_study_stands_for_its_run(run, tmp_path):
    inner = changed(run, tmp_path / "study" / "run")
    (tmp_path / "study" / "record.json").write_text('{"schema": 1, "kind": "study", "key": "k"}', encoding="utf-8")
    assert read_run(tmp_path / "study").directory == inner.directory
    assert write(tmp_path / "study") == inner.directory / "report.html"


def test_a_study_without_a_run_is_refused(tmp_path):
    (tmp_path / "record.json").write_text('{"schema": 1, "kind": "study", "key": "k"}', encoding="utf-8")
    with pytest.raises(NotARunError, match="is a study without its run; name the directory"):
        write(tmp_path)


@pytest.mark.parametrize("name", ["units.parquet", "record.json", "report"])
def test_a_name_that_is_not_a_pages_is_refused(run, name):
    before = hashes(run.directory)
    with pytest.raises(UnwritableReportError, match=r"does not end in \.html"):
        write(run, run.directory / name)
    assert hashes(run.directory) == before


def test_a_place_that_cannot_be_written_is_refused_with_the_next_step(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableReportError, match="name another place with --out FILE"):
        write(run, tmp_path / "file" / "report.html")


def test_a_record_as_the_first_version_wrote_it_has_a_report(run, tmp_path):
    kept = ["site", "unit", "images", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high", "losses", "gains"]
    document = {name: run.record.document[name] for name in ("schema", "kind", "key", "images")}
    older = changed(
        run,
        tmp_path,
        units=run.table("units")[kept],
        document=document,
        **dict.fromkeys(["attribute_classes", "exemplars", "thumbnails", "correlations"]),
    )
    text = write(older).read_text(encoding="utf-8")
    assert "not recorded" in text
    header, tables = data_of(text)
    assert header["pictured"] is False
    assert "dead" not in tables["units"]
