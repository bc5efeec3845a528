"""What works on each unit alone: on the way behind a site these layers keep a change in the units that changed.

Activations, poolings, flattening and dropout treat all units alike; a batch norm and a depthwise convolution have
weights of their own for each; a concatenation puts other values beside them, which gives the units other places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.networks.module_kinds import is_bare

_LINEAR = (nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten)
_POOLINGS = (*_LINEAR, nn.MaxPool2d, nn.AdaptiveMaxPool2d)
_LINEAR_NAMES = frozenset(("avg_pool2d", "adaptive_avg_pool2d", "flatten"))
_POOLING_NAMES = _LINEAR_NAMES | {"max_pool2d", "adaptive_max_pool2d"}
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)

Step: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Maps values of some channels, ``[rows, channels, ...]``, given which ones these are, int64 ``[rows, channels]``."""


@dataclass(frozen=True)
class Places:
    """Where the units of a site are in a later value: unit u is ``width`` channels from ``first + u * width`` on.

    Attributes:
        first: The first channel of the first unit.
        width: How many channels a unit has.
        channels: How many channels there are in all, each of one or more features where the value is flat.
    """

    first: int
    width: int
    channels: int

    def of(self, units: Tensor) -> Tensor:
        """List the channels of some units in each row, ``[rows, units]`` to ``[rows, units * width]``.

        Example:
            >>> Places(first=4, width=2, channels=10).of(torch.tensor([[0, 2]])).tolist()
            [[4, 5, 8, 9]]
        """
        wide = units[:, :, None] * self.width + torch.arange(self.width, device=units.device)
        return wide.flatten(1) + self.first


def places_behind(graph: Graph, node: fx.Node, source: fx.Node, places: Places, changed: set[fx.Node]) -> Places | None:
    """Say where the units are in a node's value; ``None`` where it does not work on each of them alone.

    Args:
        graph: The network.
        node: Takes the value of ``source``, and perhaps others.
        source: A node on the way.
        places: Where the units are in its value.
        changed: All nodes that a change at the site reaches.
    """
    layer = _layer(graph, node)
    if node not in graph.shapes or source not in graph.shapes or (layer is not None and not is_bare(layer)):
        return None
    inputs = graph.tensor_inputs(node)
    if _concatenates(node):
        return _in_concatenation(graph, node, source, places, changed)
    if inputs != [source]:
        return None
    before, after = graph.shapes[source], graph.shapes[node]
    if _is_depthwise(layer) and len(before) == len(after) == 4:
        width = after[1] // before[1]
        return Places(places.first * width, places.width * width, after[1])
    if graph.is_identity(node) or _activates(graph, node, layer) or _is_norm(layer, places.channels):
        return places
    if _flattens(graph, node):
        return places if len(before) == 4 and after == (before[0], torch.Size(before[1:]).numel()) else None
    pools = isinstance(layer, _POOLINGS) or (layer is None and graph.operation(node) in _POOLING_NAMES)
    return places if pools and len(before) == len(after) == 4 and before[:2] == after[:2] else None


def treats_alike(graph: Graph, node: fx.Node) -> bool:
    """Tell whether a node is linear and treats all units alike, so that a direction of their space stays one."""
    layer = _layer(graph, node)
    linear = isinstance(layer, _LINEAR) or (layer is None and graph.operation(node) in _LINEAR_NAMES)
    return linear or graph.is_identity(node) or _concatenates(node)


def step(graph: Graph, node: fx.Node, source: fx.Node, layers: fx.GraphModule) -> Step:
    """Make what maps the units' channels in front of a node to those behind it, see `places_behind`."""
    layer = layers.get_submodule(str(node.target)) if node.op == "call_module" else None
    if _concatenates(node):
        return lambda value, _: value
    if _flattens(graph, node):
        return lambda value, _: value.flatten(2)
    if isinstance(layer, nn.Conv2d):
        return _depthwise(layer)
    if isinstance(layer, _NORMS):
        return _norm(layer)
    part = fx.Graph()
    part.output(part.node_copy(node, {source: part.placeholder("value")}.__getitem__))
    module = fx.GraphModule(layers, part)
    return lambda value, _: module(value.clone())  # it may overwrite what it is given


def _in_concatenation(
    graph: Graph, node: fx.Node, source: fx.Node, places: Places, changed: set[fx.Node]
) -> Places | None:
    """Find the units' places where nothing else of what is put together hangs on the site."""
    parts = node.args[0] if node.args else node.kwargs.get("tensors")
    axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
    if axis not in (1, 1 - len(graph.shapes[node])) or not isinstance(parts, list | tuple) or parts.count(source) != 1:
        return None
    if places.channels != graph.shapes[source][1] or any(part is not source and part in changed for part in parts):
        return None
    ahead = sum(graph.shapes[part][1] for part in parts[: parts.index(source)])
    return Places(ahead + places.first, places.width, graph.shapes[node][1])


def _concatenates(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target in (torch.cat, torch.concat, torch.concatenate)


def _layer(graph: Graph, node: fx.Node) -> nn.Module | None:
    return graph.modules.get(str(node.target)) if node.op == "call_module" else None


def _activates(graph: Graph, node: fx.Node, layer: nn.Module | None) -> bool:
    of_its_own = isinstance(layer, nn.PReLU | nn.RReLU) or graph.operation(node) in ("prelu", "softmax")
    return graph.is_activation(node) and not of_its_own


def _flattens(graph: Graph, node: fx.Node) -> bool:
    return isinstance(_layer(graph, node), nn.Flatten) or graph.operation(node) == "flatten"


def _is_norm(layer: nn.Module | None, channels: int) -> bool:
    if not isinstance(layer, _NORMS) or type(layer).forward not in _NORM_FORWARDS:
        return False
    return layer.running_var is not None and layer.num_features == channels


def _is_depthwise(layer: nn.Module | None) -> bool:
    if not isinstance(layer, nn.Conv2d) or type(layer).forward is not nn.Conv2d.forward:
        return False
    return layer.groups == layer.in_channels > 1 and layer.padding_mode == "zeros"


_NORM_FORWARDS = tuple(norm.forward for norm in _NORMS)


def _norm(layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Step:
    scale, shift = scale_and_shift(layer)

    def normalised(value: Tensor, channels: Tensor) -> Tensor:
        shape = (*channels.shape, *[1] * (value.dim() - 2))
        return value * scale[channels].view(shape) + shift[channels].view(shape)

    return normalised


def scale_and_shift(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Give what a batch norm in evaluation mode multiplies each channel with, and what it then adds.

    Example:
        >>> scale, shift = scale_and_shift(nn.BatchNorm2d(2, eps=0.0).eval())
        >>> scale.tolist(), shift.tolist()
        ([1.0, 1.0], [0.0, 0.0])
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    scale = scale * norm.weight.detach() if norm.affine else scale
    shift = -norm.running_mean * scale
    return scale, shift + norm.bias.detach() if norm.affine else shift


def _depthwise(layer: nn.Conv2d) -> Step:
    width = layer.out_channels // layer.in_channels
    weight = layer.weight.detach().reshape(layer.in_channels, width, 1, *layer.kernel_size)
    bias = None if layer.bias is None else layer.bias.detach().reshape(layer.in_channels, width)

    def convolved(value: Tensor, channels: Tensor) -> Tensor:
        chosen = channels.flatten()
        result = F.conv2d(
            value.reshape(1, len(chosen), *value.shape[2:]),
            weight[chosen].flatten(0, 1),
            None if bias is None else bias[chosen].flatten(),
            layer.stride,
            layer.padding,
            layer.dilation,
            len(chosen),
        )
        return result.reshape(len(value), -1, *result.shape[2:])

    return convolved
