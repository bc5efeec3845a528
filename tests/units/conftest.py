"""What holds for every test of the measuring half."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def only_what_is_measured(lean: None) -> None:
    """Runs are lean, see `tests.lean_runs`."""
