"""Which work does a record speak of: by arXiv id, by other identifiers, else by title, authors and year."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection

from lenslab.library import bulk_rows
from lenslab.library.intake import duplicate_rule
from lenslab.library.intake.matching_hashes import MatchingHashes, matching_hashes
from lenslab.library.stored_records import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenslab.papers.description import Description

_SCHEMES = {"S2": "s2", "CorpusId": "corpus", "OpenAlex": "openalex", "DBLP": "dblp", "MAG": "mag", "PubMed": "pubmed",
            "PubMedCentral": "pmc", "ACL": "acl"}  # fmt: skip
# Who has so many works that are alike says nothing about one of them.
_MOST_CANDIDATES = 2000


@dataclass(frozen=True, slots=True)
class Known:
    """A work that a record may speak of."""

    pk: int
    arxiv_id: str | None
    title: str
    authors: tuple[str, ...]
    year: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """What was found out about a record: the work that it speaks of, if the library has it, and the evidence.

    Attributes:
        bridges: Further works that the record shows to be the same, each with the evidence.
        twins: Works that are possibly the same, each with the evidence.
    """

    work: int | None
    evidence: str = ""
    bridges: tuple[tuple[int, str], ...] = ()
    twins: tuple[tuple[int, str], ...] = ()


def identifiers(description: Description) -> list[str]:
    """List the names by which other sources may know the work: its DOI, and what else the source gives.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> from lenslab.papers.description import Description
        >>> paper = Paper(title="On units", doi="10.1145/3394486")
        >>> identifiers(Description(source="OpenAlex", locator="W1", paper=paper, names={"MAG": "2"}))
        ['doi:10.1145/3394486', 'mag:2']
    """
    found = [f"doi:{description.paper.doi.lower()}"] if description.paper.doi else []
    found += [f"{_SCHEMES.get(scheme, scheme.lower())}:{value}" for scheme, value in description.names.items() if value]
    return [name[:320] for name in found]


class Matcher:
    """Finds the works of many records with few queries; works that the records themselves add are found too."""

    def __init__(self, descriptions: Sequence[Description]) -> None:
        self._hashes = {id(description): matching_hashes(description.paper) for description in descriptions}
        self._identifiers = {id(description): identifiers(description) for description in descriptions}
        self._works: dict[int, Known] = {}
        self._arxiv: dict[str, int] = {}
        self._names: dict[str, list[int]] = defaultdict(list)
        self._titles: dict[int, list[int]] = defaultdict(list)
        self._people: dict[int, list[int]] = defaultdict(list)
        self._coined: dict[int, list[int]] = defaultdict(list)
        # What records say: of works in the library where it was asked for, and of these records where they were added.
        self._told: dict[int, list[Description]] = {}
        self._fresh: dict[int, list[Description]] = defaultdict(list)
        self._load(descriptions)

    def match(self, description: Description) -> Match:
        """Find the work that a record is about; those with different arXiv ids are never one, whatever they share."""
        own = description.paper.arxiv_id.base if description.paper.arxiv_id else None
        named: dict[int, str] = {}
        if own is not None and own in self._arxiv:
            named[self._arxiv[own]] = f"same arXiv id {own}"
        for name in self._identifiers[id(description)]:
            for pk in self._names.get(name, ()):
                if pk not in named and self._may_be(own, pk):
                    named[pk] = f"same {_readable(name)}"
        # A name can be stated wrongly, or be that of the book that a chapter is in.
        misnamed = {pk for pk in named if not duplicate_rule.may_be_one(description.paper, self._works[pk])}
        doubtful = {pk: f"{named.pop(pk)}; but other titles and authors" for pk in misnamed}
        same, possible = self._alike(description, own, named)
        possible |= doubtful
        found = {**named, **same}
        # An arXiv paper that the record names comes first, then the work that the library has had for longest; what it
        # names says more than what is only alike.
        order = sorted(found, key=lambda pk: (self._works[pk].arxiv_id is None, pk))
        order.sort(key=lambda pk: pk in same)
        kept: list[int] = []
        for pk in order:
            # A record may be like two works that are not one, as a preprint is like both parts of what became of it.
            others = (other for each in kept for other in self._records(each)) if pk in same else ()
            if against := next(filter(None, (self._against(other, pk) for other in others)), ""):
                possible[pk] = f"{found[pk]}; but {against}"
            elif not kept or self._may_be(self._works[kept[0]].arxiv_id, pk):
                kept.append(pk)
        twins = tuple((pk, words) for pk, words in possible.items() if pk not in kept)
        if not kept:
            return Match(None, twins=twins)
        first, *further = sorted(kept, key=lambda pk: (self._works[pk].arxiv_id is None, pk))
        return Match(first, found[first], tuple((pk, found[pk]) for pk in further), twins)

    def hashes_of(self, description: Description) -> MatchingHashes:
        """Give the hashes of a record that was given at the start."""
        return self._hashes[id(description)]

    def add(self, pk: int, description: Description) -> None:
        """Let later records find a work that this record belongs to."""
        paper = description.paper
        self._fresh[pk].append(description)
        known = self._works.get(pk)
        arxiv_id = paper.arxiv_id.base if paper.arxiv_id else None
        if known is None or (known.arxiv_id is None and arxiv_id):
            self._know(Known(pk, arxiv_id, paper.title, paper.authors, paper.year), self.hashes_of(description))
        for name in self._identifiers[id(description)]:
            if pk not in self._names[name]:
                self._names[name].append(pk)

    def _alike(
        self, description: Description, own: str | None, named: dict[int, str]
    ) -> tuple[dict[int, str], dict[int, str]]:
        """Find works that are the same, and works that are possibly the same, by title, authors and year."""
        about = self.hashes_of(description)
        candidates = {
            pk
            for shelf, mark in ((self._titles, about.title), (self._people, about.people), (self._coined, about.name))
            if mark is not None
            for pk in shelf.get(mark, ())[:_MOST_CANDIDATES]
        }
        same, possible = {}, {}
        for pk in sorted(candidates - named.keys()):
            if not self._may_be(own, pk):
                continue
            likeness = duplicate_rule.compare(description.paper, self._works[pk])
            against = self._against(description, pk) if likeness.verdict == "same" else ""
            if against:
                possible[pk] = f"{likeness.evidence}; but {against}"
            elif likeness.verdict == "same":
                same[pk] = likeness.evidence
            elif likeness.verdict == "possibly":
                possible[pk] = likeness.evidence
        return same, possible

    def _against(self, description: Description, pk: int) -> str:
        """Say what a work's records tell against a record being one of them."""
        told = (duplicate_rule.contradiction(description, other) for other in self._records(pk))
        return next(filter(None, told), "")

    def _records(self, pk: int) -> list[Description]:
        if pk not in self._told:
            query = "SELECT source, locator, content FROM library_sourcerecord WHERE work_id IN {list}"
            self._told[pk] = [
                replace(parse_record(source, content), source=source, locator=locator)
                for source, locator, content in bulk_rows.select(query, [pk])
            ]
        return [*self._told[pk], *self._fresh[pk]]

    def _may_be(self, own: str | None, pk: int) -> bool:
        other = self._works[pk].arxiv_id
        return own is None or other is None or own == other

    def _load(self, descriptions: Sequence[Description]) -> None:
        at_arxiv = [d for d in descriptions if d.paper.arxiv_id]
        elsewhere = [d for d in descriptions if not d.paper.arxiv_id]
        columns = "w.id, w.arxiv_id, w.title, w.authors, w.year, w.title_mark, w.people_mark, w.name_mark"
        living = "w.merged_into_id IS NULL"
        query = f"SELECT {columns} FROM library_work w WHERE {living} AND w.arxiv_id IN {{list}}"
        self._take(bulk_rows.select(query, sorted({d.paper.arxiv_id.base for d in at_arxiv if d.paper.arxiv_id})))
        names = {name for found in self._identifiers.values() for name in found}
        query = (
            f"SELECT {columns}, i.name FROM library_identifier i JOIN library_sourcerecord r ON r.id = i.record_id "
            "JOIN library_work w ON w.id = r.work_id WHERE i.name IN {list}"
        )
        for *work, name in bulk_rows.select(query, sorted(names)):
            self._take([work])
            self._names[name].append(work[0])
        # Without its index named, SQLite would read all works that are not merged, or all that are not at arXiv.
        for group, only, people, coined in (
            (elsewhere, "", "works_by_people", "works_by_coined_name"),
            (at_arxiv, " AND w.arxiv_id IS NULL", "elsewhere_by_people", "elsewhere_by_coined_name"),
        ):
            for mark, index in (("people", people), ("name", coined), ("title", "works_by_title")):
                values = {getattr(self.hashes_of(description), mark) for description in group} - {None}
                indexed = f" INDEXED BY {index}" if connection.vendor == "sqlite" else ""
                marked = f"w.{mark}_mark IN {{list}}"
                query = f"SELECT {columns} FROM library_work w{indexed} WHERE {marked} AND {living}{only}"
                self._take(bulk_rows.select(query, sorted(values)))

    def _take(self, rows: Iterable[Sequence[Any]]) -> None:
        for pk, arxiv_id, title, authors, year, *found in rows:
            if pk not in self._works:
                names = json.loads(authors) if isinstance(authors, str) else authors
                self._know(Known(pk, arxiv_id, title, tuple(names), year), MatchingHashes(*found))

    def _know(self, work: Known, about: MatchingHashes) -> None:
        self._works[work.pk] = work
        if work.arxiv_id is not None:
            self._arxiv[work.arxiv_id] = work.pk
        for shelf, mark in ((self._titles, about.title), (self._people, about.people), (self._coined, about.name)):
            if mark is not None and work.pk not in shelf[mark]:
                shelf[mark].append(work.pk)


def _readable(name: str) -> str:
    """Write an identifier as readers know it.

    Example:
        >>> _readable("doi:10.1/x"), _readable("mag:2")
        ('DOI 10.1/x', 'MAG id 2')
    """
    scheme, _, value = name.partition(":")
    written = next((known for known, short in _SCHEMES.items() if short == scheme), scheme)
    return f"DOI {value}" if scheme == "doi" else f"{written} id {value}"
