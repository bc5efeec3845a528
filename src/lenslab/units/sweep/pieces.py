"""Pieces of a sweep: a group of sites on a block of images, what it is made from, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import torch

from lenslab.units.engine.batch import Batch, batches
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
    """Decodes blocks of images; the only batch of a block of several groups is kept for the others of them."""

    images: Images
    preprocessing: Preprocessing
    batch_size: int
    device: torch.device
    _kept: tuple[Block, list[tuple[ImageBlock, Batch]]] | None = field(default=None, repr=False)

    def of(self, block: Block) -> Iterable[tuple[ImageBlock, Batch]]:
        """Give the batches of a block, decoded one after the other as they are asked for."""
        if self._kept is not None and self._kept[0] == block:
            return self._kept[1]
        found = batches(
            self.images, self.preprocessing, self.batch_size, self.device, start=block.start, stop=block.stop
        )
        if len(block.groups) == 1:
            return found
        self._kept = None  # before the next is read, so that two are never in memory
        self._kept = block, [*found]
        return self._kept[1]
