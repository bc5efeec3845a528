"""The address of each page that stands for something in the library."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.urls import get_script_prefix, reverse

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError

# What stands in a path as it is (RFC 3986, section 3.3).
_SAFE = "!$&'()*+,;=/~:@"


def work_address(key: str) -> str:
    """Give the address of a work's page: ``/paper/...`` for a canonical arXiv id, ``/work/...`` for a slug."""
    return _place("paper" if _is_id(key) else "work", get_script_prefix()) + quote(key, safe=_SAFE)


@lru_cache(maxsize=8)
def _place(name: str, prefix: str) -> str:  # noqa: ARG001 - the address depends on it
    """Give the place of works of a kind; a page with a thousand works asks a thousand times."""
    return reverse(name, args=["-"])[:-1]


@lru_cache(maxsize=1 << 14)
def _is_id(key: str) -> bool:
    try:
        return ArxivId.parse(key).base == key
    except ArxivIdError:
        return False
