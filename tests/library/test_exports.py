"""Works as values for files: each once, in order, with the sources that assert each citation."""

import datetime as dt
import json

import networkx as nx
import pytest

from lenslab.library import exports, works
from lenslab.library.errors import UnknownPaperError
from lenslab.library.graph import neighbourhood
from lenslab.library.intake import record_intake, work_merging
from lenslab.library.models import Assertion, Citation, Work
from lenslab.papers.description import Assertion as Said
from lenslab.papers.formats import network_files
from tests.library.intake.test_record_intake import PAPER, citing, say
from tests.library.making import cite

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.fixture
def paper():
    """A paper that eight works cite, one source after the other, and that cites one of them."""
    told = [citing(number) for number in range(8)]
    said = [Said(citing=one, cited=PAPER, influential=one is told[3]) for one in told]
    said += [
        Said(citing=told[0], cited=told[1]),
        Said(citing=told[2], cited=told[0]),
        Said(citing=PAPER, cited=told[5]),
    ]
    record_intake.add_citations(said, now=NOW)
    record_intake.add_citations([Said(citing=one, cited=PAPER, source="o") for one in told[:3]], now=NOW)
    return works.find_work("1806.02891")


def test_papers_come_once_each_in_the_order_in_which_they_were_named(paper):
    names = ["citing-work-2-number2-2021", "1806.02891v1", "arXiv:1806.02891", "citing-work-1-number1-2020"]
    found = exports.papers(names)
    assert [told.title for told in found] == ["Citing work 2", "The paper", "Citing work 1"]
    assert found[1] == works.paper(paper)
    with pytest.raises(UnknownPaperError, match="frogs"):
        exports.papers([*names, "frogs"])
    assert exports.papers([]) == []


def test_the_works_around_a_paper_come_behind_it_each_once(paper):
    found = [told.title for told in exports.around(paper)]
    assert found[0] == "The paper"
    assert sorted(found[1:]) == sorted(f"Citing work {number}" for number in range(8))
    years = [told.year for told in exports.around(paper)[1:]]
    assert years == sorted(years, reverse=True)


def test_a_list_longer_than_one_statement_holds_is_whole():
    paper = Work.objects.create(key="p", title="P", year=2018)
    others = Work.objects.bulk_create(Work(key=f"w{n}", title=f"W{n}", year=2000 + n % 20) for n in range(950))
    cite(*((other, paper) for other in others))
    paper.refresh_from_db()
    assert len({told.title for told in exports.around(paper)}) == 951
    nodes, edges = exports.network(paper, limit=950)
    assert (len(nodes), len(edges)) == (951, 950)


def test_the_network_says_who_asserts_each_citation(paper):
    nodes, edges = exports.network(paper)
    assert nodes[0].key == "1806.02891"
    assert [node.role for node in nodes].count("citing") == 7
    assert [node.role for node in nodes].count("referenced") == 1, "it cites and is cited, and stands here once"
    said = {(edge.citing, edge.cited): edge.sources for edge in edges}
    expected = {}
    for one in Assertion.objects.select_related("citation__citing", "citation__cited"):
        pair = (one.citation.citing.key, one.citation.cited.key)
        expected[pair] = tuple(sorted({*expected.get(pair, ()), one.source}))
    assert said == expected
    assert ("o", "s") in said.values()
    assert {edge.citing for edge in edges if edge.influential} == {"citing-work-3-number3-2019"}


def test_the_network_is_the_picture_s(paper):
    for limit in (1, 3, 8, 300):
        nodes, edges = exports.network(paper, limit=limit)
        picture = neighbourhood.neighbourhood(paper, limit)
        assert [(node.key, node.role) for node in nodes] == [(node.key, node.role) for node in picture.nodes]
        assert [(edge.citing, edge.cited) for edge in edges] == [(edge.citing, edge.cited) for edge in picture.edges]
        assert len(nodes) == limit + 1 if limit < 8 else 9


def test_merged_works_are_one_node_with_the_sources_of_both(paper):
    one, other = Work.objects.get(source_records__locator="c0"), Work.objects.get(source_records__locator="c7")
    work_merging.merge(one, other, evidence="a test")
    nodes, edges = exports.network(paper)
    assert other.key not in {node.key for node in nodes}
    assert {edge.sources for edge in edges if (edge.citing, edge.cited) == (one.key, paper.key)} == {("o", "s")}


def test_a_network_is_a_file_that_another_library_reads(paper, tmp_path):
    nodes, edges = exports.network(paper)
    path = tmp_path / "network.graphml"
    path.write_text(network_files.graphml(nodes, edges), "utf-8")
    graph = nx.read_graphml(path)
    assert set(graph.nodes) == {node.key for node in nodes}
    assert set(graph.edges) == {(edge.citing, edge.cited) for edge in edges}
    assert Citation.objects.count() == len(edges)


def test_titles_are_plain_and_names_that_are_none_stay_empty():
    record_intake.add_records([say("a", "1", "Schr\\\"odinger's $k$-units", doi="10.1/x")])
    nodes, edges = exports.network(Work.objects.get())
    assert (nodes[0].title, nodes[0].arxiv_id, nodes[0].doi, edges) == ("Schrödinger's k-units", "", "10.1/x", [])
    assert json.dumps(nodes[0].authors) == '["Ada Bau"]'


@pytest.mark.parametrize("size", [3, 60])
def test_the_number_of_queries_does_not_grow_with_the_network(django_assert_max_num_queries, size):
    paper = Work.objects.create(key="p", title="P")
    cite(*((Work.objects.create(key=f"w{n}", title="W"), paper) for n in range(size)))
    with django_assert_max_num_queries(8):
        assert len(exports.network(paper)[0]) == size + 1


def test_the_network_says_which_works_were_retracted(paper):
    Work.objects.filter(key="citing-work-3-number3-2019").update(standing="retracted")
    nodes, edges = exports.network(paper)
    assert [node.key for node in nodes if node.standing == "retracted"] == ["citing-work-3-number3-2019"]
    assert network_files.nodes_csv(nodes).count(",retracted\r\n") == 1
    assert '"standing": "retracted"' in network_files.graph_json(nodes, edges)
    assert nx.parse_graphml(network_files.graphml(nodes, edges)).nodes["citing-work-3-number3-2019"]["standing"] == (
        "retracted"
    )
