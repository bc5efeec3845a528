"""A real Ray cluster of two machines, both of them this one, of which parts can be lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTICES = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 3}
"""Ray notices after half a minute that a machine is lost; here it is asked to notice after some seconds."""


class Machines:
    """A cluster of a head and a second machine, a processor each.

    Args:
        settings: Of Ray's own, beside those by which it notices losses.
    """

    def __init__(self, **settings: Any) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": {**NOTICES, **settings}}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._second = self._cluster.add_node(num_cpus=1)
        self.address = str(self._cluster.address)

    def workers(self) -> list[int]:
        """Find the processes of workers: children of the machines' raylets, by the title that Ray gives them."""
        machines = [self._cluster.head_node, *self._cluster.worker_nodes]
        raylets = {each.process.pid for node in machines for each in node.all_processes.get("raylet", [])}
        return [pid for pid, parent, title in processes() if parent in raylets and title.startswith("ray::Worker")]

    def lose_workers(self) -> int:
        """Kill every worker at once, and count them."""
        found = self.workers()
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def lose_second(self) -> None:
        """Kill every process of the second machine."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def renew_second(self) -> None:
        """Put another machine in the place of a lost one."""
        if self._second not in self._cluster.worker_nodes:
            self._second = self._cluster.add_node(num_cpus=1)

    def end(self) -> None:
        """End all processes of the cluster."""
        self._cluster.shutdown()


def processes() -> Iterator[tuple[int, int, str]]:
    """List the processes of this machine: number, number of the parent, title."""
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                yield int(place.name), parent, (place / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has ended
                continue
