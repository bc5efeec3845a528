"""Records: written whole or not at all, read back as written, refused by name where they are not ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab import records

REQUEST = {"network": "toy", "seed": 0}


def finished(directory: Path, **document: object) -> records.Record:
    draft = records.Draft.open(directory, kind="run", request=REQUEST)
    draft.write_table("units", pd.DataFrame({"site": ["a", "b"], "accuracy_drop": [0.25, -0.5]}))
    return draft.finish(document)


@given(
    st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False))
)
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]) -> None:
    kept = {name: value for name, value in document.items() if name not in ("schema", "kind", "key", "request")}
    directory = tmp_path_factory.mktemp("record") / "run"
    finished(directory, extra=kept)
    record = records.read(directory)
    assert record.document["extra"] == kept
    assert record.document["request"] == REQUEST
    assert record.table("units")["accuracy_drop"].tolist() == [0.25, -0.5]


def test_a_record_can_be_copied_and_read_elsewhere(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert records.read(tmp_path / "elsewhere").kind == "run"


def test_a_draft_is_no_record_and_goes_on_where_it_was(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    draft.write_table("shards/images-0-5", pd.DataFrame({"image": [0]}))
    with pytest.raises(records.RecordNotFoundError, match=r"no record in .*record\.json"):
        records.read(tmp_path)
    again = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    assert [path.name for path in again.shards("images-*")] == ["images-0-5.parquet"]
    assert again.finished() is None
    again.finish({})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["record.json"]
    assert records.Draft.open(tmp_path, kind="run", request=REQUEST).finished() is not None


def test_a_directory_with_another_record_is_refused_and_left_alone(tmp_path: Path) -> None:
    finished(tmp_path / "run", accuracy=0.5)
    before = (tmp_path / "run" / "record.json").read_bytes()
    with pytest.raises(records.OtherRecordError, match=r"holds another run: seed is 0 there and 1 here\..*--out"):
        records.Draft.open(tmp_path / "run", kind="run", request={**REQUEST, "seed": 1})
    assert (tmp_path / "run" / "record.json").read_bytes() == before


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(records.OtherRecordError, match=r"not empty \(it has 'thesis.tex'\)"):
        records.Draft.open(tmp_path, kind="run", request=REQUEST)
    with pytest.raises(records.OtherRecordError, match="is a file"):
        records.Draft.open(tmp_path / "thesis.tex", kind="run", request=REQUEST)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_file_that_was_being_written_leaves_nothing_behind(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    draft.write_json("half.json", {"good": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        draft.write_json("half.json", {"bad": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        draft.write_text("half.json", "half and then \ud800")
    assert json.loads((tmp_path / "half.json").read_text()) == {"good": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.json", "request.json"]


def test_tables_are_written_together_from_pieces_and_read_a_part_at_a_time(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    pieces = [
        (name, pd.DataFrame({"site": [site] * 3, f"{name} value": [place, place + 1, place + 2]}))
        for place, site in enumerate("abc")
        for name in ("first", "second")
    ]
    draft.write_tables(iter(pieces))
    record = draft.finish({})
    for name in ("first", "second"):
        parts = [piece for own, piece in pieces if own == name]
        pd.testing.assert_frame_equal(record.table(name), pd.concat(parts, ignore_index=True))
        pd.testing.assert_frame_equal(record.table(name, where=("site", "b")), parts[1])
        assert record.table(name, where=("site", "d")).empty
        assert record.rows(name) == 9
    with pytest.raises(records.BrokenRecordError, match="has no column 'place'"):
        record.table("first", where=("place", "b"))


def test_tables_whose_pieces_break_off_leave_what_was_there(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    before = draft.write_table("first", pd.DataFrame({"unit": [7]})).read_bytes()

    def pieces() -> Iterator[tuple[str, pd.DataFrame]]:
        yield "first", pd.DataFrame({"unit": [1]})
        yield "second", pd.DataFrame({"unit": [2]})
        raise RuntimeError("the site cannot be computed")

    with pytest.raises(RuntimeError, match="cannot be computed"):
        draft.write_tables(pieces())
    assert (tmp_path / "first.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.parquet", "request.json"]


def test_the_rows_of_a_damaged_table_are_not_counted(tmp_path: Path) -> None:
    record = records.Draft.open(tmp_path, kind="run", request=REQUEST).finish({})
    (tmp_path / "flips.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(records.BrokenRecordError, match="cannot be read as a Parquet table"):
        record.rows("flips")


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"site": ["a"] * 1000, "unit": range(1000)})
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    first, second = draft.write_table("first", frame), draft.write_table("second", frame.copy())
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        (
            '{"schema": 2, "kind": "run", "key": "k"}',
            records.UnknownSchemaError,
            "has schema 2; this version reads schema 1",
        ),
        ('{"schema": true, "kind": "run", "key": "k"}', records.UnknownSchemaError, "has schema True"),
        ('{"kind": "run"}', records.UnknownSchemaError, "has schema None"),
        ('{"schema": 1, "kind": "recipe", "key": "k"}', records.UnknownSchemaError, "of kind 'recipe'"),
        ('{"schema": 1, "kind": "run"}', records.BrokenRecordError, "has no key"),
        ('{"schema": 1', records.BrokenRecordError, "cannot be read as JSON"),
        ("[" * 100_000, records.BrokenRecordError, "cannot be read as JSON"),
        ("[1]", records.BrokenRecordError, "holds a list and not an object"),
    ],
)
def test_a_record_that_is_not_ours_is_refused_by_name(
    tmp_path: Path, document: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "record.json").write_text(document)
    with pytest.raises(error, match=message):
        records.read(tmp_path / "run")
    found, problems = records.find(tmp_path, kind="run")
    assert found == []
    assert len(problems) == 1
    assert message in problems[0]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "/etc/hostname",
        "charts/../../secret.txt",
        "",
        "a\0b",
        "link.txt",
        "../run-of-another/secret.txt",
    ],
)
def test_no_name_leads_out_of_a_record(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "run-of-another").mkdir()
    (tmp_path / "run-of-another" / "secret.txt").write_text("secret")
    record = finished(tmp_path / "run")
    (tmp_path / "run" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(records.RecordNotFoundError):
        record.path(name)


def test_a_file_of_the_record_is_found_and_everyone_may_read_it(tmp_path: Path) -> None:
    path = finished(tmp_path / "run").path("units.parquet")
    assert path == tmp_path / "run" / "units.parquet"
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_a_killed_writer_left_neither_hinders_a_draft_nor_stays_in_the_record(tmp_path: Path) -> None:
    (tmp_path / ".abc123.partial").write_text("half")
    records.Draft.open(tmp_path, kind="run", request=REQUEST).finish({})
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    finished(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        half = tmp_path / f".{other.pid}-abc.partial"
        half.write_text("half")
        assert records.Draft(tmp_path, "run", REQUEST).finished() is not None
        assert half.exists()
        other.communicate(b"\n")
    assert records.Draft(tmp_path, "run", REQUEST).finished() is not None
    assert not half.exists()


def test_a_record_of_another_request_does_not_finish_a_draft(tmp_path: Path) -> None:
    finished(tmp_path)
    assert records.Draft(tmp_path, "run", REQUEST).finished() is not None
    assert records.Draft(tmp_path, "run", {**REQUEST, "seed": 1}).finished() is None


def test_a_draft_of_another_request_is_refused(tmp_path: Path) -> None:
    records.Draft.open(tmp_path, kind="run", request=REQUEST)
    with pytest.raises(records.OtherRecordError, match=r"holds another run: network is \w+ there and other here"):
        records.Draft.open(tmp_path, kind="run", request={**REQUEST, "network": "other"})
    with pytest.raises(records.OtherRecordError, match="holds another run"):
        records.Draft.open(tmp_path, kind="study", request=REQUEST)


def test_a_kind_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown kind of record 'recipe'; known kinds are run, screening, study"):
        records.Draft.open(tmp_path / "run", kind="recipe", request=REQUEST)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["record.json", "request.json"])
@pytest.mark.parametrize("document", ['{"key": ', "[1]", "{}"])
def test_a_damaged_directory_is_refused_and_left_alone(tmp_path: Path, name: str, document: str) -> None:
    (tmp_path / name).write_text(document)
    with pytest.raises(records.BrokenRecordError, match=rf"{name} cannot be read: .*remove this one yourself"):
        records.Draft.open(tmp_path, kind="run", request=REQUEST)
    assert (tmp_path / name).read_text() == document


def test_shards_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    for name in ("images-3", "images-1", "flips-0", "images-2"):
        draft.write_table(f"shards/{name}", pd.DataFrame({"image": [0]}))
    assert [path.stem for path in draft.shards("images-*.parquet")] == ["images-1", "images-2", "images-3"]


def test_a_table_holds_its_columns_and_nothing_of_the_frame_that_it_came_from(tmp_path: Path) -> None:
    frame = pd.DataFrame({"site": ["a", "b"], "unit": [0, 1]}, index=[7, 3])
    draft = records.Draft.open(tmp_path, kind="run", request=REQUEST)
    for table in (frame, pa.Table.from_pandas(frame, preserve_index=False)):
        schema = pq.read_schema(draft.write_table("table", table))
        assert (schema.names, schema.metadata) == (["site", "unit"], None)


def test_a_table_is_read_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    record = finished(tmp_path / "run")
    assert list(record.table("units", columns=["site"]).columns) == ["site"]
    with pytest.raises(records.BrokenRecordError, match=r"units\.parquet has no column 'drop'"):
        record.table("units", columns=["site", "drop"])
    with pytest.raises(records.RecordNotFoundError, match=r"has no file 'classes\.parquet'"):
        record.table("classes")


def test_a_chart_is_a_json_object_or_refused(tmp_path: Path) -> None:
    record = finished(tmp_path / "run")
    (tmp_path / "run" / "charts").mkdir()
    for name, text in (("good", '{"mark": "bar"}'), ("list", "[]"), ("half", "{")):
        (tmp_path / "run" / "charts" / f"{name}.vl.json").write_text(text)
    assert record.chart("good") == {"mark": "bar"}
    with pytest.raises(records.BrokenRecordError, match="holds a list and not an object"):
        record.chart("list")
    with pytest.raises(records.BrokenRecordError, match="cannot be read as JSON"):
        record.chart("half")
    with pytest.raises(records.RecordNotFoundError):
        record.chart("none")


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    record = finished(tmp_path / "run")
    (tmp_path / "run" / "units.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(records.BrokenRecordError, match=r"units\.parquet cannot be read"):
        record.table("units")


def test_records_are_found_newest_first_and_by_kind(tmp_path: Path) -> None:
    for name, finish in (("old", "2026-01-01"), ("new", "2026-02-01")):
        finished(tmp_path / name, finished=finish)
    found, problems = records.find(tmp_path, kind="run")
    assert ([record.directory.name for record in found], problems) == (["new", "old"], [])
    assert records.find(tmp_path, kind="study") == ([], [])


@pytest.mark.parametrize("name", ["a" * 300, "\ud800"])
def test_a_name_that_no_file_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    record = records.Draft.open(tmp_path, kind="run", request={}).finish({})
    with pytest.raises(records.RecordNotFoundError):
        record.path(name)


def test_a_document_nested_without_end_is_refused_by_a_draft_too(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("[" * 100_000)
    with pytest.raises(records.BrokenRecordError):
        records.Draft.open(tmp_path, kind="run", request={})


def test_what_a_process_left_that_died_while_it_cleared_up_is_cleared_away(tmp_path: Path) -> None:
    draft = records.Draft.open(tmp_path, kind="run", request={"network": "toy"})
    draft.write_table("shards/flips-0", pd.DataFrame({"unit": [1]}))
    request = (tmp_path / "request.json").read_bytes()
    draft.finish({})
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "flips-0.parquet").write_bytes(b"left")
    (tmp_path / "request.json").write_bytes(request)
    (tmp_path / ".abc.partial").write_bytes(b"half")
    assert records.Draft.open(tmp_path, kind="run", request={"network": "toy"}).finished() is not None
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    other = records.Draft(tmp_path, "run", {"network": "another"})
    assert other.finished() is None


@pytest.mark.parametrize("place", ["file/run", "file/deep/run", "/proc/no-such-directory/run"])
def test_a_place_that_cannot_be_written_to_is_named_with_the_next_step(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(records.NotWritableError, match=rf"no record can be written to .*{place}: .*another .* --out"):
        records.Draft.open(tmp_path / place, kind="run", request=REQUEST)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_directory_without_a_name_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(records.OtherRecordError, match="has no name"):
        records.Draft.open("", kind="run", request=REQUEST)
    assert list(tmp_path.iterdir()) == []


def test_what_differs_is_told_with_both_values_and_hashes_in_short(tmp_path: Path) -> None:
    one, other = "a" * 64, "b" * 64
    records.Draft.open(tmp_path, kind="run", request={**REQUEST, "images_sha256": one, "sites": ["relu"] * 40})
    with pytest.raises(records.OtherRecordError) as caught:
        records.Draft.open(tmp_path, kind="run", request={**REQUEST, "images_sha256": other, "top": 5, "sites": []})
    said = str(caught.value)
    assert f"images_sha256 is {one[:12]} there and {other[:12]} here" in said
    assert "top is null there and 5 here" in said
    assert 'sites is ["relu", "relu"' in said
    assert "... there and [] here" in said


def test_a_draft_goes_on_with_a_record_that_differs_only_where_it_may(tmp_path: Path) -> None:
    place, asked = tmp_path / "one", {"network": "toy", "precision": 2}
    first = records.Draft.open(place, kind="screening", request=asked)
    first.write_table("pairs", pa.table({"pair": [1]}))
    first.finish({"found": "rough"})
    with pytest.raises(records.OtherRecordError, match="precision is 2 there and 1 here"):
        records.Draft.open(place, kind="screening", request={**asked, "precision": 1})
    with pytest.raises(records.OtherRecordError, match="network is toy there and other here"):
        records.Draft.open(place, kind="screening", request={**asked, "network": "other"}, may_differ=["precision"])
    second = records.Draft.open(place, kind="screening", request={**asked, "precision": 1}, may_differ=["precision"])
    assert second.finished() is None
    assert records.read(place).document["found"] == "rough"  # until the other is there, it stays
    again = records.Draft.open(place, kind="screening", request={**asked, "precision": 1}, may_differ=["precision"])
    again.begin_anew()
    assert again.finish({"found": "sharp"}).document["request"]["precision"] == 1
    assert sorted(path.name for path in place.iterdir()) == ["pairs.parquet", "record.json"]
