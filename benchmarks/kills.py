"""kill -9 at random moments: a run that was killed again and again leaves the bytes of one that nobody disturbed.

The command line runs in a process of its own, is killed, and is given again until it finishes; then the next run
begins, until so many kills are done. Every second kill comes at a random moment between start and end, every other one
waits until the directory changes (a shard, a table, a partial file) and comes within a twentieth of a second. Compared
are all files of the record by their SHA-256, record.json apart from its times. A shard that was whole when the process
died must be the same file afterwards: not computed again. The exit code is 1 where anything differs.

    python -m benchmarks.kills --kills 50
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reporting import write

CHILD = """
import sys
from lenslab.units.sweep import schedule
schedule.BUDGET, schedule._OVERHEAD = float(sys.argv.pop(1)), 0
from lenslab.cli.main import main
main()
"""
"""The command line itself, with smaller pieces of work than usual, so that short runs have many."""

TIMES = ("started", "finished", "seconds")

MARKS = ("activations-", "images-")
"""The last file of a group of sites, and of what a block's images are."""


def command(options: argparse.Namespace, out: Path, *, resume: bool) -> list[str]:
    """Write the command that is killed and given again."""
    asked = [options.network, "--images", options.images, "--out", str(out), "--batch-size", str(options.batch_size)]
    for name in ("weights", "limit", "engine"):
        value = getattr(options, name)
        asked += [f"--{name}", str(value)] if value is not None else []
    asked += ["--resume"] if resume else []
    return [sys.executable, "-c", CHILD, str(options.budget), "ablate", *asked]


def has_resume() -> bool:
    """Whether the command line has the option; without it, the same command goes on with a draft by itself."""
    shown = subprocess.run([sys.executable, "-c", CHILD, "0", "ablate", "--help"], capture_output=True, text=True)
    return "--resume" in shown.stdout


def begun(record: Path) -> bool:
    """Whether there is anything to go on with: a process that died early leaves no draft."""
    return (record / "request.json").exists() or (record / "record.json").exists()


def contents(record: Path) -> dict[str, str]:
    """Hash every file of a finished record; ``record.json`` without its times."""
    found = {}
    for path in sorted(record.rglob("*")):
        if path.is_file() and path.name != "record.json":
            found[str(path.relative_to(record))] = hashlib.sha256(path.read_bytes()).hexdigest()
    document: dict[str, Any] = json.loads((record / "record.json").read_text(encoding="utf-8"))
    kept = {key: value for key, value in document.items() if key not in TIMES}
    return {**found, "record.json": hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()}


def shards(record: Path) -> dict[str, tuple[int, int]]:
    """Whole files among the shards, by name: which file on disk it is, and when it was written."""
    every = (path for path in (record / "shards").glob("*") if not path.name.startswith("."))
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in every}


def computed_again(before: dict[str, tuple[int, int]], record: Path) -> int:
    """Count the files of shards that were whole before and are other files, or gone from an unfinished record, now.

    A shard is whole where it has the file that is written last; a kill may leave one that is not.
    """
    if (record / "record.json").exists():
        return 0  # finished: the scaffolding is cleared away
    whole = {name.partition("-")[2] for name in before if name.startswith(MARKS)}
    now = shards(record)
    return sum(name.partition("-")[2] in whole and now.get(name) != file for name, file in before.items())


def changed(record: Path) -> Callable[[], bool]:
    """Make a question: have files come or gone since?"""

    def listed() -> set[str]:
        try:
            return {str(path) for path in record.rglob("*")}
        except OSError:  # renamed or removed while it was listed
            return set()

    before = listed()
    return lambda: listed() != before


def wait(process: subprocess.Popen[bytes], moment: float, out: Path, *, for_a_change: bool) -> None:
    """Let a process run for a random time, and then, where asked, until its directory changes; or until it ends."""
    until = time.monotonic() + moment
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    if for_a_change and process.poll() is None:
        has_changed = changed(out)
        while process.poll() is None and not has_changed():
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.05))


def main() -> None:
    """Kill, resume, compare, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="small")
    parser.add_argument("--weights", help="default for small: digits")
    parser.add_argument("--images", default="digits")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--engine", help="exact or plain")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--budget", type=float, default=2e7, help="multiply-accumulates in a piece of work")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where runs are made; default: a temporary directory")
    options = parser.parse_args()
    if options.weights is None and options.network == "small":
        options.weights = options.images if options.images in ("digits", "fashion-mnist") else None
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="lenslab-kills-") as temporary:
        row = killed(options, options.out or Path(temporary))
    write(f"kills-{Path(options.network).name}-{Path(options.images).stem}", row)
    sys.exit(1 if row["runs_differing"] or row["shards_computed_again"] else 0)


def killed(options: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Kill and compare; see the module."""
    resume = has_resume()
    started = time.monotonic()
    subprocess.run(command(options, place / "undisturbed", resume=False), check=True, capture_output=True)
    duration = time.monotonic() - started
    expected = contents(place / "undisturbed")
    way = "--resume" if resume else "the same command"
    print(f"undisturbed: {len(expected)} files in {duration:.1f} s; resumed by {way}", flush=True)

    kills, after_kills, runs, differing, again, kept, with_tables = 0, 0, 0, 0, 0, 0, 0
    while kills < options.kills or after_kills:
        out = place / f"killed-{runs}"
        before, started = shards(out), time.monotonic()
        process = subprocess.Popen(
            command(options, out, resume=resume and begun(out)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if kills < options.kills:
            wait(process, random.uniform(0, duration), out, for_a_change=kills % 2 == 1)
        else:
            process.wait()
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills, after_kills = kills + 1, after_kills + 1
        _, errors = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            sys.exit(f"the command failed by itself:\n{errors.decode()}")
        again += computed_again(before, out)
        if process.returncode != 0:
            kept += len(shards(out))
            with_tables += any(out.glob("*.parquet"))
            continue
        if not after_kills:
            duration = time.monotonic() - started  # other work on the machine comes and goes
        found = contents(out)
        unlike = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        print(
            f"run {runs + 1}: finished after {after_kills} kills; {len(found)} files, {len(unlike)} differ",
            *unlike,
            flush=True,
        )
        runs, differing, after_kills = runs + 1, differing + bool(unlike), 0
    print(
        f"{kills} kills in {runs} runs: {differing} runs differ from the undisturbed one; {with_tables} kills among "
        f"finished tables; {kept / kills:.1f} files of shards were there at a kill, {again} of them computed again"
    )
    return {
        "network": options.network,
        "images": Path(options.images).name,
        "batch_size": options.batch_size,
        "budget": options.budget,
        "resume_option": resume,
        "undisturbed_seconds": round(duration, 1),
        "kills": kills,
        "kills_among_tables": with_tables,
        "runs": runs,
        "runs_differing": differing,
        "files_of_shards_at_a_kill": round(kept / kills, 1),
        "shards_computed_again": again,
        "files": expected,
    }


if __name__ == "__main__":
    main()
