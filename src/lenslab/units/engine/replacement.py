"""What a silenced unit's output becomes: 0, another constant, or a map that was measured beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Replacement:
    """The value that each unit of one site takes when it is silenced, the same on every image.

    Attributes:
        fill: what the units become: one number for all (``[]``), one per unit (``[units]``), or one map per unit
            (``[units, height, width]``).

    Example:
        >>> ZERO.silenced(torch.ones(2, 3), torch.tensor([0, 2])).tolist()
        [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    fill: torch.Tensor

    def silenced(self, value: torch.Tensor, units: torch.Tensor) -> torch.Tensor:
        """Give a copy of a site's value in which row ``i`` has unit ``units[i]`` silenced.

        Args:
            value: a site's value, ``[rows, units, ...]``; it is not changed.
            units: the unit to silence in each row, int64 ``[rows]``.

        Returns:
            The copy, with the same shape, type and memory layout.
        """
        copy = value.clone()
        rows = torch.arange(len(units), device=value.device)
        copy[rows, units] = self._like(value).expand(value.shape)[rows, units]
        return copy

    def differs(self, value: torch.Tensor) -> torch.Tensor:
        """Tell which units differ from their replacement, image by image; the others change nothing when silenced.

        Args:
            value: a site's value, ``[images, units, ...]``.

        Returns:
            bool ``[images, units]``.

        Example:
            >>> ZERO.differs(torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])).tolist()
            [[False, True]]
        """
        different = value != self._like(value)
        return different if different.dim() == 2 else different.flatten(2).any(dim=2)

    def everywhere(self, value: torch.Tensor) -> torch.Tensor:
        """Give a site's value with every unit silenced at once, which a linear tail is taken apart with."""
        return self._like(value).expand(value.shape).contiguous()

    def _like(self, value: torch.Tensor) -> torch.Tensor:
        fill = self.fill.to(value.device, value.dtype)
        if fill.dim() == 0:
            return fill
        return fill.reshape(1, *fill.shape, *[1] * (value.dim() - 1 - fill.dim()))


ZERO = Replacement(torch.zeros(()))
"""The unit's output is 0 everywhere: the replacement of Zhou et al. 2018 (arXiv 1806.02891)."""


def spatial_mean(value: torch.Tensor) -> NDArray[np.float32]:
    """Average each unit over its positions.

    Args:
        value: a site's value, ``[images, units, ...]``.

    Returns:
        float32 ``[images, units]``; a value without positions is given as it is.

    Example:
        >>> spatial_mean(torch.tensor([[[1.0, 3.0]]])).tolist()
        [[2.0]]
    """
    mean = value if value.dim() == 2 else value.flatten(2).mean(dim=2)
    return mean.to("cpu", torch.float32).numpy()
