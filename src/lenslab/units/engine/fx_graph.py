"""The network as a graph of operations (torch.fx): what each node is, what follows from it, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, fx, nn

from lenslab.units.engine.shape_probe import AliasError, ProbedValue, probed
from lenslab.units.engine.sites import Site, numbered, obstacle_of

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
FUNCTIONAL_CONVOLUTIONS = frozenset(("conv1d", "conv2d", "conv3d"))
ADDITIONS = frozenset(("add", "add_", "iadd"))
DROPOUTS = frozenset(("dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"))


class Graph:
    """A traced network with the shapes and costs seen in one probe, a batch of three or more inputs.

    Raises:
        AliasError: An operation in place changes a value that is read again, or one that all images share.
        Exception: Whatever torch.fx or the network raises where the network cannot be traced.
    """

    def __init__(self, module: nn.Module, probe: Tensor) -> None:
        self.module = fx.GraphModule(module, fx.Tracer().trace(module))
        self.modules = dict(self.module.named_modules())
        self._layers = [path for path, layer in module.named_modules() if path and not list(layer.children())]
        self.nodes = list(self.module.graph.nodes)
        self.batch = len(probe)
        seen = probed(self.module, probe)
        fewer = probed(self.module, probe[:-1], channels_last=True)
        self.shapes = {node: tuple(value.shape) for node, value in seen.items()}
        self.per_image = {
            node
            for node, shape in self.shapes.items()
            if (*shape[:1], *fewer[node].shape[:1]) == (len(probe), len(probe) - 1)
        }
        self._numbers = {node for node, value in seen.items() if value.dtype.is_floating_point}
        self._refuse_shared_changes(seen)
        self.result = next(node for node in self.nodes if node.op == "output").args[0]
        self.answers = self._answers()
        self.downstream = {node: _closure(node, lambda other: other.users) for node in self.nodes}
        self.upstream = {node: _closure(node, lambda other: other.all_input_nodes) for node in self.nodes}
        self.channels_first = self._channels_first()
        self.from_input = set().union(
            *({node, *self.downstream[node]} for node in self.nodes if node.op == "placeholder")
        )

    def _answers(self) -> set[fx.Node]:
        """Find the nodes that hold the logits: what is put out, and what is only handed on to it or padded."""
        node, found = self.result, set()
        while isinstance(node, fx.Node):
            found.add(node)
            passes = self.is_identity(node) or (self._calls(node, _HANDING_ON) and len(self.tensor_inputs(node)) == 1)
            node = self.tensor_inputs(node)[0] if passes else None
        return found

    def _refuse_shared_changes(self, seen: Mapping[fx.Node, ProbedValue]) -> None:
        """Refuse an operation in place on a constant or buffer: the next pass would find it changed."""
        for node, value in seen.items():
            for changed in value.changes:
                if changed not in self.per_image:
                    raise AliasError(f"{node.name} changes {changed.name} in place, which all images share")

    def operation(self, node: fx.Node) -> str:
        """Name what a node does: the module's class or the function's name, in lower case."""
        if node.op == "call_module":
            return type(self.modules[str(node.target)]).__name__.lower()
        return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))

    def is_convolution(self, node: fx.Node) -> bool:
        """Tell whether a node is a convolution."""
        return self._is_module(node, CONVOLUTIONS) or self._calls(node, FUNCTIONAL_CONVOLUTIONS)

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
        """List the tensors that a node takes from other nodes, in the order of its arguments."""
        return [source for source in node.all_input_nodes if source in self.shapes]

    def tensor_users(self, node: fx.Node) -> list[fx.Node]:
        """List the nodes that take a node's value, those that only ask for its size left out."""
        return [user for user in node.users if user in self.shapes or user.op == "output"]

    def sites(self) -> dict[str, tuple[Site, fx.Node]]:
        """Find every value whose units can be silenced, in the order of execution, by name."""
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

    def unsupported(self) -> dict[str, str]:
        """Say of the layers, sums and activations that are no sites why they are none, by their names."""
        nodes = [node for node in self.nodes if self._is_looked_for(node) and not self._has_units(node)]
        names = dict(zip(numbered([self._dotted(node) for node in nodes]), nodes, strict=True))
        stacks = (node.meta.get("nn_module_stack", {}).values() for node in self.nodes)
        called = {str(node.target) for node in self.nodes} | {str(path) for stack in stacks for path, _ in stack}
        idle = dict.fromkeys((path for path in self._layers if path not in called), "it is not called")
        return {name: self._obstacle(node) for name, node in names.items()} | idle

    def _is_looked_for(self, node: fx.Node) -> bool:
        computes = self.is_convolution(node) or self.is_activation(node) or self.is_addition(node)
        return node.op == "call_module" or computes

    def _obstacle(self, node: fx.Node) -> str:
        if node in self.answers:
            return "it is the logits"
        if node not in self.from_input:
            return "it does not depend on the images"
        per_image, numbers = node in self.per_image, node in self._numbers
        return obstacle_of(self.shapes.get(node), per_image=per_image, numbers=numbers)

    def cost(self, nodes: set[fx.Node]) -> int:
        """Count the multiply-accumulates that these nodes take per image, convolutions and linear layers only."""
        return sum(self._cost(node) for node in nodes)

    def _cost(self, node: fx.Node) -> int:
        weight = self._weight(node)
        if node not in self.shapes or weight is None:
            return 0
        return torch.Size(self.shapes[node][1:]).numel() * torch.Size(weight[1:]).numel()

    def _weight(self, node: fx.Node) -> tuple[int, ...] | None:
        """Give the shape of the weight that a convolution or linear layer multiplies with."""
        layer = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(layer, (*CONVOLUTIONS, nn.Linear)):
            return tuple(layer.weight.shape)
        functional = self._calls(node, FUNCTIONAL_CONVOLUTIONS) and len(node.args) > 1
        return self.shapes.get(node.args[1]) if functional and isinstance(node.args[1], fx.Node) else None

    def _channels_first(self) -> set[fx.Node]:
        """Follow the channels' axis: it is dimension 1 from the input and every convolution on, until it is moved."""
        first: set[fx.Node] = set()
        for node in self.nodes:
            inputs = [source for source in self.tensor_inputs(node) if len(self.shapes[source]) > 2]
            if self.is_convolution(node) or node.op == "placeholder":
                kept = True
            elif self._is_module(node, (nn.Linear, nn.LayerNorm)) or self._calls(node, _LAST_AXIS):
                kept = False
            elif self._calls(node, _MOVES):
                kept = self._moves_channels_back(node) and bool(set(inputs) - first)
            else:
                kept = all(source in first for source in inputs)
            if kept:
                first.add(node)
        return first

    def _moves_channels_back(self, node: fx.Node) -> bool:
        """Tell whether a move takes the last axis to dimension 1, of a map or of a row of positions."""
        axes = node.args[1] if len(node.args) == 2 else node.args[1:]
        if self.operation(node) == "permute":
            return axes in ((0, 3, 1, 2), [0, 3, 1, 2], (0, 2, 1), [0, 2, 1])
        return len(self.shapes.get(node, ())) == 3 and axes in ((1, 2), (2, 1), (-1, -2), (-2, -1), (-1, 1), (1, -1))

    def _has_units(self, node: fx.Node) -> bool:
        shape = self.shapes.get(node, ())
        if node.op not in ("call_module", "call_function", "call_method") or node in self.answers:
            return False
        if len(shape) < 2 or node not in self.per_image & self.from_input & self._numbers:
            return False
        if len(shape) == 4:
            return node in self.channels_first
        return len(shape) == 2 and not self._calls(node, _RESHAPES)

    def _handed_on(self, convolution: fx.Node) -> fx.Node:
        """Follow a convolution's value to where the next layer takes it up."""
        node = value = convolution
        while True:
            users = self.tensor_users(node)
            if len(users) != 1 or users[0] in self.answers:
                return value
            node = users[0]
            if self.is_identity(node):
                continue
            if not (self.is_activation(node) or self.is_normalisation(node) or self.is_addition(node)):
                return value
            value = node

    def _maker(self, node: fx.Node) -> fx.Node | None:
        """Follow a value back to the layer whose filters make its units.

        Of a sum, it is the term whose convolution hands on to this very value; the other is a residual connection.
        """
        here = node
        while node in self.shapes:
            if self._is_module(node, (*CONVOLUTIONS, nn.Linear)):
                return node
            inputs = self.tensor_inputs(node)
            passes = self.is_identity(node) or self.is_activation(node) or self.is_normalisation(node)
            if self.is_addition(node):
                makers = [maker for maker in map(self._maker, inputs) if maker]
                own = [maker for maker in makers if self._handed_on(maker) is here]
                return next(iter(own or makers), None)
            if not inputs or not passes:
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


_HANDING_ON = frozenset(("pad", "unsqueeze", "flatten", "squeeze", "view", "reshape", "contiguous"))
_LAST_AXIS = frozenset(("linear", "layer_norm", "einsum", "matmul", "bmm"))
_MOVES = frozenset(("permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims"))
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
