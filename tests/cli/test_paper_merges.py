"""``lenslab paper merges | merge | unmerge``: the evidence is listed, and what was joined can be taken apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lenslab.library.models import Merge, Work
from tests.cli.conftest import LITERATURE, Paper, Serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(paper: Paper, serve: Serve) -> tuple[str, str]:
    """Two works of the library that nobody takes for one."""
    serve()
    paper("add", "1806.02891", "--without", "openalex")
    first, second = (entry for entry in LITERATURE.entries[1:10] if entry.arxiv and entry.number in (4, 5))
    return first.arxiv, second.arxiv


def told(paper: Paper, key: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(paper("merges", key, "--json").out)
    return document


def test_every_record_is_listed_with_the_reason_and_a_locator_that_can_be_copied(
    paper: Paper, two: tuple[str, str]
) -> None:
    said = paper("merges", "1806.02891")
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in said.out
    assert [line.split()[1] for line in lines[1:3]] == ["arXiv", "ArxivLens"]
    assert "same arXiv id 1806.02891" in said.out
    assert "take apart with: lenslab paper unmerge --merge NUMBER, or --record NUMBER" in said.err
    records = told(paper, "1806.02891")["records"]
    assert LITERATURE.paper.s2 in {record["locator"] for record in records}
    assert records[0]["evidence"] is None
    assert two


def test_a_merge_leads_both_names_to_one_work_and_can_be_taken_back(paper: Paper, two: tuple[str, str]) -> None:
    one, other = two
    before = [paper("show", key, "--json").out for key in two]
    said = paper("merge", one, other, "--because", "the second is the first, in print")
    made = Merge.objects.get()
    assert said.out == f"merge {made.pk}: {other} into {one}\n"
    assert json.loads(paper("show", other, "--json").out)["key"] == one
    listed = paper("merges", one).out
    assert f"merge {made.pk}: {other} into {one} (the second is the first, in print)\n" in listed
    assert told(paper, one)["merges"][0] | {"made": ""} == {
        "number": made.pk,
        "kept": one,
        "merged": other,
        "evidence": "the second is the first, in print",
        "made": "",
        "undone": None,
    }

    assert paper("unmerge", "--merge", made.pk).out == f"{one} and {other} are two works\n"
    assert [paper("show", key, "--json").out for key in two] == before
    assert ", undone 20" in paper("merges", one).out
    assert "was undone on" in paper("unmerge", "--merge", made.pk, code=2).err


def test_merging_and_taking_apart_as_json_name_the_works(paper: Paper, two: tuple[str, str]) -> None:
    one, other = two
    made = json.loads(paper("merge", one, other, "--because", "the same", "--json").out)
    assert made == {"merge": made["merge"], "kept": one, "merged": other, "evidence": "the same"}
    assert json.loads(paper("unmerge", "--merge", made["merge"], "--json").out) == {"kept": one, "apart": other}


def test_a_single_record_is_taken_out_into_a_work_of_its_own(paper: Paper, two: tuple[str, str]) -> None:
    record = next(each for each in told(paper, "1806.02891")["records"] if each["source"] == "Semantic Scholar")
    said = paper("unmerge", "--record", record["number"])
    apart = said.out.removeprefix("1806.02891 and ").removesuffix(" are two works\n")
    assert told(paper, apart)["records"][0]["locator"] == record["locator"]
    assert record not in told(paper, "1806.02891")["records"]
    again = paper("unmerge", "--record", record["number"], code=2)
    assert "there is nothing to take apart" in again.err
    assert two


def test_what_may_be_the_same_is_said(paper: Paper, serve: Serve) -> None:
    for key, title in (("a", "On the selectivity of single units"), ("b", "The selectivity of units [red]again[/red]")):
        Work.objects.create(key=key, title=title, year=2018)
    a, b = Work.objects.order_by("key")[:2]
    from lenslab.library.models import PossibleTwin

    PossibleTwin.objects.create(work=a, other=b, evidence="3 of 4 telling words, same author \x1b[31m")
    said = paper("merges", "a").out
    assert "possibly the same: b, The selectivity of units [red]again[/red] (3 of 4 telling words" in said
    assert [twin["key"] for twin in told(paper, "a")["possibly_the_same"]] == ["b"]
    assert serve


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["merges", "1806.99999"], "no paper '1806.99999' in the library"),
        (["merge", "1806.02891", "1806.02891", "--because", "x"], "are one work already"),
        (["merge", "1806.02891", "1803.06959"], "--because"),
        (["merge", "1806.02891", "nothing", "--because", "x"], "no paper 'nothing' in the library"),
        (["unmerge"], "give either --merge NUMBER or --record NUMBER"),
        (["unmerge", "--merge", "1", "--record", "1"], "give either --merge NUMBER or --record NUMBER"),
        (["unmerge", "--merge", "77"], "no merge 77; lenslab paper merges ID lists"),
        (["unmerge", "--record", "99999"], "no record 99999; lenslab paper merges ID lists"),
        (["unmerge", "--merge", "99999999999999999999999999"], "no merge 99999999999999999999999999"),
        (["unmerge", "--record", "-1"], "no record -1"),
        (["unmerge", "--merge", "first"], "--merge"),
    ],
)
def test_what_cannot_be_joined_or_taken_apart_is_refused(paper: Paper, arguments: list[str], words: str) -> None:
    said = paper(*arguments, code=2)
    assert words in " ".join(said.err.replace("│", " ").split())
