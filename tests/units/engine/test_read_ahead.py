"""Reading ahead: the same items in the same order, one waiting at most, errors in their place, no thread left."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from lenslab.units.engine.read_ahead import ReadAhead


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("lenslab-reader")]


def awaited(condition: object) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 10
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


class Counting:
    """Numbers from 0 on, which notes how many were taken and by whom."""

    def __init__(self, count: int, fails: int | None = None) -> None:
        self.count, self.fails, self.taken = count, fails, 0
        self.threads: set[str] = set()

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            if number == self.fails:
                raise ValueError(f"no {number}")
            self.taken += 1
            self.threads.add(threading.current_thread().name)
            yield number


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_the_items_are_those_of_the_iterator_in_their_order(count: int) -> None:
    items = Counting(count)
    assert [*ReadAhead(iter(items))] == [*range(count)]
    assert all(name.startswith("lenslab-reader") for name in items.threads)
    assert readers() == []


def test_one_item_waits_and_never_a_second_one() -> None:
    items = Counting(10)
    ahead = ReadAhead(iter(items))
    for taken in range(1, 6):
        next(ahead)
        awaited(lambda: items.taken > taken)  # noqa: B023 - asked before the next turn
        time.sleep(0.02)
        assert items.taken == taken + 1
    ahead.close()


def test_what_an_item_raises_comes_behind_the_items_before_it_and_leaves_no_thread() -> None:
    seen: list[int] = []
    ahead = ReadAhead(iter(Counting(5, fails=3)))
    with pytest.raises(ValueError, match="no 3"):
        seen.extend(ahead)
    assert seen == [0, 1, 2]
    ahead.close()
    assert readers() == []


def test_who_leaves_early_waits_for_the_item_in_the_making_and_no_other() -> None:
    items = Counting(1000)
    ahead = ReadAhead(iter(items))
    next(ahead)
    ahead.close()
    ahead.close()
    assert readers() == []
    assert items.taken <= 2


def test_one_that_was_forgotten_leaves_no_thread() -> None:
    ahead = ReadAhead(iter(Counting(9)))
    next(ahead)
    del ahead
    gc.collect()
    awaited(lambda: readers() == [])


def test_several_at_once_do_not_disturb_each_other() -> None:
    assert [(one, other) for one in ReadAhead(iter(Counting(4))) for other in ReadAhead(iter(Counting(one)))] == [
        (one, other) for one in range(4) for other in range(one)
    ]
    assert readers() == []
