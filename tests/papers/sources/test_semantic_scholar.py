import json
from dataclasses import replace

import pytest

from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import MalformedError, WorkNameError
from lenslab.papers.sources import semantic_scholar
from lenslab.papers.sources.record_parsers import PARSERS
from tests.upstream import Corpus, Edge, Entry, Fault, Faults, corpus

SMALL = corpus(citations=40, references=20)


def faulty(*faults):
    return Faults({"Semantic Scholar": {number: fault for number, fault in enumerate(faults) if fault}})


def cited_by(count: int, counted: int = 0) -> Corpus:
    """A paper that ``count`` works cite."""
    works = [
        Entry(number=number, title=f"Part {number}", authors=("A B",), year=2020, abstract=None)
        for number in range(count + 1)
    ]
    return Corpus(
        entries=tuple(works), edges=tuple(Edge(number, 0) for number in range(1, count + 1)), uncounted=counted
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (ArxivId("1806.02891", 2), "ARXIV:1806.02891"),
        ("arXiv:hep-th/9901001v3", "ARXIV:hep-th/9901001"),
        ("10.48550/arXiv.1806.02891", "ARXIV:1806.02891"),
        ("doi:10.1000/a(b)<c>;2-#", "DOI:10.1000/a(b)<c>;2-#"),
        ("AB" * 20, "ab" * 20),
        ("CORPUSID:215416146", "CorpusId:215416146"),
    ],
)
def test_a_work_is_named_in_every_usual_way(name, written):
    assert semantic_scholar.name_of(name) == written


@pytest.mark.parametrize("name", ["", "12", "../../etc", "10.1000", "CorpusId:1/../2", "ab" * 19, "URL:https://x.org"])
def test_a_name_that_names_no_work_is_refused_with_an_example(name):
    with pytest.raises(WorkNameError, match="names no work at Semantic Scholar; give an arXiv id"):
        semantic_scholar.name_of(name)


@pytest.mark.parametrize("name", ["1806.02891", SMALL.paper.s2, f"CorpusId:{SMALL.paper.corpus_id}"])
def test_a_paper_is_the_same_under_each_of_its_names(visit, name):
    visitor, _ = visit(SMALL)
    found = semantic_scholar.paper(visitor.fetcher, name)
    assert found.locator == found.names["S2"] == SMALL.paper.s2
    assert found.paper.title == SMALL.paper.title
    assert found.paper.arxiv_id == ArxivId("1806.02891")
    assert found.paper.doi == ""
    assert (found.citation_count, found.reference_count) == (40 + SMALL.uncounted, 20)
    assert found.influential_count == sum(edge.influential for edge in SMALL.citing(SMALL.paper))
    assert found.tldr == "Units matter."
    assert PARSERS["Semantic Scholar"](found.raw) == found


def test_a_record_that_was_merged_is_known_by_what_it_became(visit):
    visitor, _ = visit(SMALL)
    assert semantic_scholar.paper(visitor.fetcher, SMALL.paper.old_s2[0]).locator == SMALL.paper.s2


def test_a_doi_with_every_sign_reaches_its_work(visit):
    entry = replace(SMALL.paper, arxiv="", doi="10.1002/(sici)1097#a?b=c&d%20<1::aid>3.0.co;2-x")
    visitor, _ = visit(Corpus(entries=(entry,), edges=()))
    assert semantic_scholar.paper(visitor.fetcher, entry.doi).paper.doi == entry.doi


def test_what_semantic_scholar_does_not_know_is_named(visit):
    visitor, _ = visit(SMALL)
    with pytest.raises(NotFoundError, match=r"knows no ARXIV:1801\.00001 \(404"):
        semantic_scholar.paper(visitor.fetcher, "1801.00001")


@pytest.mark.parametrize("limit", [1, 7, 39, 40, 41, 1000])
def test_every_citation_comes_once_whatever_the_page(visit, limit):
    visitor, _ = visit(SMALL)
    pages = list(semantic_scholar.citations(visitor.fetcher, "1806.02891", limit=limit))
    assertions = [assertion for page in pages for assertion in page.assertions]
    edges = SMALL.citing(SMALL.paper)
    assert [assertion.citing.locator for assertion in assertions] == [SMALL.entries[edge.citing].s2 for edge in edges]
    assert {assertion.cited.locator for assertion in assertions} == {SMALL.paper.s2}
    assert [assertion.influential for assertion in assertions] == [edge.influential for edge in edges]
    assert [assertion.intents for assertion in assertions] == [edge.intents for edge in edges]
    assert [page.next_offset for page in pages[:-1]] == [page.offset for page in pages[1:]]
    assert pages[-1].next_offset is None


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 99, 100, 101, 113, 999, 1000, 1001])
def test_the_edges_of_pages_lose_and_double_nothing(visit, count):
    visitor, _ = visit(cited_by(count))
    for limit in (100, 1000):
        pages = list(semantic_scholar.citations(visitor.fetcher, f"CorpusId:{3_600_000}", limit=limit))
        found = [assertion.citing.paper.title for page in pages for assertion in page.assertions]
        assert found == [f"Part {number}" for number in range(1, count + 1)]


def test_whoever_is_interrupted_goes_on_from_the_offset(visit):
    visitor, server = visit(SMALL)
    paper = semantic_scholar.paper(visitor.fetcher, "1806.02891")
    first = next(semantic_scholar.citations(visitor.fetcher, paper, limit=15))
    rest = semantic_scholar.citations(visitor.fetcher, paper, offset=first.next_offset, limit=15)
    found = [*first.assertions, *(assertion for page in rest for assertion in page.assertions)]
    assert len({assertion.citing.locator for assertion in found}) == len(found) == 40
    assert len(server.log) == 1 + 3


def test_awkward_works_are_read_and_read_again(visit):
    visitor, _ = visit(SMALL)
    (page,) = semantic_scholar.citations(visitor.fetcher, "1806.02891")
    found = [assertion.citing for assertion in page.assertions]
    for description in found:
        assert PARSERS["Semantic Scholar"](description.raw) == description
    assert "0" in [description.paper.title for description in found]
    assert "</title><script>alert(1)</script>" in [description.paper.title for description in found]
    assert () in [description.paper.authors for description in found]
    assert None in [description.paper.year for description in found]
    assert "" in [description.paper.abstract for description in found]
    assert max(len(description.paper.authors) for description in found) == 3000
    without_ids = found[15]  # its externalIds are null
    assert without_ids.names == {"S2": without_ids.locator, "CorpusId": "3600016"}


def test_a_reference_that_nobody_found_is_known_by_its_title_and_year(visit):
    visitor, _ = visit(SMALL)
    (page,) = semantic_scholar.references(visitor.fetcher, "1806.02891")
    assert len(page.assertions) == 21
    unresolved = page.assertions[-1].cited
    assert unresolved.paper.title == SMALL.unresolved[0]
    assert unresolved.locator.startswith("unresolved:")
    assert unresolved.names == {}
    assert unresolved.citation_count is None
    assert {assertion.citing.locator for assertion in page.assertions} == {SMALL.paper.s2}
    other_year = json.dumps({"title": SMALL.unresolved[0], "year": 2000}).encode()
    assert semantic_scholar.parse(other_year).locator != unresolved.locator


@pytest.mark.slow
def test_beyond_ten_thousand_it_is_said_how_many_stay_unreached(visit):
    big = cited_by(10_400)
    visitor, server = visit(big)
    pages = list(semantic_scholar.citations(visitor.fetcher, big.paper.s2, offset=9_000))
    assert [(page.offset, len(page.assertions), page.next_offset) for page in pages] == [(9_000, 999, None)]
    assert pages[0].unreached == 401
    with pytest.raises(RefusedError, match="first 9,999 citations"):
        list(semantic_scholar.citations(visitor.fetcher, big.paper.s2, offset=9_999))
    assert len(server.log) == 3


def test_an_empty_page_in_the_middle_is_asked_for_again(visit):
    visitor, server = visit(SMALL, faulty(None, Fault.EMPTY_PAGE, None, Fault.EMPTY_PAGE))
    pages = list(semantic_scholar.citations(visitor.fetcher, "1806.02891", limit=20))
    assert [len(page.assertions) for page in pages] == [20, 20]
    assert len(server.log) == 5


def test_a_page_in_the_middle_that_stays_empty_is_no_end(visit):
    visitor, _ = visit(SMALL, Faults(always={"Semantic Scholar": Fault.EMPTY_PAGE}), attempts=3)
    with pytest.raises(UnavailableError, match="it is empty, though more follows from 20 on"):
        list(semantic_scholar.citations(visitor.fetcher, "1806.02891", limit=20))


def test_a_batch_keeps_the_order_and_a_place_for_what_is_unknown(visit):
    visitor, _ = visit(SMALL)
    names = ["1806.02891", "1801.00001", SMALL.entries[3].s2]
    found = semantic_scholar.references_of(visitor.fetcher, names)
    assert list(found) == names
    assert [cited is None for cited in found.values()] == [False, True, False]


@pytest.mark.parametrize("count", [0, 1, 500, 501])
def test_a_batch_asks_for_five_hundred_at_the_most(visit, count):
    big = cited_by(501)
    visitor, server = visit(big)
    names = [entry.s2 for entry in big.entries[:count]]
    found = semantic_scholar.references_of(visitor.fetcher, names, dict.fromkeys(names, 1))
    assert [name for name, cited in found.items() if cited is not None] == names
    assert len(server.log) == -(-count // 500)


def edges_among(found, literature):
    return {name: None if cited is None else sorted(cited) for name, cited in found.items()} == {
        entry.s2: sorted(literature.entries[edge.cited].s2 for edge in literature.cited(entry))
        for entry in literature.entries
    }


def test_the_works_that_many_papers_cite_come_in_one_request(visit):
    visitor, server = visit(SMALL)
    found = semantic_scholar.references_of(visitor.fetcher, [entry.s2 for entry in SMALL.entries])
    assert edges_among(found, SMALL)
    assert len(server.log) == 1
    assert semantic_scholar.references_of(visitor.fetcher, ["1801.00001"]) == {"1801.00001": None}


def test_what_the_gateway_cannot_gather_is_asked_for_in_halves(visit):
    visitor, server = visit(SMALL, slow_beyond=40)
    found = semantic_scholar.references_of(visitor.fetcher, [entry.s2 for entry in SMALL.entries])
    assert edges_among(found, SMALL)
    assert {request.status for request in server.log} == {200, 504}


def test_an_answer_that_is_full_is_asked_for_in_halves_and_known_counts_prevent_it(visit):
    # Seven papers with 1,500 references each do not fit into one answer.
    works = [Entry(number=number, title="A", authors=(), year=2020, abstract=None) for number in range(1507)]
    edges = [Edge(citing, cited) for citing in range(7) for cited in range(7, 1507)]
    big = Corpus(entries=tuple(works), edges=tuple(edges))
    visitor, server = visit(big)
    names = [entry.s2 for entry in works[:7]]
    found = semantic_scholar.references_of(visitor.fetcher, names)
    assert [len(found[name]) for name in names] == [1500] * 7
    assert len(server.log) == 3
    server.log.clear()
    assert semantic_scholar.references_of(visitor.fetcher, names, dict.fromkeys(names, 1500)) == found
    assert len(server.log) == 2


@pytest.mark.parametrize("fault", [Fault.MALFORMED, Fault.WEB_PAGE, Fault.RATE_EXCEEDED, Fault.DOCTYPE])
def test_what_is_no_json_is_never_read_as_a_paper(visit, fault):
    visitor, _ = visit(SMALL, Faults(always={"Semantic Scholar": fault}), attempts=2)
    with pytest.raises(UnavailableError, match="Semantic Scholar does not answer"):
        semantic_scholar.paper(visitor.fetcher, "1806.02891")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"[" * 100_000,
        b'{"paperId": ["x"], "title": null}',
        b'{"title": 1' + b"0" * 9999,
    ],
)
def test_what_is_no_paper_is_refused(raw):
    with pytest.raises(MalformedError):
        semantic_scholar.parse(raw)


def test_fields_of_another_kind_than_promised_are_empty():
    raw = b'{"paperId": "x", "title": 0, "year": "2018", "authors": {"name": 1}, "externalIds": ["DOI"], "tldr": "x"}'
    found = semantic_scholar.parse(raw)
    assert (found.paper.title, found.paper.year, found.paper.authors, found.tldr) == ("0", None, (), "")


def test_null_bytes_and_other_controls_are_no_part_of_a_title():
    found = semantic_scholar.parse(b'{"paperId": "x", "title": "null\\u0000byte\\u001b[31m\\u0085end", "year": 2018}')
    assert found.paper.title == "null byte [31m end"


def test_half_a_character_harms_nobody():
    found = semantic_scholar.parse(
        rb'{"paperId": "x", "title": "half \ud83d of one", "authors": [null, {"name": null}]}'
    )
    assert found.paper.title.encode() == b"half ? of one"
    assert semantic_scholar.parse(found.raw) == found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_run_of_faults_changes_nothing_but_the_time_it_takes(visit, seed):
    visitor, server = visit(SMALL, Faults.random(seed=seed, count=25))
    paper = semantic_scholar.paper(visitor.fetcher, "1806.02891")
    pages = list(semantic_scholar.citations(visitor.fetcher, paper, limit=3))
    found = [assertion.citing.locator for page in pages for assertion in page.assertions]
    assert found == [SMALL.entries[edge.citing].s2 for edge in SMALL.citing(SMALL.paper)]
    assert edges_among(semantic_scholar.references_of(visitor.fetcher, [e.s2 for e in SMALL.entries]), SMALL)
    assert len(server.faults.injected) >= 10


@pytest.mark.parametrize("in_a_row", [1, 3])
def test_a_first_page_that_is_empty_though_citations_are_counted_is_asked_for_again(visit, in_a_row):
    visitor, _ = visit(cited_by(7), faulty(None, *[Fault.EMPTY_PAGE] * in_a_row))
    pages = list(semantic_scholar.citations(visitor.fetcher, cited_by(7).paper.s2))
    assert sum(len(page.assertions) for page in pages) == 7
