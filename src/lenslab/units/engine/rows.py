"""Rows of a value, one for each image or pair: gathered, and filled up."""

from __future__ import annotations

import torch
from torch import Tensor


def rows_of(value: Tensor, rows: Tensor) -> Tensor:
    """Gather rows of a value, of the same memory layout.

    Example:
        >>> maps = torch.ones(3, 2, 4, 4).contiguous(memory_format=torch.channels_last)
        >>> rows_of(maps, torch.tensor([2, 2])).is_contiguous(memory_format=torch.channels_last)
        True
    """
    if value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last):
        return value.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2)
    return value.index_select(0, rows)


def filled(value: Tensor, rows: int) -> Tensor:
    """Repeat the last row up to a number of rows, in the same memory layout.

    Example:
        >>> filled(torch.tensor([4, 7]), 4).tolist()
        [4, 7, 7, 7]
    """
    return rows_of(value, torch.arange(rows, device=value.device).clamp_max(len(value) - 1))
