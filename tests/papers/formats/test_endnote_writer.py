import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.formats.endnote_writer import endnote
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person
from tests.papers.formats.test_ris_writer import UNITS
from tests.papers.written import papers, shown


def read(text):
    """Reads the tagged format as its description says: works apart by empty lines, a percent sign and a letter each."""
    works = []
    for part in filter(None, text.split("\n\n")):
        fields = {}
        for line in part.rstrip("\n").split("\n"):
            assert line[0] == "%"
            assert line[2] == " "
            fields.setdefault(line[1], []).append(line[3:])
        works.append(fields)
    return works


def test_the_papers_record_names_it_by_its_address():
    assert endnote([UNITS]).splitlines() == [
        "%0 Electronic Article",
        "%F zhou2018revisiting",
        "%T Revisiting the Importance of Individual Units in CNNs via Ablation",
        "%A Zhou, Bolei",
        "%A Sun, Yiyou",
        "%A Bau, David",
        "%A Torralba, Antonio",
        "%D 2018",
        "%8 2018-06-07",
        "%M arXiv:1806.02891",
        "%U https://arxiv.org/abs/1806.02891",
        "%X We ablate units.",
        "%K cs.CV",
        "%K cs.AI",
    ]


def test_what_a_journal_published_is_an_article_and_a_group_stays_whole():
    (work,) = read(endnote([Paper(title="x", journal_reference="TPAMI", authors=("ATLAS", "The ATLAS Collaboration"))]))
    assert work["0"] == ["Journal Article"]
    assert work["A"] == ["ATLAS", "The ATLAS Collaboration,"]


@given(st.lists(papers, max_size=3))
def test_what_is_written_says_what_the_paper_says(written):
    found = read(endnote(written))
    assert len(found) == len(written)
    assert len({work["F"][0] for work in found}) == len(written)
    for work, paper in zip(found, written, strict=True):
        assert shown(work["T"][0]) == shown(paper.title)
        assert [str(Person.parse(name)) for name in work.get("A", [])] == list(paper.authors)
        assert work.get("D", [""])[0] == str(paper.year or "")
        assert work.get("R", [""])[0] == paper.doi
        assert (ArxivId.parse(work["M"][0]) if "M" in work else None) == paper.arxiv_id


@pytest.mark.parametrize("sign", ["\n", "\r", "\x85", "\u2028", "\x1e"])
def test_no_title_can_begin_another_field(sign):
    hostile = f"Units{sign}%T Mine{sign}{sign}%0 Book"
    lines = endnote(
        [Paper(title=hostile, authors=(hostile,), abstract=hostile, journal_reference=hostile)]
    ).splitlines()
    assert sum(line.startswith("%T") for line in lines) == 1
    assert sum(line.startswith("%0") for line in lines) == 1
