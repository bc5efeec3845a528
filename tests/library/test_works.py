import datetime as dt

import pytest

from lenslab.library import works
from lenslab.library.errors import LibraryError, UnknownPaperError
from lenslab.library.models import Work
from lenslab.papers.arxiv_id import ArxivId
from tests.library.making import assert_citation, cite

pytestmark = pytest.mark.usefixtures("library")


@pytest.mark.parametrize(
    "name",
    [
        "1806.02891",
        "arXiv:1806.02891v1",
        "https://arxiv.org/pdf/1806.02891.pdf",
        "10.48550/arxiv.1806.02891",
        " 1806.02891 ",
    ],
)
def test_a_paper_is_found_under_every_name_it_has(name):
    assert works.find_work(name).arxiv_id == "1806.02891"


def test_a_work_without_an_identifier_is_found_by_its_key():
    key = "understanding-trained-cnns-by-indexing-neuron-selectivity-rafegas-2017"
    assert works.find_work(key).title == "Understanding trained CNNs by indexing neuron selectivity"


def test_every_work_is_found_by_its_key():
    for work in works.all_works():
        assert works.find_work(work.key) == work


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("1806.02892", ["'1806.02892'", "did you mean '1806.02891'"]),
        ("2412.00001", ["'2412.00001'", "https://arxiv.org/abs/2412.00001"]),
        ("frogs", ["'frogs'", "1806.02891"]),
        ("DeepEverest", ["did you mean '2104.02234'"]),
        ("x" * 500, ["...", "1806.02891"]),
    ],
)
def test_an_unknown_paper_is_named_with_what_to_do(name, words):
    with pytest.raises(UnknownPaperError) as caught:
        works.find_work(name)
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 400
    assert isinstance(caught.value, (LibraryError, LookupError))


def test_the_table_holds_every_neighbour_newest_first_then_by_title():
    rows = works.relations(works.find_work("1806.02891"))
    assert len(rows) == 116
    assert sum(row.records for row in rows) == 120
    order = [(-row.year, row.title.casefold()) for row in rows]
    assert order == sorted(order)
    assert [row.direction for row in rows].count("referenced") == 7
    assert {row.sources for row in rows if row.direction == "citing"} == {("ArxivLens page",)}


def test_a_row_says_what_was_merged_into_it_and_what_may_be_the_same():
    rows = {row.title: row for row in works.relations(works.find_work("1806.02891"))}
    bean = next(row for title, row in rows.items() if title.startswith("BEAN"))
    assert bean.records == 2
    assert len(bean.evidence) == 1
    emergence = rows["Emergence of Implicit Filter Sparsity in Convolutional Neural Networks"]
    assert {twin.title for twin in emergence.twins} == {
        "Implicit Filter Sparsification In Convolutional Neural Networks",
        "On Implicit Filter Level Sparsity in Convolutional Neural Networks",
    }
    assert works.find_work(emergence.twins[0].key).title == emergence.twins[0].title
    own = works.possible_twins(works.find_work(emergence.key))
    assert own == emergence.twins


def test_what_was_noted_on_one_side_is_noted_on_the_other():
    rows = works.relations(works.find_work("1806.02891"))
    titles = {row.key: row for row in rows}
    noted = [(row.key, twin.key) for row in rows for twin in row.twins]
    assert len(noted) == 22
    assert all(any(twin.key == one for twin in titles[other].twins) for one, other in noted)


def test_from_the_other_side_the_direction_is_turned_round():
    (row,) = works.relations(works.find_work("1803.06959"))
    assert (row.key, row.direction) == ("1806.02891", "citing")


def test_works_without_a_year_come_last():
    paper = Work.objects.create(key="p", title="P", year=2018)
    for year in (None, 2017, 2020):
        cite((Work.objects.create(key=f"w{year}", title="W", year=year), paper))
    assert [row.year for row in works.relations(paper)] == [2020, 2017, None]


@pytest.mark.parametrize("neighbours", [3, 60])
def test_the_number_of_queries_does_not_grow_with_the_table(django_assert_num_queries, neighbours):
    paper = Work.objects.create(key="p", title="P")
    for number in range(neighbours):
        other = Work.objects.create(key=f"w{number}", title=f"W{number}", authors=["A. Bau"])
        (edge,) = cite((other, paper) if number % 2 else (paper, other))
        assert_citation(edge, "s", str(number))
    with django_assert_num_queries(8):
        rows = works.relations(paper)
    assert len(rows) == neighbours
    assert all(row.authors == ("A. Bau",) for row in rows)


def test_both_dates_of_the_paper_are_kept_with_their_sources():
    said = [(fact.name, fact.date, fact.source) for fact in works.dates(works.find_work("1806.02891"))]
    assert ("submitted", dt.date(2018, 6, 7), "arXiv") in said
    assert ("published", dt.date(2018, 6, 11), "ArxivLens page") in said
    notes = {fact.note for fact in works.dates(works.find_work("1806.02891")) if fact.source == "ArxivLens page"}
    assert notes == {"probably the day of the announcement"}


def test_a_work_becomes_a_plain_paper():
    paper = works.paper(works.find_work("1806.02891"))
    assert paper.arxiv_id == ArxivId("1806.02891")
    assert paper.authors[0] == "Bolei Zhou"
    assert paper.primary_category == "cs.CV"
    assert paper.versions[0].created == paper.submitted == dt.date(2018, 6, 7)
    assert works.paper(works.find_work("1803.06959")).abstract == ""
