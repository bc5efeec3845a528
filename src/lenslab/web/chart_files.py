"""A record's charts as the site hands them out: pictures in which nothing runs, specifications that fetch nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lenslab.records import BrokenRecordError, Record, RecordNotFoundError

CHART_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LARGEST = 3_000_000
MOST_ROWS = 50_000
DEEPEST = 60
THEMES = ("light", "dark")
# What would fetch something, link somewhere, make rows out of nothing, or change how the specification is embedded.
FORBIDDEN = frozenset({"url", "href", "sequence", "graticule", "sphere", "usermeta", "loader", "transform"})


def picture(record: Record, name: str, theme: str) -> bytes:
    """Read a chart's picture, an SVG document, untrusted: it may only be shown as an image or in a sandbox.

    Raises:
        RecordNotFoundError: There is no such chart.
        BrokenRecordError: It is larger than any chart is.
    """
    if theme not in THEMES or not CHART_NAME.fullmatch(name):
        raise RecordNotFoundError(f"no chart {name!r} in the {theme!r} theme")
    path = record.path(f"charts/{name}.{theme}.svg")
    if path.stat().st_size > LARGEST:
        raise BrokenRecordError(f"the chart {name} is larger than {LARGEST:,} bytes; it is not shown")
    return path.read_bytes()


def specification(record: Record, name: str) -> dict[str, Any]:
    """Read a chart's Vega-Lite specification, if it keeps to what our charts use; its data stand in it.

    Raises:
        RecordNotFoundError: There is no such chart.
        BrokenRecordError: It is no Vega-Lite specification, is too large, or asks for what no chart of ours asks.
    """
    if not CHART_NAME.fullmatch(name):
        raise RecordNotFoundError(f"no chart {name!r}")
    if record.path(f"charts/{name}.vl.json").stat().st_size > LARGEST:
        raise BrokenRecordError(f"the chart {name} is larger than {LARGEST:,} bytes; it is not shown")
    document = record.chart(name)
    if not str(document.get("$schema", "")).startswith("https://vega.github.io/schema/vega-lite/"):
        raise BrokenRecordError(f"the chart {name} is no Vega-Lite specification; it is not shown")
    # Of what is said to programs, only the colours: the rest could change how a page embeds the chart.
    settings = document.pop("usermeta", None)
    themes = settings.get("themes") if isinstance(settings, Mapping) else None
    _refuse_reaching_out([document, themes], name)
    return {**document, "usermeta": {"themes": themes}} if isinstance(themes, Mapping) else document


def _refuse_reaching_out(document: object, name: str) -> None:
    """Walk through a specification; rows of data may have any names, everything else may not."""
    waiting: list[tuple[object, int, bool]] = [(document, 0, False)]
    while waiting:
        value, depth, data = waiting.pop()
        if depth > DEEPEST:
            raise BrokenRecordError(f"the chart {name} is nested deeper than any chart is; it is not shown")
        if isinstance(value, Mapping):
            if not data and (forbidden := FORBIDDEN.intersection(value)):
                raise BrokenRecordError(f"the chart {name} asks for {min(forbidden)!r}, which no record’s chart may")
            waiting += [(held, depth + 1, data or key in ("values", "datasets")) for key, held in value.items()]
        elif isinstance(value, list):
            if len(value) > MOST_ROWS:
                raise BrokenRecordError(f"the chart {name} has {len(value):,} rows; it is not shown")
            waiting += [(held, depth + 1, data) for held in value]
