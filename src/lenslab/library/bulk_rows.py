"""Many rows at once, on either database: ids, look-ups by lists, insertion by COPY where there is COPY."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Row = tuple[Any, ...]

Value = TypeVar("Value")

# Any number that nobody else uses: PostgreSQL's advisory locks are named by numbers.
_WRITING = 180602892

# SQLite allows 32,766 values in a statement; shorter lists are planned faster.
_AT_ONCE = 900


def lock_writes() -> None:
    """Wait until nobody else writes works, and keep it so until the transaction ends.

    Who finds that a record is new must be the one who adds it. SQLite lets one transaction write at a time anyway;
    readers are never kept waiting.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITING])


def new_ids(table: str, number: int) -> Iterator[int]:
    """Reserve ids that no row of a table has or will get from anybody else.

    On SQLite the caller holds the write lock, as in any transaction of lenslab (``transaction_mode`` is IMMEDIATE).
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            query = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            cursor.execute(query, [table, number])
            return iter([row[0] for row in cursor.fetchall()])
        cursor.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()[0]
    return iter(range(last + 1, last + 1 + number))


def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows; values are what the database itself stores (JSON and dates as text)."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if rows and connection.vendor == "postgresql":
            # Django does not know COPY; without this, its errors would be none of Django's.
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})", rows)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector, which would look through very many small values again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let SQLite write very many rows in memory that does not grow with its file.

    Mapping the file makes reading quick, and what is mapped counts as the process's own. A larger cache takes its
    place, and changed pages go to the file less often.
    """
    if connection.vendor != "sqlite":
        yield
        return
    changed = {"mmap_size": 0, "cache_size": -160_000, "wal_autocheckpoint": 16_000}
    with connection.cursor() as cursor:
        # A database in memory knows nothing of some of these.
        settings = {name: cursor.execute(f"PRAGMA {name}").fetchone() for name in changed}
        before = {name: row[0] for name, row in settings.items() if row is not None}
        for name in before:
            cursor.execute(f"PRAGMA {name} = {changed[name]}")
        try:
            yield
        finally:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")


def flush_search_index() -> None:
    """Let PostgreSQL sort into the search index what it has put aside; until then, each search reads all of that."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('library_search_words')")


def insert_works(columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert works, and put all of them into SQLite's search index at once; the first column is the id.

    A trigger does that for single rows, and makes the index write to the disk after each of them.
    """
    if connection.vendor != "sqlite" or not rows:
        insert("library_work", columns, rows)
        return
    indexed = "title, authors, abstract, plain, facets"
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO library_search_pause VALUES (%s)", [rows[0][0]])
        insert("library_work", columns, rows)
        cursor.execute("DELETE FROM library_search_pause")
        selected = f"SELECT id, {indexed} FROM library_work WHERE id BETWEEN %s AND %s"
        cursor.execute(f"INSERT INTO library_search (rowid, {indexed}) {selected}", [rows[0][0], rows[-1][0]])


def update(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Set columns of rows; each row holds the new values and, last, the id."""
    if rows:
        assignments = ", ".join(f"{column} = %s" for column in columns)
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET {assignments} WHERE id = %s", rows)


def one_of(ids: Iterable[int]) -> tuple[str, Any]:
    """Write a condition for a column of ids, and the value of its one parameter: hundreds cost clients too much."""
    if connection.vendor == "postgresql":
        return "= ANY(CAST(%s AS bigint[]))", list(ids)
    return "IN (SELECT value FROM json_each(%s))", json.dumps(list(ids))


def select_ids(cursor: Any, query: str, ids: Iterable[int]) -> list[Any]:
    """Select rows for any number of ids; ``{one_of}`` in the query stands behind the column of ids."""
    condition, value = one_of(sorted(ids))
    cursor.execute(query.replace("{one_of}", condition), [value])
    return list(cursor.fetchall())


def select(query: str, values: Iterable[Any], *first: Any) -> Iterator[Row]:
    """Select rows for any number of values, which ``{list}`` in the query stands for, behind the first parameters."""
    for part in batched(values):
        with connection.cursor() as cursor:
            cursor.execute(query.replace("{list}", f"({', '.join(['%s'] * len(part))})"), [*first, *part])
            yield from cursor.fetchall()


def select_pairs(query: str, pairs: Iterable[tuple[int, int]]) -> Iterator[Row]:
    """Select rows for any number of pairs, with a query that reads from ``pair(one, other)``."""
    for part in batched(pairs, _AT_ONCE // 2):
        # PostgreSQL types a bare parameter in VALUES as text.
        listed = ", ".join(["(CAST(%s AS bigint), CAST(%s AS bigint))"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH pair(one, other) AS (VALUES {listed}) {query}", [one for pair in part for one in pair]
            )
            yield from cursor.fetchall()


def batched(values: Iterable[Value], most: int = _AT_ONCE) -> Iterator[list[Value]]:
    """Divide values into portions, by default such as fit into one statement."""
    remaining = iter(values)
    while part := list(islice(remaining, most)):
        yield part


def storable(text: str) -> str:
    """Make text storable in both databases: without null characters and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
