"""The page of one work: its facts put into words, with its network, its study and its comments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.safestring import SafeString

from lenslab.library.graph.neighbourhood import neighbourhood
from lenslab.library.models import Work
from lenslab.library.paper_facts import PaperFacts
from lenslab.library.works import Relation
from lenslab.papers.citation_key import resolve_citation
from lenslab.papers.formats.bibtex_writer import bibtex
from lenslab.papers.paper import Paper
from lenslab.papers.summary.quick_summary import Summary
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.work import short_authors
from lenslab.web.addresses import work_address
from lenslab.web.models import Comment
from lenslab.web.network_picture import Picture, draw
from lenslab.web.safe_html import Resolve, running_text
from lenslab.web.study_panel import Panel, panel

# A row of the table names so many authors; the work's own page names all.
MOST_AUTHORS = 12


@dataclass(frozen=True)
class Date:
    """A date with its source, in words."""

    label: str
    iso: str
    text: str
    source: str


@dataclass(frozen=True)
class QuickSummary:
    """The quick summary: its sentences with the words of the abstract behind each, who made it, and a note on gaps.

    ``support`` is empty where the sentences are the abstract's own.
    """

    text: str
    how: str
    note: str
    support: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Term:
    """A key term, its score, the width of its bar in percent of the longest, and why it has its score."""

    term: str
    score: str
    width: float
    reason: str


@dataclass(frozen=True)
class Row:
    """A row of the table of citations and references."""

    key: str
    title: str
    authors: str
    year: int | None
    direction: str
    address: str
    sources: str
    influential: bool
    records: int
    evidence: tuple[str, ...]
    twins: tuple[tuple[str, str, str], ...]
    standing: str


@dataclass(frozen=True)
class PaperPage:
    """A work's page: its facts, and what the page makes of them; title and abstract are HTML, the rest plain text."""

    facts: PaperFacts
    title: SafeString
    kicker: str
    summary: QuickSummary | None
    dates: tuple[Date, ...]
    terms: tuple[Term, ...]
    classes: str
    abstract: SafeString
    bibtex: str
    study: Panel | None
    network: Picture
    rows: tuple[Row, ...]
    comments: tuple[Comment, ...]

    @property
    def newest(self) -> int | None:
        """The version that the page shows."""
        return self.facts.versions[-1].number if self.facts.versions else None

    @property
    def license_linked(self) -> bool:
        """Whether the license has an address on the web, as sources give them; anything else is shown as text."""
        license_ = self.facts.license
        return license_ is not None and license_.uri.lower().startswith(("http://", "https://"))

    @property
    def comment_count(self) -> int:
        """How many comments are shown."""
        return sum(not comment.hidden for comment in self.comments)


def gather(work: Work, *, chosen: str = "") -> PaperPage:
    """Gather everything that the page of a work says, with the study result that the reader chose by its name.

    The number of queries does not grow with the number of citations.
    """
    facts = PaperFacts(work)
    return PaperPage(
        facts=facts,
        title=running_text(work.title),
        kicker=_kicker(facts),
        summary=_quick(facts.summary) if facts.summary.text else None,
        dates=_dates(facts),
        terms=_terms(facts),
        classes=_classes(facts.paper),
        abstract=running_text(work.abstract, _resolver(facts.relations)),
        bibtex=bibtex(facts.paper),
        study=panel(work.key, chosen),
        network=draw(neighbourhood(work)),
        rows=tuple(map(_row, facts.relations)),
        comments=tuple(Comment.objects.filter(work=work).select_related("author")),
    )


def _kicker(facts: PaperFacts) -> str:
    name = f"arXiv:{facts.work.arxiv_id}" if facts.work.arxiv_id else ""
    subject = facts.categories[0].name if facts.categories else ""
    return " · ".join(part for part in (name, subject, str(facts.paper.year or "")) if part)


def _classes(paper: Paper) -> str:
    named = (("MSC", paper.msc_class), ("ACM", paper.acm_class))
    return "; ".join(f"{name} {classes}" for name, classes in named if classes)


def _dates(facts: PaperFacts) -> tuple[Date, ...]:
    """One line for each day; a work of which only the year is known has a line for that."""
    if not facts.days and facts.paper.year:
        return (Date("Year", str(facts.paper.year), str(facts.paper.year), ""),)
    return tuple(
        Date(
            ", ".join(day.names).capitalize(),
            day.date.isoformat(),
            _day(day.date),
            "; ".join(f"{source}: {note}" if note else source for source, note in day.sources),
        )
        for day in facts.days
    )


def _day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"


def _quick(summary: Summary) -> QuickSummary:
    """Put a summary and its provenance into words; whoever wrote it, a reader can see what it rests on."""
    support: tuple[tuple[str, str], ...] = ()
    if summary.method == "extractive":
        number = len(summary.sentences)
        many = {1: "one sentence", 2: "two sentences"}.get(number, f"{number} sentences")
        how = f"Extractive: {many} of the abstract, chosen by a program."
    else:
        support = tuple((sentence, span.text) for sentence, span in zip(summary.sentences, summary.spans, strict=True))
        of = f"the abstract of version {summary.version}" if summary.version else "the abstract"
        if summary.method == "tldr":
            how = f"Written by Semantic Scholar’s model (TLDR), and found to be supported by {of}."
        else:
            when = f" on {_day(summary.made.date())}" if summary.made else ""
            how = f"Written by the language model {summary.model} at {summary.host}{when}, and checked against {of}."
    note = f"{summary.note[0].upper()}{summary.note[1:]}." if summary.note else ""
    return QuickSummary(summary.text, how, note, support)


def _terms(facts: PaperFacts) -> tuple[Term, ...]:
    longest, terms = max((term.score for term in facts.terms), default=1.0), facts.terms
    return tuple(Term(one.term, f"{one.score:.3f}", round(100 * one.score / longest, 1), one.reason) for one in terms)


def _resolver(relations: tuple[Relation, ...]) -> Resolve:
    """Find out what the citation keys of this abstract mean, among the works that the paper references."""
    referenced = [relation for relation in relations if relation.direction == "referenced"]

    def resolve(key: str) -> tuple[str, str] | None:
        if (found := resolve_citation(key, referenced)) is None:
            return None
        words = ", ".join(part for part in (short_authors(found.authors), str(found.year or "")) if part)
        return words or plain_text(found.title), work_address(found.key)

    return resolve


def _row(relation: Relation) -> Row:
    named, more = relation.authors[:MOST_AUTHORS], len(relation.authors) - MOST_AUTHORS
    return Row(
        key=relation.key,
        title=plain_text(relation.title) or relation.key,
        authors=", ".join(named) + (f" and {more:,} more" if more > 0 else ""),
        year=relation.year,
        direction=relation.direction,
        address=work_address(relation.key),
        # A usual name is not broken over two lines.
        sources=", ".join(name.replace(" ", "\u00a0") if len(name) < 20 else name for name in relation.sources),
        influential=relation.influential,
        records=relation.records,
        evidence=relation.evidence,
        standing=relation.standing,
        twins=tuple((work_address(twin.key), plain_text(twin.title), twin.evidence) for twin in relation.twins),
    )
