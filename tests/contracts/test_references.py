"""A dotted name in a docstring or on a page is that of something: modules move, and what names them moves along."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "src").rglob("*.py"))
NAME = re.compile(r"(?<![\w./`-])`{0,2}(lenslab(?:\.\w+)+)(?![\w/-])")

OF_OTHERS = {"lenslab.org", "lenslab.yml"}


@cache
def text_of(module: str) -> str | None:
    place = ROOT / "src" / Path(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def leads_somewhere(name: str) -> bool:
    parts = name.split(".")
    known = next((count for count in range(len(parts), 0, -1) if text_of(".".join(parts[:count])) is not None), 0)
    if known == len(parts):
        return True
    text = text_of(".".join(parts[:known])) or ""
    return re.search(rf"\b{re.escape(parts[known])}\b", text) is not None


@pytest.mark.parametrize("path", [*PAGES, *MODULES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_dotted_name_leads_somewhere(path: Path) -> None:
    named = {match[1] for match in NAME.finditer(path.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named - OF_OTHERS) if not leads_somewhere(name)] == []
