"""``lenslab paper search | network | similar | path``: which works there are, and how they hang together."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from rich.padding import Padding
from rich.text import Text
from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import AsJson, Identifier, find, open_library
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from lenslab.library.graph.related_works import RelatedWork
    from lenslab.library.search.work_search import Hit


class Rank(StrEnum):
    """The order of what was found."""

    relevance = "relevance"
    date = "date"
    citations = "citations"


def search(
    query: Annotated[
        list[str] | None,
        Argument(
            metavar="WORDS...",
            help='Words, "phrases", -excluded, OR, author:NAME, title:WORD, year:2018-2020, an id; in quotes.',
        ),
    ] = None,
    category: Annotated[list[str] | None, Option(metavar="ID", help="A category or archive; repeatable.")] = None,
    since: Annotated[int | None, Option(metavar="YEAR", help="The earliest year.")] = None,
    until: Annotated[int | None, Option(metavar="YEAR", help="The latest year.")] = None,
    rank: Annotated[Rank, Option(help="relevance, date or citations.")] = Rank.relevance,
    limit: Annotated[int, Option(metavar="N", min=1, max=1000, help="At most so many.")] = 10,
    offset: Annotated[int, Option(metavar="N", min=0, help="Leave out so many before.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Search titles, authors and abstracts of the library, ranked; without words, browse what the filters let pass."""
    open_library()
    from lenslab.library.search.work_search import search as searched

    typed = " ".join(query or ())
    found = searched(
        typed, categories=category or (), since=since, until=until, rank=rank.value, limit=limit, offset=offset
    )
    if as_json:
        head = {"query": typed, "total": found.total, "exact": found.exact, "ranked": found.ranked}
        console.print_json({**head, "rule": found.rule or None, "hits": [_hit(hit) for hit in found.hits]})
        return
    for number, hit in enumerate(found.hits, offset + 1):
        title = Text.assemble((f"{number}. ", "dim"), *map(_piece, hit.title_pieces), style="bold")
        console.answers.print(title, soft_wrap=True)
        cited = f"cited {hit.citation_count:,}×" if hit.citation_count else ""
        about = " · ".join(filter(None, (hit.byline, str(hit.year or ""), hit.key, cited)))
        console.answers.print(f"   [dim]{console.escaped(about)}[/dim]", soft_wrap=True)
        if hit.snippet:
            console.answers.print(Padding(Text.assemble(*map(_piece, hit.snippet)), (0, 3)))
    console.remark(("\n" if found.hits else "") + found.sentence)


def network(
    identifier: Identifier,
    limit: Annotated[int, Option(metavar="N", min=1, max=5000, help="Works around it at most.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Show the citation network around a paper: works by year on either side, and the citations among them."""
    work = find(identifier)
    from lenslab.library import works
    from lenslab.library.graph.neighbourhood import neighbourhood

    picture = neighbourhood(work, limit)
    if as_json:
        console.print_json(
            {
                "paper": work.key,
                "citing_total": picture.citing_total,
                "referenced_total": picture.referenced_total,
                "rule": picture.rule or None,
                "nodes": [asdict(node) for node in picture.nodes],
                "edges": [asdict(edge) for edge in picture.edges],
                "rings": [{**asdict(ring), "label": ring.label} for ring in picture.rings],
                "coverage": [asdict(one) for one in works.coverage(work)],
            }
        )
        return
    console.answers.print(Text(plain_text(work.title), style="bold"))
    grid = console.table("years", "", "works", "", numbers=("works",))
    role = {node.key: node.role for node in picture.nodes}
    among = sum(role[edge.citing] != "current" and role[edge.cited] != "current" for edge in picture.edges)
    most = max((ring.count for ring in picture.rings), default=1)
    marks = {"citing": "[green]▼ cite it[/green]", "referenced": "[blue]▲ cited by it[/blue]"}
    for ring in picture.rings:
        grid.add_row(ring.label, marks[ring.role], f"{ring.count:,}", console.bar(ring.count / most, 30))
    console.answers.print(grid)
    console.answers.print(f"{among:,} citations among the works around it")
    for words in filter(None, [picture.rule, *(one.sentence for one in works.coverage(work))]):
        console.answers.print(Text(f"  {words}", style="dim"), soft_wrap=True)


def similar(
    identifier: Identifier,
    limit: Annotated[int, Option(metavar="N", min=1, max=100, help="Works of each kind at most.")] = 8,
    as_json: AsJson = False,
) -> None:
    """List works near a paper: alike by citations and words, what it builds on, what builds on it, cited together."""
    work = find(identifier)
    from lenslab.library.graph.related_works import related_works

    found = related_works(work, limit)
    if as_json:
        console.print_json({"paper": work.key, **asdict(found)})
        return
    kinds = (
        ("Similar", "by shared references, common citations and words", found.similar),
        ("Prior works", "what most of the works around it cite", found.prior),
        ("Derivative works", "what cites most of the works around it", found.derivative),
        ("Cited together", "most often, with it", found.cocited),
    )
    for heading, remark, listed in kinds:
        if listed:
            console.answers.print(f"\n[bold cyan]{heading}[/bold cyan]  [dim]{remark}[/dim]")
            console.answers.print(_relatives(listed))
    if not any(listed for *_, listed in kinds):
        remedy = f"add them with: lenslab paper add {work.key}"
        console.remark(f"the library knows too few citations around {work.key}; {remedy}")
    for note in found.notes:
        console.remark(note)


def path(
    identifier: Identifier,
    other: Annotated[str, Argument(metavar="OTHER", help="The paper at the other end.")],
    directed: Annotated[
        bool, Option("--directed", help="Each work must cite the next one; by default either way.")
    ] = False,
    longest: Annotated[int, Option(metavar="N", min=1, max=20, help="Steps at most.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Find the shortest chain of citations between two papers."""
    one, end = find(identifier), find(other)
    from lenslab.library.graph.shortest_path import chain

    found = chain(one, end, directed=directed, longest=longest)
    if as_json:
        console.print_json({"from": one.key, "to": end.key, **asdict(found)})
        return
    if not found.stops:
        console.answer(found.reason)
        return
    for number, stop in enumerate(found.stops):
        if number:
            step = found.steps[number - 1]
            words = "cites ↓" if step.forward else "is cited by ↓"
            console.answers.print(Text(f"   {words}{' (influential)' if step.influential else ''}", style="dim"))
        about = console.visible(", ".join(part for part in (stop.byline, str(stop.year or "")) if part))
        console.answers.print(Text.assemble((plain_text(stop.title), "bold"), (f"  {about}", "dim")), soft_wrap=True)
    if found.shortest > 1:
        console.remark(f"\none of {found.shortest:,} chains of {len(found.steps)} steps")


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "key": hit.key,
        "title": hit.title,
        "authors": hit.byline,
        "year": hit.year,
        "arxiv_id": hit.arxiv_id,
        "citations": hit.citation_count,
        "score": round(hit.score, 4),
        "snippet": "".join(piece.text for piece in hit.snippet),
    }


def _piece(piece: Any) -> tuple[str, str]:
    return console.visible(piece.text), "cyan" if piece.found else ""


def _relatives(listed: tuple[RelatedWork, ...]) -> Any:
    grid = console.table("score", "work", "year", "why", numbers=("score", "year"))
    for one in listed:
        title, byline, why = map(console.escaped, (plain_text(one.title), one.byline, one.evidence))
        grid.add_row(f"{one.score:.2f}", f"{title} [dim]{byline}[/dim]", str(one.year or ""), why)
    return grid
