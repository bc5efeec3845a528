"""The two search indexes, spoken to in their own languages: SQLite's FTS5 and PostgreSQL's text search.

Both are given a parsed query and answer with conditions in SQL. Words reach them as letters and digits in quotes, or as
parameters, so that nothing that was typed is read as a language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lenslab.library.resolution import facet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.query import Query, Term

# What a word counts for in title, authors, abstract, hidden words and facets.
WEIGHTS = (10.0, 5.0, 1.0, 1.0, 0.0)
_COLUMNS = {
    "": "title authors abstract plain",
    "title": "title plain",
    "author": "authors plain",
    "abstract": "abstract plain",
}
# In PostgreSQL's index names are not stemmed, and weights say which column a word stands in.
_PLACES = {
    "": (("english", ""), ("simple", "B")),
    "title": (("english", "A"),),
    "author": (("simple", "B"),),
    "abstract": (("english", "C"),),
}


@dataclass(slots=True)
class Condition:
    """A condition in SQL on ``library_work w``, with its parameters.

    Attributes:
        sql: the condition; empty for none.
        values: its parameters.
    """

    sql: str = ""
    values: list[Any] = field(default_factory=list)


def fts5(query: Query, categories: Sequence[str], years: Sequence[int], *, titles: bool = False) -> str:
    """An expression of FTS5 for a query; empty where it looks for nothing.

    Args:
        query: what is looked for.
        categories: the work is in one of these; none for any.
        years: the work is of one of these; none for any.
        titles: whether words that may stand anywhere must stand in the title.

    >>> from lenslab.library.query import parse
    >>> fts5(parse('units -"dead units"'), ["cs.CV"], [])
    '(({title authors abstract plain} : "units") AND {facets} : ("incscv0")) NOT ({title authors ...} : "dead units")'
    """
    parts = [
        "(" + " OR ".join(_quoted(term, titles=titles) for term in alternatives) + ")" for alternatives in query.wanted
    ]
    filters = [facet(name) for name in categories], [f"y{year}" for year in years]
    parts += ["{facets} : (" + " OR ".join(f'"{word}"' for word in words) + ")" for words in filters if words]
    if not parts:
        return ""
    wanted = " AND ".join(parts)
    return f"({wanted}) NOT ({excluded(query)})" if query.excluded else wanted


def excluded(query: Query) -> str:
    """An expression of FTS5 for what must not be found."""
    return " OR ".join(_quoted(term) for term in query.excluded)


def any_of(query: Query) -> str:
    """An expression of FTS5 for any of the words, in a table that has no such columns."""
    return " OR ".join(f'"{" ".join(term.words)}"' for term in query.terms)


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


def _quoted(term: Term, *, titles: bool = False) -> str:
    columns = _COLUMNS["title"] if titles and not term.field else _COLUMNS[term.field]
    return f'{{{columns}}} : "{" ".join(term.words)}"'


def _literal(text: str, letter: str) -> str:
    """Words side by side, quoted for ``to_tsquery``, with the weight under which they stand."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'{':' if letter else ''}{letter}"
