"""Citations as a view on assertions: made, rebuilt after merges, counted, and drawn by lot."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from django.db import connection

from lenslab.library import bulk_rows
from lenslab.library.models import Assertion, Citation
from lenslab.library.stored_records import parse_record

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lenslab.library.models import Direction
    from lenslab.papers import description

    Pair = tuple[int, int]

# Decides which works a picture of very many shows; everybody who has the same works sees the same picture.
SEED = 7


def lot(citing: str, cited: str) -> int:
    """Draw the lot of a citation: a number below 2^31 that depends on the two keys and the seed alone.

    Example:
        >>> lot("1806.02891", "1803.06959") == lot("1806.02891", "1803.06959") != lot("1803.06959", "1806.02891")
        True
    """
    drawn = blake2b(f"{SEED}\n{citing}\n{cited}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn, "big") >> 1


def assert_all(
    assertions: Sequence[description.Assertion], records: Mapping[tuple[str, str], tuple[int, int]], now: dt.datetime
) -> int:
    """Store assertions, and the citations that they make; give how many of these the library did not have.

    ``records`` holds the record and the work of each end, by (source, locator).
    """
    stated: dict[Pair, tuple[description.Assertion, Pair]] = {}
    for one in assertions:
        citing_record, citing_work = records[one.citing.source, one.citing.locator]
        cited_record, cited_work = records[one.cited.source, one.cited.locator]
        stated[citing_record, cited_record] = (one, (citing_work, cited_work))
    pairs = {pair for _, pair in stated.values() if pair[0] != pair[1]}
    flags: dict[Pair, bool] = defaultdict(bool)
    for one, pair in stated.values():
        flags[pair] |= bool(one.influential)
    found, added = _ensure(pairs, flags)
    known = {
        (citing, cited, source): (pk, influential, _loaded(intents))
        for pk, citing, cited, source, influential, intents in bulk_rows.select_pairs(
            "SELECT a.id, a.citing_record_id, a.cited_record_id, a.source, a.influential, a.intents FROM pair "
            "JOIN library_assertion a ON a.citing_record_id = pair.one AND a.cited_record_id = pair.other",
            stated,
        )
    }
    when = connection.ops.adapt_datetimefield_value(now)
    new, altered = [], []
    for (citing, cited), (one, pair) in stated.items():
        current = (one.influential, list(one.intents))
        before = known.get((citing, cited, one.said_by))
        if before is None:
            new.append((found.get(pair), one.said_by, citing, cited, current[0], json.dumps(current[1]), when))
        elif before[1:] != current:
            altered.append((current[0], json.dumps(current[1]), before[0]))
    columns = ("citation_id", "source", "citing_record_id", "cited_record_id", "influential", "intents", "asserted")
    bulk_rows.insert("library_assertion", columns, new)
    bulk_rows.update("library_assertion", ("influential", "intents"), altered)
    return added


def keep_only(source: str, record: int, direction: Direction, kept: Collection[int]) -> None:
    """Withdraw what a source no longer says of a record's citations or references, of which it still names some."""
    own, other = ("cited", "citing") if direction == "citing" else ("citing", "cited")
    asserted = Assertion.objects.filter(**{"source": source, f"{own}_record": record})
    rows = asserted.values_list("pk", f"{other}_record", f"{other}_record__work")
    stale = {pk: work for pk, end, work in rows if end not in kept}
    for part in bulk_rows.batched(stale):
        Assertion.objects.filter(pk__in=part).delete()
    rebuild(stale.values())


def records_of(source: str, locators: Iterable[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Find the record and the work of each place in a source, by (source, locator)."""
    query = "SELECT locator, id, work_id FROM library_sourcerecord WHERE source = %s AND locator IN {list}"
    return {(source, locator): (pk, work) for locator, pk, work in bulk_rows.select(query, locators, source)}


def neighbours(records: Iterable[int], source: str) -> list[description.Description]:
    """Read what a source says of the works that it ties to some records by a citation, either way."""
    query = (
        "SELECT r.id, r.content FROM library_assertion a JOIN library_sourcerecord r ON r.id = a.{other}_record_id "
        "WHERE a.source = %s AND a.{own}_record_id IN {list}"
    )
    own = list(records)
    found = {
        pk: content
        for one, other in (("cited", "citing"), ("citing", "cited"))
        for pk, content in bulk_rows.select(query.replace("{own}", one).replace("{other}", other), own, source)
    }
    return [parse_record(source, found[pk]) for pk in sorted(found)]


def rebuild(works: Iterable[int]) -> None:
    """Rebuild the citations of works from the assertions about their records; edges that nobody asserts go."""
    own = sorted(set(works))
    query = (
        "SELECT a.id, one.work_id, other.work_id, a.influential, a.citation_id FROM library_assertion a "
        "JOIN library_sourcerecord one ON one.id = a.citing_record_id "
        "JOIN library_sourcerecord other ON other.id = a.cited_record_id WHERE {side}.work_id IN {list}"
    )
    sides = (bulk_rows.select(query.replace("{side}", side), own) for side in ("one", "other"))
    rows = {row[0]: row[1:] for side in sides for row in side}
    flags: dict[Pair, bool] = defaultdict(bool)
    for citing, cited, influential, _ in rows.values():
        flags[citing, cited] |= bool(influential)
    pairs = {pair for pair in flags if pair[0] != pair[1]}
    found, _ = _ensure(pairs, flags, lower=True)
    moved = [
        (found.get((citing, cited)), pk)
        for pk, (citing, cited, _, before) in rows.items()
        if found.get((citing, cited)) != before
    ]
    bulk_rows.update("library_assertion", ("citation_id",), moved)
    query = "SELECT c.id, c.citing_id, c.cited_id FROM library_citation c WHERE c.{side} IN {list}"
    here = {row for side in ("citing_id", "cited_id") for row in bulk_rows.select(query.replace("{side}", side), own)}
    for part in bulk_rows.batched(pk for pk, citing, cited in here if (citing, cited) not in pairs):
        Citation.objects.filter(pk__in=part).delete()
    recount({*own, *(work for _, *ends in here for work in ends), *(work for pair in pairs for work in pair)})


def recount(works: Iterable[int]) -> None:
    """Count the citations and references of works again."""
    rows = [(pk, pk, pk) for pk in sorted(set(works))]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE library_work SET citation_count = (SELECT count(*) FROM library_citation WHERE cited_id = %s), "
            "reference_count = (SELECT count(*) FROM library_citation WHERE citing_id = %s) WHERE id = %s",
            rows,
        )


def update_years(years: Mapping[int, int | None]) -> None:
    """Update the years of works in their citations."""
    rows = [(year or 0, pk) for pk, year in years.items()]
    with connection.cursor() as cursor:
        for side in ("citing", "cited") if rows else ():
            cursor.executemany(f"UPDATE library_citation SET {side}_year = %s WHERE {side}_id = %s", rows)


def _ensure(pairs: set[Pair], flags: Mapping[Pair, bool], *, lower: bool = False) -> tuple[dict[Pair, int], int]:
    """Find or make the citation of each pair of a citing and a cited work, and tell how many were made.

    ``flags`` say whether anybody calls the citation influential, as far as is known here; ``lower``, whether all
    assertions are known here, so that a flag that nobody raises goes.
    """
    found: dict[Pair, int] = {}
    changed = []
    query = (
        "SELECT c.id, c.citing_id, c.cited_id, c.influential FROM pair "
        "JOIN library_citation c ON c.citing_id = pair.one AND c.cited_id = pair.other"
    )
    for pk, citing, cited, influential in bulk_rows.select_pairs(query, sorted(pairs)):
        found[citing, cited] = pk
        if flags[citing, cited] != bool(influential) and (flags[citing, cited] or lower):
            changed.append((flags[citing, cited], pk))
    bulk_rows.update("library_citation", ("influential",), changed)
    missing = sorted(pairs - found.keys())
    if missing:
        ids = bulk_rows.new_ids("library_citation", len(missing))
        query = "SELECT id, key, year FROM library_work WHERE id IN {list}"
        ends = sorted({work for pair in missing for work in pair})
        about = {pk: (key, year or 0) for pk, key, year in bulk_rows.select(query, ends)}
        rows = []
        for citing, cited in missing:
            found[citing, cited] = pk = next(ids)
            (key, year), (other, other_year) = about[citing], about[cited]
            rows.append((pk, citing, cited, flags[citing, cited], year, other_year, lot(key, other)))
        columns = ("id", "citing_id", "cited_id", "influential", "citing_year", "cited_year", "lot")
        bulk_rows.insert("library_citation", columns, rows)
        _add_to_counts(missing)
    return found, len(missing)


def _add_to_counts(pairs: Iterable[Pair]) -> None:
    with connection.cursor() as cursor:
        for end, column in enumerate(("reference_count", "citation_count")):
            rows = [(number, pk) for pk, number in sorted(Counter(pair[end] for pair in pairs).items())]
            cursor.executemany(f"UPDATE library_work SET {column} = {column} + %s WHERE id = %s", rows)


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
