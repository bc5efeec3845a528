"""The sweep over images: block after block through an engine, every finished piece written down at once.

A shard holds what a block of images gave at a group of sites. A sweep that was stopped makes the shards that are
missing, with the same batches as if it had never stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import torch

from lenslab.runs.attributes.profile_sums import add_by_site
from lenslab.units.engine.batch import Batch
from lenslab.units.engine.engines import Engine
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.profiler import Profiler
from lenslab.units.silencing.resampling import Resampling
from lenslab.units.sweep.pieces import BlockBatches, MadePiece, Piece
from lenslab.units.sweep.schedule import Block, Schedule
from lenslab.units.sweep.shard_tables import BlockTables, GroupTables
from lenslab.units.sweep.shards import Shards
from lenslab.units.sweep.site_clock import SiteClock

_CANDIDATES = 64
"""So many pairs of each path and shard are put aside for a check that is asked for later."""


class Progress(Protocol):
    """Reports how far a long piece of work has come."""

    def __call__(self, done: float, total: float, /) -> None:
        """Report ``done`` of ``total``, in units of predicted cost."""
        ...


Elsewhere: TypeAlias = Callable[[Iterator[Piece]], Generator[tuple[Piece, MadePiece]]]
"""Makes pieces in other processes, and gives each as soon as it is made."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep over images.

    Attributes:
        units: How many targets are silenced at each site, by the site's name.
        draws: How often every pair is decided.
        top: Among how many of the largest logits the true class is looked for, where it is.
        candidates: How many pairs per path and shard are put aside for a check of the engine; never fewer than a few.
        seed: Decides which pairs these are.
        scored: Whether all logits are good for scores, which those of bfloat16 are not.
    """

    engine: Engine
    images: Images
    preprocessing: Preprocessing
    classes: int
    units: dict[str, int]
    schedule: Schedule
    device: torch.device
    profiler: Profiler | None = None
    resampling: Resampling | None = None
    draws: int = 1
    top: int | None = None
    candidates: int = 0
    seed: int = 0
    scored: bool = True

    def run(self, shards: Shards, progress: Progress | None = None, elsewhere: Elsewhere | None = None) -> list[Block]:
        """Make every shard that is missing, and give the blocks, all of them whole.

        Args:
            shards: Where they are written.
            progress: Is told how far it has come.
            elsewhere: Makes the pieces, in any order; by default they are made here, one after the other.
        """
        whole = shards.whole(list(self.units), ["profile"] if self.profiler else [])
        done = whole[-1].stop if whole else 0
        meter = _Meter(sum(self.schedule.costs.values()) * len(self.images), progress)
        meter.add(sum(self.schedule.costs.values()) * done)
        blocks = [*self.schedule.blocks(len(self.images), start=done)]
        missing = self._missing(shards, blocks, meter)
        with closing(elsewhere(missing) if elsewhere else self._made_here(missing, meter)) as found:
            for piece, made in found:
                shards.write_all(piece.block, None, made.of_block)
                shards.write_all(piece.block, piece.group, made.of_group)
                meter.add(self.cost(piece) if elsewhere else 0.0)
        return [*whole, *blocks]

    def _missing(self, shards: Shards, blocks: Sequence[Block], meter: _Meter) -> Iterator[Piece]:
        """Find what is to be made; the first piece of a block brings the block's own tables, if they are missing."""
        for block in blocks:
            missing = shards.missing(block)
            meter.add(sum(self.cost(Piece(block, number)) for number in {*range(len(block.groups))} - {*missing}))
            for number in missing:
                yield Piece(block, number, own=number == missing[0] and not shards.has("images", block))

    def _made_here(self, pieces: Iterator[Piece], meter: _Meter) -> Generator[tuple[Piece, MadePiece]]:
        following = itertools.pairwise(itertools.chain(pieces, [None]))
        with closing(self._batches):
            for place, (piece, then) in enumerate(following):
                assert piece is not None  # which only the last one follows
                if place == 0 and (piece.block.start, piece.group) != (0, 0):
                    self.begin()
                yield piece, self.make(piece, meter, then.block if then and then.block != piece.block else None)

    def begin(self) -> None:
        """Show the engine the first images, by which it settles its paths, whichever piece is made first."""
        found = self._batches.first(next(self.schedule.blocks(len(self.images))))
        if found is None:
            return
        images, batch = found
        if self.resampling is not None:
            batch = replace(batch, fills=self.resampling.fills(images.numbers, 0, self.schedule.groups[0]))
        with torch.inference_mode():
            self.engine.run(batch, [])

    def cost(self, piece: Piece) -> float:
        """Count a piece's multiply-accumulates."""
        return (piece.block.stop - piece.block.start) * sum(self.schedule.costs[site] for site in piece.sites)

    def make(self, piece: Piece, meter: _Meter | None = None, then: Block | None = None) -> MadePiece:
        """Decide the pairs of a piece; what was made before, and ``then`` is asked for, makes no difference."""
        meter = meter or _Meter(self.cost(piece), None)
        block_tables = BlockTables(self.top, self.profiler is not None) if piece.own else None
        group_tables = GroupTables(piece.sites, self.units, self.classes, self.top, self.scored)
        with closing(self._batches.of(piece.block, then)) as found:
            for images, batch in found:
                if block_tables is not None:
                    block_tables.skipped += images.skipped
                if len(batch):
                    self._decide(images, batch, group_tables, block_tables, meter)
                meter.add(len(images.skipped) * sum(self.schedule.costs[site] for site in piece.sites))
        of_group = group_tables.tables(max(self.candidates, _CANDIDATES))
        return MadePiece(block_tables.tables() if block_tables else {}, of_group)

    @cached_property
    def _batches(self) -> BlockBatches:
        return BlockBatches(self.images, self.preprocessing, self.schedule.batch_size, self.device)

    def _decide(
        self,
        images: ImageBlock,
        batch: Batch,
        group_tables: GroupTables,
        block_tables: BlockTables | None,
        meter: _Meter,
    ) -> None:
        for draw in range(self.draws):
            if self.resampling is not None:
                batch = replace(batch, fills=self.resampling.fills(images.numbers, draw, group_tables.sites))
            with torch.inference_mode():
                outcome = self.engine.run(batch, group_tables.sites)
                if draw == 0 and block_tables is not None:
                    block_tables.add(images, outcome.reference)
                clock = SiteClock()
                for position, site in enumerate(outcome.sites):
                    random = np.random.default_rng([self.seed, images.start, draw, position])
                    group_tables.add(site, outcome.reference, images, draw, max(self.candidates, _CANDIDATES), random)
                    group_tables.times.append(clock.lap(site.site, len(batch)))
                    meter.add(self.schedule.costs[site.site] * len(batch) / self.draws)
        if block_tables is not None and self.profiler is not None:
            found = self.profiler.gather(outcome.golden, images.labels, images.numbers)
            block_tables.gathered = add_by_site(block_tables.gathered, found)


@dataclass
class _Meter:
    """How far a sweep has come, in multiply-accumulates."""

    total: float
    progress: Progress | None
    spent: float = 0.0

    def add(self, cost: float) -> None:
        """Count work as done."""
        self.spent += cost
        if self.progress is not None:
            self.progress(min(self.spent, self.total), self.total)
