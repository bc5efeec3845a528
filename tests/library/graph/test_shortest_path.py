from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.library.graph.shortest_path import chain
from lenslab.library.models import Work
from tests.library.making import cite, for_this_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def works():
    made = Work.objects.bulk_create(
        Work(key=letter, title=letter.upper(), year=2000 + place) for place, letter in enumerate("abcdefgh")
    )
    return {work.key: work for work in made}


def link(works, *pairs, influential=False):
    cite(*((works[one], works[other]) for one, other in pairs), influential=influential)


def keys(found):
    return "".join(stop.key for stop in found.stops)


def test_each_step_tells_who_cites_whom(works):
    link(works, "ba", "bc")
    found = chain(works["a"], works["c"])
    assert keys(found) == "abc"
    assert [step.sentence for step in found.steps] == ["“B” cites “A”.", "“B” cites “C”."]
    assert [step.forward for step in found.steps] == [False, True]
    assert (found.shortest, found.reason) == (1, "")


def test_directed_chains_follow_references_only(works):
    link(works, "ba", "bc", "cd", "da")
    assert keys(chain(works["b"], works["d"], directed=True)) == "bcd"
    found = chain(works["a"], works["c"], directed=True)
    assert (found.stops, found.reason) == (
        (), "there is no chain in which each work cites the next between them in this library"
    )  # fmt: skip


def test_of_equally_short_chains_the_most_influential_is_told(works):
    link(works, "ab", "ac", "bh", "ch", "ag", "gh")
    link(works, "dh", influential=True)
    link(works, "ad")
    found = chain(works["a"], works["h"])
    assert (keys(found), found.shortest) == ("adh", 4)


def test_of_equally_influential_chains_the_newest_is_told(works):
    link(works, "ab", "ac", "bh", "ch")
    assert keys(chain(works["a"], works["h"])) == "ach"


def test_of_equally_new_chains_the_first_by_key_is_told(works):
    Work.objects.update(year=2020)
    link(works, "ac", "ab", "ch", "bh")
    assert keys(chain(works["a"], works["h"])) == "abh"


def test_works_that_cite_each_other_tell_the_influential_citation(works):
    link(works, "ab")
    link(works, "ba", influential=True)
    (step,) = chain(works["a"], works["b"]).steps
    assert (step.citing.key, step.influential) == ("b", True)


def test_a_work_is_no_step_away_from_itself(works):
    found = chain(works["a"], works["a"])
    assert (keys(found), found.steps, found.shortest) == ("a", (), 1)


def test_none_is_said_as_such(works):
    link(works, "ab", "cd")
    assert chain(works["a"], works["c"]).reason == "there is no chain of citations at all between them in this library"


def test_a_chain_beyond_the_longest_is_not_claimed_to_be_missing(works):
    link(works, "ab", "bc", "cd", "de")
    found = chain(works["a"], works["e"], longest=3)
    assert (found.stops, found.reason) == ((), "there is no chain of up to 3 steps")
    assert keys(chain(works["a"], works["e"], longest=4)) == "abcde"


def test_a_hub_that_can_be_walked_around_is_not_read(works):
    link(works, "ab", "bc")
    crowd = Work.objects.bulk_create(Work(key=f"w{number}", title="W") for number in range(50))
    cite(*((work, works["c"]) for work in crowd))
    for work in works.values():
        work.refresh_from_db()
    found = chain(works["a"], works["c"], most=10)
    assert (keys(found), found.read) == ("abc", 3)


def test_a_search_that_would_read_too_much_stops_and_says_so(works):
    crowd = Work.objects.bulk_create(Work(key=f"w{number}", title="W") for number in range(50))
    cite(*((work, works["a"]) for work in crowd), *((work, works["b"]) for work in crowd))
    found = chain(works["a"], works["b"], most=20)
    assert found.stops == ()
    assert found.reason == "none of up to 1 step; to look further, more than 20 citations would have to be read"
    assert chain(works["a"], works["b"]).shortest == 50


@pytest.mark.parametrize(("between", "forward"), [("cd", True), ("dc", False)])
def test_two_ends_beside_hubs_meet_through_references_alone(works, between, forward):
    link(works, "ac", "bd", between)
    crowd = Work.objects.bulk_create(Work(key=f"w{number}", title="W") for number in range(50))
    cite(*((work, works["c"]) for work in crowd[:25]), *((work, works["d"]) for work in crowd[25:]))
    found = chain(works["a"], works["b"], most=10)
    assert (keys(found), found.shortest, found.reason) == ("acdb", 1, "")
    assert [step.forward for step in found.steps] == [True, forward, False]
    assert found.read == 3


def test_two_ends_beside_hubs_that_do_not_meet_are_told_apart_so_far(works):
    link(works, "ac", "bd")
    crowd = Work.objects.bulk_create(Work(key=f"w{number}", title="W") for number in range(50))
    cite(*((work, works["c"]) for work in crowd), *((work, works["d"]) for work in crowd))
    assert chain(works["a"], works["b"], most=10).reason.startswith("none of up to 3 steps; to look further")


pairs = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=30)


@settings(max_examples=100)
@given(pairs, pairs, st.lists(st.integers(2000, 2003), min_size=10, max_size=10), st.booleans(), st.integers(5, 99))
def test_the_chain_is_the_best_of_all_that_networkx_finds(weak, strong, years, directed, most):
    with for_this_example():
        works = Work.objects.bulk_create(Work(key=f"w{n}", title="W", year=year) for n, year in enumerate(years))
        cite(*((works[one], works[other]) for one, other in weak - strong))
        cite(*((works[one], works[other]) for one, other in strong), influential=True)
        graph = nx.DiGraph() if directed else nx.Graph()
        graph.add_nodes_from(range(10))
        graph.add_edges_from(weak | strong)
        found = chain(works[0], works[9], directed=directed, longest=20, most=most)
        if found.reason.startswith("none of up to"):
            steps = int(found.reason.split()[4])
            assert not nx.has_path(graph, 0, 9) or nx.shortest_path_length(graph, 0, 9) > steps
            return
        if not nx.has_path(graph, 0, 9):
            assert (found.stops, found.shortest) == ((), 0)
            return
        every = list(nx.all_shortest_paths(graph, 0, 9))

        def rank(path):
            edges = list(pairwise(path))
            loud = sum((a, b) in strong or (not directed and (b, a) in strong) for a, b in edges)
            return -loud, -sum(years[node] for node in path), path

        assert [stop.key for stop in found.stops] == [f"w{node}" for node in min(every, key=rank)]
        assert found.shortest == len(every)
        known = weak | strong
        for step in found.steps:
            assert (int(step.citing.key[1:]), int(step.cited.key[1:])) in known
            assert step.forward or not directed
