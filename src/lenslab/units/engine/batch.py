"""A batch of images on its way through an engine."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.units.engine.read_ahead import ReadAhead
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False)
class Batch:
    """Preprocessed images with their labels and numbers.

    Attributes:
        inputs: ``[images, ...]``, float32, on the device.
        labels: The class of each image, int64 ``[images]``, on the device.
        numbers: The number of each image in its source, int64 ``[images]``.
        fills: What the units of a site become on each of these images, ``[images, units, ...]``, by the name of the
            cut; only for what differs from image to image, see `lenslab.units.silencing.resampling`.
    """

    inputs: Tensor
    labels: Tensor
    numbers: NDArray[np.int64]
    fills: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.inputs)


def batch_of(inputs: Tensor, labels: NDArray[np.integer], numbers: NDArray[np.int64]) -> Batch:
    """Put labels beside inputs, on their device.

    Example:
        >>> batch_of(torch.zeros(2, 1, 8, 8), np.array([3, 1]), np.arange(2)).labels.tolist()
        [3, 1]
    """
    return Batch(inputs, torch.as_tensor(np.asarray(labels, dtype=np.int64), device=inputs.device), numbers)


def preprocessed(block: ImageBlock, preprocessing: Preprocessing, device: torch.device) -> Batch:
    """Preprocess a block of decoded images; of an empty block the batch is empty."""
    return _on_device(block, _inputs(block, preprocessing, device), device)


class BatchReader(Iterator[tuple[ImageBlock, Batch]]):
    """Gives blocks of images with their batches; the next one is decoded and preprocessed by a thread meanwhile.

    What is bound to its thread is read in the one that asks, without haste. Whoever leaves before the end closes it.

    Args:
        images: What is read.
        blocks: Blocks of them, decoded as they are asked for.
        preprocessing: What the network takes.
        device: Where the batches go.
    """

    def __init__(
        self, images: Images, blocks: Iterator[ImageBlock], preprocessing: Preprocessing, device: torch.device
    ) -> None:
        decoded = ((block, _inputs(block, preprocessing, device)) for block in blocks)
        self._decoded = decoded if images.bound else ReadAhead(decoded)
        self._device = device

    def __next__(self) -> tuple[ImageBlock, Batch]:
        """Give the next block, also where none of its images decodes."""
        block, inputs = next(self._decoded)
        return block, _on_device(block, inputs, self._device)

    def close(self) -> None:
        """Let the thread go."""
        self._decoded.close()


def batches(
    images: Images,
    preprocessing: Preprocessing,
    size: int,
    device: torch.device,
    *,
    start: int = 0,
    stop: int | None = None,
) -> Generator[tuple[ImageBlock, Batch]]:
    """Decode and preprocess images ``start`` to ``stop - 1``, ``size`` at a time, one batch ahead.

    Each block comes with its batch, also where none of its images decodes and both are empty.

    Example:
        >>> from lenslab.units import open_images
        >>> grey = Preprocessing(channels=1, size=None, mean=(0.5,), sd=(0.25,))
        >>> [len(batch) for _, batch in batches(open_images("digits").limited(5), grey, 2, torch.device("cpu"))]
        [2, 2, 1]
    """
    blocks = images.blocks(size, start=start, stop=stop)
    with closing(BatchReader(images, blocks, preprocessing, device)) as found:
        yield from found


def _inputs(block: ImageBlock, preprocessing: Preprocessing, device: torch.device) -> Tensor:
    """Preprocess a block in memory, from which a GPU can fetch it while it computes."""
    inputs = preprocessing(block.pixels) if len(block) else torch.empty(0)
    return inputs.pin_memory() if device.type == "cuda" else inputs


def _on_device(block: ImageBlock, inputs: Tensor, device: torch.device) -> Batch:
    # The thread that computes does the copying, on its own stream.
    return batch_of(inputs.to(device, non_blocking=True), block.labels, block.numbers)
