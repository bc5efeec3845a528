"""Everything that the page of one work says, gathered from the library and put into words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.safestring import SafeString

from lenslab.library import summaries, vocabulary
from lenslab.library import works as library
from lenslab.library.graph.neighbourhood import neighbourhood
from lenslab.library.models import Work
from lenslab.library.works import DatedFact, Relation
from lenslab.papers.categories import Category, shown_once
from lenslab.papers.citation_key import resolve_citation
from lenslab.papers.formats.bibtex_writer import bibtex
from lenslab.papers.licenses import License, license_of_version
from lenslab.papers.paper import Paper
from lenslab.papers.summary.quick_summary import Summary
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.work import short_authors
from lenslab.web.addresses import work_address
from lenslab.web.models import Comment
from lenslab.web.network_picture import Picture, draw
from lenslab.web.safe_html import Resolve, running_text
from lenslab.web.study_results import Panel, panel

MOST_TERMS = 20
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
class Issue:
    """A version of the paper: its number, day and licence, and whether it withdraws the paper."""

    number: int
    iso: str
    day: str
    license: str
    withdrawn: bool


@dataclass(frozen=True)
class Quick:
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
    summary: Quick | None
    dates: tuple[Date, ...]
    versions: tuple[Issue, ...]
    categories: tuple[Category, ...]
    terms: tuple[Term, ...]
    license: License | None
    doi: str
    journal_reference: str
    remarks: str
    report_number: str
    classes: str
    abstract: SafeString
    bibtex: str
    study: Panel | None
    network: Picture
    citing_count: int
    referenced_count: int
    rows: tuple[Row, ...]
    coverage: tuple[str, ...]
    comments: tuple[Comment, ...]
    sources: tuple[str, ...]

    @property
    def newest(self) -> int | None:
        """The version that the page shows."""
        return self.versions[-1].number if self.versions else None

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
        work: A work of the library.
        chosen: The name of the study result that the reader asked for.

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
        summary=_quick(summaries.summary(work)) if paper.abstract else None,
        dates=_dates(library.dates(work)) or _own_dates(work),
        versions=_versions(paper),
        categories=categories,
        terms=_terms(paper),
        license=license_of_version(paper) if paper.license_uri or paper.arxiv_id else None,
        doi=work.doi,
        journal_reference=plain_text(work.journal_reference),
        remarks=plain_text(work.author_comments),
        report_number=work.report_number,
        classes=_classes(paper),
        abstract=running_text(work.abstract, _resolver(relations)),
        bibtex=bibtex(paper),
        study=panel(work.key, chosen),
        network=draw(surroundings),
        citing_count=surroundings.citing_total,
        referenced_count=surroundings.referenced_total,
        rows=tuple(_row(relation) for relation in relations),
        coverage=tuple(one.sentence for one in library.coverage(work)),
        comments=tuple(Comment.objects.filter(work=work).select_related("author")),
        sources=tuple(work.source_records.order_by("source").values_list("source", flat=True).distinct()),
    )


def _kicker(work: Work, categories: tuple[Category, ...]) -> str:
    name = f"arXiv:{work.arxiv_id}" if work.arxiv_id else ""
    subject = categories[0].name if categories else ""
    return " · ".join(part for part in (name, subject, str(work.year) if work.year else "") if part)


def _classes(paper: Paper) -> str:
    named = (("MSC", paper.msc_class), ("ACM", paper.acm_class))
    return "; ".join(f"{name} {classes}" for name, classes in named if classes)


def _dates(facts: tuple[DatedFact, ...]) -> tuple[Date, ...]:
    """Dates by day: what one source dates to one day stands on one line, and so do sources that say the same."""
    told: dict[tuple[dt.date, str], list[str]] = {}
    for fact in facts:
        source = f"{fact.source}: {fact.note}" if fact.note else fact.source
        told.setdefault((fact.date, source), []).append(fact.name)
    lines: dict[tuple[dt.date, tuple[str, ...]], list[str]] = {}
    for (day, source), names in told.items():
        lines.setdefault((day, tuple(names)), []).append(source)
    return tuple(
        Date(", ".join(names).capitalize(), day.isoformat(), _day(day), "; ".join(sources))
        for (day, names), sources in lines.items()
    )


def _own_dates(work: Work) -> tuple[Date, ...]:
    """What the work itself says, where no source record gives a day."""
    if work.submitted:
        return (Date("Submitted", work.submitted.isoformat(), _day(work.submitted), ""),)
    return (Date("Year", str(work.year), str(work.year), ""),) if work.year else ()


def _day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"


def _versions(paper: Paper) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            version.number,
            version.created.isoformat() if version.created else "",
            _day(version.created) if version.created else "",
            license_of_version(paper, version.number).short if version.license_uri else "",
            version.withdrawn,
        )
        for version in paper.versions
    )


def _quick(summary: Summary) -> Quick:
    """The summary with its provenance in words; whoever wrote it, a reader can see what it rests on."""
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
    return Quick(summary.text, how, note, support)


def _terms(paper: Paper) -> tuple[Term, ...]:
    """Key terms with their bars, weighed by the library's own papers where it holds enough of them."""
    terms = vocabulary.key_terms(paper, limit=MOST_TERMS)
    longest = max((term.score for term in terms), default=1.0)
    return tuple(
        Term(term.term, f"{term.score:.3f}", round(100 * term.score / longest, 1), term.reason) for term in terms
    )


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
        twins=tuple((work_address(twin.key), plain_text(twin.title), twin.evidence) for twin in relation.twins),
    )
