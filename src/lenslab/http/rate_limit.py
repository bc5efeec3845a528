"""The rate limit of a service: one queue of requests that all threads and processes share, kept in a file.

A caller takes the next free slot under a lock and waits for it outside of the lock, so whoever comes first goes first
and nobody holds up the queue by dying. When the slot has come, the caller looks again, under the lock: if the service
has asked for a pause meanwhile, or an earlier request left late, it waits on. What counts is when requests leave, not
when they were meant to.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from lenslab.http.errors import RateLimitError, UnavailableError

# Nobody is made to wait for longer than a day by a number in a file or in an answer.
LONGEST_PAUSE = 86_400.0
_TICK = 1e-6  # what a clock cannot tell is not waited for
_LARGEST_FILE = 4096
_LOCK_POLL = 0.01
_LOCK_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a group of addresses may be asked.

    Attributes:
        name: Whose rate it is, as a message names it; requests under one name share one queue.
        interval: The least time between two requests, in seconds.
    """

    name: str
    interval: float


@dataclass(frozen=True, slots=True)
class _Queue:
    """What the file holds, times in seconds since 1970.

    Attributes:
        written: When it was written.
        departed: When a request last left.
        free: The first moment that nobody has taken.
        closed: Until when the service has asked for a pause; a shorter pause does not end a longer one.
        pauses: How often it has asked for one; every slot taken before is void.
    """

    written: float
    departed: float
    free: float
    closed: float
    pauses: int = 0

    def moved_back(self, now: float) -> _Queue:
        """Give the queue on a clock that was set back: every time moves back with it."""
        back = max(0.0, self.written - now)
        latest = now + LONGEST_PAUSE
        free, closed = min(self.free - back, latest), min(self.closed - back, latest)
        return _Queue(now, min(self.departed - back, now), free, closed, self.pauses)


class RateLimiter:
    """The one queue per service.

    Args:
        directory: Where the queues are kept; by default what ``LENSLAB_PACE`` names, or the user's data directory, so
            that everything that the user runs shares them.
        clock: Tells the time, in seconds since 1970.
        sleep: Waits for that many seconds.

    Example:
        >>> import tempfile
        >>> now = [1000.0]
        >>> with tempfile.TemporaryDirectory() as place:
        ...     limiter = RateLimiter(place, clock=lambda: now[0], sleep=lambda wait: now.append(now.pop() + wait))
        ...     for _ in range(3):
        ...         limiter.wait(Rate("arXiv", 3.0))
        ...         print(now[0])
        1000.0
        1003.0
        1006.0
    """

    def __init__(
        self,
        directory: str | Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        named = directory or os.environ.get("LENSLAB_PACE")
        self.directory = Path(named).expanduser() if named else user_data_path("lenslab") / "pace"
        self._clock = clock
        self._sleep = sleep

    def wait(
        self, rate: Rate, *, patience: float = LONGEST_PAUSE, report: Callable[[float], object] | None = None
    ) -> None:
        """Wait until a request may leave, and note that it leaves now.

        Args:
            rate: Whose turn is asked for.
            patience: The longest wait, in seconds, that the caller puts up with.
            report: Called with every wait, in seconds, before it begins.

        Raises:
            UnavailableError: The source has asked for a pause that is longer than the patience; no slot was taken.
            RateLimitError: The file cannot be read or written.
        """
        slot, pauses = self._take_slot(rate, patience)
        while (wait := self._depart(rate, slot, pauses)) is not None:
            if wait > 0:
                if report is not None:
                    report(wait)
                self._sleep(wait)
            elif wait < 0:  # a pause was asked for: the slot is void
                slot, pauses = self._take_slot(rate, patience)

    def record_departure(self, rate: Rate) -> None:
        """Note that a request leaves now, some time after its slot came: a connection had to be made first."""
        with self._queue(rate) as (now, queue, write):
            write(replace(queue, departed=now, free=max(queue.free, now + rate.interval)))

    def postpone(self, rate: Rate, seconds: float) -> None:
        """Close the queue for that many seconds, also to callers that wait already."""
        with self._queue(rate) as (now, queue, write):
            closed = max(queue.closed, now + min(max(seconds, 0.0), LONGEST_PAUSE))
            free = max(closed, queue.departed + rate.interval)
            write(replace(queue, free=free, closed=closed, pauses=queue.pauses + 1))

    def _take_slot(self, rate: Rate, patience: float) -> tuple[float, int]:
        with self._queue(rate) as (now, queue, write):
            slot = max(now, queue.free)
            if slot - now > patience:
                raise UnavailableError(
                    f"{rate.name} is not to be asked for another {slot - now:.0f} s, because it asked for a pause or "
                    f"many requests are waiting; the same command goes on from here later"
                )
            write(replace(queue, free=slot + rate.interval))
            return slot, queue.pauses

    def _depart(self, rate: Rate, slot: float, pauses: int) -> float | None:
        """Depart if it is time, and give ``None``; otherwise how long to wait on, or -1 where the slot is void."""
        with self._queue(rate) as (now, queue, write):
            if queue.pauses != pauses:
                return -1.0
            # A wait is never longer than the slot was ahead when it was taken, so a clock set back costs little.
            wait = max(queue.departed + rate.interval, min(slot, queue.free - rate.interval)) - now
            if wait > _TICK:
                return wait
            write(replace(queue, departed=now, free=max(queue.free, now + rate.interval)))
            return None

    @contextmanager
    def _queue(self, rate: Rate) -> Iterator[tuple[float, _Queue, Callable[[_Queue], None]]]:
        """Give the time, the queue and the way to write it, while nobody else has them."""
        name = re.sub(r"[^a-z0-9.]+", "-", rate.name.lower())
        path = self.directory / f"{name}.json"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            # The system frees the lock of a process that dies. A file half-written by one is read as damaged.
            lock = FileLock(path.with_suffix(".lock"), timeout=_LOCK_PATIENCE)
            with lock.acquire(poll_interval=_LOCK_POLL):
                now = self._clock()
                queue, as_written = _read(path, now, rate.interval)
                if not as_written:
                    _write(path, queue)
                yield now, queue, lambda changed: _write(path, replace(changed, written=now))
        except UnavailableError:
            raise
        except Timeout as error:
            raise RateLimitError(
                f"the lock {error.lock_file} has been held for {_LOCK_PATIENCE:.0f} s; who holds it?"
            ) from None
        except OSError as error:
            raise RateLimitError(
                f"the queue of requests to {rate.name} is kept in {path}, which cannot be read or written "
                f"({error.strerror or error}); free it, or name another place with LENSLAB_PACE"
            ) from error


def _read(path: Path, now: float, interval: float) -> tuple[_Queue, bool]:
    """Read the queue, and whether the file says so; of a damaged file it is assumed that a request has just left."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE)
    except FileNotFoundError:
        return _Queue(written=now, departed=now - interval, free=now, closed=now), True
    try:
        held = json.loads(text)
        times = {name: float(held[name]) for name in ("written", "departed", "free", "closed")}
        if not all(map(math.isfinite, times.values())):
            raise ValueError("not a time")
        queue = _Queue(**times, pauses=int(held["pauses"]))
        if queue.written > now or queue.departed > now or max(queue.free, queue.closed) > now + LONGEST_PAUSE:
            return queue.moved_back(now), False
        return queue, True
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        # A number that no slot was taken under, so that whoever waits takes a new one.
        return _Queue(written=now, departed=now, free=now + interval, closed=now, pauses=time.time_ns()), False


def _write(path: Path, queue: _Queue) -> None:
    path.write_text(json.dumps(asdict(queue)), encoding="utf-8")
