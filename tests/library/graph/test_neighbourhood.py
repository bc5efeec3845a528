import math
from collections import defaultdict

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.library import works
from lenslab.library.graph import ring_layout
from lenslab.library.graph.citation_edges import lot
from lenslab.library.graph.neighbourhood import choose, evenly, neighbourhood
from lenslab.library.models import Work
from tests.library.making import cite, for_this_example

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
    cite(*((other, paper) if number < citing else (paper, other) for number, other in enumerate(others)))
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


def test_a_cap_takes_as_many_of_each_year_and_says_what_there_is():
    picture = neighbourhood(crowd(citing=96, referenced=10), limit=58)
    years = [node.year for node in picture.nodes if node.role == "citing"]
    assert len(years) == 48
    assert {year: years.count(year) for year in years} == dict.fromkeys(range(2000, 2024), 2)
    assert (picture.shown, picture.total) == (58, 106)
    assert (picture.citing_total, picture.referenced_total) == (96, 10)
    assert picture.rule.startswith("58 of 106 works: the influential ones first")
    assert "seed 7" in picture.rule


def test_influential_citations_come_first_and_are_drawn_too_where_they_are_too_many():
    paper = crowd(citing=60, referenced=0)
    strong = Work.objects.bulk_create(Work(key=f"s{number}", title="S", year=2010 + number % 3) for number in range(9))
    cite(*((work, paper) for work in strong), influential=True)
    some = neighbourhood(paper, limit=20)
    assert sum(node.influential for node in some.nodes) == 9
    few = neighbourhood(paper, limit=6)
    assert all(node.influential for node in few.nodes[1:])
    assert sorted(node.year for node in few.nodes[1:]) == [2010, 2010, 2011, 2011, 2012, 2012]


def test_who_is_drawn_does_not_depend_on_the_order_in_which_works_came():
    paper = Work.objects.create(key="p", title="P")
    for number in range(40):
        cite((Work.objects.create(key=f"w{number}", title="W", year=2020), paper))
    first = {node.key for node in neighbourhood(paper, limit=10).nodes}
    Work.objects.all().delete()
    paper = Work.objects.create(key="p", title="P")
    for number in reversed(range(40)):
        cite((Work.objects.create(key=f"w{number}", title="W", year=2020), paper))
    assert {node.key for node in neighbourhood(paper, limit=10).nodes} == first


@given(st.dictionaries(st.integers(1990, 2026), st.integers(1, 40), min_size=1), st.integers(1, 300))
def test_years_share_places_as_evenly_as_their_works_allow(sizes, places):
    drawn = {year: list(range(year * 100, year * 100 + size)) for year, size in sizes.items()}
    chosen = evenly(drawn, places)
    counts = {year: sum(work // 100 == year for work in chosen) for year in sizes}
    assert len(chosen) == min(places, sum(sizes.values()))
    for year, count in counts.items():
        assert chosen.count(year * 100) == (count > 0), "the first lots are taken first"
        assert all(count >= other - 1 for other in counts.values()) or count == sizes[year]


citations = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(2015, 2026) | st.none(), st.booleans()), max_size=60
)


@settings(max_examples=60)
@given(citations, st.integers(1, 40))
def test_the_picture_is_what_the_rule_says_when_all_citations_are_read(drawn, limit):
    """The oracle reads every citation and follows the rule as it is written."""
    with for_this_example():
        paper = Work.objects.create(key="p", title="P", year=2018)
        others = Work.objects.bulk_create(Work(key=f"w{n}", title="W", year=row[2]) for n, row in enumerate(drawn))
        rows = [(own, *row) for own, row in zip(others, drawn, strict=True)]
        for influential in (True, False):
            cite(*((own, paper) for own, cites, _, _, strong in rows if cites and strong == influential),
                 *((paper, own) for own, cites, _, _, strong in rows if not cites and strong == influential),
                 influential=influential)  # fmt: skip
        paper.refresh_from_db()
        found = choose(paper, limit)
        sides = {cites: [row for row in rows if row[1] == cites] for cites in (True, False)}
        places = max(limit // 2, limit - len(sides[True]))
        inner = by_the_rule(sides[False], paper, min(places, len(sides[False])))
        outer = by_the_rule(sides[True], paper, limit - len(inner))
        assert {row[0] for row in found.works[1:]} == inner | outer
        assert found.complete == (len(inner | outer) == len(rows))


def test_a_large_year_fills_the_places_that_small_ones_leave():
    paper = Work.objects.create(key="p", title="P", year=2000)
    years = [*range(2001, 2011), *[2020] * 90]
    others = Work.objects.bulk_create(Work(key=f"w{n}", title="W", year=year) for n, year in enumerate(years))
    cite(*((work, paper) for work in others))
    paper.refresh_from_db()
    chosen = choose(paper, 80)
    assert [row[4] for row in chosen.works[1:]] == [*range(2001, 2011), *[2020] * 70]


def by_the_rule(rows, paper, places):
    taken = set()
    for influential in (True, False):
        years = defaultdict(list)
        for own, cites, _, year, strong in rows:
            if strong == influential:
                drawn_lot = lot(own.key, paper.key) if cites else lot(paper.key, own.key)
                years[year or 0].append((drawn_lot, own.pk))
        taken |= set(evenly({year: [pk for _, pk in sorted(own)] for year, own in years.items()}, places - len(taken)))
    return taken


@settings(max_examples=40)
@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] != pair[1])))
def test_the_edges_are_all_citations_between_the_works_shown(pairs):
    with for_this_example():
        works = Work.objects.bulk_create(Work(key=f"w{number}", title="W", year=2020) for number in range(13))
        cite(*((works[one], works[other]) for one, other in pairs))
        found = choose(works[0], 5)
        graph = nx.DiGraph((works[one].pk, works[other].pk) for one, other in pairs)
        shown = [row[0] for row in found.works]
        assert {edge[:2] for edge in found.edges} == set(graph.subgraph(shown).edges)


def test_places_that_citing_works_leave_free_go_to_references():
    roles = [node.role for node in neighbourhood(crowd(citing=3, referenced=30), limit=20).nodes]
    assert (roles.count("citing"), roles.count("referenced")) == (3, 17)


@pytest.mark.parametrize("size", [2, 200])
def test_the_number_of_queries_does_not_grow_with_the_picture(django_assert_num_queries, size):
    paper = crowd(citing=size, referenced=size)
    with django_assert_num_queries(4):
        assert neighbourhood(paper, limit=1000).shown == 2 * size
    with django_assert_num_queries(8 if size > 2 else 4):
        assert neighbourhood(paper, limit=100).shown == min(2 * size, 100)


def test_edges_between_neighbours_are_drawn_too():
    paper = crowd(citing=2, referenced=0)
    one, other = Work.objects.exclude(pk=paper.pk)
    cite((one, other))
    assert {(edge.citing, edge.cited) for edge in neighbourhood(paper).edges} >= {(one.key, other.key)}


def test_works_that_cite_each_other_are_one_node_with_two_edges():
    paper = crowd(citing=1, referenced=0)
    other = Work.objects.exclude(pk=paper.pk).get()
    cite((paper, other))
    picture = neighbourhood(paper)
    assert [node.role for node in picture.nodes] == ["current", "referenced"]
    assert len(picture.edges) == 2
    assert picture.rule == "", "nothing is left out, though there are two citations and one neighbour"


def test_a_work_without_neighbours_is_a_picture_of_one():
    picture = neighbourhood(Work.objects.create(key="p", title="P"))
    assert (len(picture.nodes), picture.edges, picture.rings, picture.radius) == (1, (), (), 0.0)


years = st.lists(st.one_of(st.none(), st.integers(1990, 2026)), max_size=90).map(
    lambda found: sorted(found, key=lambda year: year or 0)
)


@settings(max_examples=40, deadline=None)
@given(years, years)
def test_whatever_the_years_no_two_works_touch_and_rings_keep_their_order(referenced, citing):
    places, drawn = ring_layout.arrange(referenced, citing)
    assert len(places) == 1 + len(referenced) + len(citing)
    assert sum(ring.count for ring in drawn) == len(places) - 1
    assert all(math.dist(one, other) > 30 for n, one in enumerate(places) for other in places[:n])
    distances = [math.hypot(*place) for place in places]
    assert distances == pytest.approx(sorted(distances), abs=0.02)


def test_one_arrangement_is_made_once():
    ring_layout.arrange([2001, 2002], [2003])
    before = ring_layout._arranged.cache_info().hits
    assert ring_layout.arrange((2001, 2002), [2003]) is ring_layout.arrange([2001, 2002], [2003])
    assert ring_layout._arranged.cache_info().hits == before + 2


@pytest.mark.parametrize(
    ("first", "last", "label"), [(None, None, "year unknown"), (None, 2018, "up to 2018"), (2018, 2018, "2018")]
)
def test_unknown_years_are_said(first, last, label):
    assert ring_layout.Ring(64.0, "citing", first, last, 1).label == label
