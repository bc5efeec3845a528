import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.library import rings, works
from lenslab.library.models import Author, Citation, Work
from lenslab.library.neighbourhood import neighbourhood

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(load):
    load()
    return neighbourhood(works.find_work("1806.02891"))


def crowd(citing, referenced):
    """A paper with so many neighbours, each of its own year in turn."""
    paper = Work.objects.create(key="p", title="P", year=2018)
    others = Work.objects.bulk_create(
        Work(key=f"w{number}", title=f"W{number}", year=2000 + number % 24) for number in range(citing + referenced)
    )
    Author.objects.bulk_create(
        Author(work=other, position=place, name=f"A{place}") for other in others for place in range(5)
    )
    Citation.objects.bulk_create(
        Citation(citing=other, cited=paper) if number < citing else Citation(citing=paper, cited=other)
        for number, other in enumerate(others)
    )
    return paper


def test_the_paper_stands_in_the_middle_and_every_neighbour_around_it(picture):
    assert (picture.nodes[0].key, picture.nodes[0].role) == ("1806.02891", "current")
    assert (picture.nodes[0].x, picture.nodes[0].y) == (0, 0)
    roles = [node.role for node in picture.nodes]
    assert (roles.count("citing"), roles.count("referenced")) == (109, 7)
    assert (picture.citing_total, picture.referenced_total) == (109, 7)
    assert picture.shown == picture.total == 116


def test_edges_go_from_the_citing_to_the_cited_work(picture):
    roles = {node.key: node.role for node in picture.nodes}
    assert len(picture.edges) == 116
    for edge in picture.edges:
        assert (roles[edge.citing], roles[edge.cited]) in {("citing", "current"), ("current", "referenced")}


def test_no_two_works_touch(picture):
    places = [(node.x, node.y) for node in picture.nodes]
    assert min(math.dist(one, other) for n, one in enumerate(places) for other in places[:n]) > 30


def test_later_works_stand_further_out(picture):
    citing = [(node.year, math.hypot(node.x, node.y)) for node in picture.nodes if node.role == "citing"]
    for year, distance in citing:
        assert all(other <= distance + 0.1 for before, other in citing if before < year)
    assert picture.radius == pytest.approx(max(distance for _, distance in citing), abs=0.1)


def test_each_ring_says_whose_years_it_shows(picture):
    assert [(ring.role, ring.label) for ring in picture.rings][:3] == [
        ("referenced", "2013–2018"),
        ("citing", "2017–2018"),
        ("citing", "2019"),
    ]
    assert sum(ring.count for ring in picture.rings) == 116


def test_the_picture_is_the_same_every_time(picture):
    assert neighbourhood(works.find_work("1806.02891")) == picture


def test_authors_are_short(picture):
    authors = {node.key: node.authors for node in picture.nodes}
    assert authors["1806.02891"] == "Zhou et al."
    assert authors["2003.01262"] == "Leavitt and Morcos"


def test_a_cap_keeps_the_newest_and_says_what_there_is():
    picture = neighbourhood(crowd(citing=40, referenced=10), limit=20)
    roles = [node.role for node in picture.nodes]
    assert (roles.count("citing"), roles.count("referenced")) == (10, 10)
    assert (picture.shown, picture.total) == (20, 50)
    assert (picture.citing_total, picture.referenced_total) == (40, 10)
    assert min(node.year for node in picture.nodes if node.role == "citing") >= 2015
    assert len(picture.edges) == 20


def test_places_that_citing_works_leave_free_go_to_references():
    roles = [node.role for node in neighbourhood(crowd(citing=3, referenced=30), limit=20).nodes]
    assert (roles.count("citing"), roles.count("referenced")) == (3, 17)


@pytest.mark.parametrize("size", [2, 200])
def test_the_number_of_queries_does_not_grow_with_the_picture(django_assert_num_queries, size):
    paper = crowd(citing=size, referenced=size)
    with django_assert_num_queries(6):
        assert neighbourhood(paper, limit=1000).shown == 2 * size


def test_edges_between_neighbours_are_drawn_too():
    paper = crowd(citing=2, referenced=0)
    one, other = Work.objects.exclude(pk=paper.pk)
    Citation.objects.create(citing=one, cited=other)
    assert {(edge.citing, edge.cited) for edge in neighbourhood(paper).edges} >= {(one.key, other.key)}


def test_works_that_cite_each_other_are_one_node_with_two_edges():
    paper = crowd(citing=1, referenced=0)
    other = Work.objects.exclude(pk=paper.pk).get()
    Citation.objects.create(citing=paper, cited=other)
    picture = neighbourhood(paper)
    assert [node.role for node in picture.nodes] == ["current", "referenced"]
    assert len(picture.edges) == 2


def test_a_work_without_neighbours_is_a_picture_of_one():
    picture = neighbourhood(Work.objects.create(key="p", title="P"))
    assert (len(picture.nodes), picture.edges, picture.rings, picture.radius) == (1, (), (), 0.0)


years = st.lists(st.one_of(st.none(), st.integers(1990, 2026)), max_size=90).map(
    lambda found: sorted(found, key=lambda year: year or 0)
)


@settings(max_examples=40, deadline=None)
@given(years, years)
def test_whatever_the_years_no_two_works_touch_and_rings_keep_their_order(referenced, citing):
    places, drawn = rings.arrange(referenced, citing)
    assert len(places) == 1 + len(referenced) + len(citing)
    assert sum(ring.count for ring in drawn) == len(places) - 1
    assert all(math.dist(one, other) > 30 for n, one in enumerate(places) for other in places[:n])
    distances = [math.hypot(*place) for place in places]
    assert distances == pytest.approx(sorted(distances), abs=0.02)


@pytest.mark.parametrize(
    ("first", "last", "label"), [(None, None, "year unknown"), (None, 2018, "up to 2018"), (2018, 2018, "2018")]
)
def test_unknown_years_are_said(first, last, label):
    assert rings.Ring(64.0, "citing", first, last, 1).label == label
