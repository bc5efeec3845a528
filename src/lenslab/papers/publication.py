"""A publication: as what and where a work was published, in the parts that bibliographies state."""

import re
from dataclasses import dataclass, fields
from typing import Any

# What stands between two pages for certain; a hyphen can be part of one.
_DASHES = re.compile(r"\s*(?:-{2,3}|[\u2012-\u2015])\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """As what and where a work was published; each part is empty where no source states it.

    Attributes:
        kind: What the work is, by the name of its type in CSL: one of ``KINDS``.
        container: The journal, or the book that the work is a part of.
        volume: The volume.
        number: The issue, or the number of a report.
        pages: The pages, as written.
        isbn: The book's ISBN, as written.
        publisher: The publisher; of a thesis the school, of a report the institution.
        edition: Which edition of a book it is.
        series: The series that the book is in.
        year: The year of this publication, where it is stated; a work can have appeared earlier, as a preprint.
        genre: What the kind leaves open, for instance ``Master's thesis``.
        editors: Who edited the book; names in their spoken order.
        edited: Whether those whom a paper names as its authors edited it, as of a book that names nobody else.

    Example:
        >>> Publication(container="TPAMI", volume="40", number="6", pages="1452--1464").line
        'TPAMI 40(6), 1452--1464'
    """

    kind: str = ""
    container: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    isbn: str = ""
    publisher: str = ""
    edition: str = ""
    series: str = ""
    year: int | None = None
    genre: str = ""
    editors: tuple[str, ...] = ()
    edited: bool = False

    @property
    def line(self) -> str:
        """The container with volume and pages, as a reference names them; empty where no container is named."""
        if not self.container:
            return ""
        volume = self.volume + (f"({self.number})" if self.number else "")
        return " ".join(filter(None, (self.container, volume))) + (f", {self.pages}" if self.pages else "")

    @property
    def page_range(self) -> tuple[str, str]:
        """The first and the last page; where the pages are no single range, all of them and nothing.

        Example:
            >>> Publication(pages="1452--1464").page_range, Publication(pages="7, 9-11").page_range
            (('1452', '1464'), ('7, 9-11', ''))
        """
        pages = self.pages.strip()
        parts = _DASHES.split(pages) if _DASHES.search(pages) else pages.split("-")
        single = len(parts) == 2 and all(parts) and not re.search("[,;+]", pages)
        return (parts[0].strip(), parts[1].strip()) if single else (pages, "")

    @property
    def first_page(self) -> str:
        """The first of the pages, wherever they go on."""
        return re.split(r"[-\u2010-\u2015,;+]", self.pages.strip(), maxsplit=1)[0].strip()

    @property
    def tidy(self) -> "Publication":
        r"""The same in one line each, with pages as all formats can state them.

        Example:
            >>> Publication(container="On\nunits", pages="1452 -- 1464").tidy.line
            'On units, 1452–1464'
        """
        stated: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        stated["pages"] = pages(*self.page_range)
        lines = {name: " ".join(part.split()) for name, part in stated.items() if isinstance(part, str)}
        return Publication(**stated | lines)


def pages(first: str, last: str) -> str:
    """Write a range of pages.

    Example:
        >>> pages("1452", "1464"), pages("S1-3", "S1-9"), pages("7", "")
        ('1452–1464', 'S1-3–S1-9', '7')
    """
    return "–".join(filter(None, (first, last if last != first else "")))


UNSTATED = Publication()
"""The publication of a work of which no source says where it was published."""

KINDS = ("article-journal", "paper-conference", "chapter", "book", "thesis", "report")
"""Types of https://docs.citationstyles.org/en/stable/specification.html#appendix-iii-types that are told apart."""
