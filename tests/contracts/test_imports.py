"""Importing changes nothing and loads nothing heavy; the pages never see torch. Each in a fresh process."""

from __future__ import annotations

import subprocess
import sys

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


@pytest.mark.parametrize(
    "statement",
    [
        "from lenslab import records; records.read; records.Draft; records.find('.', kind='study')",
        "from lenslab.runs.statistics import intervals; intervals.score_interval([1], [2], [10])",
        "from lenslab.units.images import open_images; len(open_images('digits'))",
        "from lenslab.units.networks import networks; networks()",
        "from lenslab.studies.study_result import study_results; study_results('.')",
        "from lenslab.report import figures, packing, page, pictures, writing; figures.figures, pictures.pictures",
        "from lenslab.papers.terms.key_terms import key_terms; key_terms('units matter', category='cs.CV')",
        "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'lenslab.web.settings'); import django; "
        "django.setup(); import lenslab.web.urls, lenslab.library.works",
    ],
)
def test_what_does_not_measure_needs_no_torch(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "lenslab" in loaded
    assert "torch" not in loaded


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
