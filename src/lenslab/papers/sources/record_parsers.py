"""The parsers of kept records, by the source that wrote the record."""

from collections.abc import Callable, Mapping

from lenslab.papers.description import Description
from lenslab.papers.formats import bibtex_reader, csl_reader, ris_reader
from lenslab.papers.sources import arxiv_api, arxiv_oai, arxiv_snapshot, openalex, semantic_scholar

PARSERS: Mapping[str, Callable[[bytes], Description]] = {
    module.NAME: module.parse
    for module in (
        *(arxiv_api, arxiv_oai, arxiv_snapshot, semantic_scholar, openalex),
        *(bibtex_reader, ris_reader, csl_reader),
    )
}
"""For each source, by ``Description.source``, what reads ``Description.raw`` again; ``MalformedError`` if it cannot."""
