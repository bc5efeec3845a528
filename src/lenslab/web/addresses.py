"""The address of each page that stands for something in the library."""

from __future__ import annotations

from django.urls import reverse

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError


def work_address(key: str) -> str:
    """Give the address of a work's page.

    Args:
        key: the work's name in the library: its canonical arXiv id, or a slug.

    Returns:
        A path on this site: ``/paper/...`` for an arXiv id, else ``/work/...``.
    """
    try:
        is_id = ArxivId.parse(key).base == key
    except ArxivIdError:
        is_id = False
    return reverse("paper" if is_id else "work", args=[key])
