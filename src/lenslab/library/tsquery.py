"""PostgreSQL's search index: a parsed query in its language, and what it finds.

Words reach it in quotes and as parameters, so that nothing that was typed is read as a language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lenslab.library.fts5 import counted
from lenslab.library.query import Query
from lenslab.library.resolution import facet

if TYPE_CHECKING:
    from lenslab.library.query import Term

# In PostgreSQL's index names are not stemmed, and weights say which column a word stands in.
_PLACES = {
    "": (("english", ""), ("simple", "B")),
    "title": (("english", "A"),),
    "author": (("simple", "B"),),
    "abstract": (("english", "C"),),
}
LIVING = "w.merged_into_id IS NULL"


@dataclass(slots=True)
class Condition:
    """A condition in SQL on ``library_work w``, with its parameters.

    Attributes:
        sql: the condition; empty for none.
        values: its parameters.
    """

    sql: str = ""
    values: list[Any] = field(default_factory=list)


class TextSearch:
    """A query on the index: how many works match, and which come first."""

    def __init__(
        self, cursor: Any, query: Query, categories: tuple[str, ...], since: int | None, until: int | None
    ) -> None:
        self.cursor = cursor
        self.query = query = self._without_stop_words(query)
        self.filters = [LIVING]
        self.values: list[Any] = []
        for term in query.excluded:
            self._add("NOT coalesce({}, false)", holds(term))
        if categories:
            words = " | ".join(f"{facet(name)}:D" for name in categories)
            self.filters.append("w.search @@ to_tsquery('simple', %s)")
            self.values.append(words)
        for bound, sign in ((since, ">="), (until, "<=")):
            if bound is not None:
                self.filters.append(f"w.year {sign} %s")
                self.values.append(bound)

    def count(self, bound: int) -> int:
        """How many works match, up to one more than a bound."""
        where, values = self._where(titles=False)
        self.cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM library_work w WHERE {where} LIMIT %s) AS counted",
            [*values, bound + 1],
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

    def seems_to_exceed(self, number: int) -> bool:  # noqa: ARG002 - as FTS5's
        """Whether to count before scoring: never, since counting reads every match, and scoring it costs no more."""
        return False

    def scored(self, page: tuple[int, int], *, titles: bool, since_id: int | None) -> list[tuple[int, float]]:
        """A page of works by cover density, with their scores."""
        scored, values = self._scored(titles=titles)
        more = "" if since_id is None else " AND w.id >= %s"
        self.cursor.execute(
            f"{scored}{more} ORDER BY score DESC, w.id DESC LIMIT %s OFFSET %s",
            [*values, *([] if since_id is None else [since_id]), *page],
        )
        return [(pk, score) for pk, score in self.cursor.fetchall()]

    def every(self, most: int, page: tuple[int, int]) -> tuple[int, list[tuple[int, float]]]:
        """How many works match, up to so many, and a page of all of these by cover density."""
        scored, values = self._scored(titles=False)
        return counted(self.cursor, f"{scored} LIMIT %s", [*values, most], page)

    def _scored(self, *, titles: bool) -> tuple[str, list[Any]]:
        where, values = self._where(titles=titles)
        alternatives = [[tsquery(term) for term in group] for group in self.query.wanted]
        wanted = " && ".join("(" + " || ".join(made.sql for made in group) + ")" for group in alternatives)
        asked = [value for group in alternatives for made in group for value in made.values]
        score = f"ts_rank_cd('{{0, 0.1, 0.5, 1}}', w.search, {wanted}) AS score"
        return f"SELECT w.id AS pk, {score} FROM library_work w WHERE {where}", [*asked, *values]

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
            made = [holds(term, titles=titles) for term in group]
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


def tsquery(term: Term, *, titles: bool = False) -> Condition:
    """An expression of PostgreSQL for a term.

    PostgreSQL keeps accents, and reads ``GPT-4`` as a word and a negative number; so the words are looked for as they
    were typed, too.

    Args:
        term: what is looked for.
        titles: whether a term that may stand anywhere must stand in the title.
    """
    places = _PLACES["title"] if titles and not term.field else _PLACES[term.field]
    spellings = dict.fromkeys((" ".join(term.words), term.typed or " ".join(term.words)))
    values = [
        value for language, letter in places for text in spellings for value in (language, _literal(text, letter))
    ]
    return Condition("(" + " || ".join(["to_tsquery(%s, %s)"] * (len(values) // 2)) + ")", values)


def holds(term: Term, *, titles: bool = False) -> Condition:
    """A condition of PostgreSQL that a work has a term, perhaps among the words that LaTeX or accents hide."""
    asked = tsquery(term, titles=titles)
    if term.field not in ("title", "author"):
        return Condition(f"w.search @@ {asked.sql}", asked.values)
    word = " ".join(term.words)
    hidden = "w.search @@ to_tsquery('english', %s) AND to_tsvector('english', w.plain) @@ to_tsquery('english', %s)"
    return Condition(
        f"(w.search @@ {asked.sql} OR ({hidden}))", [*asked.values, _literal(word, "C"), _literal(word, "")]
    )


def _literal(text: str, letter: str) -> str:
    """Words side by side, quoted for ``to_tsquery``, with the weight under which they stand."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'{':' if letter else ''}{letter}"
