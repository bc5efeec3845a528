"""A bibliography as large as a magazine's index of forty years: columns of every issue, articles in parts, reviews."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lenslab.library.intake import file_import
from lenslab.library.models import PossibleTwin, SourceRecord, Work
from lenslab.library.search import work_search

COLUMNS = (
    "Editorial comments",
    "Letters",
    "Calendar",
    "Late news",
    "Production notes",
    "From the board",
    "Hints & tricks",
)
NAMES = ("Beeton, Barbara", "{The Editors}", "Garc{\\'\\i}a M{\\'a}rquez, Gabo", "Knuth, Donald E.", "van Sample, Jan")
WORDS = (
    *("units", "fonts", "macros", "tables", "figures", "indexes", "hyphens", "margins"),
    *("colours", "pages", "glyphs", "spaces", "lines", "rules", "boxes"),
)
ISSUES = 120


def bibliography(columns: int = 7, articles: int = 22) -> list[str]:
    """Write entries of ``ISSUES`` issues, each with its columns, articles, one of them in parts, and reviews."""
    chance = random.Random(0)
    entries: list[str] = []

    def add(title: str, author: str, issue: int, kind: str = "article") -> None:
        volume, number, page = 1 + issue // 3, 1 + issue % 3, 1 + len(entries) % 90
        place = f"journal = {{Unit Boat}}, volume = {volume}, number = {number}, pages = {{{page}--{page + 2}}}"
        year = 1980 + volume
        fields = f"title = {{{title}}}, author = {{{author}}}, {place}, year = {year}"
        entries.append(f"@{kind}{{ub{len(entries)}, {fields}}}")

    for issue in range(ISSUES):
        for name in COLUMNS[:columns]:
            add(name, NAMES[len(name) % len(NAMES)], issue)
        for number in range(articles):
            one, two, three = chance.sample(WORDS, 3)
            author = f"{chance.choice('ABCDEFGH')}. {chance.choice(WORDS).title()}"
            add(f"Setting {one} and {two} beside {three}, number {issue * articles + number}", author, issue)
        add(f"The making of {WORDS[issue // 3 % len(WORDS)]}, part {'I' * (1 + issue % 3)}", "Ann Sample", issue)
        add("Book review: The {\\TeX} of units", "Reviewer, Rob", issue)
    return entries


def imported(path: Path, entries: list[str]) -> file_import.Imported:
    path.write_text("\n".join(entries), encoding="utf-8")
    return file_import.import_file(path, rejects=path.with_suffix(".rejects"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("columns", "articles"), [(3, 2), pytest.param(7, 22, marks=pytest.mark.thorough)], ids=["short", "whole"]
)
def test_every_entry_is_a_work_that_can_be_found_and_doubtful_pairs_are_listed(
    tmp_path: Path, columns: int, articles: int
) -> None:
    entries = bibliography(columns, articles)
    if articles == 22:
        assert len(entries) == 3_720
    done = imported(tmp_path / "boat.bib", entries)
    assert (done.added, done.rejected) == (len(entries), 0)
    assert Work.objects.filter(merged_into=None).count() == len(entries)
    assert SourceRecord.objects.count() == len(entries)
    assert work_search.search('title:"editorial comments"').total == ISSUES
    assert PossibleTwin.objects.filter(evidence__contains="of Unit Boat").exists()
    again = imported(tmp_path / "boat.bib", entries)
    assert (again.added, again.unchanged) == (0, len(entries))
    assert Work.objects.filter(merged_into=None).count() == len(entries)
