"""The README's verbs exist, and the links of every page lead somewhere. Its code is carried out in test_docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts import speed_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("verb", re.findall(r"^    make ([a-z]+)", README, re.MULTILINE))
def test_every_make_verb_that_is_named_exists(verb: str) -> None:
    assert re.search(rf"^{verb}:.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_no_command_stands_where_it_is_not_carried_out() -> None:
    for page in PAGES:
        assert not re.search(r"^    lenslab ", page.read_text(encoding="utf-8"), re.MULTILINE), page


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    missing = []
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert missing == []


def test_tables_of_speed_are_those_of_the_records() -> None:
    for name in speed_table.PAGES:
        page = (ROOT / name).read_text(encoding="utf-8")
        assert speed_table.BLOCK.findall(page), name
        assert f"<!-- speed -->\n{speed_table.table()}<!-- /speed -->" in page, f"{name}: python -m scripts.speed_table"
