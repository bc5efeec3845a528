import csv
import io
import json

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.network_files import Edge, Node, edges_csv, graph_json, graphml, nodes_csv

NODES = [
    Node(
        key="a",
        title="Units & <classes>",
        authors=("Ada Lovelace", "Bolei Zhou"),
        year=2018,
        role="subject",
        arxiv_id="1806.02891",
        doi="10.1000/1",
    ),
    Node(key="b", title="Ünits"),
]
EDGES = [
    Edge(citing="b", cited="a", influential=True, sources=("OpenAlex", "BibTeX")),
    Edge(citing="a", cited="b", influential=False),
]


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def read_graphml(text):
    return nx.parse_graphml(text)


def test_the_tables_hold_every_work_and_every_citation():
    assert rows(nodes_csv(NODES)) == [
        {
            "key": "a",
            "title": "Units & <classes>",
            "authors": "Ada Lovelace; Bolei Zhou",
            "year": "2018",
            "role": "subject",
            "arxiv_id": "1806.02891",
            "doi": "10.1000/1",
            "standing": "",
        },
        {
            "key": "b",
            "title": "Ünits",
            "authors": "",
            "year": "",
            "role": "",
            "arxiv_id": "",
            "doi": "",
            "standing": "",
        },
    ]
    assert rows(edges_csv(EDGES)) == [
        {"citing": "b", "cited": "a", "influential": "true", "sources": "OpenAlex; BibTeX"},
        {"citing": "a", "cited": "b", "influential": "false", "sources": ""},
    ]


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", " =1", '=cmd|"/c calc"!A1'])
def test_no_cell_is_a_formula(title):
    text = nodes_csv([Node(key=title, title=title, authors=(title,), role=title, arxiv_id=title, doi=title)])
    (row,) = rows(text)
    assert all(cell.startswith("'") for name, cell in row.items() if name not in ("year", "standing"))
    assert rows(edges_csv([Edge(citing=title, cited="b", sources=(title,))]))[0]["sources"].startswith("'")


anything = st.text(max_size=12)
works = st.builds(Node, key=anything, title=anything, authors=st.lists(anything, max_size=2).map(tuple), role=anything)


@given(st.lists(works, max_size=4))
def test_whatever_a_title_holds_the_table_has_a_row_for_each_work_and_no_formula(nodes):
    found = rows(nodes_csv(nodes))
    assert len(found) == len(nodes)
    assert not any(cell[:1] in tuple("=+-@\t\r") and cell for row in found for cell in row.values())


def test_another_program_reads_the_network():
    graph = read_graphml(graphml(NODES, EDGES))
    assert graph.is_directed()
    assert graph.nodes["a"] == {
        "title": "Units & <classes>",
        "authors": "Ada Lovelace; Bolei Zhou",
        "year": 2018,
        "role": "subject",
        "arxiv_id": "1806.02891",
        "doi": "10.1000/1",
    }
    assert dict(graph.edges) == {
        ("b", "a"): {"influential": True, "sources": "OpenAlex; BibTeX"},
        ("a", "b"): {"influential": False},
    }


@given(st.lists(works, max_size=4), st.randoms())
def test_whatever_a_title_holds_another_program_reads_as_many_works_and_citations(nodes, random):
    nodes = [Node(key=f"n{place}", title=node.title, authors=node.authors) for place, node in enumerate(nodes)]
    edges = [Edge(citing=node.key, cited=random.choice(nodes).key, sources=(node.title,)) for node in nodes]
    graph = read_graphml(graphml(nodes, edges))
    assert list(graph.nodes) == [node.key for node in nodes]
    assert set(graph.edges) == {(edge.citing, edge.cited) for edge in edges}


def test_characters_that_xml_cannot_hold_are_left_out():
    nodes = [Node(key="a\x00", title="x\x01y\ufffe\ud800z")]
    assert read_graphml(graphml(nodes, [])).nodes["a"]["title"] == "x y z"


def test_json_gives_the_values_back():
    network = json.loads(graph_json(NODES, EDGES))
    assert [Node(**(node | {"authors": tuple(node["authors"])})) for node in network["nodes"]] == NODES
    assert [Edge(**(edge | {"sources": tuple(edge["sources"])})) for edge in network["edges"]] == EDGES


@pytest.mark.parametrize("write", [graphml, graph_json])
def test_a_citation_of_a_work_that_is_not_there_and_a_key_that_two_have_are_refused(write):
    with pytest.raises(MalformedError, match="'c', which is not in it"):
        write(NODES, [Edge(citing="a", cited="c")])
    with pytest.raises(MalformedError, match="one key"):
        write([*NODES, NODES[0]], [])
