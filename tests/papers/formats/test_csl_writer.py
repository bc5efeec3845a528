import datetime as dt
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.formats.csl_reader import entries
from lenslab.papers.formats.csl_writer import csl
from lenslab.papers.paper import Paper
from tests.papers.formats.test_ris_writer import UNITS
from tests.papers.written import assert_same, papers, shown


def test_the_papers_item_is_a_preprint_at_arxiv():
    assert json.loads(csl([UNITS])) == [
        {
            "id": "zhou2018revisiting",
            "type": "article",
            "title": "Revisiting the Importance of Individual Units in CNNs via Ablation",
            "author": [
                {"family": "Zhou", "given": "Bolei"},
                {"family": "Sun", "given": "Yiyou"},
                {"family": "Bau", "given": "David"},
                {"family": "Torralba", "given": "Antonio"},
            ],
            "issued": {"date-parts": [[2018, 6, 7]]},
            "abstract": "We ablate units.",
            "number": "arXiv:1806.02891",
            "URL": "https://arxiv.org/abs/1806.02891",
            "categories": ["cs.CV", "cs.AI"],
            "publisher": "arXiv",
            "genre": "preprint",
        }
    ]


def test_what_a_journal_published_is_an_article_of_its_year():
    paper = replace(UNITS, journal_reference="TPAMI", year=2019)
    (item,) = json.loads(csl([paper]))
    assert (item["type"], item["container-title"]) == ("article-journal", "TPAMI")
    assert item["issued"] == {"date-parts": [[2019]]}
    assert "genre" not in item


def test_names_that_have_parts_keep_them_and_groups_have_none():
    (item,) = json.loads(csl([Paper(title="x", authors=("E. L. Berger Jr.", "Stan van Wingerden", "ATLAS"))]))
    assert item["author"] == [
        {"family": "Berger", "given": "E. L.", "suffix": "Jr."},
        {"family": "van Wingerden", "given": "Stan"},
        {"literal": "ATLAS"},
    ]


@given(st.lists(papers, max_size=3))
def test_what_is_written_is_read_again(written):
    found = list(entries(csl(written)))
    assert len(found) == len(written)
    for entry, paper in zip(found, written, strict=True):
        assert_same(entry.paper, paper)
        assert entry.paper.categories == (paper.categories if paper.arxiv_id else ())
        assert shown(entry.paper.abstract) == shown(paper.abstract)
        assert entry.paper.journal_reference == paper.journal_reference


def test_an_empty_list_is_one():
    assert json.loads(csl([])) == []


def test_a_day_without_a_year_is_no_year():
    assert "issued" not in json.loads(csl([Paper(title="x", submitted=dt.date(2018, 6, 7))]))[0]
