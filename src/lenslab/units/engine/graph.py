"""The network as a graph of operations (torch.fx): what each node is, what follows from it, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import fx, nn

from lenslab.units.engine.sites import Site, numbered

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.InstanceNorm2d)
IDENTITIES = (
    nn.Identity,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.LogSigmoid),
)
ACTIVATION_NAMES = frozenset(
    (
        *("relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "elu"),
        *("elu_", "selu", "celu", "gelu", "silu", "mish", "hardswish"),
        *("hardsigmoid", "hardtanh", "hardtanh_", "sigmoid", "sigmoid_", "tanh", "tanh_"),
        *("softplus", "softsign"),
    )
)
ADDITIONS = frozenset(("add", "add_", "iadd"))
DROPOUTS = frozenset(("dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"))


class Graph:
    """A traced network with the shapes and costs seen in one probe.

    Args:
        module: the network in evaluation mode; it is read, never changed.
        probe: a batch of two or more inputs.

    Raises:
        Exception: whatever torch.fx or the network raises where the network cannot be traced.
    """

    def __init__(self, module: nn.Module, probe: torch.Tensor) -> None:
        self.module = fx.GraphModule(module, fx.Tracer().trace(module))
        self.modules = dict(self.module.named_modules())
        self.nodes = list(self.module.graph.nodes)
        shapes = _Shapes(self.module)
        shapes.run(probe)
        self.shapes: dict[fx.Node, tuple[int, ...]] = shapes.shapes
        self.batch = len(probe)
        self.result = next(node for node in self.nodes if node.op == "output").args[0]
        self.downstream = {node: _closure(node, lambda other: other.users) for node in self.nodes}
        self.upstream = {node: _closure(node, lambda other: other.all_input_nodes) for node in self.nodes}
        self.from_input = set().union(
            *({node, *self.downstream[node]} for node in self.nodes if node.op == "placeholder")
        )

    def operation(self, node: fx.Node) -> str:
        """Name what a node does: the module's class or the function's name, in lower case."""
        if node.op == "call_module":
            return type(self.modules[str(node.target)]).__name__.lower()
        return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))

    def is_convolution(self, node: fx.Node) -> bool:
        """Tell whether a node is a convolution."""
        return self._is_module(node, CONVOLUTIONS) or self._calls(node, frozenset(("conv1d", "conv2d", "conv3d")))

    def is_identity(self, node: fx.Node) -> bool:
        """Tell whether a node hands on its input as it is, which dropout does in evaluation mode."""
        return self._is_module(node, IDENTITIES) or self._calls(node, DROPOUTS)

    def is_activation(self, node: fx.Node) -> bool:
        """Tell whether a node is an activation function."""
        return self._is_module(node, ACTIVATIONS) or self._calls(node, ACTIVATION_NAMES)

    def is_normalisation(self, node: fx.Node) -> bool:
        """Tell whether a node is a batch norm or one of its relatives."""
        return self._is_module(node, NORMALISATIONS) or self._calls(node, frozenset(("batch_norm", "group_norm")))

    def is_addition(self, node: fx.Node) -> bool:
        """Tell whether a node adds two values of the network, as a residual connection does."""
        return self._calls(node, ADDITIONS) and len(self.tensor_inputs(node)) == 2

    def tensor_inputs(self, node: fx.Node) -> list[fx.Node]:
        """The tensors that a node takes from other nodes, in the order of its arguments."""
        return [source for source in node.all_input_nodes if source in self.shapes]

    def tensor_users(self, node: fx.Node) -> list[fx.Node]:
        """The nodes that take a node's value, those that only ask for its size left out."""
        return [user for user in node.users if user in self.shapes or user.op == "output"]

    def sites(self) -> dict[str, tuple[Site, fx.Node]]:
        """Every value whose units can be silenced, in the order of execution, by name."""
        nodes = [node for node in self.nodes if self._has_units(node)]
        default = {self._handed_on(node) for node in self.nodes if self.is_convolution(node)}
        names = dict(zip(nodes, numbered([self._dotted(node) for node in nodes]), strict=True))
        makers = {node: self._maker(node) for node in nodes}
        return {
            name: (
                Site(
                    name=name,
                    units=self.shapes[node][1],
                    shape=self.shapes[node][1:],
                    operation=self.operation(node),
                    default=node in default,
                    filters=str(maker.target) if maker else None,
                    source=names.get(maker) if maker else None,
                ),
                node,
            )
            for node, name in names.items()
            for maker in [makers[node]]
        }

    def cost(self, nodes: set[fx.Node]) -> int:
        """Count the multiply-accumulates that these nodes take per image, convolutions and linear layers only."""
        return sum(self._cost(node) for node in nodes)

    def _cost(self, node: fx.Node) -> int:
        layer = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if node not in self.shapes or not isinstance(layer, (*CONVOLUTIONS, nn.Linear)):
            return 0
        outputs = torch.Size(self.shapes[node][1:]).numel()
        return outputs * layer.weight[0].numel()

    def _has_units(self, node: fx.Node) -> bool:
        shape = self.shapes.get(node, ())
        if node.op not in ("call_module", "call_function", "call_method") or node is self.result:
            return False
        if len(shape) < 2 or shape[0] != self.batch or node not in self.from_input:
            return False
        return len(shape) == 4 or (len(shape) == 2 and not self._calls(node, _RESHAPES))

    def _handed_on(self, convolution: fx.Node) -> fx.Node:
        """Follow a convolution's value to where the next layer takes it up."""
        node = value = convolution
        while True:
            users = self.tensor_users(node)
            if len(users) != 1 or users[0] is self.result:
                return value
            node = users[0]
            if self.is_identity(node):
                continue
            if not (self.is_activation(node) or self.is_normalisation(node) or self.is_addition(node)):
                return value
            value = node

    def _maker(self, node: fx.Node) -> fx.Node | None:
        """Follow a value back to the layer whose filters make its units; of a sum, the first term counts."""
        while node in self.shapes:
            if node.op == "call_module" and isinstance(self.modules[str(node.target)], (*CONVOLUTIONS, nn.Linear)):
                return node
            inputs = self.tensor_inputs(node)
            passes = self.is_identity(node) or self.is_activation(node) or self.is_normalisation(node)
            if not inputs or not (passes or self.is_addition(node)):
                return None
            node = inputs[0]
        return None

    def _dotted(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return str(node.target)
        stack = list(node.meta.get("nn_module_stack", {}).values())
        around = str(stack[-1][0]) if stack else ""
        return f"{around}.{self.operation(node)}".lstrip(".")

    def _is_module(self, node: fx.Node, classes: tuple[type[nn.Module], ...]) -> bool:
        return node.op == "call_module" and isinstance(self.modules[str(node.target)], classes)

    def _calls(self, node: fx.Node, names: frozenset[str]) -> bool:
        return node.op in ("call_function", "call_method") and self.operation(node) in names


_RESHAPES = frozenset(("view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous"))


def _closure(start: fx.Node, neighbours: Callable[[fx.Node], Iterable[fx.Node]]) -> set[fx.Node]:
    reached: set[fx.Node] = set()
    waiting = list(neighbours(start))
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(neighbours(node))
    return reached


class _Shapes(fx.Interpreter):
    """Runs a probe and notes the shape of every tensor."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, torch.Tensor) and n.op != "output":
            self.shapes[n] = tuple(value.shape)
        return value
