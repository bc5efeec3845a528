"""A real cluster of two machines, both of them this one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 3,
    "max_direct_call_object_size": 10_000,
}
"""Ray notices after half a minute that a machine is lost, here after some seconds; and what workers made stays on their
machine until it is fetched, as the larger tables of larger runs do."""


@dataclass
class Machines:
    """A head and a second machine with a processor each.

    Attributes:
        cluster: Ray's own cluster for tests.
        second: The machine that is not the head.
    """

    cluster: Any
    second: Any

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def workers(self) -> list[int]:
        """Find the processes of workers, by the title that Ray gives them."""
        machines = [self.cluster.head_node, *self.cluster.worker_nodes]
        raylets = {each.process.pid for node in machines for each in node.all_processes.get("raylet", [])}
        return [pid for pid, parent, title in _processes() if parent in raylets and title.startswith("ray::Worker")]

    def kill_workers(self) -> int:
        """End every worker at once, and count them."""
        found = self.workers()
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def kill_second(self) -> None:
        """Pull the plug of the second machine."""
        self.cluster.remove_node(self.second, allow_graceful=False)

    def renew_second(self) -> None:
        """Put another machine in its place."""
        self.second = self.cluster.add_node(num_cpus=1)


def _processes() -> Iterator[tuple[int, int, str]]:
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                yield int(place.name), parent, (place / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has ended
                continue


@pytest.fixture(scope="session")
def the_machines() -> Iterator[Machines]:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": SYSTEM}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    made = Machines(cluster, cluster.add_node(num_cpus=1))
    yield made
    cluster.shutdown()


@pytest.fixture
def machines(the_machines: Machines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """The cluster, whole at the beginning and at the end of every test."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    yield the_machines
    if the_machines.second not in the_machines.cluster.worker_nodes:
        the_machines.renew_second()
