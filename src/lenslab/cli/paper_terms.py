"""``lenslab paper terms | count-terms``: a paper's key terms, and the counts by which they are weighed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import AsJson, Identifier, find, open_library

if TYPE_CHECKING:
    from lenslab.papers.terms.key_terms import Term


class TermStyle(StrEnum):
    """How key terms are found."""

    phrases = "phrases"
    seed = "seed"


def terms(
    identifier: Identifier,
    style: Annotated[
        TermStyle, Option(help="phrases, or seed for single words as scikit-learn finds them.")
    ] = TermStyle.phrases,
    limit: Annotated[int, Option(metavar="N", min=1, help="At most so many terms.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the paper's key terms with their scores."""
    work = find(identifier)
    from lenslab.library.paper_facts import PaperFacts

    found = PaperFacts(work).key_terms(style=style.value, limit=limit)
    if as_json:
        console.print_json({"paper": work.key, "style": style.value, "terms": [document(term) for term in found]})
        return
    if not found:
        console.remark(f"the library knows no abstract of {work.key}, so it has no key terms")
        return
    longest = found[0].score
    grid = console.table("term", "score", "", "why", numbers=("score",))
    for term in found:
        name, reason = console.escaped(term.term), console.escaped(term.reason)
        grid.add_row(name, f"{term.score:.3f}", console.bar(term.score / longest, 10), reason)
    console.answers.print(grid)
    group = found[0].group
    compared = "abstracts of arXiv" if group == "all" else f"abstracts in {group}"
    console.remark(f"\nTF-IDF against {found[0].documents:,} {compared}; style {style.value}")


def count_terms(as_json: AsJson = False) -> None:
    """Count the words of new papers, by which key terms are weighed."""
    open_library()
    from lenslab.library import vocabulary

    with console.progress("counting") as progress:
        counted = vocabulary.count_new(progress=progress)
    if as_json:
        console.print_json({"counted": counted})
        return
    console.answers.print(f"{counted:,} paper{'' if counted == 1 else 's'} counted")


def document(term: Term) -> dict[str, Any]:
    """Give a key term as plain values."""
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
