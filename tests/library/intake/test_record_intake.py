"""Records find their works, citations follow from assertions, and the order in which sources speak does not matter."""

import datetime as dt
import json
from dataclasses import replace
from itertools import permutations

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenslab.library import works
from lenslab.library.errors import MergeError
from lenslab.library.graph import citation_edges
from lenslab.library.intake import record_intake, work_merging
from lenslab.library.intake.record_matching import Matcher
from lenslab.library.models import Assertion, Citation, FormerKey, Merge, PossibleTwin, SourceRecord, Work
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Assertion as Said
from lenslab.papers.description import Description
from lenslab.papers.formats import bibtex_reader
from lenslab.papers.paper import Paper, Version
from tests.library.rows import ROWS

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def say(source, locator, title, authors=("Ada Bau",), year=2018, **more):
    """What a source that the library does not know says; its records can be read again like those of a list."""
    names = more.pop("names", {})
    entry = {"locator": locator, "title": title, "authors": list(authors), "year": year, **more, "names": names}
    paper = Paper(
        title=title,
        authors=tuple(authors),
        year=year,
        arxiv_id=ArxivId(more["arxiv_id"]) if more.get("arxiv_id") else None,
        doi=more.get("doi", ""),
        abstract=more.get("abstract", ""),
        categories=tuple(more.get("categories", ())),
    )
    return Description(source=source, locator=locator, paper=paper, raw=json.dumps(entry).encode(), names=names)


def grouped():
    """The records of each work, by their locators."""
    found = {}
    for locator, work in SourceRecord.objects.values_list("locator", "work"):
        found.setdefault(work, set()).add(locator)
    return set(map(frozenset, found.values()))


def test_records_find_each_other_by_arxiv_id_doi_other_names_and_title_with_authors_and_year():
    first = say("a", "1", "Units and classes of networks", arxiv_id="1806.02891", doi="10.1/x", names={"MAG": "7"})
    record_intake.add_records([first])
    others = [
        (say("b", "2", "Another title", arxiv_id="1806.02891"), "same arXiv id 1806.02891"),
        (say("b", "3", "Yet another", doi="10.1/X"), "same DOI 10.1/x"),
        (say("b", "4", "A fourth", names={"MAG": "7"}), "same MAG id 7"),
        (say("b", "5", "Units and Classes: of Networks.", ("A. Bau",), 2019), "same title"),
    ]
    for other, evidence in others:
        record_intake.add_records([other])
        assert evidence in SourceRecord.objects.get(locator=other.locator).evidence
    assert Work.objects.count() == 1


def test_two_arxiv_papers_are_never_one_work():
    one = say("a", "1", "Units and classes of networks", arxiv_id="1806.02891", doi="10.1/x")
    record_intake.add_records([one, say("a", "2", one.paper.title, arxiv_id="1807.00001", doi="10.1/x")])
    assert grouped() == {frozenset("1"), frozenset("2")}
    assert PossibleTwin.objects.count() == 0


def test_a_record_that_names_two_works_makes_them_one_with_the_evidence():
    record_intake.add_records([say("a", "1", "Units", doi="10.1/x")])
    record_intake.add_records([say("a", "2", "Classes", ("Bo Sun", "Ada Bau"), arxiv_id="1806.02891")])
    record_intake.add_records([say("b", "3", "Networks", ("Cy Lee", "Ada Bau"), arxiv_id="1806.02891", doi="10.1/x")])
    assert grouped() == {frozenset("123")}
    (made,) = Merge.objects.all()
    assert (made.work.arxiv_id, made.evidence) == ("1806.02891", "same DOI 10.1/x")
    assert works.find_work("units-bau-2018") == made.work


def test_a_work_that_becomes_known_at_arxiv_keeps_its_former_address():
    record_intake.add_records([say("a", "1", "Units and classes", doi="10.1/x")])
    record_intake.add_records([say("b", "2", "Units and classes", doi="10.1/x", arxiv_id="1806.02891")])
    (work,) = Work.objects.all()
    assert work.key == "1806.02891"
    assert FormerKey.objects.get().key == "units-and-classes-bau-2018"
    assert works.find_work("units-and-classes-bau-2018") == work


def test_a_record_that_claims_a_taken_arxiv_id_later_joins_its_work():
    record_intake.add_records(
        [say("a", "1", "Units", arxiv_id="1806.02891"), say("a", "2", "Classes", ("Bo Sun", "Ada Bau"))]
    )
    record_intake.add_records([say("a", "2", "Classes", ("Bo Sun", "Ada Bau"), arxiv_id="1806.02891")])
    assert grouped() == {frozenset("12")}
    assert Merge.objects.get().evidence == "same arXiv id 1806.02891"


@pytest.mark.parametrize("size", [1, 7, 113])
def test_the_size_of_the_batches_does_not_matter(size):
    told = [say("page", str(number), row.title, row.authors, row.year) for number, row in enumerate(ROWS)]
    for start in range(0, len(told), size):
        record_intake.add_records(told[start : start + size])
    assert Work.objects.count() == 109
    assert PossibleTwin.objects.count() == 22


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_records_come_does_not_matter(shuffler):
    told = [say("page", str(number), row.title, row.authors, row.year) for number, row in enumerate(ROWS)]
    record_intake.add_records(told)
    expected = grouped()
    Work.objects.all().delete()
    shuffler.shuffle(told)
    record_intake.add_records(told[:50])
    record_intake.add_records(told[50:])
    assert grouped() == expected
    Work.objects.all().delete()


def edge_state():
    return {
        (edge.citing.key, edge.cited.key, edge.influential, edge.citing_year, edge.cited_year, edge.lot)
        for edge in Citation.objects.select_related("citing", "cited")
    }


def work_state():
    return {work.key: (work.title, work.merged_into_id, work.citation_count, work.reference_count)
            for work in Work.objects.all()}  # fmt: skip


PAPER = say("s", "p", "The paper", arxiv_id="1806.02891")


def citing(number, source="s", **more):
    return say(source, f"c{number}", f"Citing work {number}", (f"Bo Number{number}",), 2019 + number % 3, **more)


def test_assertions_of_several_sources_are_one_citation_with_every_source():
    one, two = citing(1, doi="10.1/c1"), citing(1, "o", doi="10.1/c1")
    assert (
        record_intake.add_citations(
            [Said(citing=one, cited=PAPER, influential=False, intents=("background",))], now=NOW
        ).citations
        == 1
    )
    other = say("o", "p", "The paper", arxiv_id="1806.02891")
    assert record_intake.add_citations([Said(citing=two, cited=other, influential=True)], now=NOW).citations == 0
    (edge,) = Citation.objects.all()
    assert edge.influential
    assert (edge.citing_year, edge.cited_year) == (2020, 2018)
    assert set(edge.assertions.values_list("source", "influential")) == {("s", False), ("o", True)}
    assert (edge.cited.citation_count, edge.citing.reference_count) == (1, 1)
    (row,) = works.relations(edge.cited)
    assert row.sources == ("s", "o")
    assert row.influential


def test_saying_it_again_changes_nothing():
    said = [Said(citing=citing(number), cited=PAPER) for number in range(5)]
    record_intake.add_citations(said, now=NOW)
    before = (edge_state(), work_state(), list(Assertion.objects.values()), list(SourceRecord.objects.values()))
    outcome = record_intake.add_citations(said, now=NOW + dt.timedelta(days=1))
    assert (outcome.added, outcome.changed, outcome.unchanged, outcome.citations) == (0, 0, 6, 0)
    assert before == (edge_state(), work_state(), list(Assertion.objects.values()), list(SourceRecord.objects.values()))


def test_what_a_source_no_longer_says_is_withdrawn_and_what_another_says_stays():
    said = [Said(citing=citing(number), cited=PAPER) for number in range(3)]
    outcome = record_intake.add_citations(said, now=NOW)
    record_intake.add_citations([Said(citing=citing(1), cited=PAPER, source="o")], now=NOW)
    record = outcome.records["s", "p"][0]
    citation_edges.keep_only("s", record, "citing", {outcome.records["s", "c0"][0]})
    assert {edge[0] for edge in edge_state()} == {"citing-work-0-number0-2019", "citing-work-1-number1-2020"}
    assert Work.objects.get(arxiv_id="1806.02891").citation_count == 2
    assert Work.objects.count() == 4


def test_no_work_cites_itself_even_where_a_source_says_so():
    record_intake.add_citations([Said(citing=PAPER, cited=PAPER)], now=NOW)
    assert not Citation.objects.exists()
    assert Assertion.objects.get().citation is None


def test_a_year_that_changes_changes_in_the_citations_too():
    record_intake.add_citations([Said(citing=citing(1), cited=PAPER)], now=NOW)
    record_intake.add_records(
        [say("s", "c1", "Citing work 1", ("Bo Number1",), 2025), say("s", "p", "The paper", year=2017)]
    )
    assert {edge[3:5] for edge in edge_state()} == {(2025, 2017)}


def network():
    """A paper, works that cite it, and two records of one citing work that nothing but a person can join."""
    told = [citing(number) for number in range(4)]
    said = [Said(citing=one, cited=PAPER, influential=one is told[0]) for one in told]
    said += [Said(citing=told[0], cited=told[1]), Said(citing=told[2], cited=told[0])]
    record_intake.add_citations(said, now=NOW)
    return [Work.objects.get(source_records__locator=f"c{number}") for number in range(4)]


def test_merged_works_have_the_citations_of_both_and_undoing_gives_back_what_was():
    one, other, *_ = network()
    before = edge_state(), work_state()
    made = work_merging.merge(one, other, evidence="the same experiment")
    assert {edge[:2] for edge in edge_state()} == {
        (one.key, "1806.02891"), ("citing-work-2-number2-2021", "1806.02891"), ("citing-work-2-number2-2021", one.key),
        ("citing-work-3-number3-2019", "1806.02891"),
    }  # fmt: skip
    assert works.find_work(other.key) == one
    assert Work.objects.get(arxiv_id="1806.02891").citation_count == 3
    rows = {row.key: row for row in works.relations(Work.objects.get(arxiv_id="1806.02891"))}
    assert (rows[one.key].records, rows[one.key].evidence) == (2, ("the same experiment",))
    work_merging.undo(made)
    assert (edge_state(), work_state()) == before


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=4))
def test_any_merges_undone_in_reverse_order_give_back_what_was(pairs):
    Work.objects.all().delete()
    found = network()
    before = edge_state(), work_state()
    done = []
    for one, other in pairs:
        for work in found:
            work.refresh_from_db()
        try:
            done.append(work_merging.merge(found[one], found[other], evidence="a test"))
        except MergeError:
            continue
    for made in reversed(done):
        made.refresh_from_db()
        work_merging.undo(Merge.objects.get(pk=made.pk))
    assert (edge_state(), work_state()) == before


def test_works_that_were_taken_apart_are_not_joined_by_evidence_again():
    record_intake.add_records([say("a", "1", "Units", doi="10.1/x")])
    record_intake.add_records([say("a", "2", "Classes", ("Bo Sun", "Ada Bau"), arxiv_id="1806.02891")])
    bridge = say("b", "3", "Networks", ("Cy Lee", "Ada Bau"), arxiv_id="1806.02891", doi="10.1/x")
    record_intake.add_records([bridge])
    work_merging.undo(Merge.objects.get())
    assert grouped() == {frozenset("1"), frozenset("23")}
    record_intake.add_records([say("c", "4", "Networks", ("Cy Lee", "Ada Bau"), arxiv_id="1806.02891", doi="10.1/x")])
    assert grouped() == {frozenset("1"), frozenset("234")}


def test_a_single_record_can_be_taken_out_of_its_work():
    record_intake.add_records(
        [say("a", "1", "Units", arxiv_id="1806.02891"), say("b", "2", "Units", arxiv_id="1806.02891")]
    )
    other = work_merging.separate(SourceRecord.objects.get(locator="2"))
    assert grouped() == {frozenset("1"), frozenset("2")}
    assert other.arxiv_id is None, "an id belongs to one work, and that is the one that stays"
    assert works.find_work("1806.02891").source_records.get().locator == "1"
    with pytest.raises(MergeError, match="only record"):
        work_merging.separate(other.source_records.get())
    record_intake.add_records([say("b", "2", "Units, changed", arxiv_id="1806.02891")])
    assert grouped() == {frozenset("1"), frozenset("2")}


def test_merging_what_is_merged_is_refused_with_the_name_to_use():
    one, other, third, _ = network()
    work_merging.merge(one, other, evidence="e")
    other.refresh_from_db()
    with pytest.raises(MergeError, match=f"merged into '{one.key}'; name that one"):
        work_merging.merge(third, other, evidence="e")
    with pytest.raises(MergeError, match="one work already"):
        work_merging.merge(one, one, evidence="e")


def test_what_another_process_has_done_meanwhile_is_seen():
    one, other, third, _ = network()
    made = work_merging.merge(one, other, evidence="e")
    work_merging.undo(Merge.objects.get(pk=made.pk))
    with pytest.raises(MergeError, match="was undone on"):
        work_merging.undo(made)
    work_merging.merge(Work.objects.get(pk=one.pk), Work.objects.get(pk=other.pk), evidence="e")
    with pytest.raises(MergeError, match="name that one"):
        work_merging.merge(third, other, evidence="e")
    before = SourceRecord.objects.filter(work=one).order_by("pk")
    stale = list(before)
    work_merging.separate(stale[0])
    with pytest.raises(MergeError, match="only record"):
        work_merging.separate(stale[0])


def test_a_licence_stays_with_the_version_under_which_it_was_given():
    def version(number, uri):
        versions = tuple(Version(n, None, uri if n == number else "") for n in range(1, number + 1))
        paper = Paper(title="Units", arxiv_id=ArxivId("1806.02891"), license_uri=uri, versions=versions)
        return Description(source=f"arXiv {number}", locator="x", paper=paper, raw=b"{}")

    from lenslab.library.intake import field_resolution

    paper = field_resolution.resolve([version(1, "http://one"), version(2, "http://two")])
    assert [v.license_uri for v in paper.versions] == ["http://one", "http://two"]
    assert paper.license_uri == "http://two"


def test_text_that_no_database_holds_is_stored_without_what_makes_it_so():
    record_intake.add_records([say("a", "1", "Units\x00 and \ud800 classes", ("Ada\x00 Bau",), abstract="x\x00y")])
    (work,) = Work.objects.all()
    assert (work.title, work.authors, work.abstract) == ("Units and ? classes", ["Ada Bau"], "xy")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's steps")
def test_finding_the_works_of_new_records_takes_no_longer_in_a_larger_library():
    def steps(library):
        """How many tens of steps SQLite takes to find the works of a hundred new records."""
        record_intake.add_records(
            say("s", f"{library} {n}", f"Old {library} {n}", arxiv_id=f"18{library}.{n:05}") for n in range(1, 1500)
        )
        taken = []
        connection.connection.set_progress_handler(lambda: taken.append(1), 10)
        try:
            Matcher([say("s", f"new {n}", f"New {n}", arxiv_id=f"1901.{n:05}", doi=f"10.1/{n}") for n in range(1, 100)])
        finally:
            connection.connection.set_progress_handler(None, 0)
        return len(taken)

    first = steps("06")
    assert steps("07") < 1.2 * first


def test_works_that_want_one_key_get_numbers_however_many_come_however_late():
    for number in range(25):
        told = Paper(title="Handbook of units", year=2015, doi=f"10.1/h{number}")
        record_intake.add_records(
            [Description(source="RIS", locator=f"h{number}.ris: a", paper=told, raw=b"%d" % number)]
        )
    keys = set(Work.objects.values_list("key", flat=True))
    assert keys == {"handbook-of-units-2015", *(f"handbook-of-units-2015-{number}" for number in range(2, 26))}


VOLUMES = (
    "@article{a, title = {Units of deep nets}, author = {Ada Bau}, journal = {News}, volume = 1, year = 2018}",
    "@article{b, title = {Units of deep nets}, author = {Ada Bau}, journal = {News}, volume = 2, year = 2018}",
    "@misc{c, title = {Units of deep nets}, author = {Ada Bau}, eprint = {1801.00001}, year = 2018}",
)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_preprint_that_is_like_two_articles_makes_them_no_single_work(order, together):
    told = [
        replace(entry, locator=f"{number}.bib: {entry.locator}")
        for number in order
        for entry in bibtex_reader.entries(VOLUMES[number])
    ]
    for some in [told] if together else [[one] for one in told]:
        record_intake.add_records(some)
    assert len(grouped()) == works.number_of_works() == 2
    assert not [group for group in grouped() if {"0.bib: a", "1.bib: b"} <= group]
    (pair,) = works.doubtful()
    assert "volumes" in pair.evidence


CHAPTERS = """
@incollection{a, title = {Explaining units}, author = {Ann Smith}, booktitle = {Nets}, doi = {10.1000/book}}
@incollection{b, title = {Counting frogs}, author = {Bob Jones}, booktitle = {Nets}, doi = {10.1000/book}}
"""


def test_chapters_that_state_the_doi_of_their_book_stay_apart_and_are_doubtful():
    record_intake.add_records(bibtex_reader.entries(CHAPTERS))
    assert works.number_of_works() == 2
    (pair,) = works.doubtful()
    assert pair.evidence == "same DOI 10.1000/book; but other titles and authors"


@pytest.mark.parametrize("together", [True, False])
def test_a_wrong_arxiv_id_makes_no_two_papers_one(together):
    papers = [
        say("a", "1", "Units of deep networks", ("Ann Smith",), arxiv_id="1806.02891"),
        say("b", "2", "All about cats", ("Bob Kim",), arxiv_id="1806.02891", doi="10.1000/cats"),
        say("c", "3", "All about cats", ("Bob Kim",), doi="10.1000/cats"),
    ]
    for some in [papers] if together else [[one] for one in papers]:
        record_intake.add_records(some)
    assert grouped() == {frozenset("1"), frozenset("23")}
    assert works.find_work("1806.02891").title == "Units of deep networks"
    assert works.find_work("10.1000/cats").arxiv_id is None
    assert "same arXiv id 1806.02891; but other titles and authors" in {pair.evidence for pair in works.doubtful()}
