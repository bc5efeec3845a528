"""Two workers of one thread against one process of one thread: how much sooner a sweep is done, and with which bytes.

What is timed is the sweep. With workers it begins when the first of them has opened network and images, so without the
start of the cluster, and ends when the last piece is written. In one process it begins behind the first site, when the
engine has made its checks, as workers have by then, and the rate from there is taken for the whole. Both are measured
in turn, and medians are compared. How many processors other work takes meanwhile is in the record with each: where it
is near 1 of 2, two workers cannot be twice as fast; the seconds of processors that both take tell how much more work
workers are. The records are compared file by file, record.json apart from its times. The exit code is 1 where something
differs.

    python -m benchmarks.ray_workers --repeats 3
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # read where torch is loaded

from benchmarks.kills import contents
from benchmarks.reporting import write
from benchmarks.textures import textures
from lenslab.units import ablate, load
from lenslab.units.cluster import crew


class Clock:
    """Notes when workers have opened, and how far a sweep has come when."""

    def __init__(self) -> None:
        self.opened: list[tuple[float, float]] = []
        self.done: list[tuple[float, float, float]] = []
        self._received = crew._received
        self._began = time.monotonic(), busy_seconds(), own_seconds()
        self.others = 0.0

    def progress(self, done: float, total: float) -> None:
        """Note how far it is, and how many processors other work takes."""
        now, own = time.monotonic(), own_seconds()
        self.done.append((now, own, done / total))
        if now - self._began[0] > 1:
            used = busy_seconds() - self._began[1] - (own - self._began[2])
            self.others = used / (now - self._began[0])

    def received(self, reference: Any, piece: Any) -> Any:
        """Note that a worker has opened, where it is not a piece that comes back."""
        answer = self._received(reference, piece)
        if piece is None:
            self.opened.append((time.monotonic(), own_seconds()))
        return answer

    @property
    def seconds(self) -> tuple[float, float]:
        """What the sweep took: seconds, and seconds of processors."""
        ended, spent, _ = self.done[-1]
        if self.opened:
            began, before = min(self.opened)
            return ended - began, spent - before
        began, before, share = next(each for each in self.done if each[2] > 0)
        return (ended - began) / (1 - share), (spent - before) / (1 - share)


def busy_seconds() -> float:
    """Read the processor seconds that the machine has spent."""
    spent = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(spent) - spent[3] - spent[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Read the processor seconds of this process and of those that descend from it."""
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                found[int(place.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    own = {os.getpid()}
    while more := {pid for pid, (parent, _) in found.items() if parent in own} - own:
        own |= more
    return sum(found[pid][1] for pid in own if pid in found) / os.sysconf("SC_CLK_TCK")


def measured(options: argparse.Namespace, out: Path, on: str | None) -> dict[str, Any]:
    """Make the run once."""
    clock = Clock()
    crew._received = clock.received
    ablate(
        load("resnet20", untrained=True),
        textures(options.limit, size=(32, 32), channels=3),
        batch_size=options.batch_size,
        attributes=False,
        out=out,
        progress=clock.progress,
        on=on,
        workers=options.workers if on else None,
    )
    crew._received = clock._received
    seconds, spent = (round(each, 1) for each in clock.seconds)
    figures = {"seconds": seconds, "processor_seconds": spent, "processors_of_others": round(clock.others, 2)}
    row = {"on": on or "one process", **figures}
    print(row, flush=True)
    return row


def main() -> None:
    """Measure in turn, compare, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=720)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows, differing = [], 0
    with tempfile.TemporaryDirectory(prefix="lenslab-ray-workers-") as temporary:
        for repeat in range(options.repeats):
            here, there = (Path(temporary) / f"{repeat}-{name}" for name in ("here", "there"))
            rows += [measured(options, here, None), measured(options, there, "ray")]
            differing += contents(here) != contents(there)
    one, several = (median(row["seconds"] for row in rows[place::2]) for place in (0, 1))
    faster = round(one / several, 2)
    print(f"{options.workers} workers are {faster} times as fast; {differing} of {options.repeats} records differ")
    document = {
        "network": "resnet20",
        "images": options.limit,
        "batch_size": options.batch_size,
        "threads": 1,
        "workers": options.workers,
        "one_process_seconds": one,
        "workers_seconds": several,
        "workers_are_faster_by": faster,
        "records_differing": differing,
        "rows": rows,
    }
    write("ray-workers", document)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
