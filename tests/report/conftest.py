"""One run for all, with everything that a record may hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenslab.report.script_bundle import PLACE

if TYPE_CHECKING:
    from lenslab.runs import Run

NO_BUNDLE = "the report's front end is not built: run `npm ci && npm run build` in frontend/"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``small`` with weights for other images on 200 digits, so that much flips; made once, whichever asks first."""
    from lenslab.runs import read  # here, because every process of pytest reads this file before it begins
    from lenslab.units import ablate, load

    if not (PLACE / "report.js").is_file():
        pytest.fail(NO_BUNDLE, pytrace=False)
    directory: Path = tmp_path_factory.getbasetemp() / "planted-run"
    if (directory / "thumbnails.parquet").exists():
        return read(directory)
    return ablate(load("small", weights="fashion-mnist"), "digits", limit=200, out=directory)
