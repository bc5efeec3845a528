"""Records of benchmarks: one JSON file each, with what they were measured with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lenslab import records

RECORDS = Path(__file__).parent / "records"


def write(name: str, document: dict[str, Any]) -> Path:
    """Write a benchmark's record, and say where.

    Args:
        name: of the file, without its ending.
        document: what was measured and how; versions, machine and time are added.
    """
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"{name}.json"
    where = {"versions": records.versions(), "machine": records.machine(), "measured": records.timestamp()}
    path.write_text(json.dumps({**document, **where}, indent=2) + "\n", encoding="utf-8")
    print(f"record: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return path
