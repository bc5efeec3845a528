"""What a person types into a search box, taken apart: words, phrases, fields, alternatives, exclusions.

Nothing that people type is an error. Signs that are none of the language stand between words; a quote that is never
closed reaches to the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lenslab.library.bulk_rows import storable
from lenslab.library.search.unspaced import spaced
from lenslab.library.search.unspaced import words as unspaced_words
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.work import plain_letters

Field = Literal["", "title", "author", "abstract"]

# A pasted abstract is longer than any search; the words behind these count no more.
MOST_TERMS = 48

_FIELDS: dict[str, Field] = {
    "title": "title", "ti": "title", "author": "author", "authors": "author", "au": "author",
    "abstract": "abstract", "abs": "abstract",
}  # fmt: skip
_YEARS = re.compile(
    r"year:(?:(?P<only>\d{4})|(?P<first>\d{4})?(?:-|–|\.\.)(?P<last>\d{4})?|(?P<sign>[<>]=?)(?P<bound>\d{4}))",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"""(?P<minus>-)?(?:(?P<field>[A-Za-z]{2,8}):(?=["“”\w\\]))?(?:["“”](?P<phrase>[^"“”]*)(?:["“”]|$)|(?P<word>[^\s"“”]+))"""
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or words that stand side by side.

    Attributes:
        words: In plain lower-case letters and digits; of scripts without spaces, see `lenslab.library.search.unspaced`.
        field: Where they stand; empty for anywhere.
        typed: The same as it was typed, accents and signs kept, LaTeX read.
    """

    words: tuple[str, ...]
    field: Field = ""
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    Attributes:
        wanted: All of these must be found, and of each at least one alternative.
        excluded: None of these may be found.
        since: The earliest year.
        until: The latest year.
        cut: Whether it was longer than ``MOST_TERMS``.
    """

    wanted: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()
    since: int | None = None
    until: int | None = None
    cut: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every term that is looked for, alternatives too."""
        return tuple(term for alternatives in self.wanted for term in alternatives)


def parse(typed: str) -> Query:
    """Parse a query.

    Args:
        typed: Words, all of which must occur; ``"words in quotes"`` side by side; ``-word`` must not occur; ``OR``
            between two makes them alternatives; ``title:``, ``author:`` and ``abstract:`` say where; ``year:2018`` or
            ``year:2018-2020`` says when, open at either end. Accents, case and LaTeX do not matter; words with a hyphen
            are words side by side.

    Example:
        >>> parse('author:Müller "single units" OR neurons -pruning').wanted
        ((Term(words=('muller',), field='author', typed='Müller'),),
         (Term(words=('single', 'units'), field='', typed='single units'),
          Term(words=('neurons',), field='', typed='neurons')))
    """
    wanted: list[tuple[Term, ...]] = []
    excluded: list[Term] = []
    either = number = 0
    since: int | None = None
    until: int | None = None
    dated = False
    for match in _TOKEN.finditer(storable(typed.replace("\x00", " "))):
        if match["word"] == "OR" and not match["minus"] and not match["field"]:
            either = bool(wanted) or dated
            continue
        if years := _YEARS.fullmatch(match[0]):
            least, most = _bounds(years)
            if either and dated:  # years that are alternatives: from the first to the last
                since = None if since is None or least is None else min(since, least)
                until = None if until is None or most is None else max(until, most)
            else:
                since, until = later(since, least), earlier(until, most)
            either, dated = False, True
            continue
        for term in _terms(match):
            number += 1
            if number > MOST_TERMS:
                return Query(tuple(wanted), tuple(excluded), since, until, cut=True)
            if match["minus"]:
                excluded.append(term)
            elif either and wanted:
                wanted[-1] = (*wanted[-1], term)
            else:
                wanted.append((term,))
            either = False
    return Query(tuple(wanted), tuple(excluded), since, until)


def _bounds(years: re.Match[str]) -> tuple[int | None, int | None]:
    """Read the earliest and the latest year; those that stand in the wrong order are meant in the other."""
    if years["sign"]:
        bound, strict = int(years["bound"]), "=" not in years["sign"]
        return (bound + strict, None) if years["sign"][0] == ">" else (None, bound - strict)
    first, last = (
        int(year) if year else None for year in (years["only"] or years["first"], years["only"] or years["last"])
    )
    return (last, first) if first and last and first > last else (first, last)


def later(one: int | None, other: int | None) -> int | None:
    """Give the later of two earliest years, each of which may be open."""
    return max((year for year in (one, other) if year is not None), default=None)


def earlier(one: int | None, other: int | None) -> int | None:
    """Give the earlier of two latest years, each of which may be open."""
    return min((year for year in (one, other) if year is not None), default=None)


def _terms(match: re.Match[str]) -> list[Term]:
    """Read the term of a token, if it has letters or digits at all; an unknown field is a word of its own."""
    text = match["phrase"] if match["phrase"] is not None else match["word"]
    text = plain_text(text) if "\\" in text else text
    name = (match["field"] or "").lower()
    rest, runs = spaced(text)
    field = _FIELDS.get(name, "")
    words = tuple(re.findall(r"[^\W_]+", plain_letters(rest)))[:MOST_TERMS]
    found = [Term(words, field, rest if runs else text)] if words else []
    found += [Term(tuple(unspaced_words(run)[:MOST_TERMS]), field, run) for run in runs]
    return [Term((name,), "", name), *found] if name and name not in _FIELDS else found
