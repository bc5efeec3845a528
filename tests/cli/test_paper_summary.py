"""``lenslab paper summary | count-terms``: what is said in short, by whom, and where the abstract says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lenslab.library.models import Work
from tests.cli.conftest import Paper
from tests.upstream import endpoint

pytestmark = pytest.mark.django_db

SUPPORTED = "Ablating any individual unit does not hurt overall classification accuracy."
INVENTED = "Ablating any individual unit improves overall classification accuracy by 12 points."

Model = Callable[..., Any]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """Starts a language model's endpoint that answers with one text after the other."""
    with ExitStack() as stack:

        def start(*answers: endpoint.Answer) -> Any:
            server = stack.enter_context(endpoint.serving(*answers))
            monkeypatch.setenv("LENSLAB_LLM_URL", server.url)
            monkeypatch.setenv("LENSLAB_LLM_MODEL", endpoint.MODEL)
            monkeypatch.setenv("LENSLAB_LLM_KEY", endpoint.KEY)
            return server

        yield start


def answer(value: object) -> endpoint.Answer:
    return endpoint.Answer(endpoint.completion(json.dumps(value)))


def test_without_a_model_the_summary_is_the_authors_own_words(paper: Paper) -> None:
    said = paper("summary", "1806.02891")
    assert max(map(len, said.out.splitlines())) <= 80
    abstract = " ".join(Work.objects.get(key="1806.02891").abstract.split())
    shown = " ".join(said.out.split())
    for sentence in (shown.partition(" However,")[0], "However," + shown.partition(" However,")[2]):
        assert sentence in abstract
    assert said.err == "\ntwo sentences of the abstract, word for word\n"
    document = json.loads(paper("summary", "1806.02891", "--json").out)
    assert (document["method"], document["model"], len(document["sentences"])) == ("extractive", None, 2)
    assert document["sentences"][0]["text"] == document["sentences"][0]["support"]["text"]


def test_what_a_model_writes_is_checked_kept_and_says_where_the_abstract_says_so(paper: Paper, model: Model) -> None:
    server = model(answer({"sentences": [SUPPORTED, INVENTED]}))
    said = paper("summary", "1806.02891", "--ask")
    lines = said.out.splitlines()
    assert lines[0] == SUPPORTED
    assert lines[1].startswith("  the abstract: ")
    assert "12 points" not in said.out
    assert f"written by {endpoint.MODEL} at 127.0.0.1:" in said.err
    assert "each sentence checked against the abstract" in said.err
    kept = json.loads(paper("summary", "1806.02891", "--json").out)
    assert (kept["method"], kept["text"], kept["model"]) == ("endpoint", SUPPORTED, endpoint.MODEL)
    assert kept["note"]
    assert kept["made"]
    assert len(server.requests) == 1


def test_a_summary_of_which_nothing_is_supported_is_not_shown(paper: Paper, model: Model) -> None:
    model(answer({"sentences": [INVENTED]}))
    said = paper("summary", "1806.02891", "--ask")
    assert "12 points" not in said.out
    assert "two sentences of the abstract, word for word" in said.err
    assert f"nothing that {endpoint.MODEL} wrote is supported by the abstract" in said.err


def test_findings_are_what_a_model_found_and_the_abstract_supports(paper: Paper, model: Model) -> None:
    unread = paper("summary", "1806.02891", "--findings")
    assert unread.out == ""
    assert "ask one with: lenslab paper summary 1806.02891 --findings --ask" in unread.err
    assert json.loads(paper("summary", "1806.02891", "--findings", "--json").out)["model"] is None
    model(answer({"methodology": SUPPORTED, "key_results": [SUPPORTED, INVENTED], "limitations": []}))
    asked = json.loads(paper("summary", "1806.02891", "--findings", "--ask", "--json").out)
    assert len(asked["facets"]) == 7
    assert asked["model"] == endpoint.MODEL
    found = [item["text"] for items in asked["facets"].values() for item in items]
    assert set(found) == {SUPPORTED}
    assert asked["dropped"] == 1
    kept = paper("summary", "1806.02891", "--findings")
    assert f"  {SUPPORTED}" in " ".join(kept.out.splitlines())
    assert "not stated in the abstract" in kept.out
    assert "1 dropped" in kept.err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no language model is configured; name one in LENSLAB_LLM_URL and LENSLAB_LLM_MODEL"),
        ({"LENSLAB_LLM_URL": "localhost"}, "LENSLAB_LLM_URL is no address of an endpoint"),
        ({"LENSLAB_LLM_URL": "http://localhost:1"}, "LENSLAB_LLM_MODEL is not; name the model to ask"),
    ],
)
def test_a_model_that_is_not_configured_is_not_asked(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    for name in ("LENSLAB_LLM_URL", "LENSLAB_LLM_MODEL", "LENSLAB_LLM_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words in paper("summary", "1806.02891", "--ask", code=2).err


def test_a_key_that_is_refused_is_not_repeated(paper: Paper, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    model(answer({}))
    monkeypatch.setenv("LENSLAB_LLM_KEY", "sk-not-the-one")
    said = paper("summary", "1806.02891", "--findings", "--ask", code=2)
    assert "check the key in LENSLAB_LLM_KEY" in said.err
    assert "sk-not" not in said.err
    # A summary has its other ways: the reader gets one, with the reason.
    fallen = paper("summary", "1806.02891", "--ask")
    assert "two sentences of the abstract" in fallen.err
    assert "sk-not" not in fallen.err


def test_what_a_hostile_model_writes_is_shown_as_text(paper: Paper, model: Model) -> None:
    model(answer({"sentences": [f"[red]{SUPPORTED[:-1]}\x1b[31m\u202e[/red]."]}))
    said = paper("summary", "1806.02891", "--ask")
    paper("summary", "1806.02891", "--json")
    assert said.out


def test_a_paper_without_an_abstract_has_no_summary_and_says_why(paper: Paper) -> None:
    said = paper("summary", "1803.06959")
    assert (said.out, said.err) == ("", "the library knows no abstract of 1803.06959, so it has no summary\n")
    assert json.loads(paper("summary", "1803.06959", "--json").out)["sentences"] == []


def test_words_are_counted_once(paper: Paper) -> None:
    paper("show", "1806.02891")
    first, second = paper("count-terms").out, paper("count-terms").out
    assert (first, second) == ("1 paper counted\n", "0 papers counted\n")


def test_an_unknown_paper_is_refused(paper: Paper) -> None:
    assert "no paper '1806.99999' in the library" in paper("summary", "1806.99999", "--ask", code=2).err
