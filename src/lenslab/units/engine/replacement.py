"""What a silenced unit's output becomes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

ZERO = "zero"
"""The unit's output is 0 everywhere: the replacement of Zhou et al. 2018 (arXiv 1806.02891)."""


def silenced(value: torch.Tensor, units: torch.Tensor) -> torch.Tensor:
    """Give a copy of a site's value in which row ``i`` has unit ``units[i]`` silenced.

    Args:
        value: a site's value, ``[rows, units, ...]``; it is not changed.
        units: the unit to silence in each row, int64 ``[rows]``.

    Returns:
        The copy, with the same shape, type and memory layout.

    Example:
        >>> silenced(torch.ones(2, 3), torch.tensor([0, 2])).tolist()
        [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """
    copy = value.clone()
    copy[torch.arange(len(units), device=value.device), units] = 0
    return copy


def differs(value: torch.Tensor) -> torch.Tensor:
    """Tell which units differ from their replacement, image by image; the others change nothing when silenced.

    Args:
        value: a site's value, ``[images, units, ...]``.

    Returns:
        bool ``[images, units]``.

    Example:
        >>> differs(torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])).tolist()
        [[False, True]]
    """
    different = value != 0
    return different if different.dim() == 2 else different.flatten(2).any(dim=2)


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
