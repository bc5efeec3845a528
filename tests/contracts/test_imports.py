"""Importing changes nothing and loads nothing heavy; the pages never see torch. Each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "pandas", "pyarrow", "django", "sklearn", "altair", "scipy")


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import lenslab.records",
        "import lenslab.http",
        "import lenslab.runs",
        "import lenslab.units",
        "import lenslab.studies",
        "import lenslab.papers",
        "import lenslab.library",
        "import lenslab.report",
        "import lenslab.web",
        "import lenslab.cli.main",
    ],
)
def test_importing_a_room_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_by(statement) & set(HEAVY)


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "from lenslab import records; records.read; records.Draft; records.find('.', kind='study')",
        "from lenslab.runs.statistics.confidence_intervals import score_interval; score_interval([1], [2], [10])",
        "from lenslab.units.images import open_images; len(open_images('digits'))",
        "from lenslab.units.networks import networks; networks()",
        "from lenslab.studies.study_result import study_results; study_results('.')",
        "from lenslab.report import write",
        "from lenslab.papers.terms.key_terms import key_terms; key_terms('units matter', category='cs.CV')",
        "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'lenslab.web.settings'); import django; "
        "django.setup(); import lenslab.web.urls, lenslab.library.works",
    ],
)
def test_what_does_not_measure_needs_no_torch(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "lenslab" in loaded
    assert "torch" not in loaded


READING = """
import sys

class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "torchvision", "django", "sklearn", "PIL", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

sys.meta_path.insert(0, Missing())
from lenslab import report, runs
run = runs.read(sys.argv[1])
assert run.accuracy and len(run.units) and len(run.images) and run.site("relu1").live.size
assert len(run.units_for("8")) and len(run.destinations(unit=31))
assert run.compare(sys.argv[1], paired=True).units["difference"].eq(0).all()
assert run.plot.scatter("l1_norm").to_dict() and run.plot.drops().to_dict() and run.plot.heatmap().to_dict()
assert "<svg" in run._repr_html_() and "accuracy" in repr(run)
assert runs.newest(run.directory.parent).key == run.key
loaded = [*sys.modules]
try:
    run.curve("own-drop")
except runs.UnitsError as error:
    assert "pip install 'lenslab[ablate]'" in str(error)
print(*loaded)
"""


def test_a_run_is_read_compared_asked_and_charted_where_there_is_neither_torch_nor_django(tmp_path: Path) -> None:
    from lenslab import units  # a run has to be made first, which takes torch

    units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"], out=tmp_path / "run")
    command = [sys.executable, "-c", READING, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {"torch", "django"}
    assert not [name for name in done.stdout.split() if name.startswith("lenslab.units")]


def test_no_module_of_papers_or_http_needs_torch_or_django() -> None:
    statement = (
        "import importlib, pkgutil, lenslab.http, lenslab.papers\n"
        "for room in (lenslab.http, lenslab.papers):\n"
        "    for found in pkgutil.walk_packages(room.__path__, f'{room.__name__}.'):\n"
        "        importlib.import_module(found.name)"
    )
    assert not loaded_by(statement) & {"torch", "django"}


@pytest.mark.parametrize(
    "module",
    [
        *("arxiv_id", "categories", "citation_key", "doi", "licenses", "paper"),
        *("text.latex_display", "formats.bibtex_reader", "formats.bibtex_writer", "sources.record_parsers"),
    ],
)
def test_what_needs_no_numbers_loads_none(module: str) -> None:
    assert not loaded_by(f"import lenslab.papers.{module}") & {"sklearn", "numpy"}


@pytest.mark.parametrize("module", ["http.client", "papers.sources.arxiv_api", "units.images"])
def test_the_network_is_loaded_when_it_is_asked(module: str) -> None:
    assert not loaded_by(f"import lenslab.{module}") & {"httpx", "stamina"}


def test_the_pages_do_not_reach_the_measuring_half() -> None:
    code = (
        "import os, sys; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'lenslab.web.settings'); import django; "
        "django.setup(); import lenslab.web.urls; "
        "print(*[name for name in sys.modules if name.startswith('lenslab.units')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.slow
def test_random_state_and_warnings_are_left_alone_by_an_import() -> None:
    code = (
        "import random, warnings; random.seed(1); before = random.getstate(), list(warnings.filters)\n"
        "import lenslab.units; lenslab.units.ablate\n"
        "assert random.getstate() == before[0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
