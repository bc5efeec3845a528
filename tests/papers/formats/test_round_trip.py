"""Import, export, import is a fixed point: what a file says is said by every export of it, in every format."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.formats import bibtex_reader, csl_reader, ris_reader
from lenslab.papers.formats.bibtex_writer import bibliography
from lenslab.papers.formats.csl_writer import csl
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.formats.ris_writer import ris
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person
from tests.library.intake.test_large_bibliography import bibliography as index_of_a_magazine
from tests.papers.written import papers, shown

FORMATS: dict[str, tuple[Callable[[list[Paper]], str], Callable[[str], object]]] = {
    "BibTeX": (bibliography, bibtex_reader.entries),
    "CSL-JSON": (csl, csl_reader.entries),
    "RIS": (ris, ris_reader.entries),
}


def again(kept: list[Paper], name: str) -> list[Paper]:
    write, read = FORMATS[name]
    found = list(read(write(kept)))
    assert not [entry.reason for entry in found if isinstance(entry, Rejection)]
    return [entry.paper for entry in found]


def said(paper: Paper) -> tuple[object, ...]:
    people = tuple(map(Person.parse, paper.authors))
    return (
        shown(paper.title),
        people,
        paper.year,
        paper.doi,
        paper.arxiv_id,
        " ".join(paper.journal_reference.split()),
        paper.publication,
        paper.retracted,
    )


WRITTEN, WAYS = st.lists(papers, min_size=1, max_size=4), st.permutations([*FORMATS])


@settings(max_examples=30)
@given(WRITTEN, WAYS)
def test_whatever_way_a_paper_goes_through_the_formats_it_says_the_same(written: list[Paper], way: list[str]) -> None:
    assert_kept(written, way)


@pytest.mark.thorough
@settings(max_examples=400)
@given(WRITTEN, WAYS)
def test_ten_thousand_papers_say_the_same_whatever_way_they_go(written: list[Paper], way: list[str]) -> None:
    assert_kept(written, way)


def assert_kept(written: list[Paper], way: list[str]) -> None:
    kept = again(written, way[0])
    for name in (*way[1:], *way):
        through = again(kept, name)
        assert [said(paper) for paper in through] == [said(paper) for paper in kept]
        kept = through


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20)
@given(st.lists(papers, min_size=1, max_size=4))
def test_a_second_export_is_the_first(name: str, written: list[Paper]) -> None:
    write, _ = FORMATS[name]
    once = write(again(written, name))
    assert write(again(again(written, name), name)) == once


@pytest.mark.thorough
def test_a_magazines_index_says_the_same_after_every_export() -> None:
    found = list(bibtex_reader.entries("\n".join(index_of_a_magazine())))
    kept = [entry.paper for entry in found if not isinstance(entry, Rejection)]
    assert len(kept) == len(found) == 3_720
    for name in FORMATS:
        assert [said(paper) for paper in again(kept, name)] == [said(paper) for paper in kept], name
