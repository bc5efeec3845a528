"""The library that comes with the package: reading its files, and keeping the database equal to them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lenslab.library import duplicates
from lenslab.library.errors import ShippedDataError
from lenslab.library.models import Author, Citation, ShippedFile, SourceRecord, Work
from lenslab.library.names import slug
from lenslab.papers.work import Work as Described
from lenslab.papers.work import citation_key

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Data:
    """A file of shipped data.

    Attributes:
        name: the file's name.
        content: its bytes.
    """

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash that tells whether the database already holds this very file."""
        return hashlib.sha256(self.content).hexdigest()


def shipped_data(directory: Traversable | None = None) -> list[Data]:
    """The files of the package, in the order of their names.

    >>> [data.name for data in shipped_data()]
    ['1806.02891.json']
    """
    folder = directory if directory is not None else files("lenslab.library") / "data"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    return [Data(entry.name, entry.read_bytes()) for entry in sorted(found, key=lambda entry: entry.name)]


def is_loaded(data: Data) -> bool:
    """Whether the database holds exactly this file."""
    return ShippedFile.objects.filter(name=data.name, sha256=data.sha256).exists()


def load(data: Data) -> None:
    """Makes the database hold what the file says, all or nothing.

    Loading twice changes nothing. A changed file updates works in place, so that what others attached to a work stays.

    Raises:
        ShippedDataError: the file is not what this version writes.
    """
    try:
        document = json.loads(data.content)
        if document["schema"] != SCHEMA:
            raise ShippedDataError(
                f"shipped file {data.name!r} has schema {document['schema']}, and this version reads {SCHEMA}; "
                "install lenslab again"
            )
        with transaction.atomic():
            _Loading(document).run()
            ShippedFile.objects.update_or_create(name=data.name, defaults={"sha256": data.sha256})
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ShippedDataError):
            raise
        raise ShippedDataError(f"shipped file {data.name!r} is damaged ({error!r}); install lenslab again") from error


class _Loading:
    """One pass over one document; remembers which works and edges it has spoken for."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.claimed: set[int] = set()
        self.edges: set[int] = set()

    def run(self) -> None:
        paper = self.paper(self.document["paper"])
        for entry in self.document["references"]["works"]:
            source = self.document["references"]["source"]
            work = self.listed(entry, source, citation_key(_described(entry)))
            edge = self.edge(paper, work)
            self.record(work, edge, entry, source, citation_key(_described(entry)))
        self.citing(paper, self.document["citations"])
        sources = (self.document["references"]["source"], self.document["citations"]["source"])
        # An edge that only this file asserted, and asserts no more, goes; works stay, since others may speak of them.
        stale = Citation.objects.filter(source_records__source__in=sources).exclude(pk__in=self.edges)
        for edge in stale.filter(citing=paper) | stale.filter(cited=paper):
            edge.source_records.filter(source__in=sources).delete()
            if not edge.source_records.exists():
                edge.delete()

    def paper(self, facts: dict[str, Any]) -> Work:
        dates = {name: dt.date.fromisoformat(facts[name]) for name in ("submitted", "updated")}
        plain = {name: facts[name] for name in ("title", "year", "abstract", "categories", "license_uri", "versions")}
        work, _ = Work.objects.update_or_create(
            arxiv_id=facts["arxiv_id"], defaults={"key": facts["arxiv_id"], **plain, **dates}
        )
        _set_authors(work, facts["authors"])
        self.claimed.add(work.pk)
        for record in facts["records"]:
            SourceRecord.objects.update_or_create(
                source=record["source"],
                locator=record["locator"],
                defaults={"work": work, "title": facts["title"], "facts": record["facts"]},
            )
        return work

    def citing(self, paper: Work, citations: dict[str, Any]) -> None:
        entries, source = citations["works"], citations["source"]
        described = [_described(entry) for entry in entries]
        leaders: dict[int, Work] = {}
        for group in duplicates.groups(described):
            # A record that names its authors tells more than one that does not; else the source's order decides.
            leader = min(group, key=lambda position: (not entries[position]["authors"], position))
            work = self.listed(entries[leader], source, _row(paper, entries[leader]))
            edge = self.edge(work, paper)
            for position in group:
                leaders[position] = work
                evidence = "" if position == leader else _evidence(described, position, group, leader)
                self.record(work, edge, entries[position], source, _row(paper, entries[position]), evidence)
        self.note_possible_twins(described, entries, leaders, source, paper)

    def note_possible_twins(
        self,
        described: list[Described],
        entries: list[dict[str, Any]],
        works: dict[int, Work],
        source: str,
        paper: Work,
    ) -> None:
        for position, twins in duplicates.possible_twins(described).items():
            notes = [
                {"key": works[twin].key, "title": works[twin].title, "evidence": evidence}
                for twin, evidence in twins
                if works[twin] != works[position]
            ]
            if notes:
                record = SourceRecord.objects.get(source=source, locator=_row(paper, entries[position]))
                record.facts["possibly_the_same"] = notes
                record.save(update_fields=["facts"])

    def listed(self, entry: dict[str, Any], source: str, locator: str) -> Work:
        """The work that an entry of a list means: known by an earlier load, by its arXiv id or by its key, or new."""
        described = _described(entry)
        arxiv_id = entry.get("arxiv_id")
        key = arxiv_id or slug(described)
        earlier = SourceRecord.objects.filter(source=source, locator=locator).values_list("work", flat=True)
        known = Work.objects.exclude(pk__in=self.claimed)
        work = (
            (known.filter(arxiv_id=arxiv_id).first() if arxiv_id else None)
            or known.filter(pk__in=earlier).first()
            or known.filter(key=key).first()
            or Work(key=_free(key))
        )
        # What a list says in passing never overwrites what a full description said.
        if not work.abstract:
            work.title, work.year, work.arxiv_id = entry["title"], entry["year"], arxiv_id
            work.doi, work.journal_reference = entry.get("doi", ""), entry.get("venue", "")
            if arxiv_id:
                work.key = arxiv_id
            work.save()
            _set_authors(work, entry["authors"])
        self.claimed.add(work.pk)
        return work

    def edge(self, citing: Work, cited: Work) -> Citation:
        edge, _ = Citation.objects.get_or_create(citing=citing, cited=cited)
        self.edges.add(edge.pk)
        return edge

    def record(
        self, work: Work, edge: Citation, entry: dict[str, Any], source: str, locator: str, evidence: str = ""
    ) -> None:
        told = {
            name: entry[name] for name in ("row", "authors_as_written", "doi", "venue", "arxiv_id") if name in entry
        }
        SourceRecord.objects.update_or_create(
            source=source,
            locator=locator,
            defaults={
                "work": work,
                "citation": edge,
                "title": entry["title"],
                "authors": entry.get("authors_as_written") or ", ".join(entry["authors"]),
                "year": entry["year"],
                "facts": told,
                "merge_evidence": evidence,
            },
        )


def _described(entry: dict[str, Any]) -> Described:
    return Described(entry["title"], tuple(entry["authors"]), entry["year"])


def _row(paper: Work, entry: dict[str, Any]) -> str:
    return f"{paper.key}, row {entry['row']}"


def _evidence(described: list[Described], position: int, group: list[int], leader: int) -> str:
    """Why a record belongs to its group: what it shares with the leader, else with the member that it resembles."""
    others = [leader, *(other for other in group if other not in (leader, position))]
    alike = [duplicates.compare(described[position], described[other]) for other in others]
    return next(likeness.evidence for likeness in alike if likeness.verdict == "same")


def _free(key: str) -> str:
    """The key, numbered where another work already has it."""
    taken = set(Work.objects.filter(key__startswith=key).values_list("key", flat=True))
    number = 2
    free = key
    while free in taken:
        free = f"{key}-{number}"
        number += 1
    return free


def _set_authors(work: Work, names: list[str]) -> None:
    if list(work.authors.values_list("name", flat=True)) != names:
        work.authors.all().delete()
        Author.objects.bulk_create(
            Author(work=work, position=position, name=name) for position, name in enumerate(names)
        )
