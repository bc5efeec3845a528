"""Entries of the lists that come with the package, as the library keeps them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.paper import Paper, Version


def parse(source: str, raw: bytes) -> Description:
    """Read a record of the shipped data, as the library keeps it: the entry as JSON, with its locator."""
    entry = json.loads(raw)
    arxiv_id = entry.get("arxiv_id")
    paper = Paper(
        title=entry["title"],
        authors=tuple(entry["authors"]),
        year=entry["year"],
        arxiv_id=ArxivId(arxiv_id) if arxiv_id else None,
        abstract=entry.get("abstract", ""),
        categories=tuple(entry.get("categories", ())),
        license_uri=entry.get("license_uri", ""),
        doi=entry.get("doi", ""),
        journal_reference=entry.get("venue", ""),
        submitted=_day(entry.get("submitted")),
        updated=_day(entry.get("updated")),
        versions=tuple(
            Version(one["version"], _day(one["created"]), entry.get("license_uri", ""))
            for one in entry.get("versions", ())
        ),
    )
    return Description(source=source, locator=entry["locator"], paper=paper, raw=raw)


def facts(raw: bytes) -> dict[str, Any]:
    """Read what a record says beyond a paper's usual fields: dates by name, and a note on them."""
    found: dict[str, Any] = json.loads(raw).get("facts", {})
    return found


def _day(written: str | None) -> dt.date | None:
    return dt.date.fromisoformat(written) if written else None
