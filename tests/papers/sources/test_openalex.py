import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import MalformedError, WorkNameError
from lenslab.papers.sources import openalex
from lenslab.papers.sources.record_parsers import PARSERS
from tests.upstream import Corpus, Edge, Entry, Fault, Faults, corpus

SMALL = corpus(citations=140, references=60)


def faulty(*faults):
    return Faults({"OpenAlex": {number: fault for number, fault in enumerate(faults) if fault}})


@pytest.mark.parametrize(
    "name",
    ["1806.02891", "10.48550/ARXIV.1806.02891", SMALL.paper.openalex, f"https://openalex.org/{SMALL.paper.openalex}"],
)
def test_a_work_is_the_same_under_each_of_its_names(visit, name):
    visitor, _ = visit(SMALL)
    found = openalex.work(visitor.fetcher, name)
    assert found.locator == found.names["OpenAlex"] == SMALL.paper.openalex
    assert found.paper.title == SMALL.paper.title
    assert found.paper.arxiv_id == ArxivId("1806.02891")
    assert found.paper.doi == ""
    assert found.paper.authors == SMALL.paper.authors
    assert (found.citation_count, found.reference_count) == (140, 60)
    assert PARSERS["OpenAlex"](found.raw) == found


def test_a_merged_work_is_known_by_what_it_became(visit):
    visitor, _ = visit(SMALL)
    assert openalex.work(visitor.fetcher, SMALL.paper.old_openalex[0]).locator == SMALL.paper.openalex


def test_a_preprint_that_was_merged_into_its_article_is_found_by_the_article_s_doi(visit):
    visitor, server = visit(SMALL)
    twin = next(entry for entry in SMALL.entries if entry.arxiv and entry.doi)
    with pytest.raises(NotFoundError, match=r"OpenAlex knows no doi:10\.48550/arxiv"):
        openalex.work(visitor.fetcher, twin.arxiv)
    found = openalex.work(visitor.fetcher, twin.arxiv, doi=twin.doi)
    assert found.locator == twin.openalex
    assert found.paper.doi == twin.doi.lower()
    assert found.paper.arxiv_id == ArxivId(twin.arxiv)
    assert len(server.log) == 3


@pytest.mark.parametrize("name", ["", "W", "w12x", "../works", "1806.99999x"])
def test_a_name_that_names_no_work_is_refused_with_an_example(name):
    with pytest.raises(WorkNameError, match="names no work at OpenAlex; give an arXiv id"):
        openalex.name_of(name)


def test_every_reference_comes_once_fifty_at_a_time(visit):
    visitor, server = visit(SMALL)
    paper = openalex.work(visitor.fetcher, "1806.02891")
    pages = list(openalex.references(visitor.fetcher, paper))
    found = [assertion.cited.locator for page in pages for assertion in page.assertions]
    assert found == [SMALL.entries[edge.cited].openalex for edge in SMALL.cited(SMALL.paper)]
    assert [(len(page.assertions), page.next_cursor) for page in pages] == [(50, "50"), (10, None)]
    assert len(server.log) == 3
    (rest,) = openalex.references(visitor.fetcher, paper, offset=50)
    assert rest == pages[1]


def test_an_empty_list_of_references_means_that_they_are_not_known(visit):
    lonely = Corpus(entries=(SMALL.paper,), edges=())
    visitor, server = visit(lonely)
    paper = openalex.work(visitor.fetcher, "1806.02891")
    assert openalex.referenced(paper) is None
    assert paper.reference_count is None
    assert list(openalex.references(visitor.fetcher, paper)) == []
    assert len(server.log) == 1


def test_a_reference_that_openalex_does_not_describe_is_named_as_missing(visit):
    visitor, _ = visit(SMALL)
    record = {"id": "W1", "referenced_works": ["https://openalex.org/W404", SMALL.entries[1].openalex, None, "x"]}
    (page,) = openalex.references(visitor.fetcher, openalex.parse(json.dumps(record).encode()))
    assert [assertion.cited.locator for assertion in page.assertions] == [SMALL.entries[1].openalex]
    assert page.missing == ("W404",)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_every_citation_comes_once_whatever_the_number(visit, count):
    entries = [Entry(number=n, title=f"Part {n}", authors=(), year=2020, abstract=None) for n in range(count + 1)]
    big = Corpus(entries=tuple(entries), edges=tuple(Edge(n, 0) for n in range(1, count + 1)))
    visitor, _ = visit(big)
    pages = list(openalex.citations(visitor.fetcher, openalex.work(visitor.fetcher, big.paper.openalex)))
    assert [assertion.citing.paper.title for page in pages for assertion in page.assertions] == [
        f"Part {n}" for n in range(1, count + 1)
    ]
    assert {page.total for page in pages} == {count}
    assert pages[-1].next_cursor is None


def test_whoever_is_interrupted_goes_on_from_the_cursor(visit):
    visitor, _ = visit(SMALL)
    paper = openalex.work(visitor.fetcher, "1806.02891")
    first = next(openalex.citations(visitor.fetcher, paper))
    rest = list(openalex.citations(visitor.fetcher, paper, first.next_cursor))
    found = [*first.assertions, *(assertion for page in rest for assertion in page.assertions)]
    assert len({assertion.citing.locator for assertion in found}) == len(found) == 140


def test_awkward_works_are_read_and_read_again(visit):
    visitor, _ = visit(SMALL)
    paper = openalex.work(visitor.fetcher, "1806.02891")
    found = [a.citing for page in openalex.citations(visitor.fetcher, paper) for a in page.assertions]
    for description in found:
        assert PARSERS["OpenAlex"](description.raw) == description
    assert "0" in [description.paper.title for description in found]
    assert () in [description.paper.authors for description in found]
    assert "" in [description.paper.abstract for description in found]
    assert max(len(description.paper.authors) for description in found) == 100


def test_an_empty_page_in_the_middle_is_asked_for_again(visit):
    visitor, server = visit(SMALL, faulty(None, Fault.EMPTY_PAGE, None, None, Fault.EMPTY_PAGE))
    paper = openalex.work(visitor.fetcher, "1806.02891")
    assert [len(page.assertions) for page in openalex.references(visitor.fetcher, paper)] == [50, 10]
    assert len(server.log) == 4
    pages = list(openalex.citations(visitor.fetcher, paper))
    assert sum(len(page.assertions) for page in pages) == 140
    assert len(server.log) == 4 + len(pages) + 1


def test_a_page_that_stays_empty_is_no_end(visit):
    visitor, _ = visit(SMALL, faulty(None, *[Fault.EMPTY_PAGE] * 9), attempts=3)
    paper = openalex.work(visitor.fetcher, "1806.02891")
    with pytest.raises(UnavailableError, match="it is empty, though more follows"):
        list(openalex.citations(visitor.fetcher, paper))


def test_a_refusal_asks_for_the_key(visit):
    visitor, _ = visit(SMALL, faulty(None, Fault.UNAUTHORIZED))
    paper = openalex.work(visitor.fetcher, "1806.02891")
    with pytest.raises(RefusedError, match=r"cursor paging needs an API key\); it may want a key in OPENALEX_API_KEY"):
        list(openalex.citations(visitor.fetcher, paper))


def test_403_means_that_it_is_asked_too_often(visit):
    visitor, server = visit(SMALL, faulty(Fault.FORBIDDEN, Fault.FORBIDDEN))
    assert openalex.work(visitor.fetcher, "1806.02891").locator.startswith("W")
    assert len(server.log) == 3


def test_403_without_end_names_the_key(visit):
    visitor, _ = visit(SMALL, Faults(always={"OpenAlex": Fault.FORBIDDEN}), attempts=3)
    with pytest.raises(UnavailableError, match=r"asked too often, it says 403.*a key in OPENALEX_API_KEY"):
        openalex.work(visitor.fetcher, "1806.02891")


def test_a_question_that_is_wrong_is_not_asked_again(visit):
    visitor, server = visit(SMALL)
    parameters = {"filter": "cites:W1", "per-page": "999"}
    with pytest.raises(RefusedError, match="Invalid query parameters"):
        visitor.fetcher.get(openalex.SERVICE, "/works", parameters, bytes, subject="too much")
    assert len(server.log) == 1


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8), max_size=40))
def test_an_abstract_is_rebuilt_from_the_places_of_its_words(words):
    inverted = {}
    for place, word in enumerate(words):
        inverted.setdefault(word, []).append(2 * place)
    assert openalex.abstract(inverted) == " ".join(words)


@pytest.mark.parametrize("index", [None, [], "x", {"a": None}, {"a": ["0", None, True, 1.5]}, {"a": [0] * 30_000}])
def test_what_is_no_index_is_no_abstract(index):
    assert openalex.abstract(index) == ""


def test_two_words_at_one_place_both_stay():
    assert openalex.abstract({"b": [1], "a": [0], "again": [1]}) == "a b again"


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{}", b'{"id": "https://evil.example/W1"}', b'{"id": 5}', b"[" * 99_999]
)
def test_what_is_no_work_is_refused(raw):
    with pytest.raises(MalformedError):
        openalex.parse(raw)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_run_of_faults_changes_nothing_but_the_time_it_takes(visit, seed):
    visitor, server = visit(SMALL, Faults.random(seed=seed, count=8))
    paper = openalex.work(visitor.fetcher, "1806.02891")
    cited = [a.cited.locator for page in openalex.references(visitor.fetcher, paper) for a in page.assertions]
    citing = [a.citing.locator for page in openalex.citations(visitor.fetcher, paper) for a in page.assertions]
    assert cited == [SMALL.entries[edge.cited].openalex for edge in SMALL.cited(SMALL.paper)]
    assert citing == [SMALL.entries[edge.citing].openalex for edge in SMALL.citing(SMALL.paper)]
    assert server.faults.injected
