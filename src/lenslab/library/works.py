"""What pages and commands ask the library: one work, its relations, its dates."""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db.models import Prefetch

from lenslab.library.errors import UnknownPaperError
from lenslab.library.models import Citation, SourceRecord, Work
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError
from lenslab.papers.paper import Paper, Version

if TYPE_CHECKING:
    from django.db.models import QuerySet

Direction = Literal["citing", "referenced"]


@dataclass(frozen=True, slots=True)
class Twin:
    """A work that is possibly the same as another, and was left apart.

    Attributes:
        key: its name in addresses.
        evidence: why it may be the same.
        title: its title.
    """

    key: str
    evidence: str
    title: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A row of a work's table: another work, and which of the two cites.

    Attributes:
        key: the other work's name in addresses.
        title: its title, with LaTeX as the source wrote it.
        authors: its authors; empty where no source names any.
        year: its year, where known.
        direction: ``citing`` if it cites the work, ``referenced`` if the work cites it.
        records: how many records of the sources were merged into it.
        evidence: why they were merged, one sentence for each merged record.
        sources: who says that the one cites the other.
        twins: works that are possibly the same.
        arxiv_id: its id at arXiv, where certain.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    direction: Direction
    records: int
    evidence: tuple[str, ...]
    sources: tuple[str, ...]
    twins: tuple[Twin, ...]
    arxiv_id: str | None


@dataclass(frozen=True, slots=True)
class DatedFact:
    """A date that a source gives for a work.

    Attributes:
        name: what happened, in the source's word: ``submitted``, ``published``, ``updated``.
        date: the day.
        source: who says so.
        note: what the source leaves open.
    """

    name: str
    date: dt.date
    source: str
    note: str = ""


def find_work(name: str) -> Work:
    """Finds a work by its name in the library.

    Args:
        name: an arXiv id in any usual form (a version is ignored), or a work's key.

    Raises:
        UnknownPaperError: there is none; the message names what is near and what to do.
    """
    asked = name.strip()
    names = {asked}
    try:
        names.add(ArxivId.parse(asked).base)
        is_id = True
    except ArxivIdError:
        is_id = False
    work = _described().filter(key__in=names).first() or _described().filter(arxiv_id__in=names).first()
    if work is None:
        raise UnknownPaperError(_unknown(asked, is_id=is_id))
    return work


def all_works() -> QuerySet[Work]:
    """Every work with its authors, newest first, then by title."""
    return _described().order_by("-year", "title", "pk")


def author_names(work: Work) -> tuple[str, ...]:
    """The authors' names in the work's order; no query where they were fetched with the work."""
    return tuple(author.name for author in work.authors.all())


def relations(work: Work) -> tuple[Relation, ...]:
    """The works that cite a work, and those that it cites, newest first, then by title.

    Six queries, however many rows there are.
    """
    rows = [
        *(_relation(edge, edge.citing, "citing") for edge in _edges(work, "citing")),
        *(_relation(edge, edge.cited, "referenced") for edge in _edges(work, "cited")),
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.year or 0), row.title.casefold(), row.key)))


def possible_twins(work: Work) -> tuple[Twin, ...]:
    """Works that are possibly the same as a work, and were left apart."""
    return _twins(list(work.source_records.order_by("pk")))


def dates(work: Work) -> tuple[DatedFact, ...]:
    """What each source says about when a work appeared, the earliest first."""
    found = []
    for record in work.source_records.order_by("pk"):
        for name in ("submitted", "published", "updated"):
            if name in record.facts:
                day = dt.date.fromisoformat(record.facts[name])
                found.append(DatedFact(name, day, record.source, str(record.facts.get("note", ""))))
    return tuple(sorted(found, key=lambda fact: (fact.date, fact.name)))


def paper(work: Work) -> Paper:
    """The work as a plain value, for citation formats, key terms and the summary."""
    return Paper(
        title=work.title,
        authors=author_names(work),
        year=work.year,
        arxiv_id=ArxivId.parse(work.arxiv_id) if work.arxiv_id else None,
        abstract=work.abstract,
        categories=tuple(work.categories),
        license_uri=work.license_uri,
        doi=work.doi,
        journal_reference=work.journal_reference,
        author_comments=work.author_comments,
        submitted=work.submitted,
        updated=work.updated,
        versions=tuple(
            Version(version["version"], dt.date.fromisoformat(version["created"]) if version.get("created") else None)
            for version in work.versions
        ),
    )


def _described() -> QuerySet[Work]:
    return Work.objects.prefetch_related("authors")


def _edges(work: Work, other: Literal["citing", "cited"]) -> QuerySet[Citation]:
    """The work's edges with the works at their other ends, and everything that a row shows of them."""
    ends = Citation.objects.filter(cited=work) if other == "citing" else Citation.objects.filter(citing=work)
    return ends.select_related(other).prefetch_related(
        f"{other}__authors", Prefetch("source_records", queryset=SourceRecord.objects.order_by("pk"))
    )


def _relation(edge: Citation, other: Work, direction: Direction) -> Relation:
    records = list(edge.source_records.all())
    return Relation(
        key=other.key,
        title=other.title,
        authors=author_names(other),
        year=other.year,
        direction=direction,
        records=len(records),
        evidence=tuple(record.merge_evidence for record in records if record.merge_evidence),
        sources=tuple(dict.fromkeys(record.source for record in records)),
        twins=_twins(records),
        arxiv_id=other.arxiv_id,
    )


def _twins(records: list[SourceRecord]) -> tuple[Twin, ...]:
    told = {twin["key"]: twin for record in records for twin in record.facts.get("possibly_the_same", [])}
    return tuple(Twin(twin["key"], twin["evidence"], twin["title"]) for twin in told.values())


def _unknown(asked: str, *, is_id: bool) -> str:
    shown = repr(asked if len(asked) <= 80 else asked[:77] + "...")
    near = _near(asked)
    if near:
        listed = " or ".join(repr(key) for key in near)
        return f"no paper {shown} in the library; did you mean {listed}?"
    if is_id:
        return (
            f"no paper {shown} in the library; read it at {ArxivId.parse(asked).url}, "
            "or begin with 1806.02891, which comes with lenslab"
        )
    return f"no paper {shown} in the library; name one by its arXiv id, for instance 1806.02891"


def _near(asked: str) -> list[str]:
    """Up to three keys like the one asked for: spelled alike, or of works whose title holds the words."""
    keys = Work.objects.values_list("key", flat=True).order_by("key")
    # Only names that begin alike are compared, so that a large library is not read through for a typing error.
    alike = difflib.get_close_matches(asked, [*keys.filter(key__startswith=asked[:2])[:5000]], n=3, cutoff=0.8)
    titled = keys.filter(title__icontains=asked)[:3] if len(asked) > 3 else []
    return list(dict.fromkeys([*alike, *titled]))[:3]
