"""``lenslab paper add | import | harvest`` as a person types them: an honest upstream, hostile files, and stops."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lenslab.library.intake import file_import
from lenslab.library.models import Work
from tests.cli.conftest import LITERATURE, Paper, Serve
from tests.upstream import Fault, Faults, Upstream, corpus

pytestmark = pytest.mark.django_db

TITLE = LITERATURE.paper.title
SERVICES = ("arXiv API", "arXiv OAI-PMH", "Semantic Scholar", "OpenAlex")

BIBLIOGRAPHY = """
@article{morcos2018importance,
  title = {On the importance of single directions for generalization},
  author = {Ari S. Morcos and David G. T. Barrett}, year = {2018}, eprint = {1803.06959}, archivePrefix = {arXiv}
}
@article{rafegas, title = {Units of [red]colour[/red]}, author = {Ivet Rafegas}, year = {2017}}
@article{untitled, author = {Nobody}, year = {2020}}
"""


def snapshot(count: int, first: int = 1) -> str:
    """Lines as Kaggle's snapshot has them."""
    lines = []
    for number in range(first, first + count):
        record = {
            "id": f"0704.{number:04d}",
            "submitter": "Ada Lovelace",
            "authors": "Ada Lovelace, Alan Turing",
            "title": f"On units, number {number}",
            "comments": None,
            "journal-ref": None,
            "doi": None,
            "report-no": None,
            "categories": "cs.LG",
            "license": None,
            "abstract": f"  We count units of kind {number}.\n",
            "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
            "update_date": "2008-11-26",
            "authors_parsed": [["Lovelace", "Ada", ""], ["Turing", "Alan", ""]],
        }
        lines.append(json.dumps(record))
    return "\n".join(lines) + "\n"


# Adding.


def test_adding_says_what_came_and_what_is_missing(paper: Paper, upstream: Upstream) -> None:
    said = paper("add", "arXiv:1806.02891v1")
    lines = said.out.splitlines()
    assert lines[0] == TITLE
    assert lines[1].endswith("new citations, 0 records changed")
    assert any(line.startswith("  Semantic Scholar reports 44 citations, we hold ") for line in lines)
    assert any(line.startswith("  OpenAlex reports ") for line in lines)
    assert "reading citations from OpenAlex" in said.err
    assert said.err.endswith("read it with: lenslab paper show 1806.02891\n")
    assert len({request.service for request in upstream.log}) == 3


def test_adding_as_json_is_one_document_and_a_second_time_brings_nothing(paper: Paper, upstream: Upstream) -> None:
    first, second = (json.loads(paper("add", "1806.02891", "--json").out) for _ in range(2))
    assert (first["paper"], first["title"]) == ("1806.02891", TITLE)
    assert first["new_works"] > 20
    assert {(one["source"], one["direction"]) for one in first["coverage"]} == {
        (source, direction) for source in ("Semantic Scholar", "OpenAlex") for direction in ("citing", "referenced")
    }
    assert all(one["complete"] for one in first["coverage"])
    assert all(one["held"] < one["reported"] for one in first["coverage"] if one["direction"] == "citing")
    assert (second["new_works"], second["new_citations"], second["changed"]) == (0, 0, 0)
    assert second["coverage"] == first["coverage"]
    assert upstream.log


def test_depth_nought_adds_the_paper_alone_and_a_source_can_be_left_out(paper: Paper, upstream: Upstream) -> None:
    told = json.loads(paper("add", "1806.02891", "--depth", 0, "--without", "OpenAlex", "--json").out)
    assert told["coverage"] == []
    assert not upstream.asked("OpenAlex")
    paper("add", "1806.02891", "--without", "semantic-scholar")
    assert {request.target.partition("?")[0] for request in upstream.asked("Semantic Scholar")} == {
        "/semantic-scholar/graph/v1/paper/ARXIV:1806.02891"
    }


def test_a_paper_under_its_doi_comes_under_its_arxiv_id(paper: Paper, upstream: Upstream) -> None:
    entry = next(entry for entry in LITERATURE.entries[1:] if entry.doi and entry.arxiv)
    told = json.loads(paper("add", f"https://doi.org/{entry.doi}", "--depth", 0, "--json").out)
    assert told["paper"] == entry.arxiv
    assert upstream.log


def test_what_a_source_does_not_know_is_a_gap_and_not_an_end(
    paper: Paper, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(corpus(citations=3, references=0, seed=9)) as forgetful:
        monkeypatch.setenv("LENSLAB_OPENALEX_URL", forgetful.environment["LENSLAB_OPENALEX_URL"])
        entry = next(
            e for e in upstream.corpus.entries[1:] if e.arxiv and f"arxiv:{e.arxiv}" not in forgetful.corpus.by_name
        )
        said = paper("add", entry.arxiv)
    assert "  OpenAlex does not know the paper (" in said.out
    assert "  Semantic Scholar reports " in said.out
    assert "OpenAlex reports" not in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["2401.99999"], "none of arXiv, Semantic Scholar, OpenAlex knows 2401.99999"),
        (["frogs"], "names no paper that a source would know; give an arXiv id"),
        (["a\x1b[31m\u202eb"], "names no paper"),
        (["1806.02891", "--without", "scholar"], "no source 'scholar'; there are arxiv, semantic-scholar, openalex"),
        (
            [
                "1806.02891",
                *(word for name in ("arxiv", "semantic-scholar", "openalex") for word in ("--without", name)),
            ],
            "every source is left out",
        ),
        (["1806.02891", "--depth", "3"], "--depth"),
    ],
)
def test_what_cannot_be_added_is_refused_in_a_sentence(
    paper: Paper, upstream: Upstream, arguments: list[str], words: str
) -> None:
    said = paper("add", *arguments, code=2)
    assert words in " ".join(said.err.replace("│", " ").split())
    assert upstream.url


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LENSLAB_CONTACT", "call me", "LENSLAB_CONTACT is 'call me'; give an e-mail address or a web address"),
        ("LENSLAB_OPENALEX_URL", "file:///etc", "LENSLAB_OPENALEX_URL is 'file:///etc'; give a plain address like"),
        ("LENSLAB_MIRROR_INTERVAL", "soon", "LENSLAB_MIRROR_INTERVAL is 'soon'; give seconds"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    paper: Paper, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    assert words in paper("add", "1806.02891", code=2).err
    assert upstream.url


def test_the_contact_address_is_told_to_every_source(
    paper: Paper, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENSLAB_CONTACT", "ada@example.org")
    paper("add", "1806.02891", "--depth", 0)
    assert upstream.log
    assert all("mailto:ada@example.org" in request.headers["User-Agent"] for request in upstream.log)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.UNAVAILABLE, "503"),
        (Fault.WEB_PAGE, "a web page"),
        (Fault.BOMB, "cannot be read"),
        (Fault.DOCTYPE, "document type"),
        (Fault.MALFORMED, "no whole"),
        (Fault.ELSEWHERE, "169.254.169.254"),
    ],
)
def test_an_upstream_that_sends_rubbish_is_refused_and_nothing_of_it_is_kept(
    paper: Paper, serve: Serve, fault: Fault, words: str
) -> None:
    serve(faults=Faults(always=dict.fromkeys(SERVICES, fault)))
    said = paper("add", "1806.02891", "--depth", 0, code=2)
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("lenslab: ")
    assert words in last
    serve()
    told = json.loads(paper("add", "1806.02891", "--depth", 0, "--json").out)
    assert (told["title"], told["gaps"]) == (TITLE, [])


def test_no_key_is_told_to_the_reader_even_where_the_source_repeats_it(
    paper: Paper, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("S2_API_KEY", "OPENALEX_API_KEY"):
        monkeypatch.setenv(name, "sesame-open")
    server = serve(faults=Faults(always={"Semantic Scholar": Fault.FORBIDDEN}))
    said = paper("add", "1806.02891", code=2)
    assert "Semantic Scholar" in said.err
    assert "sesame" not in said.err
    assert server.asked("Semantic Scholar")[0].headers["x-api-key"] == "sesame-open"


def test_of_a_pause_the_reader_is_told_why_and_how_long(paper: Paper, serve: Serve) -> None:
    serve(faults=Faults({"Semantic Scholar": {1: Fault.UNAVAILABLE}}))
    told = paper("add", "1806.02891").err.splitlines()
    (line,) = [line for line in told if "503" in line]
    assert line.startswith("Semantic Scholar: it answered 503")
    assert "try 2 of 6 in 0.002 s" in line


# Stopping.

COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from lenslab.cli.main import main
main()
"""

# One portion of an import is in its transaction when the process gets the signal.
STOPPED = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from lenslab.cli.main import main
from lenslab.library import ready
ready()
from lenslab.library.intake import file_import, record_intake
file_import._BATCH = 20
take, calls = record_intake.add_records, iter(range(1, 1000))
def stopped(*arguments, **options):
    done = take(*arguments, **options)
    if next(calls) == {portion}:
        signal.raise_signal(signal.{name})
    return done
record_intake.add_records = stopped
main()
"""


def run(environment: dict[str, str], *arguments: object, code: str = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, "paper", *map(str, arguments)],
        env=environment,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def library(environment: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    """What a library holds, without the times at which it was read."""
    tables = {
        "works": "SELECT key, title, authors, year, arxiv_id, doi, abstract, citation_count, reference_count, counted "
        "FROM library_work",
        "records": "SELECT r.source, r.locator, hex(r.sha256), w.key FROM library_sourcerecord r "
        "JOIN library_work w ON w.id = r.work_id",
        "citations": "SELECT a.key, b.key, c.influential, c.lot FROM library_citation c "
        "JOIN library_work a ON a.id = c.citing_id JOIN library_work b ON b.id = c.cited_id",
        "listings": "SELECT r.source, r.locator, l.direction, l.reported, l.received, l.complete "
        "FROM library_listing l JOIN library_sourcerecord r ON r.id = l.record_id",
        "words": "SELECT g.name, t.stem, t.number FROM library_termcount t "
        "JOIN library_termgroup g ON g.id = t.group_id",
        "search": "SELECT rowid, title FROM library_search ORDER BY rowid",
        "unfinished": "SELECT name FROM library_fileimport",
    }
    (file,) = Path(environment["HOME"]).rglob("library.sqlite3")
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {name: sorted(connection.execute(query).fetchall(), key=str) for name, query in tables.items()}
    finally:
        connection.close()
    # Which rows are new depends on how often it was begun; what they say does not.
    found["search"] = sorted((title,) for _, title in found["search"])
    return found


PLACE = ".local/share/lenslab/library.sqlite3"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library as the first command makes it, to be copied."""
    home = tmp_path_factory.mktemp("home")
    done = run({"HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, "cite", "1806.02891")
    assert done.returncode == 0, done.stderr
    return home / PLACE


@pytest.fixture
def disturbed(bare: dict[str, str], opened: Path) -> dict[str, str]:
    """A home whose library is disturbed."""
    return furnished(bare, opened)


@pytest.fixture
def calm(bare: dict[str, str], opened: Path, tmp_path: Path) -> dict[str, str]:
    """A home whose library nobody disturbs."""
    return furnished({**bare, "HOME": str(tmp_path / "calm")}, opened)


def furnished(environment: dict[str, str], library: Path) -> dict[str, str]:
    place = Path(environment["HOME"], PLACE)
    place.parent.mkdir(parents=True)
    shutil.copy(library, place)
    return environment


def test_an_added_paper_that_was_killed_or_interrupted_ends_as_if_nothing_had_been(
    serve: Serve, disturbed: dict[str, str], calm: dict[str, str]
) -> None:
    # Answers that drip for ever say when to stop it: a list in the first run, the paper itself in the second.
    planned = {"Semantic Scholar": {2: Fault.ENDLESS}, "OpenAlex": {1: Fault.ENDLESS, 3: Fault.UNAVAILABLE}}
    server = serve(faults=Faults(planned))
    environment = {**disturbed, **server.environment}
    for service, number, sent, code in (
        ("Semantic Scholar", 3, signal.SIGKILL, -signal.SIGKILL),
        ("OpenAlex", 2, signal.SIGINT, 130),
    ):
        stopped = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "paper", "add", "1806.02891"],
            env=environment,
            cwd=environment["HOME"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ends = time.monotonic() + 60
        while len(server.asked(service)) < number:
            assert stopped.poll() is None, stopped.communicate()
            assert time.monotonic() < ends
            time.sleep(0.01)
        stopped.send_signal(sent)
        out, err = stopped.communicate(timeout=60)
        assert stopped.returncode == code, err
        assert out == ""
        assert "Traceback" not in err
        if code == 130:
            assert err.endswith("interrupted: what was finished is kept; the same command goes on from there\n")
    done = run(environment, "add", "1806.02891")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{TITLE}\n")
    assert "OpenAlex: it answered 503" in done.stderr
    assert "retry" not in done.stderr, "the loggers of libraries keep quiet"

    whole = run({**calm, **serve().environment}, "add", "1806.02891")
    assert whole.returncode == 0, whole.stderr
    assert library(disturbed) == library(calm)
    assert len(library(calm)["citations"]) > 100


@pytest.mark.thorough
def test_an_import_that_was_killed_and_interrupted_goes_on_where_it_was(
    disturbed: dict[str, str], calm: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(snapshot(50) + '{"id": "0704.9999"}\n' + snapshot(40, first=51))
    for portion, name, code in ((2, "SIGKILL", -signal.SIGKILL), (3, "SIGINT", 130)):
        stopped = run(disturbed, "import", file, code=STOPPED.format(portion=portion, name=name))
        assert stopped.returncode == code, stopped.stderr
        assert stopped.stdout == ""
        assert "Traceback" not in stopped.stderr
        assert len(library(disturbed)["unfinished"]) == 1
    whole = run(calm, "import", file)
    assert whole.stdout == "snapshot.json: 90 added, 0 changed, 0 unchanged, 1 rejected\n"

    done = run(disturbed, "import", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "snapshot.json: 90 added, 0 changed, 0 unchanged, 1 rejected, going on behind line 60\n"
    assert library(disturbed) == library(calm)
    rejects = [Path(home["HOME"], "snapshot.json.rejects.jsonl").read_text() for home in (disturbed, calm)]
    assert rejects[0] == rejects[1]
    assert json.loads(rejects[0])["number"] == 51


def test_a_bare_environment_is_enough(bare: dict[str, str]) -> None:
    shown = run(bare, "show", "1806.02891")
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert Path(bare["HOME"], PLACE).exists()


# Importing.


@pytest.fixture
def bibliography(paper: Paper, tmp_path: Path) -> Path:
    file = tmp_path / "refs.bib"
    file.write_text(BIBLIOGRAPHY)
    assert paper
    return file


def test_importing_counts_and_names_the_list_of_what_was_rejected(paper: Paper, bibliography: Path) -> None:
    said = paper("import", bibliography)
    joined = "  1 entry joined works that were there; lenslab paper merges ID says why\n"
    assert said.out == f"refs.bib: 2 added, 0 changed, 0 unchanged, 1 rejected\n{joined}"
    assert said.err == "what was rejected, and why: refs.bib.rejects.jsonl\n"
    rejected = Path("refs.bib.rejects.jsonl").read_text("utf-8")
    assert json.loads(rejected) == {"number": 3, "reason": "no title", "key": "untitled"}
    again = paper("import", bibliography, "--rejects", "elsewhere.jsonl")
    assert again.out == "refs.bib: 0 added, 0 changed, 2 unchanged, 1 rejected\n"
    assert Path("elsewhere.jsonl").read_text("utf-8") == rejected


ASSUMED = """
@article{a, title = {Counting units of nets}, author = {Smith, Ann and others}, journal = {News}, volume = 4,
  year = 2019}
@article{b, title = {Counting units of nets}, author = {Smith, Ann and others}, journal = {News}, volume = 5,
  year = 2019}
@inproceedings{c, title = {Places}, author = {Bob Jones}, crossref = {proc}, year = {in press}}
"""


def test_importing_ends_with_what_is_doubtful_and_what_was_assumed(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "own.bib").write_text(ASSUMED)
    assert paper("import", "own.bib").out.splitlines()[1:] == [
        "  1 pair of works is possibly the same, and left apart; lenslab paper merges lists them",
        "  assumed:",
        "    2 entries (a, b): authors that stand there as 'others' are left out",
        "    1 entry (c): fields that would come from 'proc', which is not in the file, are left out",
        "    1 entry (c): no year is read from the date 'in press'",
    ]
    (document,) = json.loads(paper("import", "own.bib", "--json").out)["files"]
    assert document["assumptions"]["no year is read from the date 'in press'"] == ["c"]
    (pair,) = document["possibly_the_same"]
    assert sorted(pair) == ["counting-units-of-nets-smith-2019", "counting-units-of-nets-smith-2019-2"]
    listed = paper("merges").out
    assert all(key in listed for key in pair)
    assert "but volumes 5 and 4 of News" in listed
    pairs = json.loads(paper("merges", "--json").out)["possibly_the_same"]
    assert len({frozenset((one["one"], one["other"])) for one in pairs}) == len(pairs) > 1


def test_importing_as_json_sums_up_the_files_and_names_their_works(paper: Paper, bibliography: Path) -> None:
    Path("more.json").write_text(snapshot(3))
    document = json.loads(paper("import", bibliography, "more.json", "--json").out)
    assert [document[name] for name in ("added", "changed", "unchanged", "rejected")] == [5, 0, 0, 1]
    first, second = document["files"]
    assert first["works"] == ["1803.06959", "units-of-red-colour-red-rafegas-2017"]
    assert (first["format"], second["format"], second["rejects"]) == ("bibtex", "snapshot", None)
    assert not Path("more.json.rejects.jsonl").exists()


def test_a_bibliography_can_be_what_a_paper_cites(paper: Paper, bibliography: Path) -> None:
    before = json.loads(paper("show", "1806.02891", "--json").out)
    paper("import", bibliography, "--cited-by", "1806.02891")
    after = json.loads(paper("show", "1806.02891", "--json").out)
    # One of the two was among its references before.
    assert after["references"] == before["references"] + 1
    (row,) = [row for row in after["rows"] if row["key"] == "1803.06959"]
    assert "BibTeX: refs.bib" in row["sources"]
    said = paper("import", bibliography, "--cited-by", "1806.99999", code=2)
    assert "no paper '1806.99999' in the library" in said.err


def test_what_many_papers_bring_to_the_counts_of_words_is_left_to_its_own_command(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lenslab.library import vocabulary

    monkeypatch.setattr(vocabulary, "_FEW", 3)
    Path("few.json").write_text(snapshot(10))
    assert "count them with: lenslab paper count-terms" in paper("import", "few.json").err
    counted = paper("count-terms").out
    assert counted == "11 papers counted\n"  # with the one that comes with the package
    assert json.loads(paper("count-terms", "--json").out) == {"counted": 0}


def test_ctrl_c_in_the_middle_of_an_import_keeps_what_was_read(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_import, "_BATCH", 5)
    Path("papers.json").write_text(snapshot(20))
    paper("show", "1806.02891")
    take, calls = file_import.record_intake.add_records, iter(range(1, 100))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return take(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(file_import.record_intake, "add_records", interrupted)
        assert "the same command goes on from there" in paper("import", "papers.json", code=130).err
    assert Work.objects.filter(key__startswith="0704.").count() == 10
    assert paper("import", "papers.json").out.endswith(
        "20 added, 0 changed, 0 unchanged, 0 rejected, going on behind line 10\n"
    )
    assert paper("import", "papers.json").out.endswith("0 added, 0 changed, 20 unchanged, 0 rejected\n")


def hostile_files(place: Path) -> dict[str, Path]:
    """Files that hold no paper, whatever they are called."""
    made = {name: place / name for name in ("zeros.json", "noise.bib", "bomb.json.gz", "cut.json.gz", "page.json")}
    with made["zeros.json"].open("wb") as file:
        file.truncate(100_000_000)
    made["noise.bib"].write_bytes(bytes(range(256)) * 20)
    made["bomb.json.gz"].write_bytes(gzip.compress(bytes(1 << 20)) * 200)
    made["cut.json.gz"].write_bytes(gzip.compress(snapshot(400).encode())[:-2000])
    made["page.json"].write_text("<!DOCTYPE html>\n<html><body>Please wait</body></html>\n")
    return made


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("missing.bib", [], "there is no file missing.bib"),
        (".", [], "is a folder; name a file in it"),
        ("zeros.json", [], "begins like none of the formats: an arXiv snapshot"),
        ("zeros.json", ["--format", "ris"], ""),
        ("zeros.json", ["--format", "bibtex"], ""),
        ("zeros.json", ["--format", "csl"], ""),
        ("noise.bib", [], "begins like none of the formats"),
        ("noise.bib", ["--format", "csl"], ""),
        ("bomb.json.gz", ["--format", "snapshot"], "expands more than 200-fold"),
        ("cut.json.gz", ["--format", "snapshot"], ""),
        ("page.json", [], "begins like none of the formats"),
        ("page.json", ["--format", "word"], "no format 'word'; there are snapshot, bibtex, ris, csl"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(
    paper: Paper, tmp_path: Path, name: str, options: list[str], words: str
) -> None:
    hostile_files(tmp_path)
    said = paper("import", name, *options, code=2)
    assert words in " ".join(said.err.replace("│", " ").split())
    assert name == "." or name in said.err or "word" in options


def test_a_line_of_a_hundred_million_letters_is_one_rejected_line(paper: Paper, tmp_path: Path) -> None:
    file = tmp_path / "long.json"
    with file.open("wb") as out:
        out.write(snapshot(1).encode())
        out.seek(100_000_000, 1)
        out.write(b"\n" + snapshot(1, first=2).encode())
    assert paper("import", file).out == "long.json: 2 added, 0 changed, 0 unchanged, 1 rejected\n"
    assert json.loads(Path("long.json.rejects.jsonl").read_text())["number"] == 2


def test_what_a_damaged_file_held_before_the_damage_is_kept(paper: Paper, tmp_path: Path) -> None:
    file = tmp_path / "cut.json.gz"
    file.write_bytes(gzip.compress(snapshot(3000).encode())[:-2000])
    assert "cut.json.gz" in paper("import", file, code=2).err
    assert Work.objects.filter(key__startswith="0704.").count() > 100


def test_names_and_reasons_from_files_are_shown_as_the_text_they_are(paper: Paper, tmp_path: Path) -> None:
    file = tmp_path / "[red]x[blue]\x1b[31m\u202e.bib"
    file.write_text("@article{k, title = {[bold]No\u009b[/bold] \u202e}, year = 2020, author = {A B}}\n", "utf-8")
    assert paper("import", file).out.startswith("[red]x[blue] [31m .bib: 1 added")
    (key,) = json.loads(paper("import", file, "--json").out)["files"][0]["works"]
    assert "[bold]No" in paper("show", key).out
    for command in (["show", key, "--json"], ["cite", key], ["merges", key], ["merges", key, "--json"]):
        paper(*command)


# Harvesting.


def test_harvesting_says_what_came_and_goes_on_from_there(paper: Paper, upstream: Upstream) -> None:
    first = paper("harvest", "--set", "cs", "--until", "2019-12-31")
    assert " added, 0 changed, " in first.out
    assert ", 1 no longer at arXiv; up to 2018-09-01" in first.out
    assert len(first.out.splitlines()) == 1
    second = json.loads(paper("harvest", "--set", "cs", "--json").out)
    assert second["since"] == "2018-09-01" < second["until"]
    assert second["added"] > 2
    last = upstream.asked("arXiv OAI-PMH")[-1].target
    assert f"from={second['since']}" in last
    third = json.loads(paper("harvest", "--set", "cs", "--json").out)
    assert (third["added"], third["changed"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "c s"], "'c s' is no part of arXiv; name one like cs"),
        (["--since", "yesterday"], "yesterday"),
        (["--since", "1999-01-01"], ""),
        (["--since", "2020-02-02", "--until", "2019-01-01"], ""),
    ],
)
def test_a_harvest_that_makes_no_sense_is_refused(
    paper: Paper, upstream: Upstream, arguments: list[str], words: str
) -> None:
    said = paper("harvest", *arguments, code=2)
    assert words in said.err
    assert said.err.startswith("lenslab: ")
    assert upstream.url
