"""A paper as arXiv describes it: the whole record, whichever source it came through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from lenslab.papers.arxiv_id import ArxivId


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a paper.

    Attributes:
        number: counted from 1.
        created: the day on which it was submitted.
        license_uri: the licence under which this version was submitted; empty where no source says.
        size: how large its source is, as arXiv writes it, for instance ``14kb``.
        source_type: arXiv's letters for what was submitted, for instance ``D`` for PDFLaTeX; ``I`` says withdrawn.
    """

    number: int
    created: dt.date | None = None
    license_uri: str = ""
    size: str = ""
    source_type: str = ""

    @property
    def withdrawn(self) -> bool:
        """Whether this version withdraws the paper.

        >>> Version(2, source_type="I").withdrawn
        True
        """
        return "I" in self.source_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper's metadata. Titles and abstracts hold LaTeX as the author typed it.

    Attributes:
        title: the title.
        authors: the names in the paper's order.
        year: the year in which it first appeared, where known.
        arxiv_id: its name at arXiv, where it has one.
        abstract: the abstract; empty where none is known.
        categories: arXiv's category ids, the primary one first.
        license_uri: the licence of the newest version; empty where unknown.
        doi: the DOI of the published article; empty where none is known.
        journal_reference: where it was published, in the author's words.
        author_comments: what arXiv calls comments.
        report_number: the number under which an institution reported it.
        msc_class: its Mathematics Subject Classification.
        acm_class: its classification by the ACM.
        submitted: the day of version 1.
        updated: the day of the newest version.
        versions: every version, oldest first.

    >>> Paper(title="On units", authors=("Ada Lovelace",), categories=("cs.CV", "cs.LG")).primary_category
    'cs.CV'
    """

    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    arxiv_id: ArxivId | None = None
    abstract: str = ""
    categories: tuple[str, ...] = ()
    license_uri: str = ""
    doi: str = ""
    journal_reference: str = ""
    author_comments: str = ""
    report_number: str = ""
    msc_class: str = ""
    acm_class: str = ""
    submitted: dt.date | None = None
    updated: dt.date | None = None
    versions: tuple[Version, ...] = ()

    @property
    def primary_category(self) -> str | None:
        """The category under which arXiv announced the paper."""
        return self.categories[0] if self.categories else None
