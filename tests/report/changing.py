"""Records that say something else than the run that was made."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from lenslab.records import Draft
from lenslab.runs import Run, read


def changed(run: Run, directory: Path, **parts: object) -> Run:
    """A copy of a run with other tables (``None`` leaves one out), and another document where one is given."""
    directory.mkdir(parents=True, exist_ok=True)
    draft = Draft(directory, "run", {})
    for path in sorted(run.directory.glob("*.parquet")):
        if path.stem not in parts:
            (directory / path.name).write_bytes(path.read_bytes())
    for name, table in parts.items():
        if isinstance(table, pd.DataFrame):
            draft.write_table(name, table)
    document = parts.get("document", run.record.document)
    (directory / "record.json").write_text(json.dumps(document), encoding="utf-8")
    return read(directory)
