"""Adding a paper from an honest upstream: what is kept, what is said of gaps, and what a stop leaves."""

import datetime as dt

import pytest

from lenslab.http.errors import NotFoundError, UnavailableError
from lenslab.library import works
from lenslab.library.intake import source_download
from lenslab.library.intake.database_cache import DatabaseCache
from lenslab.library.models import Assertion, Citation, Listing, Payload, SourceRecord, Work
from lenslab.papers.errors import WorkNameError
from tests.upstream.corpus import corpus
from tests.upstream.faults import Fault, Faults
from tests.upstream.server import Upstream
from tests.upstream.visitor import visiting

pytestmark = pytest.mark.django_db

SMALL = corpus(citations=60, references=12, seed=1)


@pytest.fixture
def add(tmp_path):
    """Adds the paper of a literature, with the library's archive."""

    def added(told=SMALL, name=None, *, faults=None, **options):
        with (
            Upstream(told, faults=faults) as server,
            visiting(server, tmp_path, cache=DatabaseCache()) as visitor,
        ):
            added.server, added.visitor = server, visitor
            return source_download.add_paper(name or told.paper.arxiv, fetcher=visitor.fetcher, **options)

    return added


def state():
    """The library, without the times at which things were read."""
    return {
        "works": sorted(
            Work.objects.values_list(
                "key", "title", "authors", "year", "arxiv_id", "doi", "abstract", "categories", "license_uri",
                "versions", "citation_count", "reference_count", "merged_into__key",
            ),
            key=str,
        ),
        "records": sorted(SourceRecord.objects.values_list("source", "locator", "sha256", "work__key"), key=str),
        "citations": sorted(
            Citation.objects.values_list("citing__key", "cited__key", "influential", "citing_year", "cited_year", "lot")
        ),
        "assertions": sorted(
            Assertion.objects.values_list(
                "source", "citing_record__locator", "cited_record__locator", "influential", "intents",
                "citation__citing__key", "citation__cited__key",
            ),
            key=str,
        ),
        "listings": sorted(
            Listing.objects.values_list(
                "record__source", "record__locator", "direction", "reported", "received", "complete", "note"
            ),
            key=str,
        ),
    }  # fmt: skip


def test_the_paper_comes_with_both_directions_and_the_citations_among_its_neighbours(add):
    added = add()
    paper = works.find_work(SMALL.paper.arxiv)
    assert added.key == paper.key == SMALL.paper.arxiv
    assert added.title == paper.title
    assert paper.license_uri
    assert works.paper(paper).versions[0].created
    own = SMALL.paper.number
    names = {entry.number: entry for entry in SMALL.entries}
    citing = {names[edge.citing].s2 for edge in SMALL.citing(SMALL.paper)}
    held = set(
        Assertion.objects.filter(citation__cited=paper, source="Semantic Scholar").values_list(
            "citing_record__locator", flat=True
        )
    )
    assert citing == held
    around = {edge.citing for edge in SMALL.citing(SMALL.paper)} | {edge.cited for edge in SMALL.cited(SMALL.paper)}
    among = [edge for edge in SMALL.edges if edge.citing in around and edge.cited in around]
    assert len(among) > 20
    pairs = set(
        Assertion.objects.filter(source="Semantic Scholar").values_list(
            "citing_record__locator", "cited_record__locator"
        )
    )
    assert {(names[edge.citing].s2, names[edge.cited].s2) for edge in among} <= pairs
    assert own not in around


def test_each_citation_says_which_sources_assert_it(add):
    add()
    rows = works.relations(works.find_work(SMALL.paper.arxiv))
    said = {row.sources for row in rows}
    assert ("Semantic Scholar", "OpenAlex") in said
    assert all(set(sources) <= {"Semantic Scholar", "OpenAlex"} for sources in said)


def test_what_sources_report_and_what_is_held_are_both_said(add):
    told = corpus(citations=30, references=5, seed=2)
    told = type(told)(entries=told.entries, edges=told.edges, unresolved=("A lost report",), uncounted=20)
    added = add(told)
    sentences = [one.sentence for one in added.coverage]
    assert any(sentence.startswith("Semantic Scholar reports 50 citations, we hold ") for sentence in sentences)
    (scholar,) = [one for one in added.coverage if (one.source, one.direction) == ("Semantic Scholar", "citing")]
    assert scholar.reported - scholar.held >= 20
    assert scholar.complete


def test_adding_again_asks_for_little_and_changes_nothing(add):
    first = add()
    asked = len(add.server.log)
    before = state()
    again = add()
    assert len(add.server.log) < asked / 2
    assert state() == before
    assert (again.new_works, again.new_citations, again.changed) == (0, 0, 0)
    assert first.new_works > 50


def test_refreshing_withdraws_what_a_source_no_longer_lists_and_takes_what_is_new(add):
    add()
    gone, *rest = SMALL.citing(SMALL.paper)
    add(type(SMALL)(entries=SMALL.entries, edges=tuple(edge for edge in SMALL.edges if edge != gone)), refresh=True)
    citing = set(
        Assertion.objects.filter(source="Semantic Scholar", cited_record__locator=SMALL.paper.s2).values_list(
            "citing_record__locator", flat=True
        )
    )
    names = {entry.number: entry.s2 for entry in SMALL.entries}
    assert names[gone.citing] not in citing
    assert citing == {names[edge.citing] for edge in rest}
    add(SMALL, refresh=True)
    assert Assertion.objects.filter(citing_record__locator=names[gone.citing], cited_record__locator=SMALL.paper.s2)


def test_the_paper_alone_can_be_added(add):
    added = add(depth=0)
    assert (added.new_works, added.new_citations, added.coverage) == (1, 0, ())
    assert {record.source for record in SourceRecord.objects.all()} == {
        "arXiv OAI-PMH", "Semantic Scholar", "OpenAlex",
    }  # fmt: skip


def test_sources_can_be_left_out(add):
    added = add(sources=("arXiv", "OpenAlex"))
    assert {one.source for one in added.coverage} == {"OpenAlex"}
    assert not SourceRecord.objects.filter(source="Semantic Scholar").exists()


def test_a_second_step_adds_the_works_around_the_works_around(add):
    told = corpus(citations=8, references=3, seed=3)
    first = add(told)
    further = add(told, depth=2, refresh=True)
    assert further.new_citations >= 0
    neighbours = [row.key for row in works.relations(works.find_work(told.paper.arxiv))]
    lists = Listing.objects.filter(complete=True, record__source="Semantic Scholar", direction="citing")
    assert lists.count() > len(neighbours) // 2
    assert first.new_works > 8


@pytest.mark.parametrize("name", ["doi", "s2", "key", "address"])
def test_a_paper_is_added_under_every_name_it_has(add, name):
    entry = next(entry for entry in SMALL.entries[1:] if entry.doi and entry.arxiv)
    names = {"doi": entry.doi, "s2": entry.s2, "address": f"https://arxiv.org/abs/{entry.arxiv}v1", "key": entry.arxiv}
    added = add(SMALL, names[name], depth=0)
    assert added.key == entry.arxiv


def test_a_paper_that_nobody_knows_is_said_to_be_unknown(add):
    with pytest.raises(NotFoundError, match=r"none of arXiv, Semantic Scholar, OpenAlex knows 2401\.99999"):
        add(name="2401.99999")
    with pytest.raises(WorkNameError, match="names no paper"):
        add(name="frogs")
    assert not Work.objects.exists()


def test_a_source_that_stays_silent_stops_the_command_and_the_next_one_goes_on(add):
    faults = Faults({"Semantic Scholar": dict.fromkeys(range(2, 40), Fault.UNAVAILABLE)})
    with pytest.raises(UnavailableError, match="Semantic Scholar"):
        add(faults=faults)
    assert works.find_work(SMALL.paper.arxiv).title
    add()
    resumed = state()
    Work.objects.all().delete()
    Payload.objects.all().delete()
    add()
    assert resumed == state()


@pytest.mark.parametrize(
    "stop", [1, 6, *(pytest.param(stop, marks=pytest.mark.thorough) for stop in (2, 3, 4, 5, 7, 8, 9))]
)
def test_wherever_it_is_killed_the_next_run_gives_the_same_library(add, monkeypatch, stop):
    told = corpus(citations=40, references=12, seed=4)
    monkeypatch.setattr(source_download, "_ROWS", 10)
    monkeypatch.setattr(source_download, "_AT_ONCE", 20)
    add(told)
    expected = state()
    Work.objects.all().delete()
    Payload.objects.all().delete()
    cite, calls = source_download.record_intake.add_citations, iter(range(1, 1000))

    def killed(*arguments, **options):
        if next(calls) == stop:
            raise KeyboardInterrupt
        return cite(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(source_download.record_intake, "add_citations", killed)
        with pytest.raises(KeyboardInterrupt):
            add(told)
    add(told)
    assert state() == expected


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(1, 10))])
def test_faults_at_random_change_nothing_in_the_end(add, seed):
    told = corpus(citations=120, references=15, seed=5)
    add(told)
    expected = state()
    Work.objects.all().delete()
    Payload.objects.all().delete()
    faults = Faults.random(seed, 12)
    for _ in range(10):
        try:
            add(told, faults=faults)
        except UnavailableError:
            continue
        break
    assert len(faults.injected) > 5
    assert state() == expected


def test_a_list_that_was_left_long_ago_is_read_from_the_beginning(add):
    add()
    Listing.objects.filter(direction="citing").update(
        complete=False, position="50", begun=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )
    add()
    assert Listing.objects.get(direction="citing", record__locator=SMALL.paper.s2).received == len(
        SMALL.citing(SMALL.paper)
    )


def test_progress_ends_where_it_said_it_would(add):
    told = []
    add(progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(done < total for done, total in told[:-3]), "the bar is not full before the end is near"


def test_no_key_is_kept_or_told(tmp_path):
    keys = {"S2_API_KEY": "sesame", "OPENALEX_API_KEY": "sesame"}
    archive = DatabaseCache()
    with Upstream(SMALL) as server, visiting(server, tmp_path, cache=archive, environment=keys) as visitor:
        source_download.add_paper(SMALL.paper.arxiv, fetcher=visitor.fetcher)
    assert Payload.objects.count() > 3
    for payload in Payload.objects.all():
        assert "sesame" not in f"{payload.url}{DatabaseCache().find(payload.url)}"
    assert "sesame" not in " ".join(visitor.told)


@pytest.mark.parametrize("refused", [{1}, {0}])
def test_what_a_source_tells_only_those_with_a_key_is_a_gap_and_the_rest_is_kept(add, refused):
    faults = Faults({"OpenAlex": dict.fromkeys(refused, Fault.UNAUTHORIZED)})
    done = add(faults=faults)
    (gap,) = done.gaps
    assert "OpenAlex refuses to answer for" in gap
    assert "it may want a key in OPENALEX_API_KEY" in gap
    assert {row.source for row in SourceRecord.objects.all()} >= {"Semantic Scholar", "arXiv OAI-PMH"}
    again = add()
    assert again.gaps == []
