"""The words of a query, marked in the titles and abstracts that were found.

A small table in memory with the search index's own tokenizer finds them, so that what is marked is what was matched,
whichever database the library is in; and it is given plain text, so that no mark stands inside of LaTeX.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenslab.library.search import sqlite_fts5
from lenslab.library.search.unspaced import SIGN
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.search.query_language import Query

# How many words of an abstract are shown.
WORDS = 36
# What stands between the signs of scripts without spaces where they are looked for one by one.
_BETWEEN = "\u200b"
# Plain text has no control characters.
_OPEN, _CLOSE = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of plain text, and whether it is a word that was looked for."""

    text: str
    found: bool = False


def marked(query: Query, texts: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[Piece, ...], tuple[Piece, ...]]]:
    """Mark a query's words in pairs of title and abstract, as sources wrote them.

    Returns:
        For each pair the title as plain text, the title in pieces, and the pieces of the stretch of the abstract that
        holds most of the words; without any, of its beginning.

    Example:
        >>> from lenslab.library.search.query_language import parse
        >>> marked(parse("unit"), [("On $L$ units", "")])[0][1]
        (Piece(text='On L ', found=False), Piece(text='units', found=True))
    """
    plain = [(plain_text(title), plain_text(abstract)) for title, abstract in texts]
    found: dict[int, list[str]] = {}
    if expression := sqlite_fts5.any_of(query):
        with closing(sqlite3.connect(":memory:")) as memory:
            tokenizer = "porter unicode61 remove_diacritics 2"
            memory.execute(f"CREATE VIRTUAL TABLE text USING fts5(title, abstract, tokenize='{tokenizer}')")
            rows = ((number, *map(_apart, pair)) for number, pair in enumerate(plain))
            memory.executemany("INSERT INTO text (rowid, title, abstract) VALUES (?, ?, ?)", rows)
            marks = "highlight(text, 0, ?, ?), snippet(text, 1, ?, ?, '…', ?)"
            values = [_OPEN, _CLOSE, _OPEN, _CLOSE, WORDS, expression]
            for number, *pair in memory.execute(f"SELECT rowid, {marks} FROM text WHERE text MATCH ?", values):
                found[number] = [text.replace(_BETWEEN, "") for text in pair]
    return [
        (title, _pieces(found[number][0]), _pieces(found[number][1]))
        if number in found
        else (title, _pieces(title), _pieces(_beginning(abstract)))
        for number, (title, abstract) in enumerate(plain)
    ]


def _apart(text: str) -> str:
    """Set the signs of scripts without spaces apart, each a word."""
    return SIGN.sub(lambda match: f"{_BETWEEN}{match[0]}{_BETWEEN}", text.replace(_BETWEEN, ""))


def _beginning(text: str) -> str:
    words = text.split()
    return " ".join(words[:WORDS]) + "…" if len(words) > WORDS else text


def _pieces(text: str) -> tuple[Piece, ...]:
    """Divide text with marks into pieces; marks that touch are one piece with what is between them."""
    parts = re.split(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}", text)
    return tuple(Piece(part, found=number % 2 == 1) for number, part in enumerate(parts) if part)
