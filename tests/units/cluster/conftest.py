"""A real cluster of two machines, both of them this one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks.machines import Machines

STAYS = 10_000
"""What workers made stays on their machine until it is fetched, as the larger tables of larger runs do."""


@pytest.fixture(scope="session")
def the_machines() -> Iterator[Machines]:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    made = Machines(max_direct_call_object_size=STAYS)
    yield made
    made.end()


@pytest.fixture
def machines(the_machines: Machines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """The cluster, whole at the beginning and at the end of every test."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    yield the_machines
    the_machines.renew_second()
