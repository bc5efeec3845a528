"""SQLite's search index, FTS5: a parsed query in its language, and what it finds.

Words reach it as letters and digits in quotes, so that nothing that was typed is read as a language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenslab.library.search.facets import facet, year_cover
from lenslab.library.search.unspaced import SIGN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.search.query_language import Query, Term

# What a word counts for in title, authors, abstract, hidden words and facets.
WEIGHTS = (10.0, 5.0, 1.0, 1.0, 0.0)
_SCORE = f"-bm25(library_search, {', '.join(map(str, WEIGHTS))}) AS score"
_COLUMNS = {
    "": "title authors abstract plain",
    "title": "title plain",
    "author": "authors plain",
    "abstract": "abstract plain",
}
LIVING = "w.merged_into_id IS NULL"
# Titles with the words come first where there are at least so many of them.
ENOUGH = 200
# How far matches are counted.
COUNTED = 10_000
_MERGED = "SELECT id FROM library_work WHERE merged_into_id IS NOT NULL"


class Fts5:
    """A query on the index: how many works match, and which come first."""

    def __init__(
        self, cursor: Any, query: Query, categories: tuple[str, ...], since: int | None, until: int | None
    ) -> None:
        self.cursor, self.query = cursor, query
        words = years(cursor, since, until)
        self.expression = expression(query, categories, words)
        self.titles = expression(query, categories, words, titles=True)
        # Works that are merged into others are few and often none; comparing each match with a list takes time.
        self.cursor.execute(f"SELECT EXISTS ({_MERGED})")
        self.living = f"rowid NOT IN ({_MERGED})" if self.cursor.fetchone()[0] else "TRUE"

    def count(self, bound: int) -> tuple[int, bool]:
        """Tell how many works match, up to one more than a bound, and whether these are all."""
        if self.expression:
            inner, values = f"library_search WHERE library_search MATCH %s AND {self.living}", [self.expression]
        else:
            inner, values = self._unworded()
        self.cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {inner} LIMIT %s) AS counted", [*values, bound + 1])
        number = int(self.cursor.fetchone()[0])
        return number, number <= bound

    def seems_to_exceed(self, number: int) -> bool:
        """Tell whether more works match than so many, judged by the first sixteenth of the library.

        This decides in what order the index is asked, not what it answers: an index that counts first reads the lists
        of rare words together twice, one that scores first scores too much for common ones.
        """
        self.cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM library_search WHERE library_search MATCH %s "
            "AND rowid <= (SELECT max(id) FROM library_work) / 16 LIMIT %s) AS counted",
            [self.expression, number // 16 + 1],
        )
        return bool(self.cursor.fetchone()[0] > number // 16)

    def scored(self, page: tuple[int, int]) -> list[tuple[int, float]]:
        """Give a page of all works that match by BM25, with their scores."""
        return self._scored(self.expression, page)

    def every(self, most: int, page: tuple[int, int]) -> tuple[int, list[tuple[int, float]]]:
        """Count the matches up to a bound, and give a page of these by BM25, in one walk through the index."""
        scored = (
            f"SELECT rowid AS pk, {_SCORE} FROM library_search WHERE library_search MATCH %s AND {self.living} LIMIT %s"
        )
        return counted(self.cursor, scored, [self.expression, most], page)

    def last(self, most: int, page: tuple[int, int], *, titles: bool) -> tuple[int, bool, list[tuple[int, float]]]:
        """Count the matches up to a bound; tell whether these are all, and give a page of the last added by BM25.

        With ``titles``, words that may stand anywhere must stand in the title; fewer than ``ENOUGH`` are not scored.
        """
        wanted = self.titles if titles else self.expression
        self.cursor.execute(
            "SELECT count(*), min(rowid) FROM (SELECT rowid FROM library_search WHERE library_search MATCH %s "
            f"AND {self.living} ORDER BY rowid DESC LIMIT %s) AS counted",
            [wanted, most],
        )
        number, first = self.cursor.fetchone()
        if titles and number < ENOUGH:
            return number, True, []
        return number, number < most, self._scored(wanted, page, first if number == most else None)

    def sorted(self, order: str, page: tuple[int, int]) -> list[tuple[int, float]]:
        """Give a page of works in another order."""
        matching, values = "library_search MATCH %s", [self.expression]
        if not self.expression:
            found, values = self._unworded()
        elif self.seems_to_exceed(COUNTED):
            # So many matches are met soon on a walk in that order; sorting them would read every one.
            held = f"EXISTS (SELECT 1 FROM library_search WHERE {matching} AND rowid = w.id)"
            found = f"library_work w WHERE {held} AND {LIVING}"
        else:
            joined = "library_search CROSS JOIN library_work w ON w.id = library_search.rowid"
            found = f"{joined} WHERE {matching} AND {LIVING}"
        self.cursor.execute(f"SELECT w.id FROM {found} ORDER BY {order} LIMIT %s OFFSET %s", [*values, *page])
        return [(pk, 0.0) for (pk,) in self.cursor.fetchall()]

    def _scored(self, wanted: str, page: tuple[int, int], since_id: int | None = None) -> list[tuple[int, float]]:
        self.cursor.execute(
            f"SELECT rowid, {_SCORE} FROM library_search "
            f"WHERE library_search MATCH %s AND {self.living}{'' if since_id is None else ' AND rowid >= %s'} "
            "ORDER BY score DESC, rowid DESC LIMIT %s OFFSET %s",
            [wanted, *([] if since_id is None else [since_id]), *page],
        )
        return [(pk, score) for pk, score in self.cursor.fetchall()]

    def _unworded(self) -> tuple[str, list[str]]:
        """Select what a query without words and filters finds: all works but those that it excludes."""
        selected = f"library_work w WHERE {LIVING}"
        if not self.query.excluded:
            return selected, []
        unwanted = "SELECT rowid FROM library_search WHERE library_search MATCH %s"
        return f"{selected} AND w.id NOT IN ({unwanted})", [excluded(self.query)]


def years(cursor: Any, since: int | None, until: int | None) -> list[str]:
    """Give the facets of the library's years within bounds; none for any year."""
    if since is None and until is None:
        return []
    # Two questions: each is one step in an index, and both in one would read all of it.
    cursor.execute("SELECT (SELECT min(year) FROM library_work), (SELECT max(year) FROM library_work)")
    first, last = cursor.fetchone()
    words = [] if first is None else year_cover(max(first, since or first), min(last, last if until is None else until))
    # No work is of the year 0: a word that nothing holds.
    return words or ["y0"]


def counted(cursor: Any, scored: str, values: list[Any], page: tuple[int, int]) -> tuple[int, list[tuple[int, float]]]:
    """Count the rows of a selection of works with scores, and give a page of them, the best first."""
    cursor.execute(
        f"WITH scored AS MATERIALIZED ({scored}) SELECT pk, score, (SELECT count(*) FROM scored) FROM scored "
        "ORDER BY score DESC, pk DESC LIMIT %s OFFSET %s",
        [*values, *page],
    )
    rows = cursor.fetchall()
    if not rows:
        cursor.execute(f"SELECT count(*) FROM ({scored}) AS scored", values)
        return int(cursor.fetchone()[0]), []
    return int(rows[0][2]), [(pk, score) for pk, score, _ in rows]


def expression(query: Query, categories: Sequence[str], years: Sequence[str], *, titles: bool = False) -> str:
    """Write an expression of FTS5 for a query; empty where it looks for nothing.

    A work is in one of the categories and of the years that one of the words stands for; none are any. With ``titles``,
    words that may stand anywhere must stand in the title.

    Example:
        >>> from lenslab.library.search.query_language import parse
        >>> expression(parse('units -"dead units"'), ["cs.CV"], [])
        '(({title authors abstract plain} : "units") AND {facets} : ("incscv0")) NOT ({title ...} : "dead units")'
    """
    parts = [
        "(" + " OR ".join(_quoted(term, titles=titles) for term in alternatives) + ")" for alternatives in query.wanted
    ]
    filters = [facet(name) for name in categories], years
    parts += ["{facets} : (" + " OR ".join(f'"{word}"' for word in words) + ")" for words in filters if words]
    if not parts:
        return ""
    wanted = " AND ".join(parts)
    return f"({wanted}) NOT ({excluded(query)})" if query.excluded else wanted


def excluded(query: Query) -> str:
    """Write an expression of FTS5 for what must not be found."""
    return " OR ".join(_quoted(term) for term in query.excluded)


def any_of(query: Query) -> str:
    """Write an expression of FTS5 for any of the words, in a table that has no such columns.

    Of scripts without spaces, each sign is a word of that table.
    """
    terms = (term.typed if SIGN.search(term.typed) else term.words for term in query.terms)
    return " OR ".join(f'"{" ".join(words)}"' for words in terms)


def _quoted(term: Term, *, titles: bool = False) -> str:
    columns = _COLUMNS["title"] if titles and not term.field else _COLUMNS[term.field]
    return f'{{{columns}}} : "{" ".join(term.words)}"'
