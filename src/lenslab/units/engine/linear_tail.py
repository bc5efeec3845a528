"""A linear way from a site to the logits, along which silencing a unit has a closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.random_directions import Directions
from lenslab.units.engine.site_intervention import Sets, SiteIntervention
from lenslab.units.networks.module_kinds import is_bare

_POOLINGS = (F.avg_pool2d, F.adaptive_avg_pool2d)
_MEANS = (torch.mean, "mean")
_FLATTENINGS = (torch.flatten, "flatten", torch.reshape, "reshape", "view")


@dataclass(frozen=True)
class LinearTail:
    """Average pooling, flattening and one linear layer, in this order and with nothing else between.

    Attributes:
        features: The node whose value the linear layer takes, ``[images, units * positions]``, units outermost.
        layer: The dotted path of the linear layer, whose value is the logits.
        positions: How many features a unit has.
    """

    features: fx.Node
    layer: str
    positions: int

    def cost(self, classes: int) -> int:
        """Count the multiply-accumulates that one target's share of the logits takes per image."""
        return self.positions * classes


def linear_tail(graph: Graph, site: fx.Node) -> LinearTail | None:
    """Find the linear tail behind a site; ``None`` where anything else lies between it and the logits."""
    units = graph.shapes[site][1]
    for node in _single_file(graph, site):
        if node is graph.result:
            inputs = graph.tensor_inputs(node)
            if len(inputs) != 1 or not _is_linear(_layer(graph, node)):
                return None
            batch, *width = graph.shapes[inputs[0]]
            fits = len(width) == 1 and width[0] % units == 0 and batch == graph.batch
            return LinearTail(inputs[0], str(node.target), width[0] // units) if fits else None
        if not _keeps_units_apart(graph, node):
            return None
    return None


class ClosedForm:
    """What silencing takes away from every logit, where a linear tail follows.

    Of a layer that takes features ``[images, units * positions]``, units outermost, a unit's share of a logit is the
    sum over positions of weight times feature. A set's share is that of its members; a direction's that of one unit,
    where units and weights are turned onto the directions.

    Example:
        >>> from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT
        >>> layer = nn.Linear(2, 1)
        >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 5.0]]))
        >>> ClosedForm(layer, 2, ZERO_REPLACEMENT).shares(torch.tensor([[1.0, 10.0]])).tolist()
        [[[3.0], [50.0]]]
    """

    def __init__(self, layer: nn.Linear, units: int, intervention: SiteIntervention) -> None:
        self._units, self._intervention = units, intervention
        weight = layer.weight.detach()
        weight = weight.reshape(len(weight), units, -1).permute(1, 2, 0)  # [units, positions, classes]
        self._basis = intervention.basis.to(weight) if isinstance(intervention, Directions) else None
        self._weight = weight if self._basis is None else torch.einsum("du,upk->dpk", self._basis, weight)

    def shares(self, features: Tensor) -> Tensor:
        """Give each target's share of every logit, ``[images, targets, classes]``.

        ``features`` are those that silencing every unit takes away, ``[images, units * positions]``.
        """
        by_unit = features.reshape(len(features), self._units, -1)
        if self._basis is not None:
            by_unit = torch.einsum("du,nup->ndp", self._basis, by_unit)
        if by_unit.shape[2] == 1:
            shares = by_unit * self._weight[:, 0]
        else:
            shares = torch.einsum("nup,upk->nuk", by_unit, self._weight)
        if isinstance(self._intervention, Sets):
            return torch.einsum("su,nuk->nsk", self._intervention.members.to(shares), shares)
        return shares


def _single_file(graph: Graph, node: fx.Node) -> Iterator[fx.Node]:
    while True:
        users = graph.tensor_users(node)
        if len(users) != 1 or users[0].op == "output":
            return
        node = users[0]
        yield node


def _keeps_units_apart(graph: Graph, node: fx.Node) -> bool:
    """Tell whether a node is linear, works on each unit alone and leaves the units outermost."""
    inputs, layer = graph.tensor_inputs(node), _layer(graph, node)
    if len(inputs) != 1 or (layer and not is_bare(layer)):
        return False
    before, after = graph.shapes[inputs[0]], graph.shapes[node]
    if graph.is_identity(node):
        return True
    called = None if node.op == "call_module" else node.target  # a layer may be named view without being one
    if isinstance(layer, (nn.AvgPool2d, nn.AdaptiveAvgPool2d)) or called in _POOLINGS:
        return len(before) == len(after) == 4
    if called in _MEANS:
        return len(before) == 4 and _axes(node) == {2, 3}
    flattens = isinstance(layer, nn.Flatten) or called in _FLATTENINGS
    return flattens and after == (before[0], torch.Size(before[1:]).numel())


def _is_linear(layer: nn.Module | None) -> bool:
    """Tell whether a layer multiplies with the very weight that it shows, which quantisation-aware ones do not."""
    return isinstance(layer, nn.Linear) and type(layer).forward is nn.Linear.forward and is_bare(layer)


def _layer(graph: Graph, node: fx.Node) -> nn.Module | None:
    return graph.modules.get(str(node.target)) if node.op == "call_module" else None


def _axes(node: fx.Node) -> set[int]:
    axes: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", ())
    return {axis % 4 for axis in ((axes,) if isinstance(axes, int) else axes or ())}
