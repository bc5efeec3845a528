"""What silencing does to the first dense layers behind a site, which costs a share of them.

Between a site and the first convolution or linear layer that mixes its units lie layers that work on every unit alone
(`lenslab.units.engine.unitwise`). So one channel of a dense layer's input changes where one unit is silenced, and the
layer's value is what it was, plus its answer to the difference in that channel: ``z + conv(change, W[:, u])``. Of a set
of units it is their channels; a direction q changes every channel by its share of one map, ``z + conv(change, W q)``.
A batch norm behind a convolution is linear, too. Both branches of a residual block are such ways; what else needs a
value on the way gets it changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, fx, nn

from lenslab.units.engine import unitwise
from lenslab.units.engine.dense_layers import DenseConvolution, DenseLayer, DenseLinear
from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.network_suffix import Suffix, allow_channels_last, folded, nodes_between, suffix
from lenslab.units.engine.rows import rows_of
from lenslab.units.engine.site_intervention import Change, SiteIntervention
from lenslab.units.engine.unitwise import Places
from lenslab.units.networks.module_kinds import is_bare


@dataclass(frozen=True)
class Consumer:
    """A dense layer that takes a site's value, or one that is behind it unit by unit.

    Attributes:
        node: The layer's node.
        taken: The node whose value the layer takes.
        value: The node whose value is known: the layer's own, or that of the batch norm behind it.
        norm: The dotted path of that batch norm; empty where there is none.
        channels: How many channels the layer takes, each of one or more features.
    """

    node: fx.Node
    taken: fx.Node
    value: fx.Node
    norm: str
    channels: int

    @property
    def layer(self) -> str:
        """The dotted path of the layer."""
        return str(self.node.target)


@dataclass(frozen=True)
class Ways:
    """What a change at a site takes on its way to the first dense layers.

    Attributes:
        consumers: These layers, in the order of execution.
        steps: The nodes on the way, in this order, each with the one it takes the units from.
        places: Where the units are in the value of each, and of the site.
        kept: Those of them, the site among them, whose value something else takes as well.
        rest: What follows.
    """

    consumers: tuple[Consumer, ...]
    steps: Mapping[fx.Node, fx.Node]
    places: Mapping[fx.Node, Places]
    kept: tuple[fx.Node, ...]
    rest: set[fx.Node]


def ways(graph: Graph, site: fx.Node) -> Ways | None:
    """Follow a site's units to the first dense layers; ``None`` where there are none."""
    changed, units = {site, *graph.downstream[site]}, graph.shapes[site][1]
    places, steps = {site: Places(0, 1, units)}, dict[fx.Node, fx.Node]()
    consumers: list[Consumer] = []
    for node in graph.nodes:
        if node is not graph.result and node not in graph.upstream[graph.result]:
            continue
        for source in [each for each in node.all_input_nodes if each in places]:
            channels = places[source].channels
            behind = unitwise.places_behind(graph, node, source, places[source], changed)
            if _fits(graph, node, source, channels):
                norm = _norm(graph, node)
                consumers.append(Consumer(node, source, norm or node, str(norm.target) if norm else "", channels))
            elif behind is not None:
                places[node], steps[node] = behind, source
    if not consumers or graph.result in steps:
        return None
    rest = nodes_between(graph, [site], graph.result, [*steps, *(consumer.value for consumer in consumers)])
    inputs = {source for node in rest for source in node.all_input_nodes}
    kept = tuple(node for node in places if node in inputs)
    used = _on_the_way(steps, [*kept, *(consumer.taken for consumer in consumers)])
    return Ways(tuple(consumers), {node: steps[node] for node in steps if node in used}, places, kept, rest)


def _on_the_way(steps: Mapping[fx.Node, fx.Node], wanted: Sequence[fx.Node]) -> set[fx.Node]:
    found: set[fx.Node] = set()
    for node in wanted:
        while node in steps and node not in found:
            found.add(node)
            node = steps[node]
    return found


def _fits(graph: Graph, node: fx.Node, taken: fx.Node, channels: int) -> bool:
    """Tell whether a node is a dense layer that mixes channels by the very weight that it shows.

    With zeros around its input; and the channels are those, or blocks of the features, that it takes.
    """
    layer = graph.modules.get(str(node.target)) if node.op == "call_module" else None
    if layer is None or not is_bare(layer) or node not in graph.shapes or taken not in graph.shapes:
        return False
    shape = graph.shapes[taken]
    if isinstance(layer, nn.Conv2d):
        plain = type(layer).forward is nn.Conv2d.forward and layer.padding_mode == "zeros" and layer.groups == 1
        return plain and len(shape) == 4 and shape[1] == channels
    linear = isinstance(layer, nn.Linear) and type(layer).forward is nn.Linear.forward
    return linear and len(shape) == 2 and shape[1] % channels == 0


def _norm(graph: Graph, node: fx.Node) -> fx.Node | None:
    """Find the batch norm that alone takes a convolution's value."""
    users = graph.tensor_users(node)
    layer = graph.modules.get(str(users[0].target)) if len(users) == 1 and users[0].op == "call_module" else None
    alone = isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None and is_bare(layer)
    return users[0] if alone and isinstance(graph.modules.get(str(node.target)), nn.Conv2d) else None


@dataclass(frozen=True)
class UpdateCost:
    """Multiply-accumulates per pair of target and image.

    Attributes:
        rest: What follows from the dense layers.
        unit: What one unit takes of them, and of what is on the way.
        direction: Whether a direction of the units' space takes as much, and not all of it.
    """

    rest: int
    unit: int
    direction: bool

    def of(self, intervention: SiteIntervention, units: int) -> int | None:
        """Count them for one kind of target; ``None`` where it cannot be had in this way."""
        if not (self.direction or intervention.keeps_axes):
            return None
        return self.rest + -(-self.unit * round(16 * intervention.rank(units)) // 16)


def update_cost(graph: Graph, site: fx.Node) -> UpdateCost | None:
    """Count what an update costs; ``None`` where no dense layer follows in this way."""
    found = ways(graph, site)
    if found is None:
        return None
    share = sum(-(-graph.cost({each.node}) // each.channels) for each in found.consumers)
    on_the_way = sum(graph.cost({node}) // graph.shapes[source][1] for node, source in found.steps.items())
    alike = all(unitwise.treats_alike(graph, node) for node in found.steps)
    return UpdateCost(graph.cost(found.rest), share + on_the_way, alike)


def dense_layer(consumer: Consumer, layers: fx.GraphModule) -> DenseLayer:
    """Prepare a layer; it shares what ``layers`` has."""
    layer = layers.get_submodule(consumer.layer)
    if isinstance(layer, nn.Linear):
        return DenseLinear(layer, consumer.channels)
    assert isinstance(layer, nn.Conv2d)
    norm = layers.get_submodule(consumer.norm) if consumer.norm else None
    assert norm is None or isinstance(norm, nn.BatchNorm2d)
    return DenseConvolution(layer, norm)


@dataclass(frozen=True)
class LowRankUpdate:
    """The first dense layers behind a site, what leads there, and what follows from their values.

    Attributes:
        site: The site.
        layers: The dense layers, in the order of `Ways.consumers`.
        rest: What follows from them, and from the values on the way that it takes.
    """

    site: fx.Node
    layers: tuple[DenseLayer, ...]
    rest: Suffix
    _ways: Ways
    _steps: Mapping[fx.Node, unitwise.Step] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values that change, in the order in which the rest takes them."""
        return (*(node.name for node in self._ways.kept), *(each.value.name for each in self._ways.consumers))

    def updated(
        self, golden: Mapping[str, Tensor], site: Tensor, rows: Tensor, targets: Tensor, intervention: SiteIntervention
    ) -> list[Tensor]:
        """Give what the rest takes, with target ``targets[i]`` silenced on image ``rows[i]``; equal ones together.

        Args:
            golden: The values of `names` with every unit in place, by name.
            site: The site's own.
            rows: Of the images.
            targets: Of the intervention.
            intervention: That of all images.
        """
        values = [rows_of(golden[name], rows) for name in self.names]
        kept, dense = values[: len(self._ways.kept)], values[len(self._ways.kept) :]
        for some, change in intervention.changes(site, rows, targets):
            self._update([value[some] for value in dense], [value[some] for value in kept], targets[some], change)
        return values

    def _update(self, dense: list[Tensor], kept: list[Tensor], targets: Tensor, change: Change) -> None:
        before, after = {self.site: change.before}, {self.site: change.after}
        channels = {self.site: change.channels}
        for node, source in self._ways.steps.items():
            mapped = self._steps[node]
            before[node], after[node] = (mapped(side[source], channels[source]) for side in (before, after))
            channels[node] = self._ways.places[node].of(change.channels)
        for value, node in zip(kept, self._ways.kept, strict=True):
            _put(value, channels[node], before[node], after[node], change.directions)
        taken = [consumer.taken for consumer in self._ways.consumers]
        changes = {node: after[node] - before[node] for node in taken}
        _, counts = torch.unique_consecutive(targets, return_counts=True)
        bounds = [0, *itertools.accumulate(counts.tolist())]
        places = {node: channels[node][bounds[:-1]].tolist() for node in taken}  # read once, and not for each target
        for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
            along = None if change.directions is None else change.directions[start]
            for value, layer, node in zip(dense, self.layers, taken, strict=True):
                layer.add(value[start:stop], changes[node][start:stop], places[node][number], along)


def _put(value: Tensor, channels: Tensor, before: Tensor, after: Tensor, directions: Tensor | None) -> None:
    """Change some channels of each row of a value."""
    rows = torch.arange(len(value), device=value.device)[:, None]
    blocks = value if value.dim() == after.dim() == 4 else value.view(len(value), -1, after[0, 0].numel())
    if directions is None:
        blocks[rows, channels] = after.view(*after.shape[:2], *blocks.shape[2:])
    else:
        share = directions.view(*directions.shape, *[1] * (blocks.dim() - 2))
        change = (after - before).view(len(after), 1, *blocks.shape[2:])
        first = int(channels[0, 0])
        blocks[:, first : first + directions.shape[1]] += share * change


def low_rank_update(graph: Graph, site: fx.Node, layers: fx.GraphModule) -> LowRankUpdate:
    """Prepare what an update of a site takes; it shares the layers of ``layers``."""
    found = ways(graph, site)
    assert found is not None  # or it would have no cost
    given = [*(node for node in found.kept if node is not site), *(consumer.value for consumer in found.consumers)]
    rest = suffix(graph, [site], graph.result, layers, given)
    return LowRankUpdate(
        site,
        tuple(dense_layer(consumer, layers) for consumer in found.consumers),
        replace(rest, module=folded(allow_channels_last(rest.module))),
        found,
        {node: unitwise.step(graph, node, source, layers) for node, source in found.steps.items()},
    )
