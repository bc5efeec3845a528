"""Study records built by hand in the documented format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lenslab.records import Draft, Record


def claim(identifier: str = "a", **changes: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "statement": "Ablating any single unit does not hurt the overall accuracy.",
        "verdict": "supported",
        "statistic": "The largest overall drop of any live unit.",
        "measure": "points",
        "estimate": 0.0042,
        "low": 0.0011,
        "high": 0.0087,
        "confidence": 0.99,
        "scope": ["fewer than 100 classes"],
        "rule": {
            "supported": "upper bound of the drop at most 1 point",
            "contradicted": "lower bound of the drop above 1 point",
        },
        "part": None,
        "detail": "Unit 17 loses the most.",
        "chart": f"claim-{identifier}",
        "parts": [],
        **changes,
    }


def study_document(**changes: Any) -> dict[str, Any]:
    return {
        "study": "1806.02891",
        "rules": {"file": "1806.02891.toml", "sha256": "ab" * 32},
        "network": {"name": "small", "weights_sha256": "cd" * 32, "parameters": 60_000, "preprocessing": {}},
        "images": {"name": "fashion-mnist", "source": "test", "count": 10_000, "sha256": "ef" * 32, "classes": 10},
        "accuracy": 0.9123,
        "site": "layer3",
        "units": 64,
        "dead": 1,
        "claims": [
            claim("a"),
            claim(
                "b", verdict="undecided", measure="share", estimate=0.34, low=0.2, high=0.5, statement="Classes suffer."
            ),
            claim(
                "e",
                verdict="contradicted",
                measure="correlation",
                estimate=-0.25,
                low=-0.5,
                high=0.1,
                statement="Selectivity predicts.",
                part="l1_norm",
                parts=[
                    {
                        "name": "l1_norm",
                        "verdict": "contradicted",
                        "estimate": -0.25,
                        "low": -0.5,
                        "high": 0.1,
                        "detail": "",
                    }
                ],
            ),
        ],
        "runs": ["run"],
        "warnings": [],
        "versions": {"lenslab": "0.1.0"},
        "machine": {},
        "started": "2026-01-02T03:04:05+00:00",
        "finished": "2026-01-02T03:06:05+00:00",
        "seconds": 120.0,
        **changes,
    }


def specification() -> dict[str, Any]:
    rows = [{"unit": unit, "drop": round(unit * 0.07 % 1, 3)} for unit in range(24)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.1.0.json",
        "width": 320,
        "height": 160,
        "data": {"values": rows},
        "mark": "bar",
        "encoding": {
            "x": {"field": "unit", "type": "ordinal"},
            "y": {"field": "drop", "type": "quantitative"},
            "tooltip": [{"field": "unit"}, {"field": "drop"}],
        },
    }


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160"><rect width="320" height="160" fill="{fill}"/></svg>'
)


def write_study(directory: Path, document: dict[str, Any] | None = None, *, charts: bool = True) -> Record:
    """A finished study record in a directory; its request is its place, so that each differs."""
    document = study_document() if document is None else document
    draft = Draft.open(directory, kind="study", request={"place": str(directory)})
    named = [entry.get("chart") for entry in document.get("claims") or [] if isinstance(entry, dict)]
    for name in {name for name in named if isinstance(name, str) and name.startswith("claim-")} if charts else ():
        draft.write_text(f"charts/{name}.vl.json", json.dumps(specification()))
        draft.write_text(f"charts/{name}.light.svg", SVG.format(fill="#eee"))
        draft.write_text(f"charts/{name}.dark.svg", SVG.format(fill="#222"))
    return draft.finish(document)
