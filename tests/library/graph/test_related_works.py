import math

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.library.graph import related_works as module
from lenslab.library.graph.related_works import WEIGHTS, related_works
from lenslab.library.models import Work
from tests.library.making import cite, for_this_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def works():
    """Two papers (p, q) on two works (a, b), and c that p alone cites; x and y cite p; x cites q, too."""
    made = {
        key: Work.objects.create(key=key, title=title, year=2010)
        for key, title in zip(
            "abcpqxy", ["Alpha", "Beta", "Gamma", "Class selectivity of units", "Selectivity of single units",
                        "Deltas", "Epsilons"], strict=True
        )
    }  # fmt: skip
    pairs = ["pa", "pb", "pc", "qa", "qb", "xp", "xq", "yp", "xa"]
    cite(*((made[one], made[other]) for one, other in pairs))
    for work in made.values():
        work.refresh_from_db()
    return made


def told(found):
    return {relative.key: (relative.score, relative.evidence) for relative in found}


def test_prior_works_are_what_the_works_around_it_cite(works):
    found = related_works(works["p"])
    # Around p: itself, a, b, c, x, y. p and x cite a; nothing else is cited by two of them.
    assert told(found.prior) == {"a": (round(2 / 6, 4), "cited by 2 of 6 works around it")}


def test_derivative_works_are_what_cites_the_works_around_it(works):
    found = related_works(works["p"])
    # x cites p and a; q cites a and b; y cites p alone.
    assert told(found.derivative) == {
        "x": (round(2 / 6, 4), "cites 2 of 6 works around it"),
        "q": (round(2 / 6, 4), "cites 2 of 6 works around it"),
    }


def test_co_cited_works_have_saltons_cosine(works):
    found = related_works(works["p"])
    # x cites p with q and with a. p is cited twice, q once, a three times.
    assert told(found.cocited) == {
        "q": (round(1 / math.sqrt(2 * 1), 4), "cited together by 1 work"),
        "a": (round(1 / math.sqrt(2 * 3), 4), "cited together by 1 work"),
    }


def test_similar_works_show_the_parts_of_their_score(works):
    best = related_works(works["p"]).similar[0]
    assert (best.key, best.coupled, best.cocited) == ("q", round(2 / math.sqrt(3 * 2), 4), round(1 / math.sqrt(2), 4))
    assert 0 < best.alike < 1
    assert best.evidence.startswith("shares 2 references; cited together by 1 work; both speak of ")
    assert best.score == pytest.approx(
        WEIGHTS["coupled"] * best.coupled + WEIGHTS["cocited"] * best.cocited + WEIGHTS["alike"] * best.alike, abs=1e-4
    )
    assert related_works(works["p"]).notes == ()


def test_words_alone_make_works_similar():
    one, other, _ = (
        Work.objects.create(key=key, title=title, abstract=abstract)
        for key, title, abstract in [
            ("a", "Class selectivity", "The class selectivity of units in convolutional networks."),
            ("b", "Units", "On units and their class selectivity. Class selectivity matters."),
            ("c", "Galaxies", "The redshift of distant galaxies."),
        ]
    )
    (found,) = related_works(one).similar
    assert (found.key, found.coupled, found.cocited) == (other.key, 0, 0)
    assert "class selectivity" in found.evidence


def test_a_work_alone_has_no_relatives():
    assert related_works(Work.objects.create(key="a", title="")) == module.RelatedWorks((), (), (), (), ())


@pytest.fixture
def hub():
    paper, other = (Work.objects.create(key=key, title="P", year=2000) for key in ("p", "q"))
    crowd = Work.objects.bulk_create(Work(key=f"w{number}", title="W", year=2001 + number % 5) for number in range(60))
    cite(*((work, paper) for work in crowd), *((work, other) for work in crowd[::2]))
    paper.refresh_from_db()
    return paper


def test_of_many_citing_works_some_are_drawn_and_it_is_said(monkeypatch, hub):
    monkeypatch.setattr(module, "DRAWN", 20)
    found = related_works(hub)
    assert "works cited together with it are counted in 20 of 60 that cite it, drawn by lot" in found.notes
    (other,) = found.cocited
    number = int(other.evidence.split()[3])
    assert 0 < number < 20
    assert other.score == round(min(1.0, number * 60 / 20 / math.sqrt(60 * 30)), 4)


@pytest.mark.usefixtures("hub")
def test_what_is_cited_by_too_many_is_left_out_and_it_is_said(monkeypatch):
    monkeypatch.setattr(module, "READ", 20)
    fan = Work.objects.get(key="w0")
    found = related_works(fan)
    assert "works with shared references were looked for through the 0 least cited of 2 works" in found.notes
    assert not any(relative.coupled for relative in found.similar)


def test_a_large_surrounding_is_drawn_and_it_is_said(monkeypatch, hub):
    monkeypatch.setattr(module, "PICTURE", 10)
    note = related_works(hub).notes[0]
    assert note == "prior and derivative works are those of 10 of 60 neighbours, drawn by lot"


@settings(max_examples=60)
@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] != pair[1]), max_size=30))
def test_coupling_and_co_citation_are_what_networkx_counts(pairs):
    with for_this_example():
        works = Work.objects.bulk_create(Work(key=f"w{number}", title="", year=2020) for number in range(9))
        cite(*((works[one], works[other]) for one, other in pairs))
        own = works[0]
        own.refresh_from_db()
        graph = nx.DiGraph()
        graph.add_nodes_from(range(9))
        graph.add_edges_from(pairs)
        found = related_works(own, limit=100)
        coupled = {n: cosine(set(graph.successors(0)), set(graph.successors(n))) for n in range(1, 9)}
        cocited = {n: cosine(set(graph.predecessors(0)), set(graph.predecessors(n))) for n in range(1, 9)}
        shown = {relative.key: relative for relative in found.similar}
        for n in range(1, 9):
            relative = shown.get(f"w{n}")
            assert (relative.coupled if relative else 0.0) == pytest.approx(coupled[n], abs=1e-4)
            once = len(set(graph.predecessors(0)) & set(graph.predecessors(n))) < 2
            if relative and relative.cocited:
                assert relative.cocited == pytest.approx(cocited[n], abs=1e-4)
            else:
                assert once, "what is cited together twice is always told"
        around = {0, *graph.predecessors(0), *graph.successors(0)}
        prior = {f"w{n}": len(around & set(graph.predecessors(n))) for n in range(1, 9)}
        assert {one.key: round(one.score * len(around)) for one in found.prior} == {
            key: number for key, number in prior.items() if number > 1
        }
        derivative = {f"w{n}": len(around & set(graph.successors(n))) for n in range(1, 9)}
        assert {one.key: round(one.score * len(around)) for one in found.derivative} == {
            key: number for key, number in derivative.items() if number > 1
        }


def cosine(one, other):
    return len(one & other) / math.sqrt(len(one) * len(other)) if one & other else 0.0
