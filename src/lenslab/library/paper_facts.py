"""The facts about one work that its page, the commands and their JSON show, each worked out here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lenslab.library import summaries, vocabulary, works
from lenslab.library.works import DatedFact
from lenslab.papers.categories import shown_once
from lenslab.papers.licenses import license_of_version
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from lenslab.library.models import Work
    from lenslab.library.works import Coverage, Relation
    from lenslab.papers.categories import Category
    from lenslab.papers.licenses import License
    from lenslab.papers.paper import Paper
    from lenslab.papers.summary.quick_summary import Summary
    from lenslab.papers.terms.key_terms import Style, Term

MOST_TERMS = 20


@dataclass(frozen=True, slots=True)
class Day:
    """What happened to a work on one day, and the sources with what each leaves open; none for what the work says."""

    date: dt.date
    names: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LicensedVersion:
    """A version of a paper, counted from 1, with its own licence where a source states one."""

    number: int
    created: dt.date | None
    license: License | None
    withdrawn: bool


@dataclass(frozen=True)
class PaperFacts:
    """One work as readers are shown it; a fact is asked of the library when it is first read, and then kept."""

    work: Work

    @cached_property
    def paper(self) -> Paper:
        """The work as a plain value."""
        return works.paper(self.work)

    @cached_property
    def title(self) -> str:
        """The title as plain text."""
        return plain_text(self.paper.title)

    @cached_property
    def authors(self) -> tuple[str, ...]:
        """The authors' names as plain text, in the work's order."""
        return tuple(map(plain_text, self.paper.authors))

    @cached_property
    def journal_reference(self) -> str:
        """Where it was published, as plain text."""
        return plain_text(self.paper.journal_reference)

    @cached_property
    def people(self) -> str:
        """Who wrote or edited the work, in one line; empty where nobody is named."""
        names = ", ".join(self.authors)
        return f"{names} (editor{'s' if len(self.authors) > 1 else ''})" if self.paper.publication.edited else names

    @cached_property
    def publication(self) -> tuple[tuple[str, str], ...]:
        """What is known of the publication beside its reference: names and what they are."""
        stated = self.paper.publication
        editors = ", ".join(map(plain_text, stated.editors))
        publisher = {"thesis": "School", "report": "Institution"}.get(stated.kind, "Publisher")
        facts = ((publisher, stated.publisher), ("Edition", stated.edition), ("Series", stated.series))
        return tuple((name, text) for name, text in (("Edited by", editors), *facts, ("ISBN", stated.isbn)) if text)

    @cached_property
    def standing(self) -> str:
        """What became of the work, in a sentence; empty for one that stands."""
        if self.paper.standing == "retracted":
            sources = " and ".join(works.retracted_by(self.work))
            return f"This work was retracted, according to {sources}." if sources else "This work was retracted."
        if self.paper.standing == "withdrawn":
            return f"This paper was withdrawn from arXiv by its version {self.paper.versions[-1].number}."
        return ""

    @cached_property
    def comments(self) -> str:
        """What arXiv calls comments, as plain text."""
        return plain_text(self.paper.author_comments)

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        """The categories, the primary one first, each subject once."""
        return shown_once(self.paper.categories)

    @cached_property
    def versions(self) -> tuple[LicensedVersion, ...]:
        """Every version, oldest first."""
        return tuple(
            LicensedVersion(
                one.number,
                one.created,
                license_of_version(self.paper, one.number) if one.license_uri else None,
                one.withdrawn,
            )
            for one in self.paper.versions
        )

    @cached_property
    def license(self) -> License | None:
        """The licence of the newest version; ``None`` for a work that is not at arXiv and of which nobody names one."""
        paper = self.paper
        return license_of_version(paper) if paper.license_uri or paper.arxiv_id else None

    @cached_property
    def dates(self) -> tuple[DatedFact, ...]:
        """What each source says about when it appeared, the earliest first; where none does, the work's own day."""
        submitted = self.paper.submitted
        own = (DatedFact("submitted", submitted, ""),) if submitted else ()
        return works.dates(self.work) or own

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """The dates, day by day."""
        return by_day(self.dates)

    @cached_property
    def summary(self) -> Summary:
        """The quick summary with its provenance; empty for a work without an abstract."""
        return summaries.summary(self.work)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The key terms that the page shows."""
        return self.key_terms()

    def key_terms(self, *, style: Style = "phrases", limit: int = MOST_TERMS) -> tuple[Term, ...]:
        """Give the key terms, weighed by the library's own papers where it holds enough of them."""
        return vocabulary.key_terms(self.paper, style=style, limit=limit)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The works that cite it, and those that it cites."""
        return works.relations(self.work)

    @cached_property
    def coverage(self) -> tuple[Coverage, ...]:
        """What each source reports of its citations and references, and how much of it the library holds."""
        return works.coverage(self.work)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources that have a record of it."""
        return tuple(self.work.source_records.order_by("source").values_list("source", flat=True).distinct())


def by_day(facts: Iterable[DatedFact]) -> tuple[Day, ...]:
    """Put dates together: what one source dates to one day, then the sources that say the same of it.

    Example:
        >>> import datetime as dt
        >>> day = dt.date(2018, 6, 7)
        >>> by_day([DatedFact("submitted", day, "arXiv"), DatedFact("updated", day, "arXiv")])[0].names
        ('submitted', 'updated')
    """
    names: dict[tuple[dt.date, str, str], list[str]] = {}
    for fact in facts:
        names.setdefault((fact.date, fact.source, fact.note), []).append(fact.name)
    sources: dict[tuple[dt.date, tuple[str, ...]], list[tuple[str, str]]] = {}
    for (day, source, note), happened in names.items():
        sources.setdefault((day, tuple(happened)), []).append((source, note))
    return tuple(
        Day(day, happened, tuple(one for one in stated if one[0])) for (day, happened), stated in sources.items()
    )
