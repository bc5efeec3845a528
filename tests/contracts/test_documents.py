"""What a run's ``record.json`` says is read in one room; elsewhere a run is asked."""

from __future__ import annotations

import re
from pathlib import Path

SRC = Path(__file__).parents[2] / "src" / "lenslab"
WHOLE = {"cli/ablate.py", "cli/screening.py", "cli/study.py"}
"""They print the whole document as JSON and read nothing in it."""

OF_STUDIES = {"studies/study_result.py", "studies/checked_fields.py"}
"""They read a study's own record."""


def test_no_other_room_reads_the_document_of_a_run() -> None:
    reading = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        if path.relative_to(SRC).parts[0] not in ("records", "runs")
        and re.search(r"\.document\b(?!\()", path.read_text(encoding="utf-8"))
    }
    assert reading - OF_STUDIES == WHOLE
    for name in WHOLE:
        assert not re.search(r"\.document[\[.]", (SRC / name).read_text(encoding="utf-8")), name
