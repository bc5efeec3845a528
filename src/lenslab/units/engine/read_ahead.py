"""Reading ahead: a thread goes through an iterator, one item ahead of whoever takes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ReadAhead(Iterator[Item], Generic[Item]):
    """Gives the items of an iterator, the next of which a thread makes meanwhile, from the beginning on.

    Never more than one item waits. What making an item raises is raised where it is asked for.

    Example:
        >>> [*ReadAhead(iter("abc"))]
        ['a', 'b', 'c']
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="lenslab-reader")
        self._coming: Future[list[Item]] = self._reader.submit(self._one)

    def __next__(self) -> Item:
        """Give the next item, and have the one after it made."""
        found = self._coming.result()
        if not found:
            self.close()
            raise StopIteration
        self._coming = self._reader.submit(self._one)
        return found[0]

    def close(self) -> None:
        """Let the thread go; it ends the item that it is at, and nobody takes it."""
        self._reader.shutdown(cancel_futures=True)

    def _one(self) -> list[Item]:
        return [*itertools.islice(self._items, 1)]
