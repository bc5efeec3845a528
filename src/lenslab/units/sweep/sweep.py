"""The sweep over images: block after block through an engine, every finished piece written down at once.

A shard holds what a block of images gave at a group of sites. A sweep that was stopped makes the shards that are
missing, with the same batches as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from lenslab.runs.attributes.profile_sums import add_by_site
from lenslab.units.engine.batch import Batch, batch_of
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.plain_engine import PlainEngine
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.profiler import Profiler
from lenslab.units.silencing.resampling import Donors
from lenslab.units.sweep.schedule import Block, Schedule
from lenslab.units.sweep.shard_tables import About, Piece
from lenslab.units.sweep.shards import Shards

ENGINES: dict[str, type[ExactEngine] | type[PlainEngine]] = {"exact": ExactEngine, "plain": PlainEngine}
"""The engines by name."""

_CANDIDATES = 64
"""So many pairs of each path and shard are put aside for a check that is asked for later."""


class Progress(Protocol):
    """Is told how far a long piece of work has come."""

    def __call__(self, done: float, total: float, /) -> None:
        """Take note: ``done`` of ``total``, in units of predicted cost."""
        ...


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep over images.

    Attributes:
        runner: The engine.
        images: The images, in source order.
        preprocessing: From pixels to the network's input.
        classes: Number of logits.
        units: How many things are silenced at each site, by the site's name.
        schedule: How the work is divided.
        device: Where to run.
        profiler: Gathers the attributes of the units, where they are wanted.
        donors: Whose maps units become, where they are resampled.
        draws: How often every pair is decided.
        top: Among how many of the largest logits the true class is looked for, where it is.
        candidates: How many pairs per path and shard are put aside for a check of the engine; never fewer than a few.
        seed: Decides which pairs these are.
    """

    runner: ExactEngine | PlainEngine
    images: Images
    preprocessing: Preprocessing
    classes: int
    units: dict[str, int]
    schedule: Schedule
    device: torch.device
    profiler: Profiler | None = None
    donors: Donors | None = None
    draws: int = 1
    top: int | None = None
    candidates: int = 0
    seed: int = 0

    def run(self, shards: Shards, progress: Progress | None = None) -> list[Block]:
        """Make every shard that is missing.

        Args:
            shards: Those that are there already.
            progress: Is told how far it has come.

        Returns:
            The blocks, all of them whole.

        Raises:
            NotFiniteError: The network answers NaN or infinity.
            UndecodableImageError: An image does not decode, and they are not to be skipped.
        """
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
        batches: Iterable[tuple[ImageBlock, Batch]] = self._batches(block)
        if len(block.groups) > 1:
            batches = [*batches]  # it is one, and serves all groups
        for number in missing:
            about = None if shards.has("images", block) else About(self.top, self.profiler is not None)
            piece = Piece(block.groups[number], self.units, self.classes, self.top)
            for images, batch in batches:
                if about is not None:
                    about.skipped += images.skipped
                if len(batch):
                    self._decide(images, batch, piece, about, meter)
                meter.add(len(images.skipped) * sum(self.schedule.costs[site] for site in piece.sites))
            if about is not None:
                about.write(shards, block)
            piece.write(shards, block, number, max(self.candidates, _CANDIDATES))

    def _decide(self, images: ImageBlock, batch: Batch, piece: Piece, about: About | None, meter: _Meter) -> None:
        for draw in range(self.draws):
            if self.donors is not None:
                batch = replace(batch, fills=self.donors.fills(images.numbers, draw, piece.sites))
            with torch.inference_mode():
                outcome = self.runner.run(batch, piece.sites)
                if draw == 0 and about is not None:
                    about.add(images, outcome.reference)
                for position, site in enumerate(outcome.sites):
                    random = np.random.default_rng([self.seed, images.start, draw, position])
                    piece.add(site, outcome.reference, images, draw, max(self.candidates, _CANDIDATES), random)
                    meter.add(self.schedule.costs[site.site] * len(batch) / self.draws)
        if about is not None and self.profiler is not None:
            found = self.profiler.gather(batch.inputs, images.labels, images.numbers)
            about.gathered = add_by_site(about.gathered, {name: gathered for name, (gathered, _) in found.items()})

    def _batches(self, block: Block) -> Iterator[tuple[ImageBlock, Batch]]:
        for images in self.images.blocks(self.schedule.batch_size, start=block.start, stop=block.stop):
            inputs = self.preprocessing(images.pixels).to(self.device) if len(images) else torch.empty(0)
            yield images, batch_of(inputs, images.labels, images.numbers)


@dataclass
class _Meter:
    """How far a sweep has come, in multiply-accumulates."""

    total: float
    progress: Progress | None
    spent: float = 0.0

    def add(self, cost: float) -> None:
        """Take note of work done, or found done."""
        self.spent += cost
        if self.progress is not None:
            self.progress(min(self.spent, self.total), self.total)
