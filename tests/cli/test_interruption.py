"""A run that is killed at any moment goes on where it was, and ends with the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Every batch becomes a shard, and every shard waits a moment, so that a kill falls between two of them or into one.
# A process that was started in the background inherits that SIGINT is ignored; a person's terminal does not do that.
CODE = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)
from lenslab.units.sweep import schedule, shards
schedule.BUDGET = schedule._OVERHEAD = 0
write = shards.Shards.write_all
def slowly(*arguments):
    write(*arguments)
    time.sleep({pause} / 2)
shards.Shards.write_all = slowly
from lenslab.cli.main import main
options = ["--limit", "96", "--batch-size", "16", "--sites", "relu3", "--verify", "20", "--out", {out!r}]
main(["ablate", "small", "--images", "digits", *options])
"""


def started(out: Path, *, pause: float) -> subprocess.Popen[bytes]:
    code = CODE.format(pause=pause, out=str(out))
    with out.with_suffix(".log").open("w") as log:
        return subprocess.Popen([sys.executable, "-c", code], stdout=log, stderr=log)


def said(out: Path) -> str:
    return out.with_suffix(".log").read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a run that nobody disturbed."""
    out = tmp_path_factory.mktemp("undisturbed") / "whole"
    assert started(out, pause=0).wait(timeout=120) == 0, said(out)
    return out


@pytest.mark.parametrize(
    "finished", [2, *[pytest.param(shards, marks=pytest.mark.thorough) for shards in (1, 3, 4, 5)]]
)
@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), pytest.param(signal.SIGINT, 130, marks=pytest.mark.thorough)],
)
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path, sent: signal.Signals, code: int, finished: int
) -> None:
    killed = started(tmp_path / "killed", pause=0.5)
    shards = tmp_path / "killed" / "shards"
    while len(list(shards.glob("images-*"))) < finished:
        assert killed.poll() is None, said(tmp_path / "killed")
        time.sleep(0.05)
    killed.send_signal(sent)
    assert killed.wait(timeout=60) == code
    assert not (tmp_path / "killed" / "record.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("images-*.parquet")}
    assert kept

    resumed = started(tmp_path / "killed", pause=0.1)
    while not (tmp_path / "killed" / "record.json").exists():
        assert resumed.poll() in (None, 0), said(tmp_path / "killed")
        if shards.exists():
            now = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
            assert all(kept[path] == changed for path, changed in now.items()), "a finished shard was computed again"
        time.sleep(0.02)
    assert resumed.wait(timeout=60) == 0
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "killed").iterdir())
    for name in names:
        if name != "record.json":
            assert (whole / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name


FULL = """
import pathlib
import resource
from lenslab.cli.main import run
command = ["ablate", "small", "--images", "digits", "--limit", "60", "--sites", "relu3", "--out", {out!r}]
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (200, 3000):  # too little for the request, and for the tables
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    assert run(command) == 2
    assert not [*pathlib.Path({out!r}).rglob(".*.partial")], "no half-written file is left"
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
assert run(command) == 0
"""


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(tmp_path: Path) -> None:
    out = tmp_path / "run"
    code = FULL.format(out=str(out))
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stderr.split())
    assert words.count("no room to write") == words.count("the same command goes on from there") == 2
    assert "Traceback" not in done.stderr
    assert (out / "record.json").exists()
