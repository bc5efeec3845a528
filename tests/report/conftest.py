"""One run for all, with everything that a record may hold."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from lenslab.report.script_bundle import PLACE

if TYPE_CHECKING:
    from lenslab.runs import Run

NO_BUNDLE = "the report's front end is not built: run `npm ci && npm run build` in frontend/"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``small`` with weights for other images on 200 digits, so that much flips; made once, by whoever asks first."""
    from lenslab.units import ablate, load  # here, because every process of pytest reads this file before it begins

    if not (PLACE / "report.js").is_file():
        pytest.fail(NO_BUNDLE, pytrace=False)
    place = tmp_path_factory.getbasetemp()
    directory = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "planted-run"
    with FileLock(f"{directory}.lock"):
        network = replace(load("small", weights="fashion-mnist"), class_names=None)
        return ablate(network, "digits", limit=200, out=directory)
