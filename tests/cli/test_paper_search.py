"""``lenslab paper search | network | similar | path``: which works there are, and how they hang together."""

from __future__ import annotations

import json
import re

import pytest

from lenslab.library.models import Work
from tests.cli.conftest import Paper
from tests.library.making import cite
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db

TITLE = "Revisiting the Importance of Individual Units in CNNs via Ablation"


# Searching.


def test_what_is_found_comes_with_its_name_and_the_place_that_fits(paper: Paper) -> None:
    said = paper("search", 'title:"individual units" author:zhou', "--rank", "citations", "--limit", 1)
    lines = said.out.splitlines()
    assert lines[0] == f"1. {TITLE}"
    assert lines[1] == "   Zhou et al. · 2018 · 1806.02891 · cited 109×"
    assert lines[2].startswith("   We revisit the importance of the individual units")
    assert said.err == "\n2 papers.\n"
    # A long title stays on one line, to be copied.
    first = paper("search", "effectiveness categorization").out.splitlines()[0]
    assert first.startswith("1. Quantitative Effectiveness Assessment and Role Categorization of Individual Units ")
    assert first.endswith(" Convolutional Neural Networks")


def test_what_is_found_as_json_is_in_the_same_order_page_by_page(paper: Paper) -> None:
    whole = json.loads(paper("search", "neural networks", "--json").out)
    assert (whole["query"], whole["exact"]) == ("neural networks", True)
    assert whole["total"] > len(whole["hits"]) == 10
    scores = [hit["score"] for hit in whole["hits"]]
    assert scores == sorted(scores, reverse=True)
    parts = [
        json.loads(paper("search", "neural", "networks", "--limit", 5, "--offset", at, "--json").out) for at in (0, 5)
    ]
    assert [hit["key"] for part in parts for hit in part["hits"]] == [hit["key"] for hit in whole["hits"]]
    numbered = paper("search", "neural networks", "--limit", 5, "--offset", 5).out.splitlines()
    assert numbered[0].startswith("6. ")


def test_filters_and_orders_hold_with_words_and_without(paper: Paper) -> None:
    years = [
        hit["year"]
        for hit in json.loads(
            paper("search", "--since", 2019, "--until", 2020, "--rank", "date", "--limit", 100, "--json").out
        )["hits"]
    ]
    assert set(years) == {2019, 2020}
    assert years == sorted(years, reverse=True)
    (only,) = json.loads(paper("search", "--category", "cs.CV", "--json").out)["hits"]
    assert only["key"] == "1806.02891"


QUERIES = ("zzyzx", '"', "a\x1b[31m\u202eb", "title:", "OR OR -", "%_'; DROP TABLE", "x" * 5000)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_nothing_that_is_typed_is_an_error(paper: Paper, query: str) -> None:
    found = json.loads(paper("search", query, "--json").out)
    assert bool(found["total"]) == bool(paper("search", query).out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "lately"], "--since"),
        (["--rank", "fame"], "fame"),
        (["--limit", "0"], "--limit"),
        (["--offset", "-1"], "--offset"),
    ],
)
def test_an_option_without_sense_is_refused(paper: Paper, arguments: list[str], words: str) -> None:
    assert words in paper("search", "units", *arguments, code=2).err


# Around a paper.


def test_the_network_is_counted_by_year_on_either_side(paper: Paper) -> None:
    said = paper("network", "1806.02891")
    lines = said.out.splitlines()
    assert lines[0] == TITLE
    assert max(map(len, lines)) <= 80
    assert sum(int(line.split("it")[-1].split()[0]) for line in lines if "cite it" in line) == 109
    document = json.loads(paper("network", "1806.02891", "--json").out)
    assert (document["citing_total"], document["referenced_total"], len(document["nodes"])) == (109, 7, 117)
    assert len(document["edges"]) == 116
    few = json.loads(paper("network", "1806.02891", "--limit", 10, "--json").out)
    assert len(few["nodes"]) == 11
    assert few["rule"].startswith("10 of 116 works: ")
    assert f"  {few['rule']}" in paper("network", "1806.02891", "--limit", 10).out.splitlines()


def test_works_near_a_paper_are_listed_with_the_evidence(paper: Paper, upstream: Upstream) -> None:
    paper("add", "1806.02891")
    said = paper("similar", "1806.02891", "--limit", 3)
    assert max(map(len, said.out.splitlines())) <= 80
    for heading in ("Similar", "Prior works", "Derivative works"):
        assert f"\n{heading}  " in said.out
    assert re.search(r"cited by \d", said.out)
    document = json.loads(paper("similar", "1806.02891", "--limit", 3, "--json").out)
    assert len(document["prior"]) == 3
    assert all(one["evidence"] for kind in ("similar", "prior", "derivative") for one in document[kind])
    assert upstream.log


def test_a_work_that_stands_alone_has_none_near_it_and_says_what_to_do(paper: Paper) -> None:
    paper("show", "1806.02891")
    Work.objects.create(key="alone", title="On nothing", year=2020)
    said = paper("similar", "alone")
    assert said.out == ""
    assert "too few citations around alone; add them with: lenslab paper add alone" in said.err


def test_a_path_is_told_step_by_step(paper: Paper) -> None:
    said = paper("path", "1803.06959", "2009.05041")
    lines = said.out.splitlines()
    assert [line.strip() for line in lines[1::2]] == ["is cited by ↓", "is cited by ↓"]
    assert lines[2].startswith(TITLE)
    document = json.loads(paper("path", "1803.06959", "2009.05041", "--json").out)
    assert [stop["key"] for stop in document["stops"]] == ["1803.06959", "1806.02891", "2009.05041"]
    against = paper("path", "1803.06959", "2009.05041", "--directed")
    assert against.out.startswith("there is no chain")
    along = json.loads(paper("path", "2009.05041", "1803.06959", "--directed", "--json").out)
    assert [stop["key"] for stop in along["stops"]] == ["2009.05041", "1806.02891", "1803.06959"]
    short = json.loads(paper("path", "1803.06959", "2009.05041", "--longest", 1, "--json").out)
    assert (short["stops"], short["reason"]) == ([], "there is no chain of up to 1 step")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["network", "1806.99999"], "no paper '1806.99999' in the library"),
        (["network", "1806.02891", "--limit", "5001"], "--limit"),
        (["similar", "1806.99999"], "no paper '1806.99999' in the library"),
        (["similar", "1806.02891", "--limit", "0"], "--limit"),
        (["path", "1806.02891", "nowhere"], "no paper 'nowhere' in the library"),
        (["path", "1806.02891"], "OTHER"),
        (["path", "1806.02891", "1803.06959", "--longest", "0"], "--longest"),
    ],
)
def test_what_cannot_be_shown_is_refused(paper: Paper, arguments: list[str], words: str) -> None:
    assert words in " ".join(paper(*arguments, code=2).err.replace("│", " ").split())


def test_hostile_titles_are_shown_as_the_text_they_are(paper: Paper) -> None:
    paper("show", "1806.02891")
    evil = Work.objects.create(key="evil", title="[red]No[/red] \x1b[31m \u202e\u009b units [/bold", year=2020)
    Work.objects.filter(pk=evil.pk).update(byline="[link=https://example.org]A[/link]\x1b]0;x\x07")
    cite((evil, Work.objects.get(key="1806.02891")), (evil, Work.objects.get(key="1803.06959")))
    for arguments in (["search", "title:units", "--limit", 50], ["path", "evil", "1803.06959"], ["network", "evil"]):
        said = paper(*arguments).out
        assert "[red]No[/red]" in said
        assert ("[link=https://example.org]A[/link]" in said) == (arguments[0] != "network")
        paper(*arguments, "--json")
    paper("similar", "1806.02891", "--json")
    paper("similar", "1806.02891")
