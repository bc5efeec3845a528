"""Everything that the page of one work says, gathered from the library and put into words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from django.utils.safestring import SafeString

from lenslab.library import works as library
from lenslab.library.models import Work
from lenslab.library.neighbourhood import neighbourhood
from lenslab.library.works import DatedFact, Relation
from lenslab.papers.bibtex import bibtex
from lenslab.papers.categories import Category, shown_once
from lenslab.papers.citations import resolve_citation
from lenslab.papers.latex import plain_text
from lenslab.papers.licenses import License, license_of
from lenslab.papers.paper import Paper
from lenslab.papers.summary import summarize
from lenslab.papers.terms import paper_terms
from lenslab.papers.work import short_authors
from lenslab.web.addresses import work_address
from lenslab.web.html import Resolve, running_text
from lenslab.web.models import Comment
from lenslab.web.network import Picture, draw
from lenslab.web.studied import Panel, panel

MOST_TERMS = 20


@dataclass(frozen=True)
class Date:
    """A date with its source, in words."""

    label: str
    iso: str
    text: str
    source: str


@dataclass(frozen=True)
class Term:
    """A key term, its score, and the width of its bar in percent of the longest."""

    term: str
    score: str
    width: float


@dataclass(frozen=True)
class Row:
    """A row of the table of citations and references."""

    key: str
    title: str
    authors: str
    year: int | None
    direction: str
    address: str
    records: int
    evidence: tuple[str, ...]
    twins: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Page:
    """A work's page: plain texts, which the templates escape, but for title and abstract, which are HTML.

    Attributes are named for what the page calls them.
    """

    pk: int
    arxiv_id: str | None
    plain_title: str
    title: SafeString
    kicker: str
    authors: tuple[str, ...]
    summary: str
    dates: tuple[Date, ...]
    categories: tuple[Category, ...]
    terms: tuple[Term, ...]
    license: License | None
    doi: str
    journal_reference: str
    remarks: str
    abstract: SafeString
    bibtex: str
    study: Panel | None
    network: Picture
    citing_count: int
    referenced_count: int
    rows: tuple[Row, ...]
    comments: tuple[Comment, ...]
    sources: tuple[str, ...]

    @property
    def license_linked(self) -> bool:
        """Whether the license has an address on the web, as sources give them; anything else is shown as text."""
        return self.license is not None and self.license.uri.lower().startswith(("http://", "https://"))

    @property
    def comment_count(self) -> int:
        """How many comments are shown."""
        return sum(not comment.hidden for comment in self.comments)


def gather(work: Work, *, chosen: str = "") -> Page:
    """Gather everything that the page of a work says.

    Args:
        work: a work of the library.
        chosen: the name of the study result that the reader asked for.

    Returns:
        The page, in words. The number of queries does not grow with the number of citations.
    """
    paper = library.paper(work)
    relations = library.relations(work)
    surroundings = neighbourhood(work)
    categories = shown_once(paper.categories)
    return Page(
        pk=work.pk,
        arxiv_id=work.arxiv_id,
        plain_title=plain_text(work.title),
        title=running_text(work.title),
        kicker=_kicker(work, categories),
        authors=paper.authors,
        summary=summarize(paper.abstract).text if paper.abstract else "",
        dates=_dates(library.dates(work)) or _own_dates(work),
        categories=categories,
        terms=_terms(paper),
        license=license_of(paper.license_uri) if paper.license_uri or paper.arxiv_id else None,
        doi=work.doi,
        journal_reference=plain_text(work.journal_reference),
        remarks=plain_text(work.author_comments),
        abstract=running_text(work.abstract, _resolver(relations)),
        bibtex=bibtex(paper),
        study=panel(work.key, chosen),
        network=draw(surroundings),
        citing_count=surroundings.citing_total,
        referenced_count=surroundings.referenced_total,
        rows=tuple(_row(relation) for relation in relations),
        comments=tuple(Comment.objects.filter(work=work).select_related("author")),
        sources=tuple(work.source_records.order_by("source").values_list("source", flat=True).distinct()),
    )


def _kicker(work: Work, categories: tuple[Category, ...]) -> str:
    name = f"arXiv:{work.arxiv_id}" if work.arxiv_id else ""
    subject = categories[0].name if categories else ""
    return " · ".join(part for part in (name, subject, str(work.year) if work.year else "") if part)


def _dates(facts: tuple[DatedFact, ...]) -> tuple[Date, ...]:
    """Dates by day and source: what one source dates to one day stands on one line."""
    lines: dict[tuple[dt.date, str], list[str]] = {}
    for fact in facts:
        source = f"{fact.source}: {fact.note}" if fact.note else fact.source
        lines.setdefault((fact.date, source), []).append(fact.name)
    return tuple(
        Date(", ".join(names).capitalize(), day.isoformat(), _day(day), source)
        for (day, source), names in lines.items()
    )


def _own_dates(work: Work) -> tuple[Date, ...]:
    """What the work itself says, where no source record gives a day."""
    if work.submitted:
        return (Date("Submitted", work.submitted.isoformat(), _day(work.submitted), ""),)
    return (Date("Year", str(work.year), str(work.year), ""),) if work.year else ()


def _day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"


@lru_cache(maxsize=512)
def _terms(paper: Paper) -> tuple[Term, ...]:
    """Key terms with their bars; kept, because the same text always gives the same terms."""
    if not paper.abstract:
        return ()
    terms = paper_terms(paper, limit=MOST_TERMS)
    longest = max((term.score for term in terms), default=1.0)
    return tuple(Term(term.term, f"{term.score:.3f}", round(100 * term.score / longest, 1)) for term in terms)


def _resolver(relations: tuple[Relation, ...]) -> Resolve:
    """What the citation keys of this abstract mean, among the works that the paper references."""
    referenced = [relation for relation in relations if relation.direction == "referenced"]

    def resolve(key: str) -> tuple[str, str] | None:
        found = resolve_citation(key, referenced)
        if found is None:
            return None
        words = ", ".join(part for part in (short_authors(found.authors), str(found.year or "")) if part)
        return words or plain_text(found.title), work_address(found.key)

    return resolve


def _row(relation: Relation) -> Row:
    return Row(
        key=relation.key,
        title=plain_text(relation.title),
        authors=", ".join(relation.authors),
        year=relation.year,
        direction=relation.direction,
        address=work_address(relation.key),
        records=relation.records,
        evidence=relation.evidence,
        twins=tuple((work_address(twin.key), plain_text(twin.title), twin.evidence) for twin in relation.twins),
    )
