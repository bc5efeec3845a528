"""``lenslab paper show``, and the group that all commands about papers belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text
from typer import Option

from lenslab.cli import console, paper_exports, paper_intake, paper_merges, paper_search, paper_summary, paper_terms
from lenslab.cli.paper_lookup import AsJson, Identifier, find
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lenslab.library.paper_facts import Day, PaperFacts
    from lenslab.library.works import Relation
    from lenslab.papers.terms.key_terms import Term

app = typer.Typer(
    help="Papers: bring them in, read them, see what cites what, and give them to other programs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_ROWS = 12


@app.command(rich_help_panel="Read")
def show(
    identifier: Identifier,
    every_row: Annotated[bool, Option("--all", help="Every row of the table of citations.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show everything that the paper's page says."""
    work = find(identifier)
    from lenslab.library.paper_facts import PaperFacts

    facts = PaperFacts(work)
    if as_json:
        console.print_json(_document(facts))
        return
    for part in _page(facts, every_row=every_row):
        console.answers.print(part)


app.command(rich_help_panel="Read")(paper_terms.terms)
app.command(rich_help_panel="Read")(paper_summary.summary)
app.command(rich_help_panel="Find")(paper_search.search)
app.command(rich_help_panel="Find")(paper_search.network)
app.command(rich_help_panel="Find")(paper_search.similar)
app.command(rich_help_panel="Find")(paper_search.path)
app.command(rich_help_panel="Bring in")(paper_intake.add)
app.command("import", rich_help_panel="Bring in")(paper_intake.import_)
app.command(rich_help_panel="Bring in")(paper_intake.harvest)
app.command("count-terms", rich_help_panel="Bring in")(paper_terms.count_terms)
app.command(rich_help_panel="Give to other programs")(paper_exports.cite)
app.command("export", rich_help_panel="Give to other programs")(paper_exports.export)
app.command(rich_help_panel="Join and take apart")(paper_merges.merges)
app.command(rich_help_panel="Join and take apart")(paper_merges.merge)
app.command(rich_help_panel="Join and take apart")(paper_merges.unmerge)


def _document(facts: PaperFacts) -> dict[str, Any]:
    """Give the facts as plain values."""
    paper, license_, summary = facts.paper, facts.license, paper_summary.document(facts.summary)
    return {
        "id": str(paper.arxiv_id) if paper.arxiv_id else None,
        "key": facts.work.key,
        "url": paper.arxiv_id.url if paper.arxiv_id else None,
        "title": facts.title,
        "authors": list(facts.authors),
        "year": paper.year,
        "dates": [
            {"name": fact.name, "date": fact.date.isoformat(), "source": fact.source, "note": fact.note}
            for fact in facts.dates
        ],
        "categories": [{"id": category.id, "name": category.name} for category in facts.categories],
        "license": {"name": license_.name, "uri": license_.uri, "allows": license_.allows} if license_ else None,
        "doi": paper.doi or None,
        "journal_reference": facts.journal_reference or None,
        "publication": facts.work.publication or None,
        "standing": facts.paper.standing or None,
        "comments": facts.comments or None,
        "abstract": paper.abstract,
        "summary": {**summary, "sentences": list(facts.summary.sentences)},
        "terms": [paper_terms.document(term) for term in facts.terms],
        "citations": facts.work.citation_count,
        "references": facts.work.reference_count,
        "rows": [
            {
                "key": row.key,
                "title": plain_text(row.title),
                "authors": [plain_text(name) for name in row.authors],
                "year": row.year,
                "direction": row.direction,
                "standing": row.standing or None,
                "records": row.records,
                "merged_because": list(row.evidence),
                "possibly_the_same_as": [{"key": twin.key, "because": twin.evidence} for twin in row.twins],
                "sources": list(row.sources),
            }
            for row in facts.relations
        ],
    }


def _page(facts: PaperFacts, *, every_row: bool) -> list[RenderableType]:
    """Give the facts as Rich shows them, part by part."""
    arxiv_id, year = facts.paper.arxiv_id, str(facts.paper.year or "")
    about = (f"arXiv:{arxiv_id}", year, arxiv_id.url) if arxiv_id else (facts.work.key, year)
    parts: list[RenderableType] = [
        Text(facts.title, style="bold"),
        Text(facts.people or "no authors named", style="" if facts.authors else "dim"),
        Text(" · ".join(part for part in about if part), style="dim"),
    ]
    if facts.standing:
        parts.append(Text(facts.standing, style="bold red"))
    published = [("DOI", facts.paper.doi), ("Published in", facts.journal_reference), *facts.publication]
    parts += [Text(f"{name}: {text}", style="dim") for name, text in published if text]
    if facts.summary.text:
        remark = paper_summary.provenance(facts.summary)
        parts += [_heading("Quick summary", remark), Padding(Text(console.visible(facts.summary.text)), (0, 2))]
    if facts.days:
        parts += [_heading("Dates"), _dates(facts.days)]
    if facts.categories:
        named = "\n".join(f"{category.id:<10} {category.name}" for category in facts.categories)
        parts += [_heading("Categories"), Padding(Text(named), (0, 2))]
    if facts.terms:
        parts += [_heading("Key terms", "TF-IDF"), Padding(_few_terms(facts.terms[:10]), (0, 2))]
    if facts.license:
        words = f"{facts.license.name}. {facts.license.allows}"
        parts += [_heading("License"), Padding(Text(words), (0, 2))]
    counts = f"cited by {facts.work.citation_count}, references known {facts.work.reference_count}"
    parts += [_heading("Citations and references", counts)]
    rows = facts.relations if every_row else facts.relations[:_ROWS]
    if rows:
        parts.append(Padding(_rows(rows), (0, 2)))
    if hidden := len(facts.relations) - len(rows):
        parts.append(Text(f"\n  and {hidden} more: lenslab paper show {facts.work.key} --all", style="dim"))
    return parts


def _heading(words: str, remark: str = "") -> RenderableType:
    return Text.assemble("\n", (words, "bold cyan"), (f"  {remark}" if remark else "", "dim"))


def _dates(days: tuple[Day, ...]) -> RenderableType:
    grid = console.table("", "", "")
    grid.show_header = False
    for day in days:
        sources = "; ".join(f"{source}; {note}" if note else source for source, note in day.sources)
        grid.add_row(day.date.isoformat(), " and ".join(day.names), f"[dim]{console.escaped(sources)}[/dim]")
    return Padding(grid, (0, 2))


def _few_terms(found: tuple[Term, ...]) -> RenderableType:
    grid = console.table("", "", "")
    grid.show_header = False
    for term in found:
        grid.add_row(console.escaped(term.term), f"{term.score:.3f}", console.bar(term.score / found[0].score, 20))
    return grid


def _rows(rows: tuple[Relation, ...]) -> RenderableType:
    grid = console.table("year", "", "title", "authors", numbers=("year",))
    marks = {"citing": "[green]▼ cites it[/green]", "referenced": "[blue]▲ cited by it[/blue]"}
    for row in rows:
        title, authors = console.escaped(plain_text(row.title)), [*map(plain_text, row.authors[:1])]
        merged = f" [dim]({row.records} records merged)[/dim]" if row.records > 1 else ""
        more = " et al." if len(row.authors) > 1 else ""
        first = console.escaped(authors[0]) if authors else "—"
        standing = f" [bold red]{row.standing}[/bold red]" if row.standing else ""
        grid.add_row(str(row.year or ""), marks[row.direction], title + standing + merged, first + more)
    grid.columns[1].no_wrap = True
    return grid
