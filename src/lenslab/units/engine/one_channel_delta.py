"""What silencing one unit does to the first dense layers behind it, which costs a channel's share of them.

Between a site and the first convolution or linear layer that mixes its units lie activations, poolings and the like,
each of which works on every unit alone. So one channel of a dense layer's input changes, and its value is what it was,
plus the layer's answer to the difference in that channel: ``z + conv(change, W[:, u])``. A batch norm behind a
convolution is linear, too. Both branches of a residual block are such ways; what else needs the site's value gets it
silenced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.network_suffix import Suffix, allow_channels_last, nodes_between, suffix
from lenslab.units.networks.module_kinds import is_bare

_POOLINGS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Flatten)
_ALONE = frozenset(("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "flatten"))


@dataclass(frozen=True)
class Consumer:
    """A dense layer that takes a site's value, behind layers that work on each unit alone.

    Attributes:
        chain: The nodes between the site and the layer.
        node: The layer's node.
        value: The node whose value is known: the layer's own, or that of the batch norm behind it.
        norm: The dotted path of that batch norm; empty where there is none.
    """

    chain: tuple[fx.Node, ...]
    node: fx.Node
    value: fx.Node
    norm: str = ""

    @property
    def layer(self) -> str:
        """The dotted path of the layer."""
        return str(self.node.target)


def consumers(graph: Graph, site: fx.Node) -> tuple[Consumer, ...]:
    """Find the first dense layers behind a site, in the order of execution."""
    found = [*_following(graph, site, site, ())]
    return tuple(sorted(found, key=lambda consumer: graph.nodes.index(consumer.node)))


def _following(graph: Graph, site: fx.Node, node: fx.Node, chain: tuple[fx.Node, ...]) -> Iterator[Consumer]:
    for user in graph.tensor_users(node):
        layer = graph.modules.get(str(user.target)) if user.op == "call_module" else None
        if _is_dense(layer):
            if _fits(graph, site, node, layer):
                norm = _norm(graph, user)
                yield Consumer(chain, user, norm or user, str(norm.target) if norm else "")
        elif _works_on_units_alone(graph, user, layer):
            yield from _following(graph, site, user, (*chain, user))


def _is_dense(layer: nn.Module | None) -> bool:
    """Tell whether a layer mixes channels by the very weight that it shows, with zeros around its input."""
    if layer is None or not is_bare(layer):
        return False
    if isinstance(layer, nn.Conv2d):
        return type(layer).forward is nn.Conv2d.forward and layer.groups == 1 and layer.padding_mode == "zeros"
    return isinstance(layer, nn.Linear) and type(layer).forward is nn.Linear.forward


def _fits(graph: Graph, site: fx.Node, taken: fx.Node, layer: nn.Module | None) -> bool:
    """Tell whether the units are still the channels, or blocks of features, of what the layer takes."""
    units, shape = graph.shapes[site][1], graph.shapes[taken]
    if isinstance(layer, nn.Conv2d):
        return len(shape) == 4 and shape[1] == units
    return len(shape) == 2 and shape[1] % units == 0


def _works_on_units_alone(graph: Graph, node: fx.Node, layer: nn.Module | None) -> bool:
    inputs = graph.tensor_inputs(node)
    if len(inputs) != 1 or node not in graph.shapes or (layer is not None and not is_bare(layer)):
        return False
    if graph.is_identity(node):
        return True
    if graph.is_activation(node):
        return not isinstance(layer, nn.PReLU | nn.RReLU) and graph.operation(node) not in ("prelu", "softmax")
    before, after = graph.shapes[inputs[0]], graph.shapes[node]
    if isinstance(layer, nn.Flatten) or graph.operation(node) == "flatten":
        return len(before) == 4 and after == (before[0], torch.Size(before[1:]).numel())
    pools = isinstance(layer, _POOLINGS) or graph.operation(node) in _ALONE
    return pools and len(before) == len(after) == 4 and before[:2] == after[:2]


def _norm(graph: Graph, node: fx.Node) -> fx.Node | None:
    """Find the batch norm that alone takes a convolution's value."""
    users = graph.tensor_users(node)
    layer = graph.modules.get(str(users[0].target)) if len(users) == 1 and users[0].op == "call_module" else None
    alone = isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None and is_bare(layer)
    return users[0] if alone and isinstance(graph.modules.get(str(node.target)), nn.Conv2d) else None


class DenseLayer:
    """Answers a change in one channel of its input, with the batch norm behind it, if there is one.

    Attributes:
        name: The name of the node whose value changes.
    """

    def __init__(self, consumer: Consumer, units: int, layers: fx.GraphModule) -> None:
        self.name = consumer.value.name
        self._chain = _chain(consumer.chain, layers)
        layer = layers.get_submodule(consumer.layer)
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        self._layer = layer
        weight = layer.weight.detach()
        if consumer.norm:
            norm = layers.get_submodule(consumer.norm)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_var is not None
            scale = torch.rsqrt(norm.running_var + norm.eps)
            scale = scale * norm.weight.detach() if norm.affine else scale
            weight = weight * scale[:, None, None, None]
        if isinstance(layer, nn.Linear):
            weight = weight.reshape(len(weight), units, -1)
        self._weight = weight  # [outputs, units, ...], which of a linear layer is a view

    def changed(self, value: Tensor, before: Tensor, after: Tensor, units: Tensor) -> Tensor:
        """Add to the layer's value what the change of unit ``units[i]`` in row ``i`` does to it.

        Args:
            value: The layer's value with every unit in place; it is changed.
            before: The unit's own value, ``[rows, 1, ...]``.
            after: What it becomes.
            units: The unit of each row; equal ones stand together.
        """
        # A layer of the chain may overwrite what it is given.
        change = self._chain(after.clone()) - self._chain(before.clone())
        present, counts = torch.unique_consecutive(units, return_counts=True)
        start = 0
        for unit, count in zip(present.tolist(), counts.tolist(), strict=True):
            some = slice(start, start + count)
            value[some] += self._answer(change[some], unit)
            start += count
        return value

    def _answer(self, change: Tensor, unit: int) -> Tensor:
        layer, weight = self._layer, self._weight[:, unit : unit + 1]
        if isinstance(layer, nn.Linear):
            return change.flatten(1) @ weight.flatten(1).T
        return F.conv2d(change, weight, None, layer.stride, layer.padding, layer.dilation)


@dataclass(frozen=True)
class DenseLayers:
    """The first dense layers behind a site, and what follows from their values."""

    layers: tuple[DenseLayer, ...]
    rest: Suffix

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values that a golden pass has to record."""
        return (*(layer.name for layer in self.layers), *self.rest.frontier)


def dense_layers(graph: Graph, site: fx.Node, layers: fx.GraphModule) -> DenseLayers:
    """Prepare the first dense layers behind a site, and what follows from them; it shares the layers of ``layers``."""
    found = consumers(graph, site)
    rest = suffix(graph, [site], graph.result, layers, [consumer.value for consumer in found])
    units = graph.shapes[site][1]
    return DenseLayers(
        tuple(DenseLayer(consumer, units, layers) for consumer in found),
        replace(rest, module=allow_channels_last(rest.module)),
    )


def cost(graph: Graph, site: fx.Node) -> int | None:
    """Count the multiply-accumulates per pair of unit and image; ``None`` where no dense layer follows in this way."""
    found = consumers(graph, site)
    if not found:
        return None
    rest = nodes_between(graph, [site], graph.result, [consumer.value for consumer in found])
    share = sum(graph.cost({consumer.node}) for consumer in found)
    return graph.cost(rest) + -(-share // graph.shapes[site][1])


def _chain(nodes: tuple[fx.Node, ...], layers: fx.GraphModule) -> fx.GraphModule:
    """Make a module of layers that follow each other."""
    part = fx.Graph()
    value = part.placeholder("value")
    copies = {nodes[0].all_input_nodes[0]: value} if nodes else {}
    for node in nodes:
        value = copies[node] = part.node_copy(node, lambda source: copies[source])
    part.output(value)
    return fx.GraphModule(layers, part)
