"""Summaries and key findings of the library's works: what a model wrote is kept for the abstract that it is about."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lenslab.library import works
from lenslab.library.models import GeneratedText
from lenslab.library.stored_records import parse_record
from lenslab.papers.sources import semantic_scholar
from lenslab.papers.summary.abstract_support import Span
from lenslab.papers.summary.key_findings import Findings, Item, key_findings
from lenslab.papers.summary.quick_summary import Summary, paper_summary

if TYPE_CHECKING:
    from lenslab.library.models import Work
    from lenslab.papers.summary.llm_endpoint import Endpoint


def summary(work: Work, *, endpoint: Endpoint | None = None) -> Summary:
    """Give a work's quick summary: that of a language model, else Semantic Scholar's, else the extractive one.

    An endpoint is asked now, and its answer is kept; without one, nobody is asked, and what was kept for this abstract
    is given. Without an abstract the summary is empty.
    """
    paper = works.paper(work)
    if endpoint is None and (kept := _kept(work, "summary")) is not None:
        return _summary(kept)
    made = paper_summary(paper, tldr=_tldr(work) if paper.abstract else "", endpoint=endpoint)
    if made.method == "endpoint":
        _keep(work, "summary", asdict(made))
    return made


def findings(work: Work, *, endpoint: Endpoint | None = None) -> Findings | None:
    """Give a work's key findings as a language model wrote them, the endpoint's now; ``None`` where none did.

    Raises:
        UnavailableError: The endpoint does not answer, or refuses.
        MalformedError: Its answer has not the form that was asked for.
    """
    if endpoint is None:
        kept = _kept(work, "findings")
        return None if kept is None else _findings(kept)
    made = key_findings(works.paper(work), endpoint)
    _keep(work, "findings", asdict(made))
    return made


def _tldr(work: Work) -> str:
    for record in work.source_records.filter(source=semantic_scholar.NAME).order_by("pk"):
        if tldr := parse_record(record.source, record.content).tldr:
            return tldr
    return ""


def _kept(work: Work, kind: str) -> dict[str, Any] | None:
    """Find what was kept, if it is about today's abstract."""
    kept = GeneratedText.objects.filter(work=work, kind=kind, abstract_sha256=_hash(work)).first()
    return None if kept is None else dict(kept.content)


def _keep(work: Work, kind: str, content: dict[str, Any]) -> None:
    made = content["made"] or dt.datetime.now(dt.UTC)
    GeneratedText.objects.update_or_create(
        work=work,
        kind=kind,
        defaults={"abstract_sha256": _hash(work), "content": {**content, "made": made.isoformat()}, "made": made},
    )


def _hash(work: Work) -> str:
    return hashlib.sha256(work.abstract.encode()).hexdigest()


def _summary(content: dict[str, Any]) -> Summary:
    lists = {"sentences": tuple(content["sentences"]), "positions": tuple(content["positions"])}
    spans = tuple(Span(**span) for span in content["spans"])
    return Summary(**{**content, **lists, "spans": spans, "made": dt.datetime.fromisoformat(content["made"])})


def _findings(content: dict[str, Any]) -> Findings:
    found = content["facets"].items()
    facets = {name: tuple(Item(one["text"], Span(**one["span"])) for one in items) for name, items in found}
    return Findings(**{**content, "facets": facets, "made": dt.datetime.fromisoformat(content["made"])})
