"""Sweeps on a Ray cluster in which something is lost: they leave the bytes of a sweep that nobody disturbed.

A cluster of two machines, both of them this one, makes sweep after sweep. In each, at a random moment while workers are
at work, a worker, the second machine or the command itself is killed (SIGKILL), in turn; a lost machine is replaced
after the sweep, a killed command is given again, with and without the cluster in turn. Compared are all files of the
record by their SHA-256, record.json apart from its times; counted are pairs of unit and image that a record lacks or
has more than once. A shard that was whole when the command died must be the same file afterwards. The exit code is 1
where anything differs, or where less was lost than was to be.

    python -m benchmarks.ray_kills --sweeps 100
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.kills import CHILD, computed_again, contents, shards
from benchmarks.machines import Machines
from benchmarks.reporting import write
from lenslab.units import Ablation, ablate
from lenslab.units.sweep import schedule

LOST = ("worker", "machine", "command")
"""What is killed, in turn."""

_PATIENCE = 600.0
"""Seconds after which a sweep that should have ended has got stuck."""


def command(options: argparse.Namespace, out: Path, on: str | None) -> list[str]:
    """Write the command of a sweep."""
    asked = ["small", "--images", "digits", "--limit", str(options.limit), "--batch-size", str(options.batch_size)]
    where = ["--on", on] if on else []
    return [sys.executable, "-c", CHILD, str(options.budget), "ablate", *asked, "--out", str(out), *where]


def started(options: argparse.Namespace, out: Path, on: str | None) -> subprocess.Popen[bytes]:
    """Start a sweep."""
    return subprocess.Popen(command(options, out, on), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> None:
    """Wait for a sweep to end well."""
    _, said = process.communicate(timeout=_PATIENCE)
    if process.returncode != 0:
        sys.exit(f"the command failed by itself:\n{said.decode()}")


def disturbed(options: argparse.Namespace, machines: Machines, out: Path, lost: str, number: int) -> tuple[bool, int]:
    """Make a sweep in which something is lost; tell whether it was lost in time, and count shards computed again."""
    moment = random.randint(1, options.pieces - 6)  # so that there are workers to lose
    if lost == "command":
        return killed(options, machines, out, moment, number)
    at_work: list[int] = []

    def lose() -> None:
        at_work.extend(machines.workers())
        if lost == "machine":
            machines.lose_second()
        elif at_work:
            os.kill(random.choice(at_work), signal.SIGKILL)

    timer = threading.Timer(random.uniform(0, 0.1), lose)

    def progress(done: float, total: float) -> None:
        if done >= moment / options.pieces * total and timer.ident is None:
            timer.start()

    with smaller(options.budget):
        ablate(
            "small",
            "digits",
            limit=options.limit,
            batch_size=options.batch_size,
            out=out,
            on=machines.address,
            progress=progress,
        )
    timer.join()
    machines.renew_second()
    return bool(at_work), 0


def killed(options: argparse.Namespace, machines: Machines, out: Path, moment: int, number: int) -> tuple[bool, int]:
    """Kill the command of a sweep, and give it again, with and without the cluster in turn."""
    process = started(options, out, machines.address)
    while process.poll() is None and len([*(out / "shards").glob("activations-*")]) < moment:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.2))
    in_time = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = shards(out)
    finished(process := started(options, out, machines.address if number % 2 else None))
    return in_time, computed_again(before, out)


@contextmanager
def smaller(budget: float) -> Iterator[None]:
    """Give pieces of work a smaller budget, as in the command."""
    usual = schedule.BUDGET, schedule._OVERHEAD
    schedule.BUDGET, schedule._OVERHEAD = budget, 0
    try:
        yield
    finally:
        schedule.BUDGET, schedule._OVERHEAD = usual


def pairs(record: Path) -> Counter[tuple[str, int, int]]:
    """Count the rows of each image and of each changed pair in a record: more than one is doubled."""
    images = Counter(("", 0, image) for image in pq.read_table(record / "images.parquet")["image"].to_pylist())
    flips = pq.read_table(record / "flips.parquet", columns=["site", "unit", "image"]).to_pandas()
    return images + Counter(flips.itertuples(index=False, name=None))


def main() -> None:
    """Lose, compare, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--budget", type=float, default=2e7, help="multiply-accumulates in a piece of work")
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="lenslab-ray-kills-") as temporary:
        row = campaign(options, Path(temporary))
    write("ray-kills", row)
    wrong = row["differing"] + row["lost"] + row["doubled"] + row["shards_computed_again"]
    sys.exit(1 if wrong or sum(row["losses"].values()) < options.sweeps else 0)


def campaign(options: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Make all sweeps, and count."""
    process = started(options, place / "whole", None)
    finished(process)
    expected, whole = contents(place / "whole"), pairs(place / "whole")
    options.pieces = pieces_of(options)
    machines, counts, losses = Machines(), Counter[str](), Counter[str]()
    began = time.monotonic()
    try:
        for number in range(options.sweeps):
            lost, out = LOST[number % len(LOST)], place / f"sweep{number}"
            in_time, again = disturbed(options, machines, out, lost, number)
            found = pairs(out)
            counts["differing"] += contents(out) != expected
            counts["lost"] += len(whole - found)
            counts["doubled"] += sum(count - 1 for count in found.values())
            counts["again"] += again
            losses[lost] += in_time
            print(f"sweep {number + 1}: {lost} lost{'' if in_time else ' too late'}; {dict(counts)}", flush=True)
    finally:
        machines.end()
    return {
        "network": "small",
        "images": "digits",
        "limit": options.limit,
        "batch_size": options.batch_size,
        "budget": options.budget,
        "pieces": options.pieces,
        "sweeps": options.sweeps,
        "losses": dict(losses),
        "differing": counts["differing"],
        "lost": counts["lost"],
        "doubled": counts["doubled"],
        "shards_computed_again": counts["again"],
        "seconds": round(time.monotonic() - began),
        "files": expected,
    }


def pieces_of(options: argparse.Namespace) -> int:
    """Count the pieces of a sweep."""
    with smaller(options.budget):
        asked = Ablation.of("small", "digits", limit=options.limit, batch_size=options.batch_size)
        divided = schedule.schedule(asked.plans, asked.trace.costs[""], batch_size=options.batch_size)
        return sum(len(block.groups) for block in divided.blocks(options.limit))


if __name__ == "__main__":
    main()
