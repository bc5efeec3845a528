"""What holds for every test."""

from __future__ import annotations

import gc
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.campaigns import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_makereport,
)
from tests.lean_runs import lean

__all__ = [
    "lean",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
]

# Workers share the cores already: more threads make a small network three times slower. Read where torch is loaded, in
# the processes that tests start too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile("reproducible" if os.environ.get("CI") else "searching")


@pytest.fixture(autouse=True)
def own_queues(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Queues of requests that no other test and no process of the user's shares."""
    place = tmp_path_factory.getbasetemp() / f"queues-{next(_NUMBERS)}"
    monkeypatch.setenv("LENSLAB_PACE", str(place))
    return place


_NUMBERS = itertools.count()


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among what was imported: that took a twelfth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
