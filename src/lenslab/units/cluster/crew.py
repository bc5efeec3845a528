"""The crew: the workers of one run, and the pieces that are handed to them and come back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lenslab.runs.arguments import whole_number
from lenslab.units.cluster.commission import Commission
from lenslab.units.cluster.connection import address_of, connected
from lenslab.units.cluster.worker import Worker
from lenslab.units.engine.device import device_of
from lenslab.units.engine.site_plan import Plan
from lenslab.units.errors import ClusterError, UnitsError
from lenslab.units.question import Question
from lenslab.units.sweep.pieces import MadePiece, Piece
from lenslab.units.sweep.schedule import Schedule
from lenslab.units.sweep.sweep import Elsewhere

_IN_HAND = 2
"""Pieces that a worker has at a time: while one comes back and is written, it makes the other."""

_BEGINNINGS = 10
"""So often a worker that was lost begins again, with the pieces it had in hand; then it is the pieces' fault."""

_ANEW = 1.0
"""Seconds after which Ray is asked anew what has come back."""


@dataclass(frozen=True)
class Crew:
    """Workers that make the pieces of a sweep, in any order.

    Attributes:
        address: Of the cluster, in Ray's words.
        workers: How many; ``None`` for as many as the cluster has room for.
        device: Where each of them runs, ``"cpu"`` or ``"cuda"``.
    """

    address: str
    workers: int | None
    device: str

    @classmethod
    def of(cls, on: str | None, workers: int | None, device: str) -> Crew | None:
        """Put a crew together; ``None`` where the work is done in this process.

        Raises:
            ClusterError: The address or the device is none.
            UnitsError: The number of workers is none, or there is no cluster for them.
            ModuleNotFoundError: Ray is not installed.

        Example:
            >>> Crew.of(None, None, "cpu") is None
            True
        """
        if workers is not None:
            workers = whole_number("workers", workers, least=1)
        if on is None:
            if workers is not None:
                raise UnitsError("workers are processes of a cluster; say which with --on ray (in Python: on='ray')")
            return None
        if device not in ("cpu", "cuda"):
            raise ClusterError(f"no device {device!r:.80} for workers; say cpu or cuda, and Ray gives each its own GPU")
        return cls(address_of(on), workers, device)

    def device_here(self) -> torch.device:
        """Find what this process computes on, before and after: as the workers do where it can, else the CPU."""
        try:
            return device_of(self.device)
        except UnitsError:
            return torch.device("cpu")

    def making(self, question: Question, plans: Sequence[Plan], schedule: Schedule, candidates: int) -> Elsewhere:
        """Give what makes the pieces of a sweep, see `lenslab.units.sweep.sweep.Sweep.run`.

        Args:
            question: What is asked.
            plans: Its plans, with what the units become.
            schedule: How the sweep is divided.
            candidates: How many pairs are to be checked.
        """

        def made(pieces: Iterator[Piece]) -> Generator[tuple[Piece, MadePiece]]:
            import ray

            first = next(pieces, None)
            if first is None:
                return
            threads = threads_of_a_worker()
            with connected(self.address, processors=max(_processors(), threads * (self.workers or 1))):
                count = self.workers or _room(threads, self.device)
                ahead = [first, *itertools.islice(pieces, count - 1)]  # who would have nothing to do is not started
                commission = Commission.of(question, plans, schedule, self.device, threads, candidates)
                workers, told = self._started(len(ahead), threads), [ray.put(commission)]
                yield from _handed_out(workers, told, itertools.chain(ahead, pieces))

        return made

    def _started(self, count: int, threads: int) -> list[Any]:
        import ray

        remote = ray.remote(Worker).options(
            num_cpus=threads, num_gpus=int(self.device == "cuda"), max_restarts=_BEGINNINGS, max_task_retries=-1
        )
        return [remote.remote() for _ in range(count)]


def threads_of_a_worker() -> int:
    """Read how many threads a worker has: ``OMP_NUM_THREADS``, as torch itself does, or 1."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return int(stated) if stated.isdecimal() and int(stated) else 1


def _handed_out(workers: list[Any], told: list[Any], pieces: Iterator[Piece]) -> Generator[tuple[Piece, MadePiece]]:
    """Hand pieces to workers that are there, and give what they made.

    Who has nothing left to do is let go, so that a worker whose machine was lost finds room to begin again.
    """
    running: dict[Any, tuple[Any, Piece | None]] = {worker.open.remote(told): (worker, None) for worker in workers}
    workers.clear()
    following = next(pieces, None)
    while following is not None or any(piece is not None for _, piece in running.values()):
        done = _done(list(running))
        worker, piece = running.pop(done)
        made = _received(done, piece)
        for _ in range(_IN_HAND if piece is None else 1):
            if following is not None:
                running[worker.make.remote(told, following)] = worker, following
                following = next(pieces, None)
        del worker, done
        if piece is not None:
            yield piece, made


def _done(references: list[Any]) -> Any:
    """Wait until one of the calls has come back.

    Ray waits for the first that ended to be fetched, which takes for ever where its machine is lost meanwhile and what
    is to make it again has no room. So after a while it is asked for all of them, and anew.
    """
    import ray

    while True:
        for count in (1, len(references)):
            ready, _ = ray.wait(references, num_returns=count, timeout=_ANEW)
            if ready:
                return ready[0]


def _received(reference: Any, piece: Piece | None) -> Any:
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UnitsError):
            raise error.cause from None
        raise
    except ray.exceptions.RayActorError as error:
        what = f"at work on the images {piece.block.start} to {piece.block.stop - 1}" if piece else "when it began"
        raise ClusterError(
            f"a worker was lost {what}, again and again ({_reason(error)}); lenslab has to be installed on every "
            "machine, and memory has to suffice: a smaller --batch-size or fewer --workers need less. What was "
            "finished is kept"
        ) from error


def _reason(error: Exception) -> str:
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), repr(error))


def _room(threads: int, device: str) -> int:
    """Count the workers that the machines of the cluster have room for."""
    import ray

    asked = {"CPU": threads, "GPU": 1} if device == "cuda" else {"CPU": threads}
    found = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(min(int(node.get(kind, 0) // count) for kind, count in asked.items()) for node in found)
    if not room:
        needed = " and ".join(f"{count} {kind}" for kind, count in asked.items())
        raise ClusterError(
            f"no machine of the cluster has {needed}, which a worker takes; ray status shows what it has"
        )
    return room


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
