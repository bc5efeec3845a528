"""Facets: categories and years as words of the search index, so that it filters as it searches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lenslab.papers.categories import category

if TYPE_CHECKING:
    from collections.abc import Sequence

# Years stand in blocks of so many.
_BLOCKS = (16, 4, 1)


def facets(categories: Sequence[str], year: int | None) -> str:
    """Write categories, archives and year as words that no text holds, for filters inside of the search index.

    One subject under two ids gets the words of both. A year gets three words: its own, and those of the four and the
    sixteen years that it belongs to, so that a filter by many years asks for few words.

    Example:
        >>> facets(["cs.IT"], 2018)
        'incs0 incsit0 inmath0 inmathit0 y2018 y4x504 y16x126'
    """
    names = {name for own in categories for name in (own, category(own).alias) if name}
    words = {facet(name) for name in names} | {facet(name.split(".")[0]) for name in names}
    years = [] if year is None else [_years_word(year, size) for size in reversed(_BLOCKS)]
    return " ".join([*sorted(words), *years])


def year_cover(first: int, last: int) -> list[str]:
    """Find the fewest words of ``facets`` that stand for a range of years: whole blocks where they fit.

    Example:
        >>> year_cover(2014, 2026)
        ['y2014', 'y2015', 'y4x504', 'y4x505', 'y2024', 'y2025', 'y2026']
        >>> year_cover(1992, 2026)
        ['y4x498', 'y4x499', 'y16x125', 'y4x504', 'y4x505', 'y2024', 'y2025', 'y2026']
    """
    words, year = [], first
    while year <= last:
        size = next(size for size in _BLOCKS if year % size == 0 and year + size - 1 <= last)
        words.append(_years_word(year, size))
        year += size
    return words


def _years_word(year: int, size: int) -> str:
    return f"y{year}" if size == 1 else f"y{size}x{year // size}"


def facet(name: str) -> str:
    """Give a category's or archive's word in the search index; the digit keeps stemmers away.

    Example:
        >>> facet("cs.CV"), facet("cond-mat")
        ('incscv0', 'incondmat0')
    """
    return f"in{re.sub(r'[^a-z0-9]', '', name.lower())}0"
