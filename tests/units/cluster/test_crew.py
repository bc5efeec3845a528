"""Workers of a cluster: the bytes of one process, whatever is lost on the way, and one sentence for what is missing."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.machines import Machines
from torch import nn

from lenslab.records import versions
from lenslab.runs import read
from lenslab.units import Ablation, ablate, load, open_images
from lenslab.units.errors import ClusterError, NotFiniteError
from tests.units import toys
from tests.units.dividing import divide

pytest.importorskip("ray", reason="the extra ray is not installed")

TIMES = ("started", "finished", "seconds", "site_seconds")


def contents(record: Path) -> dict[str, object]:
    """Everything in a record, ``record.json`` without its times."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in sorted(record.glob("*.parquet"))}
    document = json.loads((record / "record.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in record.iterdir()) == sorted([*found, "record.json"])
    return {**found, **{name: value for name, value in document.items() if name not in TIMES}}


def same(one: Path, other: Path) -> None:
    found, expected = contents(one), contents(other)
    assert [name for name in {*found, *expected} if found.get(name) != expected.get(name)] == []


def arrays(count: int) -> tuple[np.ndarray, np.ndarray]:
    (block,) = toys.digits(count).blocks(count)
    return np.stack(block.pixels), block.labels


class Pairs:
    """A data set of pairs."""

    def __init__(self, count: int) -> None:
        self.pixels, self.labels = arrays(count)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return self.pixels[number], int(self.labels[number])


def npz(count: int, place: Path) -> Path:
    pixels, labels = arrays(count)
    np.savez(place, images=pixels, labels=labels)
    return place


SOURCES: dict[str, Callable[[Path], Any]] = {
    "name": lambda _: toys.digits(40),
    "file": lambda place: npz(40, place / "digits.npz"),
    "arrays": lambda _: arrays(40),
    "data set": lambda _: Pairs(40),
    "mapped": lambda _: open_images("digits").mapped(10, {label: (label + 1) % 10 for label in range(10)}).limited(40),
}


CASES = [(source, replacement) for source in SOURCES for replacement in ("zero", "mean-map", "resample")]


@pytest.mark.parametrize(
    ("source", "replacement"),
    [pytest.param(*case, marks=pytest.mark.thorough if case != ("file", "mean-map") else ()) for case in CASES],
)
def test_workers_leave_the_bytes_of_one_process(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, replacement: str
) -> None:
    divide(monkeypatch)
    made, images = toys.network(toys.trained(toys.Residual())), SOURCES[source](tmp_path)
    options = {"batch_size": 8, "top": 3, "replacement": replacement, "verify": 10}
    ablate(made, images, out=tmp_path / "here", **options)
    seen: list[tuple[float, float]] = []
    ablate(
        made,
        images,
        out=tmp_path / "there",
        on=machines.address,
        progress=lambda done, total: seen.append((done, total)),
        **options,
    )
    same(tmp_path / "there", tmp_path / "here")
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({done for done, _ in seen}) > 10
    assert seen[-1][0] == pytest.approx(seen[-1][1])
    work = read(tmp_path / "there").work
    assert [each.site for each in work] == [each.site for each in read(tmp_path / "here").work]
    assert all(each.seconds > 0 and each.predicted_seconds > 0 for each in work)


@pytest.mark.thorough
def test_workers_take_the_paths_that_the_first_images_decide(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    made, images = toys.dark_beginning()
    ablate(made, images, batch_size=8, out=tmp_path / "here")
    ablate(made, images, batch_size=8, out=tmp_path / "there", on=machines.address)
    assert "suffix" in json.loads((tmp_path / "here" / "record.json").read_text())["paths"]["1"]
    same(tmp_path / "there", tmp_path / "here")


def run_and(lose: Callable[[], object], at: float) -> Callable[[float, float], None]:
    """Make a progress that loses something once, when so much is done."""
    done_with: list[object] = []

    def progress(done: float, total: float) -> None:
        if done >= at * total and not done_with:
            done_with.append(lose())

    return progress


@pytest.mark.thorough
@pytest.mark.parametrize("at", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("lost", ["workers", "machine", "results"])
def test_what_is_lost_on_the_way_changes_nothing(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, at: float
) -> None:
    divide(monkeypatch)
    made = toys.network(toys.trained(toys.Residual()))

    def kill_with_what_was_made() -> None:
        time.sleep(3)  # nothing is fetched meanwhile
        machines.lose_second()

    losses = {"workers": machines.lose_workers, "machine": machines.lose_second, "results": kill_with_what_was_made}
    lose = losses[lost]
    counted: list[object] = []
    ablate(made, toys.digits(160), batch_size=8, out=tmp_path / "here")
    ablate(
        made,
        toys.digits(160),
        batch_size=8,
        out=tmp_path / "there",
        on=machines.address,
        progress=run_and(lambda: counted.append(lose()), at),
    )
    same(tmp_path / "there", tmp_path / "here")
    assert counted == ([2] if lost == "workers" else [None])


@pytest.mark.thorough
def test_an_interrupted_run_goes_on_here_and_there_and_loses_nothing_that_was_written(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    made = toys.network(toys.trained(toys.Residual()))

    def interrupt() -> None:
        raise KeyboardInterrupt

    def part(on: str | None, at: float) -> dict[Path, int]:
        with pytest.raises(KeyboardInterrupt):
            ablate(made, toys.digits(80), batch_size=8, out=tmp_path / "run", on=on, progress=run_and(interrupt, at))
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "shards").glob("activations-*.parquet")}

    first = part(machines.address, 0.3)
    second = part(None, 0.6)
    assert 0 < len(first) < len(second)
    assert {path: second.get(path) for path in first} == first
    ablate(made, toys.digits(80), batch_size=8, out=tmp_path / "run", on=machines.address)
    ablate(made, toys.digits(80), batch_size=8, out=tmp_path / "here")
    same(tmp_path / "run", tmp_path / "here")


COMMAND = """
import sys
from lenslab.units.sweep import schedule
schedule.BUDGET = schedule._OVERHEAD = 0
from lenslab.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.thorough
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_leaves_no_worker_and_goes_on(
    machines: Machines, tmp_path: Path, sent: signal.Signals
) -> None:
    out = tmp_path / "run"
    asked = ["ablate", "small", "--images", "digits", "--limit", "160", "--batch-size", "8", "--out"]
    command = [sys.executable, "-c", COMMAND, *asked]
    process = subprocess.Popen(
        [*command, str(out), "--on", machines.address],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while len(list((out / "shards").glob("activations-*"))) < 5:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -sent), said
    assert b"Traceback" not in said
    assert not (out / "record.json").exists()
    until = time.monotonic() + 60
    while machines.workers() and time.monotonic() < until:
        time.sleep(0.2)
    assert machines.workers() == []
    for place, where in ((out, ["--on", machines.address]), (tmp_path / "whole", [])):
        done = subprocess.run([*command, str(place), *where], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    same(out, tmp_path / "whole")


@pytest.mark.thorough
def test_a_piece_that_ends_worker_after_worker_is_given_up_and_the_others_are_kept(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    made = toys.network(toys.trained(toys.Residual()))
    with pytest.raises(ClusterError, match=r"a worker was lost at work on the images .* again and again"):
        ablate(made, Deadly(40), batch_size=8, out=tmp_path, on=machines.address)
    assert list((tmp_path / "shards").glob("images-*"))


class Deadly(Pairs):
    """Ends every process that reads its image 20, but the one that it was made in."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.home = os.getpid()

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        if number == 20 and os.getpid() != self.home:
            os._exit(1)
        return super().__getitem__(number)


@pytest.mark.thorough
def test_what_a_worker_refuses_is_refused_as_it_is_here(machines: Machines, tmp_path: Path) -> None:
    module = toys.trained(toys.Residual())
    module.stem.weight.data[0, 0, 0, 0] = float("nan")
    said = []
    for on in (None, machines.address):
        with pytest.raises(NotFiniteError) as refused:
            ablate(toys.network(module), toys.digits(20), out=tmp_path / "run", on=on)
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert not (tmp_path / "run").exists(), "what was begun in vain is taken back"


def refusal(machines: Machines, ablation: Ablation) -> str:
    with pytest.raises(ClusterError) as refused:
        ablation.run(on=machines.address)
    message = str(refused.value)
    assert message.startswith("a worker on ")
    assert "Traceback" not in message
    assert "\n" not in message
    return message


def test_images_that_a_worker_does_not_see_are_named(machines: Machines, tmp_path: Path) -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), npz(20, tmp_path / "digits.npz"))
    assert asked.images.sha256
    (tmp_path / "digits.npz").rename(tmp_path / "elsewhere.npz")
    said = refusal(machines, asked)
    assert f"the images {tmp_path}/digits.npz cannot be opened there" in said
    assert "put them at the same path" in said


@pytest.mark.thorough
def test_other_images_at_the_same_place_are_told_apart(machines: Machines, tmp_path: Path) -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), npz(20, tmp_path / "digits.npz"))
    assert asked.images.sha256
    npz(21, tmp_path / "other.npz").rename(tmp_path / "digits.npz")
    assert f"the images {tmp_path}/digits.npz are others there" in refusal(machines, asked)


def test_a_network_whose_code_a_worker_lacks_is_named(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from torch import nn\nclass Mine(nn.Sequential):\n    pass\n"
    (tmp_path / "only_here.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("only_here").Mine(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 10)).eval()
    said = refusal(machines, Ablation.of(load(module, mean=0.0, sd=1.0, size=8), toys.digits(20)))
    assert "the network cannot be loaded there (" in said
    assert "No module named 'only_here'" in said


@pytest.mark.thorough
def test_versions_that_differ_are_named(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {**versions(), "torch": "1.0+cu1", "python": f"{versions()['python']}.1"}
    monkeypatch.setattr("lenslab.units.cluster.commission.versions", lambda: asked)
    said = refusal(machines, Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(20)))
    here = versions()["torch"].partition("+")[0]
    assert f": it has torch {here} and not 1.0; install the same versions on every machine" in said


@pytest.mark.thorough
def test_code_that_differs_is_told_from_the_code_that_was_traced(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lenslab.units.cluster.commission.hash_of_architecture", lambda _: "another")
    said = refusal(machines, Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(20)))
    assert "the network toy is another there: its code differs" in said


@pytest.mark.thorough
def test_a_network_that_cannot_travel_is_named(machines: Machines) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 10)).eval()
    module.register_forward_hook(lambda *_: None)
    asked = Ablation.of(load(module, mean=0.0, sd=1.0, size=8), toys.digits(20))
    asked.network.module.stuck = sys.stdout  # a stream cannot be pickled
    with pytest.raises(ClusterError, match="the network cannot be sent to other processes"):
        asked.run(on=machines.address)


@pytest.mark.thorough
def test_more_than_the_cluster_has_is_refused(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(20))
    with pytest.raises(ClusterError, match="no machine of the cluster has 1 CPU and 1 GPU"):
        asked.run(on=machines.address, device="cuda")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with pytest.raises(ClusterError, match="no machine of the cluster has 3 CPU"):
        asked.run(on=machines.address)
