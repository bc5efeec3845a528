"""What the home page says: the papers with a study and what was found, and every work of the library."""

from __future__ import annotations

from dataclasses import dataclass

from lenslab.library import works as library
from lenslab.papers.latex import plain_text
from lenslab.studies.rulebook import list_studies
from lenslab.web.addresses import work_address
from lenslab.web.studied import Panel, panel


@dataclass(frozen=True)
class Listed:
    """A work in a list: its title, year and page."""

    title: str
    year: int | None
    address: str


@dataclass(frozen=True)
class Studied:
    """A paper with a study, and the newest of what was found."""

    title: str
    authors: str
    address: str
    panel: Panel


@dataclass(frozen=True)
class Front:
    """The home page."""

    studied: tuple[Studied, ...]
    works: tuple[Listed, ...]


def gather() -> Front:
    """Gather what the home page says; two queries, however many works there are."""
    works = {work.key: work for work in library.all_works()}
    studied = []
    for rules in list_studies():
        work, found = works.get(rules.study), panel(rules.study)
        if work is not None and found is not None:
            names = ", ".join(library.author_names(work))
            studied.append(Studied(plain_text(work.title), names, work_address(work.key), found))
    listed = tuple(Listed(plain_text(work.title), work.year, work_address(work.key)) for work in works.values())
    return Front(tuple(studied), listed)
