import datetime as dt

import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.formats.ris_reader import entries
from lenslab.papers.formats.ris_writer import ris
from lenslab.papers.paper import Paper
from tests.papers.seed import PAPER
from tests.papers.written import assert_same, papers, shown

UNITS = Paper(
    title=PAPER["title"],
    authors=tuple(PAPER["authors"]),
    year=2018,
    arxiv_id=ArxivId("1806.02891"),
    categories=("cs.CV", "cs.AI"),
    submitted=dt.date(2018, 6, 7),
    abstract="We ablate\n  units.",
)


def test_the_papers_record_is_a_preprint_with_its_address():
    assert ris([UNITS]).split("\r\n") == [
        "TY  - UNPB",
        "ID  - zhou2018revisiting",
        "TI  - Revisiting the Importance of Individual Units in CNNs via Ablation",
        "AU  - Zhou, Bolei",
        "AU  - Sun, Yiyou",
        "AU  - Bau, David",
        "AU  - Torralba, Antonio",
        "PY  - 2018",
        "DA  - 2018/06/07",
        "AN  - arXiv:1806.02891",
        "UR  - https://arxiv.org/abs/1806.02891",
        "AB  - We ablate units.",
        "KW  - cs.CV",
        "KW  - cs.AI",
        "ER  - ",
        "",
    ]


def test_what_a_journal_published_is_an_article():
    assert ris([Paper(title="Places", journal_reference="TPAMI")]).startswith("TY  - JOUR\r\n")


@given(st.lists(papers, max_size=3))
def test_what_is_written_is_read_again(written):
    found = list(entries(ris(written)))
    assert len(found) == len(written)
    for entry, paper in zip(found, written, strict=True):
        assert_same(entry.paper, paper)
        assert entry.paper.categories == (paper.categories if paper.arxiv_id else ())
        assert shown(entry.paper.abstract) == shown(paper.abstract)


@given(st.lists(papers, max_size=3))
def test_another_reader_finds_the_same(written):
    found = rispy.loads(ris(written))
    assert [shown(record["title"]) for record in found] == [shown(paper.title) for paper in written]
    assert [record.get("doi", "") for record in found] == [paper.doi for paper in written]
    assert [record.get("year", "") for record in found] == [str(paper.year or "") for paper in written]
    assert [len(record.get("authors", [])) for record in found] == [len(paper.authors) for paper in written]
    assert len({record["id"] for record in found}) == len(written)


@pytest.mark.parametrize("sign", ["\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_title_can_begin_another_record(sign):
    hostile = f"Units{sign}ER  - {sign}TY  - JOUR{sign}TI  - Mine"
    text = ris([Paper(title=hostile, authors=(hostile,), abstract=hostile, journal_reference=hostile)])
    assert sum(line.startswith("TY  -") for line in text.splitlines()) == 1
    assert sum(line.startswith("ER  -") for line in text.splitlines()) == 1
