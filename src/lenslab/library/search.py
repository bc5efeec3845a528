"""Search in the library: words, filters, and an order that is the same for everybody.

Ordered by relevance, a work's score is BM25 (Robertson and Zaragoza, 2009, formula 3.15) with weights for its columns
on SQLite, and PostgreSQL's cover density (Clarke, Cormack and Tudhope, 2000) there. A score costs a microsecond or ten
for each work that matches, so a word that stands in half of the library is not scored everywhere: of more matches than
``RANKED``, those with the words in their titles are scored, the ones added last where even these are too many. The
answer says so (``Found.rule``). Orders by date and by citations look at every match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.db import connection

from lenslab.library import indexes
from lenslab.library.marking import marked
from lenslab.library.models import Work
from lenslab.library.query import MOST_TERMS, Query, parse, storable
from lenslab.library.resolution import facet
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.doi import Doi
from lenslab.papers.errors import ArxivIdError, DoiError
from lenslab.papers.latex import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.indexes import Condition
    from lenslab.library.marking import Piece

Order = Literal["relevance", "date", "citations"]

# How many matches are scored, and how many are counted.
RANKED = {"sqlite": 5_000, "postgresql": 1_000}
COUNTED = 25_000
# Titles with the words come first where there are at least so many of them.
_ENOUGH = 200

_ORDERS = {
    "date": "w.year DESC NULLS LAST, w.submitted DESC NULLS LAST, w.id DESC",
    "citations": "w.citation_count DESC, w.id DESC",
}
_LIVING = "w.merged_into_id IS NULL"
_MERGED = "SELECT id FROM library_work WHERE merged_into_id IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Hit:
    """A work that was found.

    Attributes:
        key: its name in addresses.
        title: its title as plain text.
        title_pieces: the same, with the words that were looked for marked.
        byline: its authors in short.
        year: its year, where known.
        arxiv_id: its id at arXiv, where it has one.
        citation_count: how many works of the library cite it.
        snippet: what its abstract says around the words, as plain text in pieces.
        score: bigger is better, comparable within one answer; 0 in other orders than relevance.
    """

    key: str
    title: str
    title_pieces: tuple[Piece, ...]
    byline: str
    year: int | None
    arxiv_id: str | None
    citation_count: int
    snippet: tuple[Piece, ...]
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search.

    Attributes:
        total: how many works match.
        exact: whether there are no more than that.
        hits: the works asked for, the best first.
        direct: whether the query was the name of one work.
        ranked: how many of the matches were put in order; pages reach no further.
        rule: which ones these are, as a reader reads it; empty where it is all of them.
        cut: whether only the first words of the query counted.
    """

    total: int
    exact: bool
    hits: tuple[Hit, ...]
    direct: bool = False
    ranked: int = 0
    rule: str = ""
    cut: bool = False

    @property
    def sentence(self) -> str:
        """How much was found, and how it is ordered, as a reader reads it.

        >>> Found(25_000, False, ()).sentence
        'More than 25,000 papers.'
        """
        number = f"{self.total:,} paper{'' if self.total == 1 else 's'}"
        said = f"{number if self.exact else 'More than ' + number}{'; ' + self.rule if self.rule else ''}."
        return said + (f" Only the first {MOST_TERMS} words of the query count." if self.cut else "")


def search(
    query: str,
    *,
    categories: Sequence[str] = (),
    since: int | None = None,
    until: int | None = None,
    rank: Order = "relevance",
    limit: int = 20,
    offset: int = 0,
) -> Found:
    """Finds works.

    Args:
        query: what a person types (``lenslab.library.query.parse``); the name of a work at arXiv or its DOI leads
            straight to it; an empty one finds whatever the filters let pass, newest first.
        categories: arXiv categories or archives, of which a work has at least one.
        since: the earliest year.
        until: the latest year.
        rank: the order: ``relevance``, ``date`` (newest first) or ``citations`` (most cited first).
        limit: how many hits are wanted.
        offset: how many hits are left out before them.
    """
    named = _named(query.strip())
    if named is not None:
        hits = _hits(Query(), [(named, 0.0)])
        return Found(1, True, hits[offset : offset + limit], direct=True, ranked=1)
    asked = parse(query)
    order = "date" if rank == "relevance" and not asked.wanted else rank
    of = _PostgreSQL if connection.vendor == "postgresql" else _SQLite
    with connection.cursor() as cursor:
        index = of(cursor, asked, tuple(categories), since, until)
        page = (limit, offset)
        if order == "relevance":
            total, ranked, rule, rows = _by_relevance(index, RANKED[connection.vendor], page)
        else:
            total = ranked = index.count()
            rule, rows = "", index.sorted(_ORDERS[order], page)
    exact = total <= COUNTED
    return Found(min(total, COUNTED), exact, _hits(index.query, rows), ranked=ranked, rule=rule, cut=asked.cut)


def best(query: Query, limit: int) -> list[int]:
    """The ids of the works that fit a query best, by the rules of ``search``."""
    with connection.cursor() as cursor:
        index = (_PostgreSQL if connection.vendor == "postgresql" else _SQLite)(cursor, query, (), None, None)
        if not index.query.wanted:
            return []
        rows = _by_relevance(index, RANKED[connection.vendor], (limit, 0))[-1]
    return [pk for pk, _ in rows]


def _by_relevance(
    index: _SQLite | _PostgreSQL, most: int, page: tuple[int, int]
) -> tuple[int, int, str, list[tuple[int, float]]]:
    """How many match, how many of them were scored, the rule that says which, and the page's works with scores."""
    total, since_id = index.newest(most, titles=False)
    if total < most or (total := index.count()) == most:
        return total, total, "", index.scored(page, titles=False, since_id=None)
    titled, titled_since = index.newest(most, titles=True)
    if titled < _ENOUGH:
        rows = index.scored(page, titles=False, since_id=since_id)
        return total, most, f"in order are the {most:,} of them that were added last", rows
    if titled < most:
        rows = index.scored(page, titles=True, since_id=None)
        return total, titled, f"in order are the {titled:,} with the words in their titles", rows
    rows = index.scored(page, titles=True, since_id=titled_since)
    rule = f"in order are, of those with the words in their titles, the {most:,} that were added last"
    return total, most, rule, rows


class _SQLite:
    """A query on FTS5."""

    def __init__(
        self, cursor: Any, query: Query, categories: tuple[str, ...], since: int | None, until: int | None
    ) -> None:
        self.cursor = cursor
        self.query = query
        years = self._years(since, until)
        # No work is of no year: an expression that nothing matches.
        years = [0] if years == [] else years
        self.expression = indexes.fts5(query, categories, years or [])
        self.titles = indexes.fts5(query, categories, years or [], titles=True)
        # Works that are merged into others are few and often none; comparing each match with a list takes time.
        self.cursor.execute(f"SELECT EXISTS ({_MERGED})")
        self.living = f"rowid NOT IN ({_MERGED})" if self.cursor.fetchone()[0] else "TRUE"

    def count(self) -> int:
        """How many works match, up to one more than are counted."""
        if self.expression:
            inner = f"SELECT 1 FROM library_search WHERE library_search MATCH %s AND {self.living} LIMIT %s"
            values = [self.expression]
        else:
            inner = f"SELECT 1 FROM library_work w WHERE {_LIVING}{self._unwanted()} LIMIT %s"
            values = self._unwanted_values()
        self.cursor.execute(f"SELECT count(*) FROM ({inner}) AS counted", [*values, COUNTED + 1])
        return int(self.cursor.fetchone()[0])

    def newest(self, most: int, *, titles: bool) -> tuple[int, int]:
        """How many works match, up to a bound, and the smallest id of so many that were added last."""
        self.cursor.execute(
            "SELECT count(*), min(rowid) FROM (SELECT rowid FROM library_search WHERE library_search MATCH %s "
            f"AND {self.living} ORDER BY rowid DESC LIMIT %s) AS counted",
            [self.titles if titles else self.expression, most],
        )
        count, first = self.cursor.fetchone()
        return int(count), first or 0

    def scored(self, page: tuple[int, int], *, titles: bool, since_id: int | None) -> list[tuple[int, float]]:
        """A page of works by BM25, with their scores."""
        weights = ", ".join(map(str, indexes.WEIGHTS))
        self.cursor.execute(
            f"SELECT rowid, -bm25(library_search, {weights}) AS score FROM library_search "
            f"WHERE library_search MATCH %s AND {self.living}{'' if since_id is None else ' AND rowid >= %s'} "
            "ORDER BY score DESC, rowid DESC LIMIT %s OFFSET %s",
            [self.titles if titles else self.expression, *([] if since_id is None else [since_id]), *page],
        )
        return [(pk, score) for pk, score in self.cursor.fetchall()]

    def sorted(self, order: str, page: tuple[int, int]) -> list[tuple[int, float]]:
        """A page of works in another order."""
        if self.expression:
            self.cursor.execute(
                "SELECT w.id FROM library_search JOIN library_work w ON w.id = library_search.rowid "
                f"WHERE library_search MATCH %s AND {_LIVING} ORDER BY {order} LIMIT %s OFFSET %s",
                [self.expression, *page],
            )
        else:
            self.cursor.execute(
                f"SELECT w.id FROM library_work w WHERE {_LIVING}{self._unwanted()} ORDER BY {order} "
                "LIMIT %s OFFSET %s",
                [*self._unwanted_values(), *page],
            )
        return [(pk, 0.0) for (pk,) in self.cursor.fetchall()]

    def _years(self, since: int | None, until: int | None) -> list[int] | None:
        """The years of the library within the bounds; ``None`` for any."""
        if since is None and until is None:
            return None
        # Two questions: each is one step in an index, and both in one would read all of it.
        self.cursor.execute("SELECT (SELECT min(year) FROM library_work), (SELECT max(year) FROM library_work)")
        first, last = self.cursor.fetchone()
        if first is None:
            return []
        return list(range(max(first, since or first), min(last, last if until is None else until) + 1))

    def _unwanted(self) -> str:
        if not self.query.excluded:
            return ""
        return " AND w.id NOT IN (SELECT rowid FROM library_search WHERE library_search MATCH %s)"

    def _unwanted_values(self) -> list[str]:
        return [indexes.excluded(self.query)] if self.query.excluded else []


class _PostgreSQL:
    """A query on PostgreSQL's text search."""

    def __init__(
        self, cursor: Any, query: Query, categories: tuple[str, ...], since: int | None, until: int | None
    ) -> None:
        self.cursor = cursor
        self.query = query = self._without_stop_words(query)
        self.filters = [_LIVING]
        self.values: list[Any] = []
        for term in query.excluded:
            self._add("NOT coalesce({}, false)", indexes.holds(term))
        if categories:
            words = " | ".join(f"{facet(name)}:D" for name in categories)
            self.filters.append("w.search @@ to_tsquery('simple', %s)")
            self.values.append(words)
        for bound, sign in ((since, ">="), (until, "<=")):
            if bound is not None:
                self.filters.append(f"w.year {sign} %s")
                self.values.append(bound)

    def count(self) -> int:
        """How many works match, up to one more than are counted."""
        where, values = self._where(titles=False)
        self.cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM library_work w WHERE {where} LIMIT %s) AS counted",
            [*values, COUNTED + 1],
        )
        return int(self.cursor.fetchone()[0])

    def newest(self, most: int, *, titles: bool) -> tuple[int, int]:
        """How many works match, up to a bound, and the smallest id of so many that were added last."""
        where, values = self._where(titles=titles)
        self.cursor.execute(
            "SELECT count(*), min(id) FROM "
            f"(SELECT w.id FROM library_work w WHERE {where} ORDER BY w.id DESC LIMIT %s) AS counted",
            [*values, most],
        )
        count, first = self.cursor.fetchone()
        return int(count), first or 0

    def scored(self, page: tuple[int, int], *, titles: bool, since_id: int | None) -> list[tuple[int, float]]:
        """A page of works by cover density, with their scores."""
        where, values = self._where(titles=titles)
        alternatives = [[indexes.tsquery(term) for term in group] for group in self.query.wanted]
        wanted = " && ".join("(" + " || ".join(made.sql for made in group) + ")" for group in alternatives)
        asked = [value for group in alternatives for made in group for value in made.values]
        self.cursor.execute(
            f"SELECT w.id, ts_rank_cd('{{0, 0.1, 0.5, 1}}', w.search, {wanted}) AS score FROM library_work w "
            f"WHERE {where}{'' if since_id is None else ' AND w.id >= %s'} "
            "ORDER BY score DESC, w.id DESC LIMIT %s OFFSET %s",
            [*asked, *values, *([] if since_id is None else [since_id]), *page],
        )
        return [(pk, score) for pk, score in self.cursor.fetchall()]

    def sorted(self, order: str, page: tuple[int, int]) -> list[tuple[int, float]]:
        """A page of works in another order."""
        where, values = self._where(titles=False)
        self.cursor.execute(
            f"SELECT w.id FROM library_work w WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s", [*values, *page]
        )
        return [(pk, 0.0) for (pk,) in self.cursor.fetchall()]

    def _where(self, *, titles: bool) -> tuple[str, list[Any]]:
        filters, values = [*self.filters], [*self.values]
        for group in self.query.wanted:
            made = [indexes.holds(term, titles=titles) for term in group]
            filters.append("(" + " OR ".join(condition.sql for condition in made) + ")")
            values += [value for condition in made for value in condition.values]
        return " AND ".join(filters), values

    def _add(self, form: str, condition: Condition) -> None:
        self.filters.append(form.format(condition.sql))
        self.values += condition.values

    def _without_stop_words(self, query: Query) -> Query:
        """A query without what PostgreSQL's index of English leaves out, unless that is all there is."""
        terms = [*query.terms, *query.excluded]
        if not terms:
            return query
        self.cursor.execute(
            "SELECT " + ", ".join(["numnode(to_tsquery('english', %s))"] * len(terms)),
            ["'" + " ".join(term.words) + "'" for term in terms],
        )
        silent = {
            term
            for term, nodes in zip(terms, self.cursor.fetchone(), strict=True)
            if not nodes and term.field != "author"
        }
        kept = (tuple(term for term in group if term not in silent) for group in query.wanted)
        return Query(
            tuple(group for group in kept if group),
            tuple(term for term in query.excluded if term not in silent),
            query.cut,
        )


def _named(asked: str) -> int | None:
    """The work that a query names by arXiv id or DOI."""
    if not asked or any(sign.isspace() for sign in asked.removeprefix("arXiv: ")):
        return None
    asked = storable(asked)
    living = Work.objects.filter(merged_into=None)
    try:
        return living.filter(arxiv_id=ArxivId.parse(asked).base).values_list("pk", flat=True).first()
    except ArxivIdError:
        pass
    try:
        doi = Doi.parse(asked)
    except DoiError:
        return None
    return living.filter(source_records__identifiers__name=f"doi:{doi.name}").values_list("pk", flat=True).first()


def _hits(query: Query, rows: Sequence[tuple[int, float]]) -> tuple[Hit, ...]:
    wanted = ("pk", "key", "title", "byline", "year", "arxiv_id", "citation_count", "abstract")
    about = {row[0]: row[1:] for row in Work.objects.filter(pk__in=[pk for pk, _ in rows]).values_list(*wanted)}
    shown = [(about[pk], score) for pk, score in rows if pk in about]
    texts = marked(query, [(told[1], told[-1]) for told, _ in shown])
    return tuple(
        Hit(key, title, pieces, plain_text(byline), year, arxiv_id, cited, snippet, round(float(score), 6))
        for ((key, _, byline, year, arxiv_id, cited, _), score), (title, pieces, snippet) in zip(
            shown, texts, strict=True
        )
    )
