"""Pieces of a sweep: a group of sites on a block of images, what it is made from, and what it gives."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
import torch

from lenslab.units.engine.batch import Batch, BatchReader, preprocessed
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.sweep.schedule import Block


@dataclass(frozen=True)
class Piece:
    """What is made at a time, here or in another process.

    Attributes:
        block: The images.
        group: The number of the group of sites among those of the block.
        own: Whether the tables that the block has of its own are made, too.

    Example:
        >>> Piece(Block(0, 16, (("relu1",), ("relu2", "relu3"))), 1).sites
        ('relu2', 'relu3')
    """

    block: Block
    group: int
    own: bool = False

    @property
    def sites(self) -> tuple[str, ...]:
        """The names of the sites."""
        return self.block.groups[self.group]


@dataclass(frozen=True)
class MadePiece:
    """The tables of a piece by their kind, in the order in which they are written.

    Attributes:
        of_block: Those that the block has of its own; none unless the piece was to make them.
        of_group: Those of the group.
    """

    of_block: dict[str, pa.Table]
    of_group: dict[str, pa.Table]


@dataclass(eq=False)
class BlockBatches:
    """Decodes blocks of images, a batch ahead; the only batch of a block of several groups is kept for all of them."""

    images: Images
    preprocessing: Preprocessing
    batch_size: int
    device: torch.device
    _kept: tuple[Block, list[tuple[ImageBlock, Batch]]] | None = field(default=None, repr=False)
    _begun: tuple[Block, BatchReader] | None = field(default=None, repr=False)

    def of(self, block: Block, then: Block | None = None) -> Generator[tuple[ImageBlock, Batch]]:
        """Give the batches of a block, decoded one after the other as they are asked for.

        Args:
            block: The images.
            then: What is asked for next; its first batch is decoded while the last of the block is in use.
        """
        if self._kept is None or self._kept[0] != block:
            self._kept = None  # before the next is made, so that two are never kept
            if len(block.groups) > 1:
                self._kept = block, [*self._read(block)]
        last = -(-(block.stop - block.start) // self.batch_size)
        with closing(self._read(block)) as read:
            for place, found in enumerate(self._kept[1] if self._kept else read, start=1):
                if place == last and then is not None:
                    self._begin(then)
                yield found

    def first(self, block: Block) -> tuple[ImageBlock, Batch] | None:
        """Decode the first batch of a block in which there is any image, and nothing ahead of it."""
        for images in self.images.blocks(self.batch_size, start=block.start, stop=block.stop):
            if len(images):
                return images, preprocessed(images, self.preprocessing, self.device)
        return None

    def close(self) -> None:
        """Let go what was decoded ahead and is not asked for."""
        if self._begun is not None:
            self._begun[1].close()
        self._begun = None

    def _read(self, block: Block) -> Generator[tuple[ImageBlock, Batch]]:
        self._begin(block)
        assert self._begun is not None  # just now
        (_, reader), self._begun = self._begun, None
        with closing(reader):
            yield from reader

    def _begin(self, block: Block) -> None:
        if self._begun is None or self._begun[0] != block:
            self.close()
            blocks = self.images.blocks(self.batch_size, start=block.start, stop=block.stop)
            self._begun = block, BatchReader(self.images, blocks, self.preprocessing, self.device)
