"""A batch of images on its way through an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray


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

    inputs: torch.Tensor
    labels: torch.Tensor
    numbers: NDArray[np.int64]
    fills: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.inputs)


def batch_of(inputs: torch.Tensor, labels: NDArray[np.integer], numbers: NDArray[np.int64]) -> Batch:
    """Put labels beside inputs, on their device.

    Example:
        >>> batch_of(torch.zeros(2, 1, 8, 8), np.array([3, 1]), np.arange(2)).labels.tolist()
        [3, 1]
    """
    return Batch(inputs, torch.as_tensor(np.asarray(labels, dtype=np.int64), device=inputs.device), numbers)
