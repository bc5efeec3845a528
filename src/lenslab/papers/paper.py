"""A paper as arXiv describes it: the whole record, whichever source it came through."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.publication import UNSTATED, Publication

Standing = Literal["", "withdrawn", "retracted"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a paper.

    Attributes:
        number: Counted from 1.
        created: The day on which it was submitted.
        license_uri: The licence under which this version was submitted; empty where no source says.
        size: How large its source is, as arXiv writes it, for instance ``14kb``.
        source_type: ArXiv's letters for what was submitted, for instance ``D`` for PDFLaTeX; ``I`` says withdrawn.
    """

    number: int
    created: dt.date | None = None
    license_uri: str = ""
    size: str = ""
    source_type: str = ""

    @property
    def withdrawn(self) -> bool:
        """Whether this version withdraws the paper.

        Example:
            >>> Version(2, source_type="I").withdrawn
            True
        """
        return "I" in self.source_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper's metadata. Titles and abstracts hold LaTeX as the author typed it.

    Attributes:
        title: The title.
        authors: The names in the paper's order.
        year: The year in which it first appeared, where known.
        arxiv_id: Its name at arXiv, where it has one.
        abstract: The abstract; empty where none is known.
        categories: ArXiv's category ids, the primary one first.
        license_uri: The licence of the newest version; empty where unknown.
        doi: The DOI of the published article; empty where none is known.
        journal_reference: Where it was published, in one line; at arXiv in the author's words.
        publication: As what and where it was published, in parts.
        retracted: Whether a source says that the publication was retracted.
        author_comments: What arXiv calls comments.
        report_number: The number under which an institution reported it.
        msc_class: Its Mathematics Subject Classification.
        acm_class: Its classification by the ACM.
        submitted: The day of version 1.
        updated: The day of the newest version.
        versions: Every version, oldest first.

    Example:
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
    publication: Publication = UNSTATED
    retracted: bool = False
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

    @property
    def standing(self) -> Standing:
        """What became of it: ``retracted``, ``withdrawn`` from arXiv by its newest version, or empty.

        Example:
            >>> Paper(title="On units", versions=(Version(1), Version(2, source_type="I"))).standing
            'withdrawn'
        """
        if self.retracted:
            return "retracted"
        return "withdrawn" if self.versions and self.versions[-1].withdrawn else ""

    @property
    def cited_year(self) -> int | None:
        """The year under which it is cited: that of its publication, else that in which it first appeared."""
        return self.publication.year or self.year

    @property
    def cited_day(self) -> dt.date | None:
        """The day of the first version, where the work is cited as what appeared then."""
        submitted = self.submitted
        return submitted if submitted and not self.publication.year and submitted.year == self.year else None

    @property
    def cited_kind(self) -> str:
        """As what it is cited, by the types of CSL: ``article`` for a preprint, ``article-journal`` in a journal.

        Example:
            >>> Paper(title="On units").cited_kind, Paper(title="On units", journal_reference="TPAMI 40").cited_kind
            ('article', 'article-journal')
        """
        published = bool(self.journal_reference or self.publication.container)
        return self.publication.kind or ("article-journal" if published else "article")
