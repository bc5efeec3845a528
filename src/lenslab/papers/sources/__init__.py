"""Where descriptions of works come from: arXiv, Semantic Scholar, OpenAlex, and files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenslab.papers.description import Description

# A source's name, as pages show it, and the module that speaks to it.
MODULES = {
    "arXiv API": "arxiv_api",
    "arXiv OAI-PMH": "arxiv_oai",
    "arXiv snapshot": "arxiv_snapshot",
    "Semantic Scholar": "semantic_scholar",
    "OpenAlex": "openalex",
    "BibTeX": "bibtex_file",
    "RIS": "ris_file",
    "CSL-JSON": "csl_file",
}


def parse(source: str, raw: bytes) -> Description:
    """Reads a source's own record of one work again.

    Args:
        source: the source's name, a key of ``MODULES``.
        raw: what ``Description.raw`` kept.

    Raises:
        MalformedError: the record is not what the source writes.
    """
    description: Description = import_module(f"lenslab.papers.sources.{MODULES[source]}").parse(raw)
    return description
