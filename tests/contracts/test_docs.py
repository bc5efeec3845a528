"""The documentation says what happens: its code prints what it shows, its tables and its reference are whole."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import typer
from safetensors.torch import save_file
from scripts import docs

from lenslab import records, units
from lenslab.cli import main
from lenslab.units.images.concept_masks import ConceptImages
from tests.contracts import pages
from tests.lean_runs import lean_runs
from tests.upstream import Upstream, corpus, endpoint

DOCS = pages.ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), *sorted((DOCS / "how-to").glob("*.md"))]
CARRIED_OUT = [page for page in [pages.ROOT / "README.md", *PAGES] if list(pages.blocks(page))]


OVER_UNITS = re.compile(r"correlation|reliability|coefficients|lenslab report|report\.write|lenslab study|\.plot\.")
"""What pages speak of that runs say of a site's units together."""

MINE = """
from torch import nn

def network():
    middle = [nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU()]
    return nn.Sequential(*middle, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
"""


def what_the_reader_has(directory: Path) -> None:
    """The README speaks of the reader's own network, weights and images: here they are small ones."""
    (directory / "mine.py").write_text(MINE, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(MINE, names)
    torch.manual_seed(0)
    save_file(names["network"]().state_dict(), directory / "weights.safetensors")
    (block,) = units.open_images("digits").limited(150).blocks(150)
    np.savez(directory / "images.npz", images=np.stack(block.pixels), labels=block.labels)


def answer_of_a_model() -> endpoint.Answer:
    """What a language model makes of the abstract of 1806.02891: two sentences that it supports, and one of its own."""
    first = "Ablating any individual unit does not hurt the overall accuracy, but damages that of specific classes."
    second = "Class selectivity is a poor predictor for impact on overall accuracy."
    own = "The method is 12% faster than all earlier ones."
    method = "They ablate units of CNNs trained on large scale image datasets."
    facets = {"methodology": method, "key_results": [first, own]}
    return endpoint.Answer(endpoint.completion(json.dumps({"sentences": [first, second], **facets})))


@contextlib.contextmanager
def the_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The services and the language model that a page about papers asks: servers on this machine stand for them."""
    with (
        Upstream(corpus(citations=24, references=6, seed=1)) as upstream,
        endpoint.serving(answer_of_a_model()) as model,
    ):
        told = {
            **upstream.environment,
            "LENSLAB_LLM_URL": model.url,
            "LENSLAB_LLM_MODEL": endpoint.MODEL,
            "LENSLAB_LLM_KEY": endpoint.KEY,
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.django_db  # pages ask the library about papers
@pytest.mark.parametrize("page", CARRIED_OUT, ids=lambda page: page.stem)
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    if page.name == "README.md":
        what_the_reader_has(tmp_path)
    text = page.read_text(encoding="utf-8")
    with contextlib.ExitStack() as stack:
        if "lenslab paper " in text:
            stack.enter_context(the_world(monkeypatch))
        if not OVER_UNITS.search(text):
            stack.enter_context(lean_runs())
        stack.callback(torch.set_num_threads, threads)
        pages.carry_out(page, tmp_path, monkeypatch)


def test_the_index_leads_to_every_page_on_one_screen() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)", index)}
    assert {page.resolve() for page in PAGES} - {(DOCS / "index.md").resolve()} <= linked
    assert len(index.splitlines()) <= 50


def test_no_page_is_left_to_be_filled_in() -> None:
    assert [page.name for page in PAGES if re.search(r"\b(FILL|TODO|TBD)\b", page.read_text(encoding="utf-8"))] == []


def typed_commands() -> list[str]:
    """Every command there is, as it is typed."""
    found = []

    def walk(app: typer.Typer, words: str) -> None:
        for command in app.registered_commands:
            name = command.name or getattr(command.callback, "__name__", "")
            found.append(f"{words} {name}")
        for group in app.registered_groups:
            assert group.typer_instance is not None
            walk(group.typer_instance, f"{words} {group.name}")

    walk(main.app, "lenslab")
    return found


@pytest.mark.parametrize("command", typed_commands())
def test_every_command_is_carried_out_on_a_page(command: str) -> None:
    typed = (line for page in CARRIED_OUT for block in pages.blocks(page) for line in pages.commands(block.text))
    assert any(f"{line} ".startswith(f"{command} ") for line in typed)


# Errors.


def errors() -> dict[str, type[Exception]]:
    found = {}
    rooms = [
        "lenslab.units",
        "lenslab.records",
        "lenslab.http",
        "lenslab.papers",
        "lenslab.library",
        *["lenslab.report"] * pages.reports(),
    ]
    for room in rooms:
        found |= dict(inspect.getmembers(importlib.import_module(f"{room}.errors"), inspect.isclass))
    return {name: each for name, each in found.items() if issubclass(each, Exception)}


def page_of_errors() -> str:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    return text if pages.reports() else text.partition("\n## lenslab.report\n")[0]


def entries() -> dict[str, tuple[str, str]]:
    """What is in brackets behind the name of each error of the page, and what is written below it."""
    parts = re.split(r"^### (\w+)(?: \((\w+)\))?$", page_of_errors(), flags=re.MULTILINE)
    assert len({*parts[1::3]}) == len(parts[1::3])
    return dict(zip(parts[1::3], zip(parts[2::3], parts[3::3], strict=True), strict=True))


def test_every_error_has_an_entry_and_every_entry_is_an_error() -> None:
    assert set(entries()) == set(errors())
    for name in re.findall(r"`([A-Z]\w+Error)\b", page_of_errors().partition("\n## ")[2]):
        assert name in errors() or hasattr(__import__("builtins"), name), name


@pytest.mark.parametrize("name", sorted(errors()))
def test_an_entry_says_what_else_the_error_is_and_shows_a_message_of_its_own(name: str) -> None:
    builtin, text = entries()[name]
    others = [
        base.__name__ for base in errors()[name].__bases__ if base.__module__ == "builtins" and base is not Exception
    ]
    assert [builtin] * (builtin is not None) == others
    assert "*To do:*" in text or "never raised itself" in text
    if "never raised itself" not in text:
        # An error of what is set up before Python runs is shown as the command shows it.
        assert re.search(rf"```text\n(?:{name}|lenslab): ", text)


# The record.

TYPES = {
    "integer": (pa.int32(), pa.int64()),
    "number": (pa.float64(),),
    "text": (pa.string(), pa.large_string()),
    "true or false": (pa.bool_(),),
    "bytes": (pa.binary(),),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has every table there is."""
    directory = tmp_path_factory.mktemp("runs")
    network = units.load("small", weights="digits")
    images = units.open_images("digits").limited(20)
    bright = np.stack([pixels > 128 for pixels in images.read(0, 20)]).transpose(0, 3, 1, 2)
    options = {"replacement": "resample", "draws": 2, "top": 3}
    concepts = ConceptImages.of_arrays(images, bright, concepts=["bright"])
    units.ablate(network, "digits", limit=120, concepts=concepts, out=directory / "run", **options)
    ranking = units.ablate(network, "digits", limit=120, sites=["relu1"], attributes=False)
    ranking.curve(["own-drop", "random"], steps=4, repeats=2, out=directory / "curve")
    return directory


def written(directory: Path, *names: str) -> dict[str, pa.Schema]:
    files = [directory / f"{name}.parquet" for name in names] or sorted(directory.glob("*.parquet"))
    return {file.stem: pq.read_schema(file) for file in files}


def test_the_page_of_the_record_has_every_table_and_column_in_order_with_its_type(run: Path) -> None:
    listed = pages.tables(DOCS / "record.md")
    del listed["record.json"]
    schemas = written(run / "run") | written(run / "curve", "curve", "recalls", "areas")
    activations = schemas.pop("activations")
    assert set(listed) == set(schemas)
    for table, schema in schemas.items():
        assert list(listed[table]) == schema.names, table
        for field in schema:
            assert field.type in TYPES[listed[table][field.name][0]], (table, field)
    assert activations.names == ["image", "relu1", "relu2", "relu3"]
    assert "## `activations`" in (DOCS / "record.md").read_text(encoding="utf-8")


def test_the_page_of_the_record_has_every_field_of_the_document(run: Path) -> None:
    assert list(pages.tables(DOCS / "record.md")["record.json"]) == list(records.read(run / "run").document)


def test_the_page_of_the_statistics_has_every_column_in_order(run: Path) -> None:
    listed = pages.tables(DOCS / "how-to" / "statistics.md")
    assert set(listed) == {"units", "classes", "correlations", "reliability", "predictions"}
    for table, schema in written(run / "run", *listed).items():
        assert list(listed[table]) == schema.names, table
        assert all(len(cells) == 3 and cells[0] for cells in listed[table].values()), table


def test_the_page_of_the_attributes_has_every_attribute_in_order(run: Path) -> None:
    listed = list(pages.tables(DOCS / "how-to" / "attributes.md")["units"])
    names = written(run / "run", "units")["units"].names
    assert listed == names[names.index("dead") :]


# The reference.


def exported() -> Iterator[tuple[str, object]]:
    for name in (*docs.PACKAGES, "lenslab.units.images", "lenslab.units.networks"):
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError:
            continue  # a package that is not there yet
        for each in getattr(package, "__all__", ()):
            yield f"{name}.{each}", getattr(package, each)


def test_every_exported_function_has_a_docstring_with_an_example() -> None:
    functions = {name: each for name, each in exported() if inspect.isfunction(each)}
    lacking = {name for name, each in functions.items() if ">>> " not in (inspect.getdoc(each) or "")}
    assert lacking == set()


def test_every_public_name_of_every_module_has_a_docstring() -> None:
    lacking = []
    for name in docs.modules():
        module = importlib.import_module(name)
        assert module.__doc__, name
        for each, value in vars(module).items():
            own = getattr(value, "__module__", None) == name and not each.startswith("_")
            if own and (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value):
                lacking.append(f"{name}.{each}")
    assert lacking == []


WRITE = "import sys; from pathlib import Path; from scripts import docs; docs.write(Path(sys.argv[1]), sys.argv[2:])"


@pytest.mark.parametrize("package", ["lenslab.records", pytest.param("lenslab", marks=pytest.mark.thorough)])
def test_the_reference_is_written_without_a_warning_and_asks_no_other_place_for_anything(
    tmp_path: Path, package: str
) -> None:
    names = [name for name in docs.modules() if name.startswith(package)]
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", WRITE, str(tmp_path), *names],
        cwd=pages.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    for name in names:
        page = tmp_path / Path(*name.split(".")).with_suffix(".html")
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"https?:", text), name
    assert (tmp_path / "index.html").is_file()


def test_the_quick_sample_names_tests_that_there_are() -> None:
    makefile = (pages.ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (listed,) = re.findall(r"^QUICK := \$\(addprefix tests/,(.*)\)$", makefile, flags=re.MULTILINE)
    assert [name for name in listed.split() if not (pages.ROOT / "tests" / name.partition("::")[0]).exists()] == []
