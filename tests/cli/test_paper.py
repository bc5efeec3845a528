import json
import subprocess
import sys

import pytest

from lenslab.cli import console
from lenslab.cli.main import run
from lenslab.library.models import Work
from tests.library.making import cite

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(capsys, monkeypatch):
    """Types a command into a terminal that is wide enough for every row and gives what it printed."""
    monkeypatch.setattr(console.answers, "width", 300)

    def typed(*arguments, code=0):
        assert run(["paper", *arguments]) == code
        return capsys.readouterr()

    return typed


def test_show_says_what_the_page_says(ask):
    page = ask("show", "1806.02891").out
    for words in (
        "Revisiting the Importance of Individual Units in CNNs via Ablation",
        "Bolei Zhou, Yiyou Sun, David Bau, Antonio Torralba",
        "Quick summary",
        "2018-06-07",
        "2018-06-11",
        "Computer Vision and Pattern Recognition",
        "class selectivity",
        "Creative Commons Attribution 4.0",
        "cited by 109",
        "and 104 more: lenslab paper show 1806.02891 --all",
    ):
        assert words in page


def test_show_all_has_every_row_in_both_directions(ask):
    page = ask("show", "1806.02891", "--all").out
    assert page.count("▼ cites it") == 109
    assert page.count("▲ cited by it") == 7
    assert page.count("(2 records merged)") == 4


def test_show_as_json_is_complete(ask):
    document = json.loads(ask("show", "arXiv:1806.02891v1", "--json").out)
    assert document["id"] == "1806.02891"
    assert (document["citations"], document["references"], len(document["rows"])) == (109, 7, 116)
    assert document["summary"]["method"] == "extractive"
    assert document["categories"][0] == {"id": "cs.CV", "name": "Computer Vision and Pattern Recognition"}
    assert {(date["date"], date["source"]) for date in document["dates"]} == {
        ("2018-06-07", "arXiv"),
        ("2018-06-11", "ArxivLens page"),
    }
    assert len(document["terms"]) == 20
    assert sum(row["records"] for row in document["rows"]) == 120


def test_a_work_of_which_only_a_list_speaks_is_shown_too(ask):
    page = ask("show", "1803.06959").out
    assert "On the importance of single directions" in page
    assert "cited by 1, references known 0" in page


@pytest.mark.parametrize(("style", "first"), [("phrases", "unit"), ("seed", "unit")])
def test_terms_as_json_hold_term_and_score(ask, style, first):
    document = json.loads(ask("terms", "1806.02891", "--style", style, "--json").out)
    assert (document["paper"], document["style"], len(document["terms"])) == ("1806.02891", style, 20)
    assert document["terms"][0]["term"] == first
    scores = [term["score"] for term in document["terms"]]
    assert scores == sorted(scores, reverse=True)


def test_terms_are_listed_with_scores_and_their_basis(ask):
    said = ask("terms", "1806.02891", "--limit", "5")
    assert len(said.out.strip().splitlines()) == 6
    assert "class selectivity" in said.out
    assert "cs.CV" in said.err


def test_a_paper_without_an_abstract_has_no_terms_and_says_why(ask):
    assert "no abstract" in ask("terms", "1803.06959").err
    assert json.loads(ask("terms", "1803.06959", "--json").out)["terms"] == []


def test_cite_prints_bibtex_and_nothing_else(ask):
    said = ask("cite", "1806.02891")
    assert said.out.startswith("@misc{zhou2018revisiting,\n")
    assert said.out.endswith("}\n")
    assert said.err == ""


@pytest.mark.parametrize("command", ["show", "terms", "cite"])
def test_an_unknown_paper_is_one_message_and_exit_code_2(ask, command):
    said = ask(command, "1806.99999", code=2)
    assert said.out == ""
    assert "no paper '1806.99999' in the library" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("arguments", [["--style", "poetry"], ["--limit", "0"]])
def test_an_option_without_sense_is_refused(ask, arguments):
    assert "Traceback" not in ask("terms", "1806.02891", *arguments, code=2).err


def test_a_hostile_record_is_shown_as_the_text_it_is(ask):
    work = Work.objects.create(key="evil", title="[red]No[/red] \x1b[31m \u202etxt [/bold", year=2020)
    work.authors = ["[link=https://example.org]A[/link]\x1b]0;x\x07"]
    work.save()
    ask("cite", "1806.02891")
    cite((work, Work.objects.get(key="1806.02891")))
    for page in (ask("show", "evil").out, ask("show", "1806.02891", "--all").out):
        assert "[red]No[/red]" in page
        assert "[link=https://example.org]A[/link]" in page
        assert "[/bold" in page
        assert "\x1b" not in page
        assert "\u202e" not in page


def test_asking_for_help_loads_nothing_heavy():
    code = (
        "import sys; from lenslab.cli.main import run; run(['paper', '--help']); "
        "print([name for name in ('django', 'sklearn', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
