"""A run that is killed at any moment goes on where it was, and ends with the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Every batch becomes a shard, and every shard waits a moment, so that a kill falls between two of them or into one.
CODE = """
import time
from lenslab.units import sweep
sweep.SHARD_SECONDS = 0.0
write = sweep._Shard.write
def slowly(*arguments):
    write(*arguments)
    time.sleep({pause})
sweep._Shard.write = slowly
from lenslab.cli.main import main
options = ["--limit", "96", "--batch-size", "16", "--sites", "relu3", "--verify", "20", "--out", {out!r}]
main(["ablate", "small", "--images", "digits", *options])
"""


def started(out: Path, *, pause: float) -> subprocess.Popen[bytes]:
    code = CODE.format(pause=pause, out=str(out))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    whole = started(tmp_path / "whole", pause=0)
    assert whole.wait(timeout=120) == 0, whole.communicate()[1]

    killed = started(tmp_path / "killed", pause=0.5)
    shards = tmp_path / "killed" / "shards"
    while len(list(shards.glob("images-*"))) < 2:
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.05)
    killed.send_signal(sent)
    assert killed.wait(timeout=60) == code
    assert not (tmp_path / "killed" / "record.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("images-*.parquet")}
    assert kept

    resumed = started(tmp_path / "killed", pause=0.5)
    while not (tmp_path / "killed" / "record.json").exists():
        assert resumed.poll() in (None, 0), resumed.communicate()[1]
        if shards.exists():
            now = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
            assert all(kept[path] == changed for path, changed in now.items()), "a finished shard was computed again"
        time.sleep(0.05)
    assert resumed.wait(timeout=60) == 0
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "killed").iterdir())
    for name in names:
        if name != "record.json":
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name
    for process in (whole, killed, resumed):
        process.stderr.close() if process.stderr else None
