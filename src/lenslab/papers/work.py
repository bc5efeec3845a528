"""A work: the little that every source says about a paper, enough to name it and to recognise it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol


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


@lru_cache(maxsize=65536)
def surname(name: str) -> str:
    """Give the family name of a name written in either order.

    Particles in lower case, such as *van* in ``Stan van Wingerden``, stay with the surname.

    Example:
        >>> surname("Ari S. Morcos"), surname("Morcos, Ari S."), surname("Stan van Wingerden")
        ('Morcos', 'Morcos', 'van Wingerden')
    """
    if "," in name:
        return name.split(",", 1)[0].strip()
    words = name.split()
    if not words:
        return ""
    if len(words) > 2 and words[-1].rstrip(".").lower() in {"jr", "sr", "ii", "iii", "iv"}:
        words = words[:-1]
    # BibTeX's rule: from the first word in lower case on, given names apart.
    start = next((place for place, word in enumerate(words[:-1]) if place and word.islower()), len(words) - 1)
    return " ".join(words[start:])


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
    return "".join(character for character in decomposed if not unicodedata.combining(character)).lower()


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
