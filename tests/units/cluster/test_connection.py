"""The connection to a cluster: which addresses are none, and what every kind of address leads to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.machines import Machines

from lenslab.units import ablate
from lenslab.units.cluster.connection import address_of
from lenslab.units.errors import UnitsError

pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 2}, "say which with --on ray"),
        ({"on": "ray", "workers": 0}, "workers is a whole number of 1 or more"),
        ({"on": "ray", "device": "cuda:1"}, "no device 'cuda:1' for workers; say cpu or cuda"),
        ({"on": "somewhere"}, "no cluster 'somewhere'; say ray, HOST:PORT or ray://HOST"),
        ({"on": 7}, "no cluster 7"),
        ({"on": "127.0.0.1:9"}, r"nothing answers at 127\.0\.0\.1:9 \(Connection refused\)"),
        ({"on": "ray://127.0.0.1:9"}, "nothing answers at ray://127"),
    ],
)
def test_what_is_no_cluster_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UnitsError, match=said):
        ablate("small", "digits", limit=20, **options)


@pytest.mark.parametrize(
    ("on", "named", "address"),
    [
        ("ray", None, "local"),
        ("ray", "10.0.0.7:6379", "10.0.0.7:6379"),
        ("ray", "auto", "auto"),
        ("ray://head", None, "ray://head:10001"),
        ("ray", "ray://head", "ray://head:10001"),
        ("ray://head:1", "10.0.0.7:6379", "ray://head:1"),
        ("[::1]:6379", None, "[::1]:6379"),
    ],
)
def test_an_address_is_put_into_words_of_ray(
    on: str, named: str | None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if named:
        monkeypatch.setenv("RAY_ADDRESS", named)
    assert address_of(on) == address


def typed(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from lenslab.cli.main import main; main(sys.argv[1:])"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**bare, **environment},
        check=False,
        timeout=300,
    )


def same(one: Path, other: Path) -> None:
    tables = sorted(path.name for path in one.glob("*.parquet"))
    assert tables
    assert tables == sorted(path.name for path in other.glob("*.parquet"))
    assert [name for name in tables if (one / name).read_bytes() != (other / name).read_bytes()] == []


ASKED = ("ablate", "small", "--images", "digits", "--limit", "60", "--sites", "relu3", "--json", "--out")


@pytest.mark.thorough
def test_a_cluster_of_its_own_says_nothing_among_the_answers_and_is_gone_afterwards(tmp_path: Path) -> None:
    here = typed(*ASKED, "here", cwd=tmp_path)
    there = typed(*ASKED, "there", "--on", "ray", "--workers", "2", cwd=tmp_path)
    assert there.returncode == 0, there.stderr
    assert (there.stderr, here.stderr) == ("", "")
    assert json.loads(there.stdout)["accuracy"] == json.loads(here.stdout)["accuracy"]
    same(tmp_path / "there", tmp_path / "here")


@pytest.mark.thorough
def test_a_study_is_measured_by_workers_too(machines: Machines, tmp_path: Path) -> None:
    asked = ("study", "run", "1806.02891", "--images", "digits", "--limit", "60", "--out")
    here = typed(*asked, "here", cwd=tmp_path)
    there = typed(*asked, "there", "--on", "ray", cwd=tmp_path, RAY_ADDRESS=machines.address)
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert there.stdout.replace("there", "here") == here.stdout
    same(tmp_path / "there" / "run", tmp_path / "here" / "run")


@pytest.mark.thorough
def test_a_run_from_outside_the_cluster_leaves_the_same_bytes(machines: Machines, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = ["--host", "127.0.0.1", "--port", str(port), "--mode", "legacy", "--address", machines.address]
    server = subprocess.Popen(
        [sys.executable, "-m", "ray.util.client.server", *served],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        there = typed(*ASKED, "there", "--on", f"ray://127.0.0.1:{port}", cwd=tmp_path)
    finally:
        server.terminate()
        server.wait()
    assert there.returncode == 0, there.stderr
    assert json.loads(there.stdout)
    assert typed(*ASKED, "here", cwd=tmp_path).returncode == 0
    same(tmp_path / "there", tmp_path / "here")
