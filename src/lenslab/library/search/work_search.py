"""Search in the library: words, filters, and an order that is the same for everybody.

Ordered by relevance, a work's score is BM25 (Robertson and Zaragoza, 2009, formula 3.15) with weights for its columns
on SQLite, and PostgreSQL's cover density (Clarke, Cormack and Tudhope, 2000) there. A score costs a microsecond or ten
for each work that matches, so a word that stands in half of the library is not scored everywhere: of more matches than
``EVERY``, those with the words in their titles are scored, the ones added last where even these are more than
``RANKED``: finding those costs as much as scoring twice as many. The answer says so (``Found.rule``). Orders by date
and by citations look at every match. PostgreSQL, which has to ask each work whether it holds a phrase, asks those added
last, where very many hold its words; then the total is what was found (``Found.exact``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.db import connection

from lenslab.library.bulk_rows import storable
from lenslab.library.models import Work
from lenslab.library.search import sqlite_fts5
from lenslab.library.search.highlighting import marked
from lenslab.library.search.postgresql_tsquery import TextSearch
from lenslab.library.search.query_language import MOST_TERMS, Query, earlier, later, parse
from lenslab.library.search.sqlite_fts5 import Fts5
from lenslab.library.works import by_doi
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.search.highlighting import Piece

Order = Literal["relevance", "date", "citations"]

# Up to how many matches all are scored, and how many are where there are more.
EVERY = {"sqlite": 10_000, "postgresql": 2_000}
RANKED = {"sqlite": 5_000, "postgresql": 1_000}

_ORDERS = {
    "date": "w.year DESC NULLS LAST, w.submitted DESC NULLS LAST, w.id DESC",
    "citations": "w.citation_count DESC, w.id DESC",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A work that was found.

    Attributes:
        title: Its title as plain text.
        title_pieces: The same, with the words that were looked for marked.
        citation_count: How many works of the library cite it.
        snippet: What its abstract says around the words, as plain text in pieces.
        score: Bigger is better, comparable within one answer; 0 in other orders than relevance.
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
        total: How many works match.
        exact: Whether there are no more than that; else ``COUNTED`` of more, or those that were found among the works
            that were asked.
        hits: The works asked for, the best first.
        direct: Whether the query was the name of one work.
        ranked: How many of the matches were put in order; pages reach no further.
        rule: Which ones these are, as a reader reads it; empty where it is all of them.
        cut: Whether only the first words of the query counted.
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

        Example:
            >>> Found(10_000, False, ()).sentence
            'More than 10,000 papers.'
        """
        number = f"{self.total:,} paper{'' if self.total == 1 else 's'}"
        least = "" if self.exact else "More than " if self.total >= sqlite_fts5.COUNTED else "At least "
        sentence = f"{least}{number}{'; ' + self.rule if self.rule else ''}."
        return sentence + (f" Only the first {MOST_TERMS} words of the query count." if self.cut else "")


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
    """Find works.

    Args:
        query: What a person types (``lenslab.library.search.query_language.parse``); the name of a work at arXiv or its
            DOI leads straight to it; an empty one finds whatever the filters let pass, newest first.
        categories: ArXiv categories or archives, of which a work has at least one.
        since: The earliest year.
        until: The latest year.
        rank: The order: ``relevance``, ``date`` (newest first) or ``citations`` (most cited first).
        limit: How many hits are wanted.
        offset: How many hits are left out before them.
    """
    if (named := _named(query.strip())) is not None:
        hits = _hits(Query(), [(named, 0.0)])
        return Found(1, True, hits[offset : offset + limit], direct=True, ranked=1)
    parsed = parse(query)
    since, until = later(since, parsed.since), earlier(until, parsed.until)
    with connection.cursor() as cursor:
        index = index_of(cursor, parsed, categories, since, until)
        order = "date" if rank == "relevance" and not index.query.wanted else rank
        page = (limit, offset)
        if order == "relevance":
            total, exact, rows, ranked, rule = _by_relevance(index, page)
        else:
            total, exact = index.count(sqlite_fts5.COUNTED)
            rows, ranked, rule = index.sorted(_ORDERS[order], page), total, ""
    hits = _hits(index.query, rows)
    return Found(min(total, sqlite_fts5.COUNTED), exact, hits, ranked=ranked, rule=rule, cut=parsed.cut)


def index_of(
    cursor: Any, query: Query, categories: Sequence[str] = (), since: int | None = None, until: int | None = None
) -> Fts5 | TextSearch:
    """Put a query to the index of the database at hand."""
    of = TextSearch if connection.vendor == "postgresql" else Fts5
    return of(cursor, query, tuple(categories), since, until)


def best(query: Query, limit: int) -> list[int]:
    """Find the ids of the works that fit a query best, by the rules of ``search``."""
    with connection.cursor() as cursor:
        index = index_of(cursor, query)
        if not index.query.wanted:
            return []
        _, _, rows, _, _ = _by_relevance(index, (limit, 0))
    return [pk for pk, _ in rows]


def _by_relevance(
    index: Fts5 | TextSearch, page: tuple[int, int]
) -> tuple[int, bool, list[tuple[int, float]], int, str]:
    """Tell how many works match, whether these are all, a page with scores, how many were scored, and by which rule."""
    bound, most = EVERY[connection.vendor], RANKED[connection.vendor]
    if not index.seems_to_exceed(bound):
        number, rows = index.every(bound + 1, page)
        if number <= bound:
            return number, True, rows, number, ""
    total, exact = index.count(sqlite_fts5.COUNTED)
    if exact and total <= bound:
        return total, True, index.scored(page), total, ""
    titled, whole, rows = index.last(most, page, titles=True)
    if titled < sqlite_fts5.ENOUGH:
        number, _, rows = index.last(most, page, titles=False)
        return total, exact, rows, number, f"in order are the {number:,} of them that were added last"
    rule = f"in order are the {titled:,} with the words in their titles"
    if not whole:
        rule = f"in order are, of those with the words in their titles, the {titled:,} that were added last"
    return max(total, titled), exact, rows, titled, rule


def _named(query: str) -> int | None:
    """Find the work that a query names by arXiv id or DOI."""
    if not query or any(sign.isspace() for sign in query.removeprefix("arXiv: ")):
        return None
    query = storable(query)
    try:
        work = Work.objects.filter(merged_into=None, arxiv_id=ArxivId.parse(query).base).first()
    except ArxivIdError:
        work = by_doi(query)  # no merged work has records any more
    return work.pk if work else None


def _hits(query: Query, rows: Sequence[tuple[int, float]]) -> tuple[Hit, ...]:
    wanted = ("pk", "key", "title", "byline", "year", "arxiv_id", "citation_count", "abstract")
    about = {row[0]: row[1:] for row in Work.objects.filter(pk__in=[pk for pk, _ in rows]).values_list(*wanted)}
    shown = [(about[pk], score) for pk, score in rows if pk in about]
    texts = marked(query, [(row[1], row[-1]) for row, _ in shown])
    return tuple(
        Hit(key, title, pieces, plain_text(byline), year, arxiv_id, cited, snippet, round(float(score), 6))
        for (row, score), (title, pieces, snippet) in zip(shown, texts, strict=True)
        for key, _, byline, year, arxiv_id, cited, _ in [row]
    )
