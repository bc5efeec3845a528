"""Where descriptions of works come from: arXiv, Semantic Scholar, OpenAlex, and files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenslab.papers.description import Description

# A source's name, as pages show it, and the module that speaks to it.
MODULES = {
    "arXiv API": "lenslab.papers.sources.arxiv_api",
    "arXiv OAI-PMH": "lenslab.papers.sources.arxiv_oai",
    "arXiv snapshot": "lenslab.papers.sources.arxiv_snapshot",
    "Semantic Scholar": "lenslab.papers.sources.semantic_scholar",
    "OpenAlex": "lenslab.papers.sources.openalex",
    "BibTeX": "lenslab.papers.formats.bibtex_reader",
    "RIS": "lenslab.papers.formats.ris_reader",
    "CSL-JSON": "lenslab.papers.formats.csl_reader",
}


def parse(source: str, raw: bytes) -> Description:
    """Reads a source's own record of one work again.

    Args:
        source: The source's name, a key of ``MODULES``.
        raw: What ``Description.raw`` kept.

    Raises:
        MalformedError: The record is not what the source writes.
    """
    description: Description = import_module(MODULES[source]).parse(raw)
    return description
