"""Whatever a source sends is taken in or refused with the reason: nothing half-written, memory bounded, pages whole."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenslab.library import stored_records, summaries, vocabulary, works
from lenslab.library.graph import neighbourhood
from lenslab.library.intake import field_resolution, file_import, record_intake
from lenslab.library.models import SourceRecord, Work
from lenslab.papers.description import Assertion
from lenslab.papers.errors import MalformedError
from lenslab.papers.sources import semantic_scholar
from lenslab.papers.sources.record_parsers import PARSERS
from tests.library.intake.test_file_import import line
from tests.library.intake.test_record_intake import say

pytestmark = pytest.mark.django_db


def scholar(**said):
    return semantic_scholar.parse(json.dumps({"paperId": "a" * 40, "title": "Units", **said}).encode())


def ask_everything(work):
    """Everything that a page asks of a work."""
    works.relations(work)
    works.dates(work)
    works.coverage(work)
    summaries.summary(work)
    vocabulary.key_terms(works.paper(work))
    return neighbourhood.neighbourhood(work)


@pytest.mark.parametrize(
    "title", ["0", "\x00", "  ", "الشبكات العصبية", "\u202egnihton", "🧠" * 5000, "\\" * 3000, "%s {} $"]
)
def test_any_title_is_a_work_that_can_be_found_again(title):
    outcome = record_intake.add_records([say("a", "1", title, ("Ada Bau",))])
    (_, pk) = outcome.records["a", "1"]
    work = Work.objects.get(pk=pk)
    assert works.find_work(work.key) == work
    assert len(work.key) <= 200
    ask_everything(work)


def test_three_thousand_authors_are_all_kept():
    names = [f"Author Number{n}" for n in range(3000)]
    record_intake.add_records([say("a", "1", "Units of many", names)])
    work = Work.objects.get()
    assert work.authors == names
    assert len(work.byline) < 100
    ask_everything(work)


@pytest.mark.parametrize(
    "said",
    [
        {"title": "word%d " * 200_000},
        {"title": "Units", "abstract": " ".join(f"w{n}x" for n in range(400_000))},
        {"title": "Units", "abstract": "ab-cd.ef/gh " * 300_000},
        {"title": "Units", "abstract": "".join(chr(0x4E00 + n % 20000) + " " for n in range(500_000))},
        {"title": "Units", "authors": [f"Surname{n} Ünal{n}" for n in range(100_000)]},
        {"title": "Units", "authors": ["Bau" * 100_000]},
        {"title": "Units", "categories": [f"cs.X{n}" for n in range(50_000)]},
    ],
    ids=["title", "abstract", "parts", "chinese", "authors", "author", "categories"],
)
def test_texts_that_no_index_holds_are_cut_in_the_row_and_whole_in_the_record(said):
    told = say("a", "1", said.pop("title"), said.pop("authors", ("Ada Bau",)), **said)
    record_intake.add_records([told, say("a", "2", "Frogs", ("Bo Sun",))])
    work = Work.objects.get(source_records__locator="1")
    assert stored_records.unpack(SourceRecord.objects.get(locator="1").content) == told.raw
    assert len(work.key) <= 200
    assert len(work.title) + len(work.abstract) + len("".join(work.authors)) < 250_000
    assert Work.objects.count() == 2


def test_a_record_of_more_than_is_kept_is_refused_and_nothing_is_written(monkeypatch):
    monkeypatch.setattr(stored_records, "LARGEST_CONTENT", 1 << 20)
    with pytest.raises(MalformedError, match="no more than 1,048,576 are kept"):
        record_intake.add_records(
            [say("a", "1", "Units"), say("a", "2", "Frogs", ("Bo Sun",), abstract="x" * (1 << 20))]
        )
    assert not Work.objects.exists()
    assert not SourceRecord.objects.exists()


def test_a_record_of_sixty_four_megabytes_and_more_is_taken_in_bounded_memory():
    told = say("a", "1", "Units", abstract="y " * (33 << 20))
    assert len(told.raw) > 64 << 20
    tracemalloc.start()
    try:
        record_intake.add_records([told])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(told.raw)
    work = Work.objects.get()
    assert len(work.abstract) == field_resolution._MOST_ABSTRACT
    assert len(stored_records.parse_record("a", SourceRecord.objects.get().content).paper.abstract) == 66 << 20


@pytest.mark.parametrize(
    "said",
    [
        {"title": "Units \ud800 of \x00 networks"},
        {"abstract": "a\x00b \udfff"},
        {"authors": [{"name": "Ada \x00 \ud83d Bau"}, {"name": "\\u0000"}]},
        {"year": 10**12},
        {"year": -5},
        {"paperId": "a" * 5000},
        {"paperId": "a\x00b"},
        {"externalIds": {"DOI": "10.1/\x00" + "x" * 5000, "MAG": "7\x00" * 900}},
        {"externalIds": {"ArXiv": "1806.02891\x00"}},
        {"tldr": {"text": "\x00" * 40}},
    ],
    ids=str,
)
def test_strange_values_of_a_source_are_taken_or_refused_with_the_reason(said):
    if len(said.get("paperId", "")) > 200:
        with pytest.raises(MalformedError, match="5,000 characters"):
            scholar(**said)
        return
    told = scholar(**said)
    record_intake.add_records([told])
    record_intake.add_citations([Assertion(citing=told, cited=say("a", "2", "Frogs", ("Bo Sun",)))])
    work = Work.objects.get(source_records__source="Semantic Scholar")
    for text in (work.title, work.abstract, work.key, work.doi, *work.authors):
        assert "\x00" not in text
        text.encode()
    ask_everything(work)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=60), st.integers(0, 3000))
def test_whatever_letters_a_record_holds_it_is_taken_found_and_read_again(title, authors, abstract, year):
    Work.objects.all().delete()
    told = say("a", "1", title, authors, year, abstract=abstract)
    record_intake.add_records([told])
    work = Work.objects.get()
    assert works.find_work(work.key) == work
    record = work.source_records.get()
    assert stored_records.parse_record(record.source, record.content).paper.abstract == abstract
    assert (record_intake.add_records([told]).unchanged, Work.objects.count()) == (1, 1)


@pytest.mark.parametrize("source", sorted(PARSERS))
def test_a_kept_record_that_nobody_can_read_names_its_reason(source):
    with pytest.raises(MalformedError):
        stored_records.parse_record(source, stored_records.pack(b"\x00\xff<!DOCTYPE a [<!ENTITY b 'c'>]>"))


BAD = {
    "null": line(90, title="Units\x00of", abstract="\x00"),
    "surrogate": line(91).replace(b"Units of kind 91", b"Units \\ud800 of"),
    "not UTF-8": line(92).replace(b"Units of kind 92", b"Units \xff\xfe"),
    "long": b'{"id": "2501.00093", "title": "' + b"x" * (17 << 20) + b'"}',
    "deep": b'{"id": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "authors": line(94, authors=", ".join(f"A{n} B{n}" for n in range(3000)), authors_parsed=None),
    "year": line(95, versions=[{"version": "v1", "created": "Mon, 6 Jan 99999 10:00:00 GMT"}]),
    "number": line(96).replace(b'"id": "2501.00096"', b'"id": ' + b"9" * 5000),
    "nothing": b"null",
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_hostile_line_of_a_snapshot_keeps_no_other_from_being_taken(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snapshot.json.gz").write_bytes(gzip.compress(b"\n".join([line(1), BAD[kind], line(2)]) + b"\n"))
    done = file_import.import_file(tmp_path / "snapshot.json.gz")
    assert done.added + done.rejected == 3
    assert {"2501.00001", "2501.00002"} <= set(Work.objects.values_list("key", flat=True))
    for told in done.rejects.read_text().splitlines() if done.rejects else ():
        assert json.loads(told)["number"] == 2
        assert len(told) < 1000
