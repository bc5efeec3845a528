"""``lenslab paper show | terms``, and the group that all commands about papers belong to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenslab.cli import console, paper_exports, paper_merges, paper_search, paper_sources, paper_summary
from lenslab.cli.paper_names import AsJson, Identifier, find

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lenslab.library.models import Work
    from lenslab.papers.terms.key_terms import Term

app = typer.Typer(
    help="Papers: bring them in, read them, see what cites what, and give them to other programs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_ROWS = 12
_BAR = 20


class TermStyle(StrEnum):
    """How key terms are found."""

    phrases = "phrases"
    seed = "seed"


@app.command(rich_help_panel="Read")
def show(
    identifier: Identifier,
    every_row: Annotated[bool, typer.Option("--all", help="Every row of the table of citations.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show everything that the paper's page says."""
    work = find(identifier)
    document = _document(work)
    if as_json:
        console.print_json(document)
        return
    for part in _page(document, every_row=every_row):
        console.answers.print(part)


@app.command(rich_help_panel="Read")
def terms(
    identifier: Identifier,
    style: Annotated[
        TermStyle, typer.Option("--style", help="phrases, or seed for single words as scikit-learn finds them.")
    ] = TermStyle.phrases,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many terms.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the paper's key terms with their scores."""
    work = find(identifier)
    from lenslab.library import vocabulary, works

    found = vocabulary.key_terms(works.paper(work), style=style.value, limit=limit)
    if as_json:
        console.print_json({"paper": work.key, "style": style.value, "terms": [_term(term) for term in found]})
        return
    if not found:
        console.remark(f"the library knows no abstract of {work.key}, so it has no key terms")
        return
    longest = found[0].score
    grid = console.table("term", "score", "", "why", numbers=("score",))
    for term in found:
        grid.add_row(_plain(term.term), f"{term.score:.3f}", _bar(term.score / longest, whole=10), _plain(term.reason))
    console.answers.print(grid)
    group = found[0].group
    compared = "abstracts of arXiv" if group == "all" else f"abstracts in {group}"
    console.remark(f"\nTF-IDF against {found[0].documents:,} {compared}; style {style.value}")


app.command(rich_help_panel="Read")(paper_summary.summary)
app.command(rich_help_panel="Find")(paper_search.search)
app.command(rich_help_panel="Find")(paper_search.network)
app.command(rich_help_panel="Find")(paper_search.similar)
app.command(rich_help_panel="Find")(paper_search.path)
app.command(rich_help_panel="Bring in")(paper_sources.add)
app.command("import", rich_help_panel="Bring in")(paper_sources.import_)
app.command(rich_help_panel="Bring in")(paper_sources.harvest)
app.command("count-terms", rich_help_panel="Bring in")(paper_summary.count_terms)
app.command(rich_help_panel="Give to other programs")(paper_exports.cite)
app.command("export", rich_help_panel="Give to other programs")(paper_exports.export)
app.command(rich_help_panel="Join and take apart")(paper_merges.merges)
app.command(rich_help_panel="Join and take apart")(paper_merges.merge)
app.command(rich_help_panel="Join and take apart")(paper_merges.unmerge)


def _document(work: Work) -> dict[str, Any]:
    """Everything that the page says, as plain values."""
    from lenslab.library import works
    from lenslab.papers.categories import shown_once
    from lenslab.papers.licenses import license_of
    from lenslab.papers.summary.quick_summary import summarize
    from lenslab.papers.terms.key_terms import paper_terms
    from lenslab.papers.text.latex_display import plain_text

    paper = works.paper(work)
    summary = summarize(paper.abstract)
    license_ = license_of(paper.license_uri)
    rows = works.relations(work)
    return {
        "id": str(paper.arxiv_id) if paper.arxiv_id else None,
        "key": work.key,
        "url": paper.arxiv_id.url if paper.arxiv_id else None,
        "title": plain_text(paper.title),
        "authors": [plain_text(name) for name in paper.authors],
        "year": paper.year,
        "dates": [
            {"name": fact.name, "date": fact.date.isoformat(), "source": fact.source, "note": fact.note}
            for fact in works.dates(work)
        ],
        "categories": [{"id": category.id, "name": category.name} for category in shown_once(paper.categories)],
        "license": {"name": license_.name, "uri": license_.uri, "allows": license_.allows},
        "doi": paper.doi or None,
        "journal_reference": plain_text(paper.journal_reference) or None,
        "comments": plain_text(paper.author_comments) or None,
        "abstract": paper.abstract,
        "summary": {"method": summary.method, "text": summary.text, "sentences": list(summary.sentences)},
        "terms": [_term(term) for term in paper_terms(paper)],
        "citations": sum(row.direction == "citing" for row in rows),
        "references": sum(row.direction == "referenced" for row in rows),
        "rows": [
            {
                "key": row.key,
                "title": plain_text(row.title),
                "authors": [plain_text(name) for name in row.authors],
                "year": row.year,
                "direction": row.direction,
                "records": row.records,
                "merged_because": list(row.evidence),
                "possibly_the_same_as": [{"key": twin.key, "because": twin.evidence} for twin in row.twins],
                "sources": list(row.sources),
            }
            for row in rows
        ],
    }


def _term(term: Term) -> dict[str, Any]:
    return {
        "term": term.term,
        "score": round(term.score, 4),
        "reason": term.reason,
        "count": term.count,
        "document_frequency": term.document_frequency,
        "documents": term.documents,
        "group": term.group,
        "rarer_than_recorded": term.rarer,
        "forms": list(term.forms),
    }


def _page(document: dict[str, Any], *, every_row: bool) -> list[RenderableType]:
    """The page as Rich shows it, part by part."""
    from rich.padding import Padding
    from rich.text import Text

    name = f"arXiv:{document['id']}" if document["id"] else document["key"]
    parts: list[RenderableType] = [
        Text(document["title"], style="bold"),
        Text(", ".join(document["authors"]) or "no authors named", style="" if document["authors"] else "dim"),
        Text(
            " · ".join(part for part in (name, str(document["year"] or ""), document["url"] or "") if part), style="dim"
        ),
    ]
    if summary := document["summary"]["text"]:
        parts += [_heading("Quick summary", "two sentences of the abstract, word for word"), Padding(summary, (0, 2))]
    if document["dates"]:
        parts += [_heading("Dates"), _dates(document["dates"])]
    if document["categories"]:
        named = "\n".join(f"{category['id']:<10} {category['name']}" for category in document["categories"])
        parts += [_heading("Categories"), Padding(Text(named), (0, 2))]
    if document["terms"]:
        parts += [_heading("Key terms", "TF-IDF"), Padding(_few_terms(document["terms"]), (0, 2))]
    if document["abstract"]:
        about = document["license"]
        parts += [_heading("License"), Padding(Text(f"{about['name']}. {about['allows']}"), (0, 2))]
    counts = f"cited by {document['citations']}, references known {document['references']}"
    parts += [_heading("Citations and references", counts)]
    if document["rows"]:
        parts.append(Padding(_rows(document["rows"] if every_row else document["rows"][:_ROWS]), (0, 2)))
    hidden = 0 if every_row else len(document["rows"]) - _ROWS
    if hidden > 0:
        parts.append(Text(f"\n  and {hidden} more: lenslab paper show {document['key']} --all", style="dim"))
    return parts


def _heading(words: str, remark: str = "") -> RenderableType:
    from rich.text import Text

    return Text.assemble("\n", (words, "bold cyan"), (f"  {remark}" if remark else "", "dim"))


def _dates(dates: list[dict[str, str]]) -> RenderableType:
    from rich.padding import Padding

    said: dict[tuple[str, str], list[str]] = {}
    for date in dates:
        source = f"{date['source']}; {date['note']}" if date["note"] else date["source"]
        said.setdefault((date["date"], source), []).append(date["name"])
    grid = console.table("", "", "")
    grid.show_header = False
    for (day, source), names in said.items():
        grid.add_row(day, " and ".join(names), f"[dim]{_plain(source)}[/dim]")
    return Padding(grid, (0, 2))


def _few_terms(found: list[dict[str, Any]]) -> RenderableType:
    grid = console.table("", "", "")
    grid.show_header = False
    for term in found[:10]:
        grid.add_row(_plain(term["term"]), f"{term['score']:.3f}", _bar(term["score"] / found[0]["score"]))
    return grid


def _rows(rows: list[dict[str, Any]]) -> RenderableType:
    grid = console.table("year", "", "title", "authors", numbers=("year",))
    marks = {"citing": "[green]▼ cites it[/green]", "referenced": "[blue]▲ cited by it[/blue]"}
    for row in rows:
        merged = f" [dim]({row['records']} records merged)[/dim]" if row["records"] > 1 else ""
        authors = row["authors"][0] + (" et al." if len(row["authors"]) > 1 else "") if row["authors"] else "—"
        grid.add_row(str(row["year"] or ""), marks[row["direction"]], _plain(row["title"]) + merged, _plain(authors))
    grid.columns[1].no_wrap = True
    return grid


def _bar(share: float, whole: int = _BAR) -> str:
    return f"[cyan]{'━' * max(1, round(whole * share))}[/cyan]"


def _plain(text: str) -> str:
    """Text that Rich shows as it is."""
    from rich.markup import escape

    return escape(text)
