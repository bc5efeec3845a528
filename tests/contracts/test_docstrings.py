"""Docstrings speak one dialect, where no rule of the linter holds them to it: Google's, in whole sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [path for path in sorted((ROOT / "src").rglob("*.py")) if "migrations" not in path.parts]
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields", "Example")
ITEM = re.compile(r"    [*\w.]+(?: \([^)]*\))?: ([a-z])(?![\w]*[_(.])")


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_examples_stand_under_their_heading_and_what_arguments_are_begins_with_a_capital(path: Path) -> None:
    wrong = []
    for line, text in docstrings(path):
        if ">>> " in text and not re.search(r"^Example:$", text, re.MULTILINE):
            wrong.append(f"line {line}: an example without its heading")
        section = ""
        for each in text.splitlines():
            heading = re.fullmatch(r"(\w+):", each)
            section = heading[1] if heading else ("" if each and not each.startswith(" ") else section)
            if heading and heading[1] not in SECTIONS:
                wrong.append(f"line {line}: a section {each}")
            if section in ("Args", "Attributes", "Raises") and ITEM.match(each):
                wrong.append(f"line {line}: {each.strip()}")
    assert wrong == []
