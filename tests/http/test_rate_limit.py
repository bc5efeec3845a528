import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lenslab.http.errors import RateLimitError, UnavailableError
from lenslab.http.rate_limit import LONGEST_PAUSE, Rate, RateLimiter

ARXIV = Rate("arXiv", 3.0)


@dataclass
class World:
    """A clock that only moves when everybody sleeps, and that somebody may set back.

    Callers run in threads, one at a time: who sleeps hands on to whoever wakes first.
    """

    true: float = 1_000_000.0
    set_back: float = 0.0
    oversleeping: list[float] = field(default_factory=list)
    sleepers: dict[int, tuple[float, threading.Event]] = field(default_factory=dict)
    idle: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)

    def clock(self) -> float:
        return self.true - self.set_back

    def sleep(self, seconds: float) -> None:
        late = self.oversleeping.pop() if self.oversleeping else 0.0
        woken = threading.Event()
        self.sleepers[threading.get_ident()] = (self.true + seconds + late, woken)
        self.idle.set()
        woken.wait()

    def run(self, callers: list[Callable[[], None]]) -> None:
        threads = []
        for caller in callers:
            threads.append(threading.Thread(target=self._run_one, args=(caller,), daemon=True))
            self._let_run(threads[-1].start)
        while self.sleepers:
            sleeper = min(self.sleepers, key=lambda one: self.sleepers[one][0])
            at, woken = self.sleepers.pop(sleeper)
            self.true = max(self.true, at)
            self._let_run(woken.set)
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _let_run(self, start: Callable[[], None]) -> None:
        self.idle.clear()
        start()
        assert self.idle.wait(30), "a caller neither slept nor ended"

    def _run_one(self, caller: Callable[[], None]) -> None:
        try:
            caller()
        except BaseException as error:
            self.failures.append(error)
        finally:
            self.idle.set()


DELAYS = st.floats(0, 8, allow_nan=False)
ACTIONS = st.one_of(
    st.tuples(st.just("ask"), DELAYS),
    st.tuples(st.just("ask"), DELAYS),
    st.tuples(st.just("postpone"), st.floats(0, 60)),
    st.tuples(st.just("set the clock back"), st.floats(0, 4000)),
)


@settings(max_examples=60)
@given(
    callers=st.lists(st.lists(ACTIONS, min_size=1, max_size=5), min_size=1, max_size=5),
    oversleeping=st.lists(st.floats(0, 5), max_size=6),
)
@example(callers=[[("ask", 0.0)]] * 3, oversleeping=[0.0, 2.5])
@example(callers=[[("ask", 1.0)], [("postpone", 2.0), ("postpone", 0.0)]], oversleeping=[])
@example(callers=[[("ask", 0.0)], [("ask", 0.0)], [("ask", 0.0)], [("ask", 1.0), ("postpone", 50.0)]], oversleeping=[])
def test_no_two_requests_are_closer_than_the_interval_whoever_asks_and_nobody_asks_in_a_pause(
    tmp_path_factory, callers, oversleeping
):
    world = World(oversleeping=list(oversleeping))
    place = tmp_path_factory.mktemp("limiter")
    departures, pauses = [], []

    def caller(actions):
        limiter = RateLimiter(place, clock=world.clock, sleep=world.sleep)
        for action, seconds in actions:
            if action == "ask":
                world.sleep(seconds)
                limiter.wait(ARXIV)
                departures.append(world.true)
            elif action == "postpone":
                limiter.postpone(ARXIV, seconds)
                pauses.append((world.true, world.true + seconds))
            else:
                world.set_back += seconds

    world.run([lambda actions=actions: caller(actions) for actions in callers])
    for earlier, later in pairwise(sorted(departures)):
        assert later - earlier >= ARXIV.interval - 1e-5
    for begin, end in pauses:
        assert not [departure for departure in departures if begin + 1e-5 < departure < end - 1e-5]


def virtual(place: Path) -> tuple[RateLimiter, list[float]]:
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return RateLimiter(place, clock=lambda: now[0], sleep=sleep), now


def test_what_counts_is_when_a_request_left_not_when_its_slot_came(tmp_path):
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    now[0] += 2.0
    limiter.record_departure(ARXIV)
    limiter.wait(ARXIV)
    assert now[0] == 1005.0


def test_the_queue_is_kept_for_the_next_process(tmp_path):
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    RateLimiter(tmp_path, clock=lambda: now[0], sleep=lambda seconds: now.append(seconds)).postpone(ARXIV, 40)
    again, later = virtual(tmp_path)
    again.wait(ARXIV)
    assert later[0] == 1040.0


def test_each_rate_has_its_own_queue(tmp_path):
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    limiter.wait(Rate("Semantic Scholar", 1.0))
    assert now[0] == 1000.0


def test_every_wait_is_told_before_it_begins(tmp_path):
    limiter, now = virtual(tmp_path)
    told = []
    for _ in range(2):
        limiter.wait(ARXIV, report=lambda seconds: told.append((seconds, now[0])))
    assert told == [(3.0, 1000.0)]


def test_a_clock_set_back_by_an_hour_costs_no_more_than_the_wait_that_was_left(tmp_path):
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    limiter.postpone(ARXIV, 20)
    now[0] -= 3600
    limiter.wait(ARXIV)
    assert now[0] == pytest.approx(1000 - 3600 + 20)


def test_a_clock_set_back_while_waiting_costs_one_more_turn_at_most(tmp_path):
    now = [10_000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if seconds == 3.0 and now[0] > 9000:
            now[0] -= 5000

    limiter = RateLimiter(tmp_path, clock=lambda: now[0], sleep=sleep)
    limiter.wait(ARXIV)
    limiter.wait(ARXIV)
    assert now[0] <= 5003.0 + 3.0 + 1e-6


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 100,
        b"{",
        b"[1, 2]",
        b'{"written": NaN, "departed": 0, "free": 0, "closed": 0, "pauses": 0}',
        b'{"written": 0, "departed": 0, "free": 0}',
        b'{"written": "x", "departed": 0, "free": 0, "closed": 0, "pauses": 0}',
        b'{"written": 1, "departed": 1, "free": 1, "closed": 1, "pauses": 1e999}',
        b"[" * 100_000,
        b'{"written": 1' + b"0" * 5000 + b"}",
    ],
)
def test_of_a_damaged_file_it_is_assumed_that_a_request_has_just_left(tmp_path, damage):
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    (tmp_path / "arxiv.json").write_bytes(damage)
    limiter.wait(ARXIV)
    assert now[0] == 1003.0
    limiter.wait(ARXIV)
    assert now[0] == 1006.0


def test_a_number_in_the_file_makes_nobody_wait_for_longer_than_a_day(tmp_path):
    limiter, now = virtual(tmp_path)
    (tmp_path / "arxiv.json").write_text(
        json.dumps({"written": 1000, "departed": 9e99, "free": 9e99, "closed": 0, "pauses": 0})
    )
    limiter.wait(ARXIV)
    assert 3000 < now[0] <= 1000 + LONGEST_PAUSE


def test_who_has_no_patience_for_a_long_pause_is_told_its_length_and_takes_no_slot(tmp_path):
    limiter, now = virtual(tmp_path)
    limiter.postpone(ARXIV, 7200)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="arXiv is not to be asked for another 7200 s"):
            limiter.wait(ARXIV, patience=600)
    now[0] += 7200
    limiter.wait(ARXIV, patience=0)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RateLimitError, match=r"kept in .*arxiv\.json, which cannot be read or written .*LENSLAB_PACE"):
        RateLimiter(tmp_path / "file").wait(ARXIV)


def test_the_environment_names_the_place(tmp_path, monkeypatch):
    monkeypatch.setenv("LENSLAB_PACE", str(tmp_path / "elsewhere"))
    RateLimiter().wait(ARXIV)
    assert (tmp_path / "elsewhere" / "arxiv.json").exists()


ASKING = """
import sys, time
from lenslab.http.rate_limit import RateLimiter, Rate
read = []
limiter, rate = RateLimiter(sys.argv[1], clock=lambda: read.append(time.time()) or read[-1]), Rate("arXiv", 0.1)
for _ in range(5):
    limiter.wait(rate)
    print(read[-1], flush=True)  # what the queue notes; when it is printed is up to the system
"""


def test_processes_share_the_queue(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", ASKING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    departures = sorted(float(line) for process in processes for line in process.communicate()[0].split())
    assert len(departures) == 15
    assert min(later - earlier for earlier, later in pairwise(departures)) > 0.0999


HOLDING = """
import sys, time
from filelock import FileLock
FileLock(sys.argv[1]).acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_the_lock_of_a_killed_process_frees_itself(tmp_path):
    lock = tmp_path / "arxiv.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(lock)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        os.kill(process.pid, signal.SIGKILL)
    limiter, now = virtual(tmp_path)
    limiter.wait(ARXIV)
    assert now[0] == 1000.0
