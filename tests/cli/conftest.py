"""The command line as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lenslab.cli import main

Typed = Callable[..., tuple[int, str, str]]
"""Gives the exit code, standard output and standard error of what was typed behind ``lenslab``."""


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run
