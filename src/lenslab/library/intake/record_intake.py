"""Taking in what sources say: records find their works, works are resolved, assertions become citations.

Everything is idempotent: a record that says what it said before changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.db import connection, transaction

from lenslab.library import bulk_rows
from lenslab.library.graph import citation_edges
from lenslab.library.intake import field_resolution, work_merging, work_update
from lenslab.library.intake.record_matching import Matcher, identifiers
from lenslab.library.models import Identifier, PossibleTwin
from lenslab.library.slugs import free_key, slug
from lenslab.library.stored_records import digest, pack, parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenslab.papers.description import Assertion, Description
    from lenslab.papers.paper import Paper

    Place = tuple[str, str]
    _Altered = tuple[int, Description, bytes, int]  # record, what it says now, its hash, its work


@dataclass(slots=True)
class Outcome:
    """What taking in changed: records and citations that the library did not have, records that say something else.

    ``records`` holds the record and the work of each description, by (source, locator).
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    citations: int = 0
    records: dict[Place, tuple[int, int]] = field(default_factory=dict, repr=False)


def add_records(descriptions: Iterable[Description], *, now: dt.datetime | None = None) -> Outcome:
    """Add what sources say of works, or update it, all or nothing; a thousand or two at once are fastest.

    ``now`` is when the sources were read, in UTC.
    """
    unique = {(description.source, description.locator): description for description in descriptions}
    with transaction.atomic():
        bulk_rows.lock_writes()
        return _Batch(list(unique.values()), now or dt.datetime.now(dt.UTC)).run()


def add_citations(assertions: Sequence[Assertion], *, now: dt.datetime | None = None) -> Outcome:
    """Add what sources say of citations, and of the works at both ends, as ``add_records`` does."""
    when = now or dt.datetime.now(dt.UTC)
    with transaction.atomic():
        outcome = add_records((end for one in assertions for end in (one.citing, one.cited)), now=when)
        outcome.citations = citation_edges.assert_all(assertions, outcome.records, when)
    return outcome


class _Batch:
    """One batch on its way into the database."""

    def __init__(self, descriptions: list[Description], now: dt.datetime) -> None:
        self.descriptions = descriptions
        self.now = connection.ops.adapt_datetimefield_value(now)
        self.outcome = Outcome()
        self.touched: set[int] = set()  # existing works whose records changed

    def run(self) -> Outcome:
        known = self._known()
        fresh, altered = [], []
        for description in self.descriptions:
            sha = digest(description.raw)
            record = known.get((description.source, description.locator))
            if record is None:
                fresh.append((description, sha))
                continue
            pk, before, work = record
            self.outcome.records[description.source, description.locator] = (pk, work)
            if bytes(before) == sha:
                self.outcome.unchanged += 1
            else:
                altered.append((pk, description, sha, work))
        self._alter(self._fuller(altered))
        bridges = self._add(fresh)
        bridges += work_update.update_works(self.touched)
        for one, other, evidence in bridges:
            work_merging.merge_if_allowed(one, other, evidence)
        if bridges:
            self._follow_merges()
        return self.outcome

    def _known(self) -> dict[Place, tuple[int, bytes, int]]:
        """Find the records that the library has already, by source and locator."""
        by_source: dict[str, list[str]] = defaultdict(list)
        for description in self.descriptions:
            by_source[description.source].append(description.locator)
        query = "SELECT locator, id, sha256, work_id FROM library_sourcerecord WHERE source = %s AND locator IN {list}"
        return {
            (source, locator): (pk, sha, work)
            for source, locators in by_source.items()
            for locator, pk, sha, work in bulk_rows.select(query, locators, source)
        }

    def _fuller(self, altered: list[_Altered]) -> list[_Altered]:
        """Choose those that may replace what the library has.

        A paper's record among the rows of a list lacks the summary that the record by itself has; it is not newer for
        that, and does not take its place.
        """
        short = {pk for pk, description, _, _ in altered if not description.tldr}
        query = "SELECT id, source, content FROM library_sourcerecord WHERE id IN {list}"
        kept = {pk for pk, *record in bulk_rows.select(query, sorted(short)) if parse_record(*record).tldr}
        self.outcome.unchanged += len(kept)
        return [one for one in altered if one[0] not in kept]

    def _alter(self, altered: list[_Altered]) -> None:
        self.touched |= {work for _, _, _, work in altered}
        rows = [(self.now, sha, pack(description.raw), pk) for pk, description, sha, _ in altered]
        bulk_rows.update("library_sourcerecord", ("retrieved", "sha256", "content"), rows)
        if altered:
            Identifier.objects.filter(record__in=[pk for pk, *_ in altered]).delete()
            self._identify([(pk, description) for pk, description, *_ in altered])
        self.outcome.changed += len(altered)

    def _add(self, fresh: list[tuple[Description, bytes]]) -> list[tuple[int, int, str]]:
        """Give new records to their works, and make the works that are missing."""
        if not fresh:
            return []
        matcher = Matcher([description for description, _ in fresh])
        work_ids = bulk_rows.new_ids("library_work", len(fresh))
        record_ids = bulk_rows.new_ids("library_sourcerecord", len(fresh))
        grouped: dict[int, list[Description]] = {}
        rows, pairs, bridges, twins = [], [], [], []
        for description, sha in fresh:
            match = matcher.match(description)
            work = match.work
            if work is None:
                work = next(work_ids)
                grouped[work] = [description]
            elif work in grouped:
                grouped[work].append(description)
            else:
                self.touched.add(work)
            matcher.add(work, description)
            pk = next(record_ids)
            evidence = match.evidence if match.work is not None else ""
            place = (description.source, description.locator)
            rows.append((pk, work, *place, self.now, sha, pack(description.raw), evidence))
            pairs.append((pk, description))
            self.outcome.records[place] = (pk, work)
            bridges += [(work, other, words) for other, words in match.bridges]
            twins += [two for one, words in match.twins for two in ((work, one, words), (one, work, words))]
        self._insert_works(grouped, matcher)
        columns = ("id", "work_id", "source", "locator", "retrieved", "sha256", "content", "evidence")
        bulk_rows.insert("library_sourcerecord", columns, rows)
        self._identify(pairs)
        notes = {(one, other): words for one, other, words in twins if one != other}
        PossibleTwin.objects.bulk_create(
            [PossibleTwin(work_id=one, other_id=other, evidence=words) for (one, other), words in notes.items()],
            ignore_conflicts=True,
        )
        self.outcome.added += len(fresh)
        return bridges

    def _insert_works(self, grouped: dict[int, list[Description]], matcher: Matcher) -> None:
        papers = {pk: field_resolution.resolve(descriptions) for pk, descriptions in grouped.items()}
        for pk in work_update.claimed_twice(papers):
            papers[pk] = replace(papers[pk], arxiv_id=None)
        keys = _keys(papers)
        # A work of one record has the hashes that the record was matched by.
        known = {pk: matcher.hashes_of(own[0]) for pk, own in grouped.items() if len(own) == 1}
        rows = [(pk, keys[pk], 0, 0, *field_resolution.row(paper, known.get(pk))) for pk, paper in papers.items()]
        bulk_rows.insert_works(("id", "key", "citation_count", "reference_count", *field_resolution.COLUMNS), rows)

    def _identify(self, pairs: list[tuple[int, Description]]) -> None:
        rows = [(pk, name) for pk, description in pairs for name in identifiers(description)]
        bulk_rows.insert("library_identifier", ("record_id", "name"), rows)

    def _follow_merges(self) -> None:
        """Find the works of this batch's records again, after merges."""
        places = {pk: place for place, (pk, _) in self.outcome.records.items()}
        query = "SELECT id, work_id FROM library_sourcerecord WHERE id IN {list}"
        for pk, work in bulk_rows.select(query, places):
            self.outcome.records[places[pk]] = (pk, work)


_NUMBERED = 10
"""Up to which number behind a key the library is asked at once, at first."""


def _keys(papers: dict[int, Paper]) -> dict[int, str]:
    """Give each new work a key: its arXiv id, else a slug that is free."""
    keys = {pk: paper.arxiv_id.base for pk, paper in papers.items() if paper.arxiv_id}
    slugs = {pk: slug(paper) for pk, paper in papers.items() if pk not in keys}
    if not slugs:
        return keys
    taken = _taken_keys(set(slugs.values()))
    first, last = 2, _NUMBERED
    waiting = set(taken)
    while waiting:
        # Works that wanted the same name before have numbers behind it.
        asked = {f"{wish}-{number}": wish for wish in waiting for number in range(first, last)}
        found = _taken_keys(set(asked))
        taken |= found
        waiting = {wish for wish in waiting if all(f"{wish}-{number}" in found for number in range(first, last))}
        first, last = last, 2 * last
    for pk, wish in slugs.items():
        keys[pk] = wish if wish not in taken else free_key(wish, taken)
        taken.add(keys[pk])
    return keys


def _taken_keys(wanted: set[str]) -> set[str]:
    query = "SELECT key FROM {table} WHERE key IN {list}"
    tables = ("library_work", "library_formerkey")
    return {key for table in tables for (key,) in bulk_rows.select(query.replace("{table}", table), sorted(wanted))}
