"""Importing files: counted, resumable, and nothing lost or half-written where a file is bad."""

import gzip
import json

import pytest
import zstandard

from lenslab.library import works
from lenslab.library.errors import NotAListError, UnknownFormatError
from lenslab.library.intake import file_import
from lenslab.library.intake.file_import import import_file
from lenslab.library.models import Citation, FileImport, Identifier, SourceRecord, Work
from lenslab.papers.errors import FileError, MalformedError

pytestmark = pytest.mark.django_db


def line(number, **changes):
    told = {
        "id": f"2501.{number:05d}",
        "submitter": None,
        "authors": f"Ada Bau, Bo Number{number}",
        "title": f"Units of kind {number}",
        "comments": None,
        "journal-ref": None,
        "doi": None,
        "report-no": None,
        "categories": "cs.CV cs.LG",
        "license": "http://creativecommons.org/licenses/by/4.0/",
        "abstract": f"We ablate unit {number} and see what happens.",
        "versions": [{"version": "v1", "created": "Mon, 6 Jan 2025 10:00:00 GMT"}],
        "update_date": "2025-01-07",
        "authors_parsed": [["Bau", "Ada", ""], [f"Number{number}", "Bo", ""]],
    }
    return json.dumps({**told, **changes}).encode()


@pytest.fixture
def snapshot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(file_import, "_BATCH", 5)

    def written(*lines, name="snapshot.json", pack=lambda content: content):
        path = tmp_path / name
        path.write_bytes(pack(b"".join(line + b"\n" for line in lines)))
        return path

    return written


def state():
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Work, SourceRecord, Identifier, Citation, FileImport)
    }


def counts(done):
    return done.added, done.changed, done.unchanged, done.rejected


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_snapshot_is_taken_in_whole_however_it_is_compressed(snapshot, pack):
    done = file_import.import_file(snapshot(*map(line, range(1, 13)), pack=pack))
    assert counts(done) == (12, 0, 0, 0)
    assert done.format == "snapshot"
    work = works.find_work("2501.00007")
    assert work.title == "Units of kind 7"
    assert work.authors == ["Ada Bau", "Bo Number7"]
    assert work.categories == ["cs.CV", "cs.LG"]
    assert works.paper(work).versions[0].license_uri == "http://creativecommons.org/licenses/by/4.0/"
    assert [record.source for record in work.source_records.all()] == ["arXiv snapshot"]


def test_the_same_file_again_changes_nothing_at_all(snapshot):
    path = snapshot(*map(line, range(1, 13)))
    file_import.import_file(path)
    before = state()
    assert counts(file_import.import_file(path)) == (0, 0, 12, 0)
    assert state() == before


def test_a_newer_snapshot_changes_what_changed(snapshot):
    file_import.import_file(snapshot(line(1), line(2), line(3)))
    pk = works.find_work("2501.00002").pk
    versions = [
        {"version": "v1", "created": "Mon, 6 Jan 2025 10:00:00 GMT"},
        {"version": "v2", "created": "Tue, 7 Jan 2025 10:00:00 GMT"},
    ]
    newer = line(
        2, title="Units, revised", versions=versions, license="http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
    )
    assert counts(file_import.import_file(snapshot(line(1), newer, line(4), name="newer"))) == (1, 1, 1, 0)
    work = works.find_work("2501.00002")
    assert (work.pk, work.title) == (pk, "Units, revised")
    assert [version.number for version in works.paper(work).versions] == [1, 2]


def test_bad_lines_are_named_by_number_with_the_reason_and_the_others_stand(snapshot, tmp_path):
    path = snapshot(
        line(1),
        b"not json",
        line(2),
        b'{"id": "1234.1234", "title": "x"}',
        b"[" * 100_000,
        line(3),
        line(4, title=None),
    )
    done = file_import.import_file(path)
    assert counts(done) == (3, 0, 0, 4)
    assert done.rejects == file_import.Path("snapshot.json.rejects.jsonl")
    told = [json.loads(row) for row in (tmp_path / done.rejects).read_text().splitlines()]
    assert [row["number"] for row in told] == [2, 4, 5, 7]
    assert all(row["reason"] for row in told)


def test_without_bad_lines_no_list_is_left(snapshot, tmp_path):
    (tmp_path / "snapshot.json.rejects.jsonl").write_text('{"number": 1, "reason": "of an earlier run"}\n')
    assert file_import.import_file(snapshot(line(1))).rejects is None
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot.json"]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_import_that_is_killed_goes_on_where_it_stopped(snapshot, monkeypatch, at):
    bad = {3: b"bad", 11: b"worse"}
    path = snapshot(*(bad.get(number, line(number)) for number in range(1, 18)))
    take, calls = file_import.record_intake.add_records, iter(range(1, 100))

    def killed(told):
        if next(calls) == at:
            raise KeyboardInterrupt
        return take(told)

    monkeypatch.setattr(file_import.record_intake, "add_records", killed)
    with pytest.raises(KeyboardInterrupt):
        file_import.import_file(path)
    assert SourceRecord.objects.count() == max(0, 5 * (at - 1) - (at > 1) - (at > 3))
    done = file_import.import_file(path)
    assert done.resumed_at == 5 * (at - 1)
    assert counts(done) == (15, 0, 0, 2)
    assert [json.loads(row)["number"] for row in done.rejects.read_text().splitlines()] == [3, 11]
    assert not FileImport.objects.exists()
    assert Work.objects.count() == 15


def test_a_file_that_is_cut_short_is_taken_as_far_as_it_goes_and_named(snapshot):
    path = snapshot(*map(line, range(1, 300)), pack=gzip.compress)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(MalformedError, match="cut short"):
        file_import.import_file(path)
    taken = Work.objects.count()
    assert 100 < taken < 299
    assert FileImport.objects.get().line == taken
    with pytest.raises(MalformedError):
        file_import.import_file(path)
    assert Work.objects.count() == taken


def test_progress_is_told_in_bytes(snapshot):
    told = []
    path = snapshot(*map(line, range(1, 13)))
    file_import.import_file(path, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert told[-1] == (size, size)


BIBTEX = """
@article{zhou2018, title = {Places}, author = {Zhou, Bolei and Lapedriza, Agata}, year = 2018,
  doi = {10.1109/TPAMI.2017.2723009}}
@misc{morcos2018, title = {On the importance of single directions}, author = {Ari Morcos}, year = 2018,
  eprint = {1803.06959}, archiveprefix = {arXiv}}
@misc{nothing, year = 2018}
"""


def test_a_bibliography_is_taken_with_its_works_and_its_bad_entries_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "refs.bib"
    path.write_text(BIBTEX)
    done = file_import.import_file(path)
    assert (done.format, counts(done)) == ("bibtex", (2, 0, 0, 1))
    assert works.find_work("10.1109/tpami.2017.2723009").title == "Places"
    assert done.works[1] == "1803.06959"
    assert counts(file_import.import_file(path)) == (0, 0, 2, 1)


def test_a_bibliography_can_be_the_references_of_a_paper(tmp_path, load, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load()
    paper = works.find_work("1806.02891")
    path = tmp_path / "refs.bib"
    path.write_text(BIBTEX)
    file_import.import_file(path, cited_by=paper)
    rows = {row.key: row for row in works.relations(paper) if row.direction == "referenced"}
    assert len(rows) == 7, "both entries were known as references already"
    assert rows["1803.06959"].sources == ("reference list of 1806.02891", "BibTeX: refs.bib")
    assert rows["1803.06959"].evidence == ("same arXiv id 1803.06959",)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"id": "2501.00001"}\n', "snapshot"),
        (b'\xef\xbb\xbf\n[{"title": "x"}]', "csl"),
        (b"TY  - JOUR\nER  -\n", "ris"),
        (b"% a comment\n@article{a, title={x}}", "bibtex"),
    ],
)
def test_formats_are_told_by_content(tmp_path, content, kind):
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    assert file_import.detect_format(path) == kind


def test_what_is_no_list_of_papers_is_refused_with_what_can_be_read(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("roses are red")
    with pytest.raises(UnknownFormatError, match=r"poem\.txt begins like none of the formats.*BibTeX"):
        file_import.import_file(path)
    with pytest.raises(FileError, match="no file"):
        file_import.import_file(tmp_path / "nothing.bib")
    assert not FileImport.objects.exists()


def keep(path, *entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(entries))
    return path


SMITH = "@article{smith2018, title = {On units of the cortex}, author = {Smith, Ann}, year = {2018}}"
OTHER = "@article{smith2018, title = {On cats and dogs}, author = {Smith, Ann}, year = {2018}}"


def test_files_of_one_name_do_not_take_each_others_entries(tmp_path):
    one, other = keep(tmp_path / "a/refs.bib", SMITH), keep(tmp_path / "b/refs.bib", OTHER)
    import_file(one)
    done = import_file(other)
    assert (done.added, done.changed) == (1, 0)
    assert list(done.assumptions) == ["its key was that of another work in a file called refs.bib, which is kept"]
    titles = {"On units of the cortex", "On cats and dogs"}
    assert titles <= set(works.all_works().values_list("title", flat=True))
    for again in (one, other, one):
        done = import_file(again)
        assert (done.added, done.changed, done.unchanged) == (0, 0, 1)


def test_an_entry_that_was_edited_is_the_same_and_one_that_became_another_is_another(tmp_path):
    import_file(keep(tmp_path / "refs.bib", SMITH))
    done = import_file(keep(tmp_path / "refs.bib", SMITH.replace("cortex", "visual cortex")))
    assert (done.added, done.changed, done.works) == (0, 1, ["on-units-of-the-cortex-smith-2018"])
    done = import_file(keep(tmp_path / "refs.bib", OTHER))
    assert (done.added, done.changed) == (1, 0)
    assert works.find_work("on-units-of-the-cortex-smith-2018").title == "On units of the visual cortex"


def test_long_keys_that_begin_alike_are_three(tmp_path):
    items = [{"id": "k" * 400 + str(number), "title": f"Paper {number} of units"} for number in range(3)]
    path = keep(tmp_path / "long.json", json.dumps(items))
    assert import_file(path).added == 3
    assert import_file(path).unchanged == 3


@pytest.mark.parametrize("content", ["my notes", '{"a": 1}', "[]", ""])
def test_a_list_of_rejects_replaces_nothing_else(tmp_path, content):
    path, notes = keep(tmp_path / "refs.bib", SMITH), keep(tmp_path / "notes.txt", content)
    for wrong in (path, notes):
        if wrong.read_text():
            with pytest.raises(NotAListError, match="is no list of rejected entries"):
                import_file(path, rejects=wrong)
    assert path.read_text() == SMITH
    assert not content or notes.read_text() == content


def test_a_list_of_rejects_goes_on_over_several_files(tmp_path):
    broken, fine = keep(tmp_path / "one.bib", "@misc{a, year = 2000}"), keep(tmp_path / "two.bib", SMITH)
    listed = tmp_path / "rejects.jsonl"
    import_file(broken, rejects=listed)
    done = import_file(fine, rejects=listed, more_rejects=True)
    assert done.rejects is None
    assert json.loads(listed.read_text())["key"] == "a"
    import_file(fine, rejects=listed)
    assert not listed.exists()


@pytest.mark.parametrize(
    ("content", "kind", "named"), [(SMITH, "ris", "RIS"), ("[]", "csl", "CSL-JSON"), ("no entry", "bibtex", "BibTeX")]
)
def test_a_file_without_entries_is_refused(tmp_path, content, kind, named):
    with pytest.raises(MalformedError, match=f"holds no entries of {named}; say what it is with --format"):
        import_file(keep(tmp_path / "a", content), format=kind)


def test_lines_of_ris_may_be_indented(tmp_path):
    path = keep(tmp_path / "a.ris", "  TY  - JOUR", "  TI  - Counting units", "  ER  - ")
    assert import_file(path).added == 1
