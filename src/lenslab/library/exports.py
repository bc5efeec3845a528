"""Works of the library as values for files: papers for bibliographies, and the network around one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lenslab.library import bulk_rows, works
from lenslab.library.graph.neighbourhood import choose
from lenslab.library.models import Work
from lenslab.papers.formats.network_files import Edge, Node
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenslab.papers.paper import Paper


def papers(names: Iterable[str]) -> list[Paper]:
    """Find works by their names, each once, in the order in which they were named.

    Raises:
        UnknownPaperError: One of them is not in the library.
    """
    found = {work.pk: work for work in map(works.find_work, names)}
    return [works.paper(work) for work in found.values()]


def around(work: Work) -> list[Paper]:
    """Give a work, the works that it cites, and those that cite it; each once, newest first behind the work itself."""
    keys = list(dict.fromkeys(row.key for row in works.relations(work)))
    rows = {other.key: other for part in bulk_rows.batched(keys) for other in Work.objects.filter(key__in=part)}
    return [works.paper(work), *(works.paper(rows[key]) for key in keys)]


def network(work: Work, *, limit: int = 300) -> tuple[list[Node], list[Edge]]:
    """Give the network around a work as its picture shows it: nodes, itself first, and citations with their sources."""
    chosen = choose(work, limit)
    ids = [row[0] for row in chosen.works]
    authors = {pk: names for part in bulk_rows.batched(ids)
               for pk, names in Work.objects.filter(pk__in=part).values_list("pk", "authors")}  # fmt: skip
    nodes = [
        Node(
            key=key,
            title=plain_text(title),
            authors=tuple(authors[pk]),
            year=year,
            role=role,
            arxiv_id=arxiv_id or "",
            doi=doi,
            standing=standing or "",
        )
        for (pk, key, title, _, year, arxiv_id, doi, standing), role in zip(chosen.works, chosen.roles, strict=True)
    ]
    keys = {row[0]: row[1] for row in chosen.works}
    sources = defaultdict(list)
    query = (
        "SELECT DISTINCT c.citing_id, c.cited_id, a.source FROM pair JOIN library_citation c "
        "ON c.citing_id = pair.one AND c.cited_id = pair.other JOIN library_assertion a ON a.citation_id = c.id"
    )
    for citing, cited, source in bulk_rows.select_pairs(query, [edge[:2] for edge in chosen.edges]):
        sources[citing, cited].append(source)
    edges = [
        Edge(citing=keys[citing], cited=keys[cited], influential=influential, sources=tuple(sorted(named)))
        for citing, cited, influential in chosen.edges
        for named in [sources[citing, cited]]
    ]
    return nodes, edges
