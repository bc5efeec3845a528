"""A work: the little that every source says about a paper, enough to name it and to recognise it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lenslab.papers.person import surname


class Described(Protocol):
    """Anything with a title, authors and perhaps a year."""

    @property
    def title(self) -> str:
        """The title as a source wrote it."""
        ...

    @property
    def authors(self) -> Sequence[str]:
        """The names in the work's own order; empty where nobody is named."""
        ...

    @property
    def year(self) -> int | None:
        """The year of publication, where known."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """A work in a list of references or citations; ``key`` is its stable name in a library, empty outside of one."""

    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    key: str = ""


def plain_letters(text: str) -> str:
    """Write a text in lower-case letters without accents, for comparing and for keys.

    Example:
        >>> plain_letters("Nürnberger, Ağa Łódź")
        'nurnberger, aga lodz'
    """
    if text.isascii():
        return text.lower()
    # Letters that Unicode does not decompose into a letter and an accent.
    text = text.translate(_UNDECOMPOSED)
    decomposed = unicodedata.normalize("NFKD", text)
    # Marks of other scripts, such as Japanese and Indian ones, are letters there.
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", decomposed)).lower()


_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "AE"}
    | {"œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"}
)


def short_authors(authors: Sequence[str], *, most: int = 2) -> str:
    """Name the authors as one does in passing.

    Example:
        >>> short_authors(["Bolei Zhou", "Yiyou Sun", "David Bau"])
        'Zhou et al.'
        >>> short_authors(["Matthew L. Leavitt", "Ari S. Morcos"])
        'Leavitt and Morcos'
    """
    families = [surname(name) for name in authors]
    if len(families) > most:
        return f"{families[0]} et al."
    return " and ".join(families)
