"""Blocks decoded for a sweep: a batch ahead, over the end of a block too, and never more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from lenslab.units import Ablation
from lenslab.units.images import Images
from lenslab.units.sweep.pieces import BlockBatches
from lenslab.units.sweep.schedule import Block
from tests.units import toys
from tests.units.engine.test_read_ahead import awaited, readers

ONE, TWO = (("a",),), (("a",), ("b",))


class Noted:
    """Images that note which of them were decoded."""

    def __init__(self, count: int) -> None:
        self.decoded: list[int] = []
        self.images = replace(toys.digits(count), read=self._read)
        self._plain: Images = toys.digits(count)

    def _read(self, start: int, stop: int) -> Iterator[object]:
        for number, picture in enumerate(self._plain.read(start, stop), start=start):
            self.decoded.append(number)
            yield picture

    def batches(self, size: int) -> BlockBatches:
        preprocessing = toys.network(toys.Residual().eval()).preprocessing
        return BlockBatches(self.images, preprocessing, size, torch.device("cpu"))


def test_while_the_last_batch_of_a_block_is_in_use_the_first_of_the_next_is_decoded_and_no_other() -> None:
    noted = Noted(40)
    found = noted.batches(5)
    first, second = Block(0, 10, ONE), Block(10, 25, ONE)
    of_first = found.of(first, second)
    next(of_first)
    next(of_first)
    awaited(lambda: len(noted.decoded) == 15)
    time.sleep(0.02)
    assert noted.decoded == [*range(15)]
    assert [*of_first] == []
    assert [batch.numbers.tolist() for _, batch in found.of(second)] == [
        [*range(start, start + 5)] for start in (10, 15, 20)
    ]
    assert noted.decoded == [*range(25)], "none is decoded twice"
    assert readers() == []


def test_the_batch_of_a_block_of_several_groups_is_decoded_once_and_the_next_beside_its_last_group() -> None:
    noted = Noted(40)
    found = noted.batches(10)
    block, then = Block(0, 10, TWO), Block(10, 20, TWO)
    (first,) = found.of(block)
    assert noted.decoded == [*range(10)]
    (second,) = found.of(block, then)
    assert first[1] is second[1]
    awaited(lambda: len(noted.decoded) == 20)
    ((_, batch),) = found.of(then)
    assert batch.numbers.tolist() == [*range(10, 20)]
    assert noted.decoded == [*range(20)]


def test_what_was_decoded_ahead_and_is_not_asked_for_is_let_go() -> None:
    noted = Noted(40)
    found = noted.batches(10)
    assert len([*found.of(Block(0, 10, ONE), Block(10, 20, ONE))]) == 1
    ((_, batch),) = found.of(Block(30, 40, ONE))
    assert batch.numbers.tolist() == [*range(30, 40)]
    assert len([*found.of(Block(0, 10, ONE), Block(10, 20, ONE))]) == 1
    found.close()
    assert readers() == []


@pytest.mark.parametrize("stops", [0.0, 0.3, 0.9])
def test_a_run_that_is_stopped_leaves_no_thread(stops: float) -> None:
    def stop(done: float, total: float) -> None:
        if done >= stops * total:
            raise KeyboardInterrupt

    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(40), batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        asked.run(progress=stop)
    assert readers() == []
