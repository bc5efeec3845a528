"""Which work a citation key means: ``morcos2018importance`` names an author, a year and a word of the title."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from lenslab.papers.work import Described, first_word, plain_letters, surname

if TYPE_CHECKING:
    from collections.abc import Iterable

W = TypeVar("W", bound=Described)

_KEY = re.compile(r"([a-z]+)[^a-z0-9]*((?:19|20)\d\d|\d\d)(?!\d)[^a-z0-9]*([a-z0-9]*)")


def resolve_citation(key: str, works: Iterable[W]) -> W | None:
    r"""Finds the one work that a citation key can mean.

    A work matches if the key begins with the surname of its first author and names its year. Where several match, the
    word after the year decides: it has to stand in the title. A key whose year is one off, as of a preprint that was
    published later, matches only together with the title's first telling word.

    Args:
        key: The key inside ``\cite{...}``.
        works: The works it may mean, usually the references of the paper that cites.

    Returns:
        The work, or ``None`` where none or more than one fits.

    Example:
        >>> from lenslab.papers.work import Work
        >>> morcos = Work("On the importance of single directions for generalization", ("Ari S. Morcos",), 2018)
        >>> resolve_citation("morcos2018importance", [morcos]).title
        'On the importance of single directions for generalization'
        >>> resolve_citation("zhou2018revisiting", [morcos])
    """
    match = _KEY.match(plain_letters(key))
    if match is None:
        return None
    family, year, word = match[1], int(match[2]), match[3]
    named = [work for work in works if _is_first_author(family, work) and work.year is not None]
    exact = [work for work in named if work.year is not None and _same_year(year, work.year)]
    telling = [work for work in exact if word and word in _title_words(work)]
    if len(telling) == 1 or (len(exact) == 1 and not _contradicts(word, exact[0])):
        return telling[0] if len(telling) == 1 else exact[0]
    near = [
        w
        for w in named
        if word and word == first_word(w.title) and any(_same_year(year + by, w.year) for by in (-1, 1))
    ]
    return near[0] if len(near) == 1 else None


def _contradicts(word: str, work: Described) -> bool:
    """Whether the key names a title word that this title lacks; short endings such as ``a`` only tell entries apart."""
    return len(word) > 2 and word not in _title_words(work)


def _is_first_author(family: str, work: Described) -> bool:
    return bool(work.authors) and re.sub(r"[^a-z]", "", plain_letters(surname(work.authors[0]))) == family


def _same_year(written: int, year: int | None) -> bool:
    return year is not None and (written == year or (written < 100 and written == year % 100))


def _title_words(work: Described) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", plain_letters(work.title)))
