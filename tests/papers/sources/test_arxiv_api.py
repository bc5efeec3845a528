import datetime as dt
from dataclasses import replace

import pytest

from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError, MalformedError
from lenslab.papers.sources import arxiv_api
from lenslab.papers.sources.record_parsers import PARSERS
from tests.upstream import Corpus, Entry, Fault, Faults, corpus

SMALL = corpus(citations=40, references=20)
ON_ARXIV = [entry for entry in SMALL.entries if entry.arxiv]


def faulty(*faults):
    return Faults({"arXiv API": {number: fault for number, fault in enumerate(faults) if fault}})


def test_a_paper_comes_with_everything_that_the_feed_says(visit):
    visitor, _ = visit(SMALL)
    found = arxiv_api.paper(visitor.fetcher, "https://arxiv.org/abs/1806.02891v1").paper
    assert found.title == SMALL.paper.title
    assert found.authors == SMALL.paper.authors
    assert found.arxiv_id == ArxivId("1806.02891")
    assert found.categories == ("cs.CV", "cs.LG")
    assert found.primary_category == "cs.CV"
    assert found.abstract == SMALL.paper.abstract
    assert (found.year, found.submitted, found.updated) == (2018, dt.date(2018, 6, 7), dt.date(2018, 6, 7))
    assert [version.number for version in found.versions] == [1]
    assert found.license_uri == ""


def test_a_revised_paper_dates_its_first_and_its_newest_version(visit):
    visitor, _ = visit(SMALL)
    entry = next(entry for entry in ON_ARXIV if entry.versions == 3)
    versions = arxiv_api.paper(visitor.fetcher, entry.arxiv).paper.versions
    assert [version.number for version in versions] == [1, 2, 3]
    assert [version.created for version in versions] == [entry.submitted.date(), None, entry.revised(3).date()]


def test_every_paper_of_the_literature_is_read_and_read_again(visit):
    visitor, server = visit(SMALL)
    found = arxiv_api.papers(visitor.fetcher, [entry.arxiv for entry in ON_ARXIV])
    assert len(server.log) == 1
    for entry, description in zip(ON_ARXIV, found, strict=True):
        assert description.locator == entry.arxiv
        assert description.paper.title == " ".join(entry.title.split())
        assert description.paper.authors == (entry.authors or ("Anonymous",))
        assert description.paper.doi == entry.doi
        assert description.paper.author_comments == entry.comments
        assert PARSERS["arXiv API"](description.raw) == description
    assert {"0", "神经元的选择性"} <= {description.paper.title for description in found}
    assert max(len(description.paper.authors) for description in found) == 3000


@pytest.mark.parametrize("count", [1, 99, 100, 101])
def test_many_papers_are_asked_for_a_hundred_at_a_time(visit, count):
    entries = tuple(
        Entry(
            number=number, title=f"Part {number}", authors=("A B",), year=2018, abstract="x", arxiv=f"1806.{number:05d}"
        )
        for number in range(1, 102)
    )
    visitor, server = visit(Corpus(entries=entries, edges=()))
    found = arxiv_api.papers(visitor.fetcher, [entry.arxiv for entry in entries[:count]])
    assert [description.locator for description in found] == [entry.arxiv for entry in entries[:count]]
    assert len(server.log) == 1 + (count > 100)


def test_a_bad_id_is_named_before_anything_is_asked(visit):
    visitor, server = visit(SMALL)
    with pytest.raises(ArxivIdError, match=r"'1234\.1234' names month 34"):
        arxiv_api.papers(visitor.fetcher, ["1806.02891", "1234.1234"])
    assert not server.log


def test_a_paper_that_arxiv_does_not_know_is_named(visit):
    visitor, _ = visit(SMALL)
    with pytest.raises(NotFoundError, match=r"arXiv knows no paper 1801\.99999"):
        arxiv_api.paper(visitor.fetcher, "1801.99999")
    known = arxiv_api.papers(visitor.fetcher, ["1801.99999", "1806.02891"])
    assert [description.locator for description in known] == ["1806.02891"]


def test_an_error_is_told_in_arxiv_s_words_whatever_status_it_comes_with(visit):
    visitor, server = visit(SMALL, faulty(Fault.ERROR_WITH_200))
    with pytest.raises(RefusedError, match="start must be an integer"):
        arxiv_api.paper(visitor.fetcher, "1806.02891")
    with pytest.raises(RefusedError, match="400: start must be an integer"):
        visitor.fetcher.get(arxiv_api.SERVICE, "", {"start": "x"}, bytes, subject="a paper")
    assert len(server.log) == 2


@pytest.mark.parametrize("size", [1, 7, 40, 100])
def test_a_search_gives_every_paper_once_whatever_the_page(visit, size):
    visitor, _ = visit(SMALL)
    pages = list(arxiv_api.search(visitor.fetcher, "all:", slice_size=size))
    found = [description.locator for page in pages for description in page.descriptions]
    assert found == [entry.arxiv for entry in ON_ARXIV]
    assert [page.next_offset for page in pages[:-1]] == [page.offset for page in pages[1:]]
    assert pages[-1].next_offset is None
    assert {page.total for page in pages} == {len(ON_ARXIV)}


def test_a_search_goes_on_where_it_was_left_and_ends_where_it_was_told(visit):
    visitor, _ = visit(SMALL)
    pages = list(arxiv_api.search(visitor.fetcher, "all:", offset=5, limit=9, slice_size=4))
    found = [description.locator for page in pages for description in page.descriptions]
    assert found == [entry.arxiv for entry in ON_ARXIV[5:14]]
    assert [len(page.descriptions) for page in pages] == [4, 4, 1]


def test_a_search_that_finds_nothing_is_one_empty_page(visit):
    visitor, _ = visit(SMALL)
    (page,) = arxiv_api.search(visitor.fetcher, "ti:xylophone")
    assert (page.descriptions, page.total, page.next_offset) == ((), 0, None)


def test_an_empty_page_in_the_middle_is_asked_for_again(visit):
    visitor, server = visit(SMALL, faulty(None, Fault.EMPTY_PAGE, Fault.EMPTY_PAGE))
    pages = list(arxiv_api.search(visitor.fetcher, "all:", slice_size=20))
    assert [description.locator for page in pages for description in page.descriptions] == [e.arxiv for e in ON_ARXIV]
    assert len(server.log) == len(pages) + 2


def test_a_page_that_stays_empty_is_no_end(visit):
    visitor, _ = visit(SMALL, Faults(always={"arXiv API": Fault.EMPTY_PAGE}), attempts=3)
    with pytest.raises(UnavailableError, match="it is empty, though"):
        list(arxiv_api.search(visitor.fetcher, "all:"))


def test_nobody_asks_deeper_than_arxiv_answers(visit):
    visitor, server = visit(SMALL)
    with pytest.raises(RefusedError, match="30,000 papers of a search; narrow it by submittedDate"):
        next(arxiv_api.search(visitor.fetcher, "all:", offset=30_000))
    assert not server.log


@pytest.mark.parametrize("fault", [Fault.DOCTYPE, Fault.MALFORMED, Fault.RATE_EXCEEDED, Fault.WEB_PAGE])
def test_what_is_no_feed_is_never_read_as_one(visit, fault):
    visitor, _ = visit(SMALL, Faults(always={"arXiv API": fault}), attempts=2)
    with pytest.raises(UnavailableError, match="arXiv API does not answer"):
        arxiv_api.paper(visitor.fetcher, "1806.02891")


def test_requests_keep_three_seconds_apart(visit):
    visitor, server = visit(SMALL)
    begun = visitor.now[0]
    for _ in range(4):
        arxiv_api.paper(visitor.fetcher, "1806.02891")
    assert visitor.now[0] - begun == pytest.approx(9.0, abs=1e-4)
    assert visitor.told.count(f"waiting 3 s for arXiv at {server.url.removeprefix('http://')}") == 3


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<",
        b"<entry/>",
        b'<entry xmlns="http://www.w3.org/2005/Atom"><id>http://arxiv.org/abs/9999.99</id></entry>',
        b'<entry xmlns="http://www.w3.org/2005/Atom"><id>1806.02891</id><updated>yesterday</updated></entry>',
        b'<entry xmlns="http://www.w3.org/2005/Atom"><id>1806.02891v99999999</id></entry>',
        b'<?xml version="1.0" encoding="none"?><a/>',
        b"\x00" * 50,
    ],
)
def test_what_is_no_entry_is_refused(raw):
    with pytest.raises(MalformedError):
        arxiv_api.parse(raw)


def test_a_random_run_of_faults_changes_nothing_but_the_time_it_takes(visit):
    visitor, server = visit(SMALL, Faults.random(seed=3, count=25))
    found = []
    for page in arxiv_api.search(visitor.fetcher, "all:", slice_size=3):
        found += [description.locator for description in page.descriptions]
    assert found == [entry.arxiv for entry in ON_ARXIV]
    assert len(server.faults.injected) >= 10


def test_an_old_identifier_is_a_name_like_any_other(visit):
    entry = replace(SMALL.paper, arxiv="hep-th/9901001", year=1999)
    visitor, _ = visit(Corpus(entries=(entry,), edges=()))
    assert arxiv_api.paper(visitor.fetcher, "hep-th/9901001v1").locator == "hep-th/9901001"


# As recorded, its text shortened.
RECORDED = b"""<entry xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
    <id>http://arxiv.org/abs/quant-ph/0201082v1</id>
    <title>Quantum Computers and Quantum Computer Languages</title>
    <updated>2002-01-18T15:08:05Z</updated>
    <link href="https://arxiv.org/abs/quant-ph/0201082v1" rel="alternate" type="text/html"/>
    <summary>  We show a representation of
Quantum Computers.
</summary>
    <category term="quant-ph" scheme="http://arxiv.org/schemas/atom"/>
    <category term="cs.PL" scheme="http://arxiv.org/schemas/atom"/>
    <published>2002-01-18T15:08:05Z</published>
    <arxiv:comment>32 pages</arxiv:comment>
    <arxiv:primary_category term="cs.PL"/>
    <author><name>Stephen Blaha</name></author>
  </entry>"""


def test_a_recorded_entry_is_read():
    found = arxiv_api.parse(RECORDED)
    assert found.locator == "quant-ph/0201082"
    assert found.paper.abstract == "We show a representation of Quantum Computers."
    assert found.paper.categories == ("cs.PL", "quant-ph")
    assert found.paper.author_comments == "32 pages"
    assert found.paper.submitted == dt.date(2002, 1, 18)
