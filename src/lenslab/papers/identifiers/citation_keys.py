"""The keys of a list of works, each one different."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

from lenslab.papers.work import citation_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lenslab.papers.work import Described


def citation_keys(works: Sequence[Described]) -> tuple[str, ...]:
    """The keys that bibliographies make; from the second work of one key on, a letter tells it apart.

    Example:
        >>> from lenslab.papers.work import Work
        >>> smith = Work("On units", ("Ann Smith",), 2018)
        >>> citation_keys([smith, smith, Work("Places", ("Bolei Zhou",), 2017), smith])
        ('smith2018units', 'smith2018unitsa', 'zhou2017places', 'smith2018unitsb')
    """
    plain = [citation_key(work) for work in works]
    taken = set(plain)
    letters = {key: _letters() for key, times in Counter(plain).items() if times > 1}
    seen: set[str] = set()
    keys = []
    for key in plain:
        if key in seen:
            # A key with a letter may be that of another work already.
            key = next(longer for letter in letters[key] if (longer := key + letter) not in taken)
            taken.add(key)
        seen.add(key)
        keys.append(key)
    return tuple(keys)


def _letters() -> Iterator[str]:
    """A, b, c ... z, aa, ab ..."""
    for number in count(1):
        letters = ""
        while number:
            number, place = divmod(number - 1, 26)
            letters = chr(ord("a") + place) + letters
        yield letters
