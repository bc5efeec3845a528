"""Dense layers, which mix channels, as they answer a change in some channels of their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units.engine import unitwise

_WIDE = 128
"""For fewer outputs torch's own convolution is faster on a processor than a product of patches."""


class DenseLayer(Protocol):
    """Answers a change in some channels of its input, with the batch norm behind it, if there is one."""

    def add(self, value: Tensor, change: Tensor, channels: Sequence[int], direction: Tensor | None) -> None:
        """Add to some rows of the layer's value what a change in some channels of its input does to them.

        Args:
            value: The layer's value with every unit in place, ``[rows, outputs, ...]``; it is changed.
            change: By how much they change, ``[rows, channels, ...]``.
            channels: Which ones, the same in all rows.
            direction: ``None``, or how much of the one change goes to each of these channels, which follow each other.
        """
        ...


class DenseConvolution:
    """A convolution, whose answer to one map is a product of patches with a channel's share of the weight."""

    def __init__(self, layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> None:
        self._layer, self._border = layer, _border(layer)
        weight = layer.weight.detach()
        if norm is not None:
            weight = weight * unitwise.scale_and_shift(norm)[0][:, None, None, None]
        self._weight = weight.permute(1, 2, 3, 0).flatten(1, 2).contiguous()  # [channels, taps, outputs]

    def add(self, value: Tensor, change: Tensor, channels: Sequence[int], direction: Tensor | None) -> None:
        """See `DenseLayer.add`."""
        if direction is not None:
            weight = self._weight[channels[0] : channels[-1] + 1]
            self._add_map(value, change, torch.einsum("c,cto->to", direction, weight))
        elif len(channels) == 1:
            self._add_map(value, change, self._weight[channels[0]])
        else:
            weight = self._weight[list(channels)].permute(2, 0, 1)
            weight = weight.reshape(*weight.shape[:2], *self._layer.kernel_size)
            value += self._convolved(F.pad(change, self._border), weight)

    def _add_map(self, value: Tensor, change: Tensor, weight: Tensor) -> None:
        change = F.pad(change, self._border)
        taps, outputs = weight.shape
        narrow = value.is_cuda or (taps > 1 and outputs < _WIDE)
        if narrow or not value.is_contiguous(memory_format=torch.channels_last):
            height, width = change.shape[2:]  # one channel lies in memory as if it were the last axis
            change = change.as_strided(change.shape, (height * width, 1, width, 1))
            value += self._convolved(change, weight.T.reshape(outputs, 1, *self._layer.kernel_size))
            return
        patches = F.unfold(change, self._layer.kernel_size, self._layer.dilation, 0, self._layer.stride)
        positions = value.permute(0, 2, 3, 1).view(len(value), -1, outputs)
        positions.baddbmm_(patches.transpose(1, 2), weight.expand(len(value), -1, -1))

    def _convolved(self, change: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(change, weight, None, self._layer.stride, 0, self._layer.dilation)


class DenseLinear:
    """A linear layer that takes one feature or several of each channel."""

    def __init__(self, layer: nn.Linear, channels: int) -> None:
        self._weight = layer.weight.detach().view(layer.out_features, channels, -1)

    def add(self, value: Tensor, change: Tensor, channels: Sequence[int], direction: Tensor | None) -> None:
        """See `DenseLayer.add`."""
        if direction is not None:
            weight = torch.einsum("c,ocp->op", direction, self._weight[:, channels[0] : channels[-1] + 1])
        elif len(channels) == 1:
            weight = self._weight[:, channels[0]]
        else:
            weight = self._weight[:, list(channels)].flatten(1)
        value.addmm_(change.flatten(1), weight.T)


def _border(layer: nn.Conv2d) -> tuple[int, int, int, int]:
    """Give how many zeros a convolution has around its input: left, right, above, below."""
    sizes = []
    for axis in (1, 0):
        if isinstance(layer.padding, str):
            wanted = layer.dilation[axis] * (layer.kernel_size[axis] - 1) if layer.padding == "same" else 0
            sizes += [wanted // 2, wanted - wanted // 2]
        else:
            sizes += [layer.padding[axis]] * 2
    left, right, above, below = sizes
    return left, right, above, below
