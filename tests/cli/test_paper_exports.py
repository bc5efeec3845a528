"""``lenslab paper cite | export``: files that other programs read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import bibtexparser
import networkx as nx
import pytest
import rispy

from lenslab.library.models import Work
from tests.cli.conftest import Paper

pytestmark = pytest.mark.django_db

TITLE = "Revisiting the Importance of Individual Units in CNNs via Ablation"
BOTH = ["1806.02891", "1803.06959"]


def keys(bibtex: str) -> list[str]:
    return [entry.key for entry in bibtexparser.parse_string(bibtex).entries]


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table, newline="")))


def test_papers_are_cited_in_four_forms_in_the_order_in_which_they_were_named(paper: Paper) -> None:
    said = paper("cite", *BOTH)
    assert said.err == ""
    assert [key[:4] for key in keys(said.out)] == ["zhou", "morc"]
    ris = rispy.loads(paper("cite", *BOTH, "--style", "ris").out)
    assert ris[0]["title"] == TITLE
    endnote = paper("cite", *BOTH, "--style", "endnote").out
    assert endnote.count("%T ") == 2
    csl = json.loads(paper("cite", *BOTH, "--json").out)
    assert csl == json.loads(paper("cite", *BOTH, "--style", "csl").out)
    assert csl[0]["title"] == TITLE


def test_a_paper_that_is_named_twice_is_cited_once(paper: Paper) -> None:
    assert len(keys(paper("cite", "1806.02891", "arXiv:1806.02891v1").out)) == 1


def test_the_works_around_a_paper_become_a_bibliography_and_a_file(paper: Paper) -> None:
    said = paper("export", "1806.02891", "--around", "--out", "refs.bib")
    assert (said.out, said.err) == ("", "wrote refs.bib\n")
    around = keys(Path("refs.bib").read_text("utf-8"))
    assert len(around) == len({*around}) == 117
    assert keys(paper("export", "1806.02891").out) == around[:1]


def test_the_network_around_a_paper_is_written_in_three_forms(paper: Paper) -> None:
    document = json.loads(paper("export", "1806.02891", "--json", "--limit", 20).out)
    assert len(document["nodes"]) == 21
    assert json.loads(paper("export", "1806.02891", "--format", "json", "--limit", 20).out) == document
    graph = nx.parse_graphml(paper("export", "1806.02891", "--format", "graphml", "--limit", 20).out)
    assert set(graph.nodes) == {node["key"] for node in document["nodes"]}
    assert len(graph.edges) == len(document["edges"]) > 15
    said = paper("export", "1806.02891", "--format", "csv", "--limit", 20, "--out", "net.csv")
    assert said.err == "wrote net.csv\nwrote net-edges.csv\n"
    nodes, edges = (rows(Path(name).read_bytes().decode()) for name in ("net.csv", "net-edges.csv"))
    assert [row["key"] for row in nodes] == [node["key"] for node in document["nodes"]]
    assert [(row["citing"], row["cited"]) for row in edges] == [
        (edge["citing"], edge["cited"]) for edge in document["edges"]
    ]
    printed = paper("export", "1806.02891", "--format", "csv", "--limit", 20).out
    assert list(map(rows, printed.split("\r\n\n"))) == [nodes, edges]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cite", "1806.02891", "1806.99999"], "no paper '1806.99999' in the library"),
        (["cite", "1806.02891", "--style", "word"], "word"),
        (["export", "1806.99999"], "no paper '1806.99999' in the library"),
        (["export", *BOTH, "--format", "graphml"], "a network is that around one paper; 2 were named"),
        (["export", *BOTH, "--around"], "name one paper; the works are those around it"),
        (["export", "1806.02891", "--limit", "0"], "--limit"),
        (
            ["export", "1806.02891", "--out", "no/such/place/refs.bib"],
            "No such file or directory: no/such/place/refs.bib",
        ),
        (["export", "1806.02891", "--out", "."], "Is a directory: ."),
    ],
)
def test_what_cannot_be_written_is_refused(paper: Paper, arguments: list[str], words: str) -> None:
    said = paper(*arguments, code=2)
    assert words in " ".join(said.err.replace("│", " ").split())


def test_a_hostile_title_breaks_no_format(paper: Paper) -> None:
    paper("show", "1806.02891")
    title = "</data><script> \x1b[31m @misc{x, \u202e } \n%T no\nER  - \n\x00 [red]"
    Work.objects.filter(key="1803.06959").update(title=title.replace("\x00", ""))
    assert len(keys(paper("cite", *BOTH).out)) == 2
    assert len(rispy.loads(paper("cite", *BOTH, "--style", "ris").out)) == 2
    assert paper("cite", *BOTH, "--style", "endnote").out.count("\n%T ") == 2
    assert len(json.loads(paper("cite", *BOTH, "--json").out)) == 2
    nx.parse_graphml(paper("export", "1803.06959", "--format", "graphml").out)
    assert json.loads(paper("export", "1803.06959", "--json").out)["nodes"]
