import datetime as dt
import json
import subprocess
import sys

import pytest

from lenslab.cli import console
from lenslab.cli.main import run
from lenslab.library import summaries, vocabulary
from lenslab.library.intake import record_intake
from lenslab.library.models import Work
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.paper import Paper, Version
from lenslab.papers.terms.document_frequencies import Frequencies
from lenslab.web import paper_page
from tests.library.intake.test_record_intake import say
from tests.library.making import cite
from tests.upstream import endpoint

pytestmark = pytest.mark.django_db
# What the library keeps of a work made by hand; its dates are in no source's words.
RAW = json.dumps({"locator": "1", "title": "Units", "authors": [], "year": None}).encode()


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


class Shown:
    """What a work's page, the commands' text and their JSON say of the same facts."""

    def __init__(self, work, ask):
        self.page = paper_page.gather(work)
        self.shown = json.loads(ask("show", work.key, "--json").out)
        self.terms = json.loads(ask("terms", work.key, "--json").out)["terms"]
        self.summary = json.loads(ask("summary", work.key, "--json").out)
        self.text = ask("show", work.key).out
        self.listed = ask("terms", work.key)
        self.said = ask("summary", work.key)

    def agree(self):
        """Holds the four against each other."""
        page, shown, text = self.page, self.shown, self.text
        assert [(term["term"], term["score"], term["reason"]) for term in shown["terms"]] == [
            (term.term, round(term.score, 4), term.reason) for term in page.facts.terms
        ]
        assert [(term.term, term.score, term.reason) for term in page.terms] == [
            (term.term, f"{term.score:.3f}", term.reason) for term in page.facts.terms
        ]
        assert shown["terms"] == self.terms
        lines, rows = text.splitlines(), self.listed.out.splitlines()[1:]
        assert [line.split()[-2] for line in lines if "━" in line] == [term.score for term in page.terms[:10]]
        assert [row[: len(term.term)] for row, term in zip(rows, page.terms, strict=True)] == [
            term.term for term in page.terms
        ]
        assert all(term.score in row and term.reason in row for row, term in zip(rows, page.terms, strict=True))
        license_ = page.facts.license
        assert shown["license"] == (
            {"name": license_.name, "uri": license_.uri, "allows": license_.allows} if license_ else None
        )
        assert ("License" in text) == bool(license_)
        assert not license_ or f"{license_.name}. {license_.allows}" in text
        assert shown["summary"]["text"] == self.summary["text"] == (page.summary.text if page.summary else "")
        for name in ("method", "model", "host", "made", "version", "note"):
            assert shown["summary"][name] == self.summary[name]
        words = " ".join(text.split())
        assert shown["summary"]["text"] in words
        if page.summary:
            assert self.said.err.strip().partition(";")[0] in words
            assert [sentence["support"]["text"] for sentence in self.summary["sentences"]] == [
                words for _, words in page.summary.support
            ] or shown["summary"]["method"] == "extractive"
        assert (shown["title"], shown["authors"]) == (page.facts.title, list(page.facts.authors))
        assert (
            shown["citations"]
            == page.facts.work.citation_count
            == sum(r["direction"] == "citing" for r in shown["rows"])
        )
        assert shown["references"] == page.facts.work.reference_count
        assert f"cited by {page.facts.work.citation_count}, references known {page.facts.work.reference_count}" in text
        assert [row.key for row in page.rows] == [row["key"] for row in shown["rows"]]
        assert [category["id"] for category in shown["categories"]] == [one.id for one in page.facts.categories]
        assert {date["date"] for date in shown["dates"]} == {date.iso for date in page.dates if len(date.iso) == 10}
        assert all(date["date"] in text for date in shown["dates"])
        return self


@pytest.fixture
def told(ask):
    ask("show", "1806.02891")
    return lambda key: Shown(Work.objects.get(key=key), ask).agree()


@pytest.mark.slow
def test_page_text_and_json_agree_on_the_works_that_come_with_the_package(told):
    assert len(told("1806.02891").page.terms) == 20
    for key in Work.objects.order_by("pk").values_list("key", flat=True)[1:120:12]:
        told(key)


FROGS = "class selectivity of frogs"


@pytest.mark.slow
def test_page_text_and_json_weigh_terms_by_the_library_s_own_papers(told, monkeypatch):
    before = told("1806.02891")
    record_intake.add_records(
        say(
            "a",
            str(n),
            f"Frogs {n}",
            abstract=f"Class selectivity of frog {n}, class selectivity.",
            categories=["cs.CV"],
        )
        for n in range(30)
    )
    vocabulary.count_new()
    monkeypatch.setattr(Frequencies, "is_enough", staticmethod(lambda documents: documents >= 30))
    after = told("1806.02891")
    assert after.terms != before.terms
    assert "of this library" in after.terms[0]["reason"]


@pytest.mark.slow
def test_page_text_and_json_give_the_summary_that_a_model_wrote_of_this_abstract(told):
    extractive = told("1806.02891")
    sentence = "Ablating any individual unit does not hurt the overall classification accuracy."
    answer = endpoint.Answer(endpoint.completion(json.dumps({"sentences": [sentence, "Frogs are green."]})))
    work = Work.objects.get(key="1806.02891")
    with endpoint.serving(answer) as server:
        summaries.summary(work, endpoint=endpoint.asking(server.url))
    written = told("1806.02891")
    assert written.summary["text"] == sentence != extractive.summary["text"]
    assert (written.summary["method"], written.summary["model"]) == ("endpoint", endpoint.MODEL)
    assert f"written by {endpoint.MODEL} at 127.0.0.1" in written.text
    Work.objects.filter(pk=work.pk).update(abstract=f"{work.abstract} It rains.")
    assert told("1806.02891").summary["method"] == "extractive"


BY, OLD = "http://creativecommons.org/licenses/by/4.0/", "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "versions", "uri", "name"),
    [
        ("2501.00001", (Version(1, None, OLD), Version(2, None, BY)), BY, "Creative Commons Attribution 4.0"),
        ("2501.00002", (Version(1, None, BY), Version(2)), "", "Not stated"),
        ("hep-th/9901001", (Version(1, dt.date(1999, 1, 2)),), "", "Assumed arXiv.org perpetual"),
        (None, (), "", None),
        (None, (), "a licence of our own", "a licence of our own"),
    ],
)
def test_page_text_and_json_name_the_licence_of_the_newest_version(told, key, versions, uri, name):
    arxiv_id = ArxivId(key) if key else None
    paper = Paper(
        title=r"Units, r\'evised",
        authors=(r"Ad\`a Bau",),
        abstract="Units matter. They do.",
        arxiv_id=arxiv_id,
        versions=versions,
        license_uri=uri,
        submitted=dt.date(2025, 1, 6),
    )
    record_intake.add_records([Description(source="a list", locator="1", paper=paper, raw=RAW)])
    found = told(Work.objects.get(source_records__locator="1").key)
    assert found.shown["license"] is None if name is None else found.shown["license"]["name"].startswith(name)
    assert found.shown["authors"] == ["Adà Bau"]
    assert found.shown["dates"] == [{"name": "submitted", "date": "2025-01-06", "source": "", "note": ""}]
