"""PostgreSQL's search index: a parsed query in its language, and what it finds.

Words reach it in quotes and as parameters, so that nothing that was typed is read as a language. The index knows which
works hold a word, in their titles or anywhere, and which are in a category or of some years. Where else a word stands
has to be asked of each work, which takes some microseconds. So a query has two expressions: a *loose* one, which the
index answers by itself, and the *strict* one, which says more only of words side by side, of authors and of abstracts.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from lenslab.library.search import sqlite_fts5
from lenslab.library.search.facets import facet
from lenslab.library.search.query_language import Query
from lenslab.library.search.sqlite_fts5 import counted, years

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenslab.library.search.query_language import Term

    Sql = tuple[str, list[Any]]

# The dictionary that words go through (names are not stemmed) and the weights under which they stand: A in titles, B in
# authors, C in abstracts, D among the words that LaTeX or accents hide. Where a word may stand anywhere, it needs no
# weight as it was typed: if it is no stem of English, it stands with the authors alone.
_PLACES = {
    "": (("english", ""), ("simple", "")),
    "title": (("english", "AD"),),
    "author": (("simple", "B"), ("english", "D")),
    "abstract": (("english", "CD"),),
}
# The part of the index where words with A and D stand alone.
_TITLES = "ts_filter(words, '{a,d}')"
# What D, C, B and A count for.
_WEIGHTS = "{0.1, 0.1, 0.5, 1}"

# What every work has, and what none has. No word of a text begins with the sign of the facets' words.
_ANY, _NONE = "'#'", "'#none'"
# So many ids are a block, and sixteen of these a larger one, which have words of their own in the index (migration
# 0002): with them, the matches that were added last are found without the others. Of more words than these it is
# quicker to sort all matches, or of twice as many where these are too many to be counted.
_BLOCK, _LARGER, _MOST_BLOCKS = 1024, 16, 50

# Of the works that may match, so many are asked: those added last, and more where fewer than a page of these do match.
_ASKED, _FEW = (1_000, 1_000), 20
# Up to so many matches are sorted; of more, those that come first are met soon on a walk in the order.
_SORTED, _WALKED = 2_000, 2_000


class TextSearch:
    """A query on the index: how many works match, and which come first."""

    def __init__(
        self, cursor: Any, query: Query, categories: tuple[str, ...], since: int | None, until: int | None
    ) -> None:
        self.cursor = cursor
        self.spoken = _spoken(cursor, [*query.terms, *query.excluded])
        self.query = self._without_stop_words(query)
        filters = [facet(name) for name in categories], years(cursor, since, until)
        self.filters = ["(" + " | ".join(f"'#{word}'" for word in words) + ")" for words in filters if words]
        # Works of some years may be far from the last added.
        self.of_some_years = since is not None or until is not None
        self._number, self._bound = 0, -1
        self._found: dict[bool, tuple[list[int], bool]] = {}

    def count(self, bound: int) -> tuple[int, bool]:
        """Tell how many works match, up to one more than a bound, and whether these are all."""
        if self._is_loose(titles=False):
            number = self._candidates(bound)
            return number, number <= bound
        ids, whole = self._asked(titles=False)
        return min(len(ids), bound + 1), whole and len(ids) <= bound

    def seems_to_exceed(self, number: int) -> bool:
        """Tell whether more works than so many may match; counted as far as the total, which is asked for next."""
        return self._candidates(sqlite_fts5.COUNTED) > number

    def scored(self, page: tuple[int, int]) -> list[tuple[int, float]]:
        """Give a page of all works that match by cover density, with their scores."""
        scored, values = self._scored(self._matching("id, words"))
        return self._page(scored, values, "score DESC, pk DESC", page)

    def every(self, most: int, page: tuple[int, int]) -> tuple[int, list[tuple[int, float]]]:
        """Count the matches up to a bound, and give a page of these by cover density."""
        scored, values = self._scored(self._matching("id, words"))
        return counted(self.cursor, f"{scored} LIMIT %s", [*values, most], page)

    def last(self, most: int, page: tuple[int, int], *, titles: bool) -> tuple[int, bool, list[tuple[int, float]]]:
        """Count the matches up to a bound; tell whether these are all, and give a page of the last added by density.

        With ``titles``, words that may stand anywhere must stand in the title.
        """
        if not self._is_loose(titles=titles):
            ids, whole = self._asked(titles=titles)
            number, rows = counted(self.cursor, *self._scored(_of(ids[:most], "id, words")), page)
            return number, whole and len(ids) < most, rows
        for window in self._windows(most, titles=titles):
            selected, values = self._loose("id, words", titles=titles, window=window)
            scored = self._scored((f"{selected} ORDER BY id DESC LIMIT %s", [*values, most]))
            number, rows = counted(self.cursor, *scored, page)
            if number == most:
                break
        return number, number < most, rows

    def sorted(self, order: str, page: tuple[int, int]) -> list[tuple[int, float]]:
        """Give a page of works in another order."""
        walk = "SELECT w.id, 0 FROM library_work w"
        loose, values = self._loose("id", titles=False)
        strict, more = self._condition(titles=False, strict=True)
        holds = f"(SELECT {strict} FROM library_search WHERE library_search.id = w.id)"
        number = self._candidates(sqlite_fts5.COUNTED)
        if not more:
            return self._page(f"{walk} WHERE w.merged_into_id IS NULL", [], order, page)
        if number <= _SORTED:
            matching, values = self._matching("id")
            joined = "SELECT w.id, 0 FROM matched JOIN library_work w USING (id)"
            return self._page(f"WITH matched AS MATERIALIZED ({matching}) {joined}", values, order, page)
        if number > sqlite_fts5.COUNTED:
            beginning = f"(SELECT * FROM library_work w ORDER BY {order} LIMIT {_WALKED})"
            found = self._page(f"SELECT w.id, 0 FROM {beginning} AS w WHERE {holds}", more, order, page)
            if len(found) == page[0]:
                return found
        # Made into a table of ids first, which is not joined but looked into on the walk.
        walk += f" WHERE (w.id IN ({loose})) IS TRUE"
        if self._is_loose(titles=False):
            return self._page(walk, values, order, page)
        return self._page(f"{walk} AND {holds}", [*values, *more], order, page)

    def _page(self, selected: str, values: list[Any], order: str, page: tuple[int, int]) -> list[Any]:
        self.cursor.execute(f"{selected} ORDER BY {order} LIMIT %s OFFSET %s", [*values, *page])
        return list(self.cursor.fetchall())

    def _candidates(self, bound: int) -> int:
        """Tell how many works may match, up to one more than a bound."""
        if self._bound < self._number and self._bound < bound:
            candidates, values = self._loose("1", titles=False)
            self.cursor.execute(f"SELECT count(*) FROM ({candidates} LIMIT %s) AS candidate", [*values, bound + 1])
            self._number, self._bound = int(self.cursor.fetchone()[0]), bound
        return min(self._number, bound + 1)

    def _asked(self, *, titles: bool) -> tuple[list[int], bool]:
        """Find the works that match among those that were asked, the last added first, and whether all were asked."""
        if titles not in self._found:
            found: list[int] = []
            strict, more = self._condition(titles=titles, strict=True)
            for before, number in zip((0, *accumulate(_ASKED)), _ASKED, strict=False):
                for window in self._windows(before + number, titles=titles):
                    loose, values = self._loose("id, words", titles=titles, window=window)
                    self.cursor.execute(
                        f"WITH candidate AS MATERIALIZED ({loose} ORDER BY id DESC LIMIT %s OFFSET %s) "
                        f"SELECT count(*), ARRAY(SELECT id FROM candidate WHERE {strict} ORDER BY id DESC) "
                        "FROM candidate",
                        [*values, number, before, *more],
                    )
                    read, ids = self.cursor.fetchone()
                    if read == number:
                        break
                found += ids
                if read < number or len(found) >= _FEW:
                    break
            self._found[titles] = found, read < number
        return self._found[titles]

    def _scored(self, matching: Sql) -> Sql:
        selected, values = matching
        wanted = " & ".join(self._any_of(group, [term.field for term in group]) for group in self.query.wanted)
        score = f"ts_rank_cd('{_WEIGHTS}', words, CAST(%s AS tsquery)) AS score"
        return f"SELECT id AS pk, {score} FROM ({selected}) AS matching", [wanted, *values]

    def _matching(self, columns: str) -> Sql:
        """Select all works that match."""
        if self._is_loose(titles=False):
            return self._loose(columns, titles=False)
        ids, whole = self._found.get(False, ([], False))
        if whole:
            return _of(ids, columns)
        candidates, values = self._loose("id, words", titles=False)
        strict, more = self._condition(titles=False, strict=True)
        return f"SELECT {columns} FROM ({candidates} OFFSET 0) AS candidate WHERE {strict}", [*values, *more]

    def _loose(self, columns: str, *, titles: bool, window: str = "") -> Sql:
        condition, values = self._condition(titles=titles, strict=False, window=window)
        return f"SELECT {columns} FROM library_search WHERE {condition}", values

    def _condition(self, *, titles: bool, strict: bool, window: str = "") -> Sql:
        words, in_titles = self._expressions(titles=titles, strict=strict)
        expressions_of = {"words": [*words, window] if window else words, _TITLES: in_titles}
        parts = {column: " & ".join(expressions) for column, expressions in expressions_of.items() if expressions}
        sql = " AND ".join(f"{column} @@ CAST(%s AS tsquery)" for column in parts)
        return sql or "TRUE", list(parts.values())

    def _is_loose(self, *, titles: bool) -> bool:
        """Tell whether the loose expression says as much as the strict one."""
        return self._expressions(titles=titles, strict=True) == self._expressions(titles=titles, strict=False)

    def _expressions(self, *, titles: bool, strict: bool) -> tuple[list[str], list[str]]:
        """Write what a work must hold anywhere, and what in its title; unless strict, perhaps in other places, too."""
        anywhere, in_titles = list(self.filters), []
        for group in self.query.wanted:
            fields = [term.field or ("title" if titles else "") for term in group]
            if set(fields) == {"title"}:
                in_titles.append(self._any_of(group, ["titles"] * len(group), strict=strict))
            else:
                anywhere.append(self._any_of(group, fields, strict=strict))
        unwanted = [
            f"!{self._any_of([term], [term.field])}"
            for term in self.query.excluded
            if strict or self._any_of([term], [term.field], strict=False) == self._any_of([term], [term.field])
        ]
        if unwanted and not anywhere:
            anywhere = [_ANY]
        return anywhere + unwanted, in_titles

    def _any_of(self, group: Sequence[Term], places: Sequence[str], *, strict: bool = True) -> str:
        held = []
        for term, place in zip(group, places, strict=True):
            spoken = [self.spoken[piece] for piece in _pieces(term, place)]
            # A phrase of which stop words leave one word is found by this word anyway.
            is_word = place == "" and spoken[0][0] == spoken[0][1] != ""
            held += [words if is_word or not strict else exactly for exactly, words in spoken]
        return "(" + (" | ".join(f"({one})" for one in dict.fromkeys(held) if one) or _NONE) + ")"

    def _windows(self, most: int, *, titles: bool) -> list[str]:
        """Write where to look for so many matches that were added last: among late ids, then anywhere."""
        number = 0 if titles or self.of_some_years else self._candidates(sqlite_fts5.COUNTED)
        if number <= most:
            return [""]
        self.cursor.execute("SELECT max(id) FROM library_search")
        last = int(self.cursor.fetchone()[0])
        blocks = _blocks(max(0, last - 2 * most * last // number), last)
        if number > sqlite_fts5.COUNTED:
            blocks = blocks[-2 * _MOST_BLOCKS :]
        elif len(blocks) > _MOST_BLOCKS:
            return [""]
        return ["(" + " | ".join(blocks) + ")", ""]

    def _without_stop_words(self, query: Query) -> Query:
        """Leave out of a query what PostgreSQL's index of English leaves out, unless that is all there is."""
        silent = {
            term
            for term in [*query.terms, *query.excluded]
            if term.field != "author"
            and not any(self.spoken[piece][0] for piece in _pieces(term, term.field) if piece[0] == "english")
        }
        kept = (tuple(term for term in group if term not in silent) for group in query.wanted)
        excluded = tuple(term for term in query.excluded if term not in silent)
        return Query(tuple(group for group in kept if group), excluded, query.cut)


def _blocks(first: int, last: int) -> list[str]:
    """Write words for blocks of ids that hold all from a first to the last one, the latest last.

    Example:
        >>> _blocks(30_000, 70_000)
        ["'#i29'", "'#i30'", "'#i31'", "'#j2'", "'#j3'", "'#j4'"]
    """
    block, end = first // _BLOCK, last // _BLOCK
    larger = -(-block // _LARGER)
    blocks = [f"'#i{number}'" for number in range(block, min(_LARGER * larger, end + 1))]
    return blocks + [f"'#j{number}'" for number in range(larger, end // _LARGER + 1)]


def _of(ids: list[int], columns: str) -> Sql:
    return f"SELECT {columns} FROM library_search WHERE id = ANY(CAST(%s AS bigint[]))", [ids]


def _pieces(term: Term, place: str) -> list[tuple[str, str, str]]:
    """List dictionaries, words and weights, any of which a work must hold that has a term in a place.

    PostgreSQL keeps accents, and reads ``GPT-4`` as a word and a negative number; so the words are looked for as they
    were typed, too.
    """
    words = " ".join(term.words)
    where = (("english", ""),) if place == "titles" else _PLACES[place]
    texts = dict.fromkeys((words, term.typed or words))
    return [(dictionary, text, weights) for dictionary, weights in where for text in texts]


def _spoken(cursor: Any, terms: Iterable[Term]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """PostgreSQL's own expressions for pieces of terms: the strict ones, and the loose ones, of words anywhere."""
    places = [(term, place) for term in terms for place in (term.field, "title", "titles")]
    pieces = list(dict.fromkeys(piece for term, place in places for piece in _pieces(term, place)))
    if not pieces:
        return {}
    cursor.execute(
        "SELECT to_tsquery(CAST(of AS regconfig), literal), plainto_tsquery(CAST(of AS regconfig), words) "
        "FROM unnest(CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[])) WITH ORDINALITY "
        "AS piece(of, words, literal, number) ORDER BY number",
        [*map(list, zip(*((of, words, _literal(words, weights)) for of, words, weights in pieces), strict=True))],
    )
    return dict(zip(pieces, cursor.fetchall(), strict=True))


def _literal(text: str, weights: str) -> str:
    """Quote words side by side for ``to_tsquery``, with the weights under which they may stand."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'{':' if weights else ''}{weights}"
