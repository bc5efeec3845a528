"""Names of works in addresses: an arXiv id, or a slug made of title, first author and year."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from lenslab.papers.person import surname
from lenslab.papers.work import plain_letters

if TYPE_CHECKING:
    from collections.abc import Collection

    from lenslab.papers.work import Described

_LONGEST_TITLE = 72
_LONGEST_AUTHOR = 60


def slug(work: Described) -> str:
    """Make a readable name for a work without an arXiv id, from its title, first author and year alone.

    Example:
        >>> from lenslab.papers.work import Work
        >>> slug(Work("Understanding trained CNNs by indexing neuron selectivity", ("Ivet Rafegas",), 2017))
        'understanding-trained-cnns-by-indexing-neuron-selectivity-rafegas-2017'
    """
    title = _hyphened(work.title)
    if len(title) > _LONGEST_TITLE:
        title = title[: _LONGEST_TITLE + 1].rsplit("-", 1)[0]
    author = _hyphened(surname(work.authors[0]))[:_LONGEST_AUTHOR].strip("-") if work.authors else ""
    year = "" if work.year is None else str(work.year)
    return "-".join(part for part in (title, author, year) if part) or "untitled"


def _hyphened(text: str) -> str:
    # Letters outside of ASCII stay, so that a title in another script still names its work.
    return re.sub(r"[\W_]+", "-", plain_letters(text)).strip("-")


def free_key(wish: str, taken: Collection[str]) -> str:
    """Find a key that no work has: the wish with a number behind it.

    Example:
        >>> free_key("on-units", {"on-units", "on-units-2"})
        'on-units-3'
    """
    return next(key for number in count(2) if (key := f"{wish}-{number}") not in taken)
