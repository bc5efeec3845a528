"""Pages: the blocks of a Markdown page, carried out one after the other, and what they print compared with the page.

A page is one session in one new directory. A block of ``python`` is executed, all of a page in one namespace; where
its first line is a comment with a file's name (``# mine.py``), it is written to that file instead. A block of ``sh`` is
commands, one a line; ``export NAME=VALUE`` holds for the rest of the page, unless the name is set already: then a
test's server stands for the reader's. A block of ``text`` right behind is what it prints; ``...`` stands for anything,
and white space makes no difference. Where the text is an error (``SomeError: ...``, or ``lenslab: ...``) the block has
to fail with it. A block of ``bibtex`` whose first line is a comment with a file's name is written to that file.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lenslab.cli import console, main

ROOT = Path(__file__).parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.py)\n")
_BIBLIOGRAPHY = re.compile(r"% ([\w-]+\.bib)\n")
_EXPORT = re.compile(r"export (\w+)=(.*)")
_ERROR = re.compile(r"(\w+Error): ")

_REPORTING = re.compile(r"\blenslab(?:\.| import )report\b|\breport\.write\(")

_SERVING = re.compile(r"lenslab serve\b")
"""What does not end by itself; its options are looked up instead."""


@dataclass(frozen=True)
class Block:
    """One block of a page: where it stands, what it is, and what it prints."""

    line: int
    language: str
    text: str
    shown: str | None


def blocks(page: Path) -> Iterator[Block]:
    """Read the blocks that can be carried out, each with what is shown right behind it."""
    content = page.read_text(encoding="utf-8")
    found = list(_BLOCK.finditer(content))
    for place, each in enumerate(found):
        if each[1] == "text":
            continue
        behind = found[place + 1] if place + 1 < len(found) else None
        shown = behind is not None and behind[1] == "text" and not content[each.end() : behind.start()].strip()
        line = content.count("\n", 0, each.start()) + 1
        yield Block(line, each[1], each[2], behind[2] if behind is not None and shown else None)


def reports() -> bool:
    """Tell whether this version writes reports; a page may speak of them before."""
    return importlib.util.find_spec("lenslab.report") is not None


def can_report() -> bool:
    """Tell whether reports can be written here: the package is there, and its page is built."""
    try:
        bundle = importlib.import_module("lenslab.report.script_bundle")
        bundle.read_bundle()
    except (ModuleNotFoundError, LookupError):
        return False
    return True


def carry_out(page: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out a page from top to bottom in a directory, and compare."""
    monkeypatch.chdir(directory)
    monkeypatch.syspath_prepend(str(directory))
    monkeypatch.setenv("COLUMNS", "140")
    for each in (console.answers, console.remarks):
        monkeypatch.setattr(each, "_width", 140)
    names: dict[str, Any] = {"__name__": page.stem}
    try:
        for block in blocks(page):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.language == "python":
                file = _FILE.match(block.text)
                if file:
                    (directory / file[1]).write_text(block.text, encoding="utf-8")
                else:
                    _python(block, names, where)
            elif block.language == "sh":
                _shell(block, where, monkeypatch)
            elif block.language == "bibtex":
                named = _BIBLIOGRAPHY.match(block.text)
                assert named, f"{where}: a bibliography without a name"
                (directory / named[1]).write_text(block.text, encoding="utf-8")
            else:
                assert block.language in ("json",), f"{where}: a block of {block.language}, which is not carried out"
    finally:
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(directory)):
                del sys.modules[name]


def _python(block: Block, names: dict[str, Any], where: str) -> None:
    if _REPORTING.search(block.text) and not reports():
        return
    printed = io.StringIO()
    expected = _ERROR.match(block.shown or "")
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * block.line + block.text, where, "exec"), names)
    except Exception as error:
        if expected is None:
            pytest.fail(f"{where} raises\n{traceback.format_exc()}")
        _same(block.shown or "", f"{type(error).__name__}: {error}", where)
    else:
        assert expected is None, f"{where} does not raise {expected[1] if expected else ''}"
        if block.shown is not None:
            _same(block.shown, printed.getvalue(), where)


def _shell(block: Block, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, remarks, codes = io.StringIO(), io.StringIO(), []
    for command in commands(block.text):
        if command.startswith("lenslab report") and not can_report():
            continue
        if _SERVING.match(command):
            known = _help("serve")
            assert set(re.findall(r"--[a-z-]+", command)) <= set(re.findall(r"--[a-z-]+", known)), f"{where}: {command}"
            continue
        if setting := _EXPORT.fullmatch(command):
            if setting[1] not in os.environ:
                monkeypatch.setenv(setting[1], *shlex.split(setting[2]))
            continue
        with contextlib.redirect_stdout(answers), contextlib.redirect_stderr(remarks):
            codes.append(_run(command))
    refused = (block.shown or "").startswith("lenslab: ")
    assert (set(codes) - {0} != set()) == refused, f"{where} ends with {codes}\n{remarks.getvalue()}"
    if block.shown is not None:
        _same(block.shown, (remarks if refused else answers).getvalue(), where)


def commands(text: str) -> list[str]:
    """Read commands, one a line; a line that ends in a backslash goes on."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _run(command: str) -> int:
    words = shlex.split(command)
    if words[0] == "lenslab":  # in this process, which has torch already
        return main.run(words[1:])
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        shell=True,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": places, "PYTHONPATH": str(ROOT / "src")},
    )
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


def _help(*words: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main.run([*words, "--help"]) == 0
    return printed.getvalue()


def _same(shown: str, printed: str, where: str) -> None:
    checker = doctest.OutputChecker()
    if not checker.check_output(shown, printed, FLAGS):
        example = doctest.Example("", shown)
        pytest.fail(f"{where}\n{checker.output_difference(example, printed, doctest.REPORT_NDIFF)}")


def tables(page: Path) -> dict[str, dict[str, list[str]]]:
    """Read the tables of a page by the heading above each: from what the first cells name to the other cells.

    A heading names a table in backticks; a first cell names one column or several, each in backticks.
    """
    found: dict[str, dict[str, list[str]]] = {}
    heading = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = (re.findall(r"`([^`]+)`", line) or [""])[0]
        elif heading and line.startswith("| `"):
            first, *others = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")))
            for name in re.findall(r"`([^`]+)`", first):
                assert name not in found.get(heading, {}), f"{page.name}: {heading} has {name} twice"
                found.setdefault(heading, {})[name] = others
    return found
