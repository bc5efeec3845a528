"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.campaigns import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_makereport,
)

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure", "pytest_runtest_makereport"]

# Workers share the cores already: more threads make a small network three times slower. Read where torch is loaded, in
# the processes that tests start too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile("reproducible" if os.environ.get("CI") else "searching")
