"""The command line as it is typed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lenslab.cli import console, main
from tests.upstream import Corpus, Faults, Upstream, corpus

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


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    out: str
    err: str


Paper = Callable[..., Said]
"""Types ``lenslab paper ...`` into a terminal of 80 columns; ``code`` is the exit code that it has to end with."""


@pytest.fixture
def paper(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Paper:
    for each in (console.answers, console.remarks):
        monkeypatch.setattr(each, "width", 80)

    def run(*arguments: object, code: int = 0) -> Said:
        ended, out, err = typed("paper", *arguments)
        assert ended == code, err
        assert "Traceback" not in err
        assert not code or out == "", "who is refused gets no answer"
        assert not any(sign in f"{out}{err}" for sign in "\x1b\u202e\u009b")
        return Said(out, err)

    return run


LITERATURE = corpus(citations=24, references=6, seed=1)
"""Small enough to be added in a moment, with everything awkward in it."""

Serve = Callable[..., Upstream]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts an honest upstream, which the commands of the test ask."""
    running: list[Upstream] = []

    def start(told: Corpus = LITERATURE, *, faults: Faults | None = None) -> Upstream:
        while running:
            running.pop().__exit__()
        running.append(Upstream(told, faults=faults).__enter__())
        for name, value in running[0].environment.items():
            monkeypatch.setenv(name, value)
        return running[0]

    yield start
    while running:
        running.pop().__exit__()


@pytest.fixture
def upstream(serve: Serve) -> Upstream:
    return serve()


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """As little environment as a process can have, with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
