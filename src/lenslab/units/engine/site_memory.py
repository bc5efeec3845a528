"""What deciding the pairs of a site holds in memory at once, from the shapes of the network's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import fx

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.fx_program import pairs_at_once
from lenslab.units.engine.low_rank_update import ways
from lenslab.units.engine.network_suffix import nodes_between
from lenslab.units.engine.site_plan import LINEAR_TAIL, LOW_RANK_UPDATE, WHOLE, Plan
from lenslab.units.engine.trace import Trace

_NUMBER = 4
"""Bytes of a number in float32, in which values are recorded and gathered."""


def site_bytes(trace: Trace, plans: Sequence[Plan], batch_size: int) -> Mapping[str, int | None]:
    """Say by site how many bytes its pairs take at the most; ``None`` where the network has no graph.

    These are the values of the clean pass that the site needs, the pairs that are gathered from them to be run at once,
    and what is alive of the rest of the network where most is. Weights, and what a convolution needs for itself, are
    not counted.

    Example:
        >>> from lenslab.units import Ablation
        >>> asked = Ablation.of("small", "digits", limit=16, batch_size=16, sites=["relu3"])
        >>> site_bytes(asked.trace, asked.plans, 16)
        {'relu3': 35328}
    """
    if trace.graph is None:
        return dict.fromkeys((plan.site.name for plan in plans), None)
    nodes = {name: node for name, (_, node) in trace.graph.sites().items()}
    return {plan.site.name: _bytes(trace.graph, plan, nodes[plan.cut], batch_size, trace.classes) for plan in plans}


def _bytes(graph: Graph, plan: Plan, cut: fx.Node, images: int, classes: int) -> int:
    if plan.path == LINEAR_TAIL:
        # Two values of the site, with all units and with none, and every unit's share of the logits of one image.
        return _NUMBER * (2 * images * _numbers(graph, [cut]) + plan.site.units * classes)
    if plan.path == WHOLE:
        return _NUMBER * images * _most_alive(graph, graph.nodes)
    part = _Part.of(graph, cut, updated=plan.path == LOW_RANK_UPDATE)
    pairs = pairs_at_once(max(_numbers(graph, [node]) for node in part.given or [cut])) if part.of_values else images
    clean = images * _numbers(graph, {cut, *part.given, *part.frontier})
    gathered = pairs * _numbers(graph, [*part.starts, *part.given, *part.frontier])
    alive = pairs * _most_alive(graph, part.nodes)
    return _NUMBER * (clean + gathered) + plan.execution.precision.itemsize * alive


@dataclass(frozen=True)
class _Part:
    """What is run for a pair.

    Attributes:
        nodes: The operations, in their order.
        starts: The cut, where its value is needed.
        given: The first dense layers behind it, where only what changes of them is computed, and values on the way.
        frontier: What else of the clean pass is needed.
        of_values: Whether all of that are values of the images, and no number such as the batch's size.
    """

    nodes: list[fx.Node]
    starts: list[fx.Node]
    given: list[fx.Node]
    frontier: list[fx.Node]
    of_values: bool

    @classmethod
    def of(cls, graph: Graph, cut: fx.Node, *, updated: bool) -> _Part:
        found = ways(graph, cut) if updated else None
        kept = [node for node in found.kept if node is not cut] if found else []
        given = [*kept, *(consumer.value for consumer in found.consumers)] if found else []
        between = nodes_between(graph, [cut], graph.result, given)
        inputs = dict.fromkeys(source for node in graph.nodes if node in between for source in node.all_input_nodes)
        frontier = [node for node in inputs if node in graph.from_input and node not in between | {cut, *given}]
        return cls(
            [node for node in graph.nodes if node in between],
            [cut] if cut in inputs else [],
            given,
            [node for node in frontier if node in graph.shapes],
            all(node in graph.shapes for node in frontier),
        )


def _numbers(graph: Graph, nodes: Iterable[fx.Node]) -> int:
    """Count the numbers that values have for one image."""
    return sum(torch.Size(graph.shapes[node][1:]).numel() for node in nodes if node in graph.per_image)


def _most_alive(graph: Graph, nodes: Sequence[fx.Node]) -> int:
    """Count the numbers of the values that operations make for one image, where most of them are needed at once."""
    last = {source: place for place, node in enumerate(nodes) for source in node.all_input_nodes}
    alive: set[fx.Node] = set()
    most = 0
    for place, node in enumerate(nodes):
        alive.add(node)
        most = max(most, _numbers(graph, alive))
        alive = {each for each in alive if last.get(each, len(nodes)) > place}
    return most
