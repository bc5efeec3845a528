"""``lenslab paper summary``: what a paper says in short."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import AsJson, Identifier, find

if TYPE_CHECKING:
    from lenslab.papers.summary.quick_summary import Summary

_METHODS = {
    "endpoint": "written by {model} at {host}, each sentence checked against the abstract",
    "tldr": "Semantic Scholar's TLDR, checked against the abstract",
    "extractive": "two sentences of the abstract, word for word",
}


def summary(
    identifier: Identifier,
    key_findings: Annotated[
        bool, Option("--findings", help="The seven facets of key findings, by a language model.")
    ] = False,
    ask: Annotated[bool, Option("--ask", help="Ask the language model of LENSLAB_LLM_URL now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Summarise a paper; what a model wrote is shown with the words of the abstract that support it."""
    work = find(identifier)
    from lenslab.http.errors import UnavailableError
    from lenslab.library import summaries
    from lenslab.library.paper_facts import PaperFacts
    from lenslab.papers.summary.key_findings import FACETS
    from lenslab.papers.summary.llm_endpoint import configured

    endpoint = configured() if ask else None
    if ask and endpoint is None:
        raise UnavailableError(
            "no language model is configured; name one in LENSLAB_LLM_URL and LENSLAB_LLM_MODEL, "
            "for instance http://localhost:11434/v1 and llama3.1"
        )
    if not key_findings:
        made = summaries.summary(work, endpoint=endpoint) if endpoint else PaperFacts(work).summary
        if as_json:
            console.print_json({"paper": work.key, **document(made)})
            return
        if not made.sentences:
            console.remark(f"the library knows no abstract of {work.key}, so it has no summary")
        for sentence, span in zip(made.sentences, made.spans, strict=True):
            console.answers.print(console.escaped(sentence))
            if made.method != "extractive":
                console.answers.print(console.escaped(f"  the abstract: {span.text}"), style="dim")
        if made.sentences:
            console.remark(f"\n{provenance(made)}" + (f"; {made.note}" if made.note else ""))
        return
    found = summaries.findings(work, endpoint=endpoint)
    if as_json:
        facets: dict[str, Any] = dict.fromkeys(name for name, _, _ in FACETS)
        source: dict[str, Any] = dict.fromkeys(("model", "host", "made", "dropped"))
        if found:
            for name in facets:
                facets[name] = [{"text": item.text, "support": item.span.text} for item in found.facets[name]]
            made_at = found.made.isoformat(timespec="seconds")
            source = {"model": found.model, "host": found.host, "made": made_at, "dropped": found.dropped}
        console.print_json({"paper": work.key, "facets": facets, **source})
        return
    if found is None:
        remedy = f"lenslab paper summary {work.key} --findings --ask"
        console.remark(f"no model has read {work.key} yet; ask one with: {remedy}")
        return
    for heading, items in found.shown():
        console.answers.print(heading, style="bold cyan")
        for item in items:
            console.answers.print(console.escaped(f"  {item}"))
    checked = f"each item checked against the abstract; {found.dropped} dropped"
    console.remark(f"\nwritten by {found.model} at {found.host}, {checked}")


def document(made: Summary) -> dict[str, Any]:
    """Give a summary as plain values."""
    return {
        "text": made.text,
        "method": made.method,
        "sentences": [
            {"text": sentence, "support": asdict(span)}
            for sentence, span in zip(made.sentences, made.spans, strict=True)
        ],
        "model": made.model or None,
        "host": made.host or None,
        "made": made.made.isoformat(timespec="seconds") if made.made else None,
        "version": made.version,
        "note": made.note or None,
    }


def provenance(made: Summary) -> str:
    """Say how a summary was made."""
    return _METHODS[made.method].format(model=made.model, host=made.host)
