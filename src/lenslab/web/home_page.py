"""What the home page says: the papers with a study and what was found, and what came into the library last."""

from __future__ import annotations

from dataclasses import dataclass

from lenslab.library import works as library
from lenslab.papers.text.latex_display import plain_text
from lenslab.studies.rulebook import list_studies
from lenslab.web.addresses import work_address
from lenslab.web.study_panel import Panel, panel

MOST_WORKS = 100


@dataclass(frozen=True)
class ListedWork:
    """A work in a list: its title, year and page."""

    title: str
    year: int | None
    address: str


@dataclass(frozen=True)
class StudiedPaper:
    """A paper with a study, and the newest of what was found."""

    title: str
    authors: str
    address: str
    panel: Panel


@dataclass(frozen=True)
class HomePage:
    """The home page: papers with a study, the works that came last, and how many works there are in all."""

    studied: tuple[StudiedPaper, ...]
    works: tuple[ListedWork, ...]
    total: int


def gather() -> HomePage:
    """Gather what the home page says; three queries, however many works there are."""
    works = library.all_works().only("key", "title", "year")
    rules = {rules.study: panel(rules.study) for rules in list_studies()}
    studied = []
    for work in library.all_works().filter(key__in=rules).order_by("key"):
        if (found := rules[work.key]) is not None:
            names = ", ".join(work.authors)
            studied.append(StudiedPaper(plain_text(work.title), names, work_address(work.key), found))
    # The order in which works came is that of their rows, which no database has to sort.
    last = sorted(works.order_by("-pk")[:MOST_WORKS], key=lambda work: (-(work.year or 0), work.title.casefold()))
    listed = tuple(ListedWork(plain_text(work.title) or work.key, work.year, work_address(work.key)) for work in last)
    return HomePage(tuple(studied), listed, library.number_of_works())
