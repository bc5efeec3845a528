"""What pages and commands ask the library: one work, its relations, its dates."""

from __future__ import annotations

import datetime as dt
import difflib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenslab.library import bulk_rows, shipped_records
from lenslab.library.errors import UnknownPaperError
from lenslab.library.models import Assertion, Citation, Direction, Listing, Merge, PossibleTwin, Work
from lenslab.library.stored_records import parse_record, unpack
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.doi import Doi
from lenslab.papers.errors import ArxivIdError, DoiError
from lenslab.papers.paper import Paper, Version
from lenslab.papers.publication import Publication
from lenslab.papers.sources.record_parsers import PARSERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class Twin:
    """A work that is possibly the same as another, and was left apart."""

    key: str
    evidence: str
    title: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A row of a work's table: another work, and which of the two cites.

    Attributes:
        title: With LaTeX as the source wrote it.
        direction: ``citing`` if it cites the work, ``referenced`` if the work cites it.
        records: How many records of the sources were merged into it.
        evidence: Why they were merged, one sentence for each merged record.
        sources: Who says that the one cites the other.
        twins: Works that are possibly the same.
        standing: ``retracted`` or ``withdrawn`` where it stands no more.
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
    influential: bool = False
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a source's list of citations or references is in the library.

    Attributes:
        reported: How many the source says there are; ``None`` where it does not say.
        held: How many of them the library holds, as works: records that were merged count once.
        complete: Whether the source's list was read to its end.
        note: What is known about a gap; empty where there is nothing to say.
    """

    source: str
    direction: Direction
    reported: int | None
    held: int
    complete: bool
    note: str

    @property
    def sentence(self) -> str:
        """The gap, or that there is none, as a reader reads it.

        Example:
            >>> Coverage("Semantic Scholar", "citing", 133, 113, True, "").sentence
            'Semantic Scholar reports 133 citations, we hold 113.'
        """
        what = "citations" if self.direction == "citing" else "references"
        reports = f"{self.source} reports {self.reported:,} {what}" if self.reported is not None else (
            f"{self.source} does not say how many {what} there are")  # fmt: skip
        end = "" if self.complete else "; its list has not been read to the end"
        return f"{reports}, we hold {self.held:,}{end}{'; ' + self.note if self.note else ''}."


@dataclass(frozen=True, slots=True)
class DatedFact:
    """A day on which a source says a work was ``submitted``, ``published`` or ``updated``, and what it leaves open."""

    name: str
    date: dt.date
    source: str
    note: str = ""


def find_work(name: str) -> Work:
    """Find a work by its arXiv id in any usual form (a version is ignored), DOI, or key, of today or of before.

    Raises:
        UnknownPaperError: There is none; the message names what is near and what to do.
    """
    name = name.strip()
    names = {name}
    try:
        names.add(ArxivId.parse(name).base)
        is_id = True
    except ArxivIdError:
        is_id = False
    work = (
        Work.objects.filter(key__in=names).first()
        or Work.objects.filter(arxiv_id__in=names).first()
        or Work.objects.filter(former_keys__key__in=names).order_by("former_keys__pk").first()
        or by_doi(name)
    )
    if work is None:
        raise UnknownPaperError(_unknown(name, is_id=is_id))
    return work if work.merged_into is None else work.merged_into


def by_doi(name: str) -> Work | None:
    """Find the work of that DOI; none for a name that is not one."""
    try:
        doi = Doi.parse(name)
    except DoiError:
        return None
    return Work.objects.filter(source_records__identifiers__name=f"doi:{doi.name}").first()


def all_works() -> QuerySet[Work]:
    """Query every work, newest first, then by title."""
    return Work.objects.filter(merged_into=None).order_by("-year", "title", "pk")


def number_of_works() -> int:
    """Count the works; two indexes answer that, where counting ``all_works`` reads every row."""
    return Work.objects.count() - Work.objects.filter(merged_into__isnull=False).count()


def relations(work: Work) -> tuple[Relation, ...]:
    """List the works that cite a work, and those that it cites, newest first, then by title.

    Eight queries, however many rows there are.
    """
    rows = [*_side(work, "citing"), *_side(work, "referenced")]
    return tuple(sorted(rows, key=lambda row: (-(row.year or 0), row.title.casefold(), row.key)))


def possible_twins(work: Work) -> tuple[Twin, ...]:
    """List works that are possibly the same as a work, and were left apart."""
    return _twins([work.pk]).get(work.pk, ())


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Two works that are possibly the same, by their keys and titles, and were left apart."""

    one: str
    other: str
    titles: tuple[str, str]
    evidence: str


def doubtful(works: Iterable[int] | None = None) -> list[Doubtful]:
    """List pairs of works that are possibly the same, each once: those of some works, or all of the library."""
    living = PossibleTwin.objects.filter(work__merged_into=None, other__merged_into=None)
    chosen = [living] if works is None else [living.filter(work__in=part) for part in bulk_rows.batched(works)]
    columns = "pk", "work_id", "other_id", "work__key", "other__key", "work__title", "other__title", "evidence"
    found: dict[frozenset[int], tuple[int, Doubtful]] = {}
    for notes in chosen:
        for pk, one, other, *keys, title, other_title, evidence in notes.values_list(*columns).order_by("pk"):
            found.setdefault(frozenset((one, other)), (pk, Doubtful(keys[0], keys[1], (title, other_title), evidence)))
    return [pair for _, pair in sorted(found.values(), key=lambda noted: noted[0])]


def coverage(work: Work) -> tuple[Coverage, ...]:
    """List what each source reports of a work's citations and references, and how much the library holds."""
    found = []
    for listing in Listing.objects.filter(record__work=work).select_related("record").order_by("direction", "pk"):
        side = "cited_record" if listing.direction == "citing" else "citing_record"
        asserted = Assertion.objects.filter(**{side: listing.record_id}, source=listing.record.source)
        held = asserted.exclude(citation=None).values("citation").distinct().count()
        direction: Direction = "citing" if listing.direction == "citing" else "referenced"
        found.append(Coverage(listing.record.source, direction, listing.reported, held, listing.complete, listing.note))
    return tuple(found)


def dates(work: Work) -> tuple[DatedFact, ...]:
    """List what each source says about when a work appeared, the earliest first."""
    found = []
    for record in work.source_records.order_by("pk"):
        if record.source in PARSERS:
            parsed = parse_record(record.source, record.content).paper
            days = {"submitted": parsed.submitted, "updated": parsed.updated}
            found += [DatedFact(name, day, record.source) for name, day in days.items() if day is not None]
            continue
        facts = shipped_records.facts(unpack(record.content))
        for name in ("submitted", "published", "updated"):
            if name in facts:
                day = dt.date.fromisoformat(facts[name])
                found.append(DatedFact(name, day, record.source, str(facts.get("note", ""))))
    return tuple(sorted(found, key=lambda fact: (fact.date, fact.name)))


def retracted_by(work: Work) -> tuple[str, ...]:
    """List who says that a work was retracted: sources, and the files of bibliographies by their names."""
    if work.standing != "retracted":
        return ()
    records = work.source_records.filter(source__in=PARSERS).order_by("pk").values_list("source", "locator", "content")
    said = ((source, locator) for source, locator, content in records if parse_record(source, content).paper.retracted)
    return tuple(dict.fromkeys(locator.rpartition(": ")[0] or source for source, locator in said))


def paper(work: Work) -> Paper:
    """Give the work as a plain value, for citation formats, key terms and the summary."""
    other: dict[str, Any] = {
        "authors": tuple(work.authors),
        "arxiv_id": ArxivId.parse(work.arxiv_id) if work.arxiv_id else None,
        "categories": tuple(work.categories),
        "versions": tuple(map(_version, work.versions)),
        "publication": publication(work),
        "retracted": work.standing == "retracted",
    }
    return Paper(**{name: getattr(work, name) for name in Paper.__dataclass_fields__ if name not in other}, **other)


def publication(work: Work) -> Publication:
    """Give as what and where it was published."""
    stated = work.publication or {}
    return Publication(**stated | {"editors": tuple(stated.get("editors", ()))})


def _version(kept: dict[str, Any]) -> Version:
    created = dt.date.fromisoformat(kept["created"]) if kept.get("created") else None
    return Version(kept["number"], created, *(kept.get(name, "") for name in ("license_uri", "size", "source_type")))


def _side(work: Work, direction: Direction) -> list[Relation]:
    """Read one direction of a work's table, in three queries."""
    own, other = ("cited", "citing") if direction == "citing" else ("citing", "cited")
    edges = Citation.objects.filter(**{own: work}).values_list(
        "pk", f"{other}_id", f"{other}__key", f"{other}__title", f"{other}__authors", f"{other}__year",
        f"{other}__arxiv_id", f"{other}__standing", "influential",
    )  # fmt: skip
    asserted: dict[int, list[tuple[str, str]]] = defaultdict(list)
    assertions = Assertion.objects.filter(**{f"citation__{own}": work}).order_by(f"{other}_record")
    for edge, source, evidence in assertions.values_list("citation", "source", f"{other}_record__evidence"):
        asserted[edge].append((source, evidence))
    rows = list(edges)
    twins = _twins(pk for _, pk, *_ in rows)
    merged = _merge_evidence(pk for _, pk, *_ in rows)
    return [
        Relation(
            key=key,
            title=title,
            authors=tuple(authors),
            year=year,
            direction=direction,
            records=len(asserted[edge]),
            evidence=(*(evidence for _, evidence in asserted[edge] if evidence), *merged.get(pk, ())),
            sources=tuple(dict.fromkeys(source for source, _ in asserted[edge])),
            twins=twins.get(pk, ()),
            arxiv_id=arxiv_id,
            influential=influential,
            standing=standing or "",
        )
        for edge, pk, key, title, authors, year, arxiv_id, standing, influential in rows
    ]


def _twins(works: Iterable[int]) -> dict[int, tuple[Twin, ...]]:
    found: dict[int, tuple[Twin, ...]] = {}
    notes = PossibleTwin.objects.filter(work__in=list(works)).values_list(
        "pk", "work", "other__key", "evidence", "other__title", "other__merged_into"
    )
    # Asked for works that are merged into none, SQLite would begin with those, which are nearly all that it holds.
    for _, pk, key, evidence, title, merged_into in sorted(notes, key=lambda note: note[0]):
        if merged_into is None:
            found[pk] = (*found.get(pk, ()), Twin(key, evidence, title))
    return found


def _merge_evidence(works: Iterable[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for pk, evidence in Merge.objects.filter(work__in=list(works), undone=None).values_list("work", "evidence"):
        found[pk] = (*found.get(pk, ()), evidence)
    return found


def _unknown(name: str, *, is_id: bool) -> str:
    shown = repr(name if len(name) <= 80 else name[:77] + "...")
    if near := _near(name):
        return f"no paper {shown} in the library; did you mean {' or '.join(map(repr, near))}?"
    if is_id:
        own = ArxivId.parse(name)
        return f"no paper {shown} in the library; add it with: lenslab paper add {own.base}, or read it at {own.url}"
    return f"no paper {shown} in the library; name one by its arXiv id, for instance 1806.02891"


def _near(name: str) -> list[str]:
    """Find up to three keys near a name: spelled alike, or of works whose title holds the words."""
    keys = Work.objects.values_list("key", flat=True).order_by("key")
    # Only names that begin alike are compared, so that a large library is not read through for a typing error.
    alike = difflib.get_close_matches(name, [*keys.filter(key__startswith=name[:2])[:5000]], n=3, cutoff=0.8)
    titled = keys.filter(title__icontains=name)[:3] if len(name) > 3 else []
    return list(dict.fromkeys([*alike, *titled]))[:3]
