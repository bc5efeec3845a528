"""The sweep over images: block after block through an engine, every finished piece written down at once.

A shard holds what a block of images gave at a group of sites. A sweep that was stopped makes the shards that are
missing, with the same batches as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from lenslab.runs.attributes.profile_sums import add_by_site
from lenslab.units.engine.batch import Batch, batches
from lenslab.units.engine.engines import Engine
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.profiler import Profiler
from lenslab.units.silencing.resampling import Resampling
from lenslab.units.sweep.schedule import Block, Schedule
from lenslab.units.sweep.shard_tables import BlockTables, GroupTables
from lenslab.units.sweep.shards import Shards

_CANDIDATES = 64
"""So many pairs of each path and shard are put aside for a check that is asked for later."""


class Progress(Protocol):
    """Reports how far a long piece of work has come."""

    def __call__(self, done: float, total: float, /) -> None:
        """Report ``done`` of ``total``, in units of predicted cost."""
        ...


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

    def run(self, shards: Shards, progress: Progress | None = None) -> list[Block]:
        """Make every shard that is missing, and give the blocks, all of them whole."""
        whole = shards.whole(list(self.units), ["profile"] if self.profiler else [])
        done = whole[-1].stop if whole else 0
        meter = _Meter(sum(self.schedule.costs.values()) * len(self.images), progress)
        meter.add(sum(self.schedule.costs.values()) * done)
        blocks = [*self.schedule.blocks(len(self.images), start=done)]
        for block in blocks:
            self._make(shards, block, meter)
        return [*whole, *blocks]

    def _make(self, shards: Shards, block: Block, meter: _Meter) -> None:
        missing = shards.missing(block)
        count = block.stop - block.start
        kept = [site for number, sites in enumerate(block.groups) if number not in missing for site in sites]
        meter.add(count * sum(self.schedule.costs[site] for site in kept))
        found: Iterable[tuple[ImageBlock, Batch]] = batches(
            self.images, self.preprocessing, self.schedule.batch_size, self.device, start=block.start, stop=block.stop
        )
        if len(block.groups) > 1:
            found = [*found]  # it is one batch, which serves all groups
        for number in missing:
            block_tables = None if shards.has("images", block) else BlockTables(self.top, self.profiler is not None)
            group_tables = GroupTables(block.groups[number], self.units, self.classes, self.top, self.scored)
            for images, batch in found:
                if block_tables is not None:
                    block_tables.skipped += images.skipped
                if len(batch):
                    self._decide(images, batch, group_tables, block_tables, meter)
                meter.add(len(images.skipped) * sum(self.schedule.costs[site] for site in group_tables.sites))
            if block_tables is not None:
                block_tables.write(shards, block)
            group_tables.write(shards, block, number, max(self.candidates, _CANDIDATES))

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
                for position, site in enumerate(outcome.sites):
                    random = np.random.default_rng([self.seed, images.start, draw, position])
                    group_tables.add(site, outcome.reference, images, draw, max(self.candidates, _CANDIDATES), random)
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
