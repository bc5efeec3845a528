"""The rest of a network from one of its values on, cut out as a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx
from torch.fx.experimental.optimization import fuse

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.networks.module_kinds import is_bare


@dataclass(frozen=True)
class Suffix:
    """What follows from a value, or several: a module of it, of what else is given, and of the values of the frontier.

    Attributes:
        module: Takes the value where it is needed, the given ones and those of the frontier, in this order.
        frontier: The names of the nodes of the frontier.
    """

    module: fx.GraphModule
    frontier: tuple[str, ...]


def suffix(
    graph: Graph, starts: Sequence[fx.Node], end: fx.Node, layers: fx.GraphModule, given: Sequence[fx.Node] = ()
) -> Suffix:
    """Cut out the operations that lead from some values to another, but for those whose values are given.

    Values that come from the input by other ways are the part's frontier; it shares the layers of ``layers``. Its nodes
    have the names that they have in the graph.
    """
    between = nodes_between(graph, starts, end, given)
    wanted = [node for node in graph.nodes if node in between]
    known = {*starts, *given}
    inputs = dict.fromkeys(source for node in wanted for source in node.all_input_nodes)
    frontier = [node for node in inputs if node in graph.from_input and node not in between | known]

    part = fx.Graph()
    taken = [node for node in starts if node in inputs]
    copies = {node: part.placeholder(node.name) for node in (*taken, *given, *frontier)}

    def copy(node: fx.Node) -> fx.Node:
        if node not in copies:
            copies[node] = part.node_copy(node, copy)
        return copies[node]

    for node in wanted:
        copy(node)
    part.output(copies[end])
    part.lint()
    return Suffix(fx.GraphModule(layers, part), tuple(node.name for node in frontier))


def nodes_between(graph: Graph, starts: Sequence[fx.Node], end: fx.Node, given: Sequence[fx.Node] = ()) -> set[fx.Node]:
    """Find the operations that lead from some values to another, where the values of some are given."""
    known = {*starts, *given}
    reached = set().union(*(graph.downstream[start] for start in starts))
    between = {end} - known
    waiting = [*between]
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source in reached and source not in between | known:
                between.add(source)
                waiting.append(source)
    return between


def allow_channels_last(module: fx.GraphModule) -> fx.GraphModule:
    """Let a network written for channels-first values run with channels last: ``reshape`` for every ``view``."""
    for node in module.graph.nodes:
        if node.op == "call_method" and node.target == "view":
            node.target = "reshape"
    module.recompile()
    return module


def folded(module: fx.GraphModule) -> fx.GraphModule:
    """Fold batch norms into the convolutions before them, where no layer is called or used twice or carries hooks.

    The result is equal up to rounding; the layers of the module itself are not changed.
    """
    nodes = module.graph.nodes
    called = [str(node.target) for node in nodes if node.op == "call_module"]
    borrowed = {str(node.target).rpartition(".")[0] for node in nodes if node.op == "get_attr"}
    hooked = not all(is_bare(module.get_submodule(path)) for path in called)
    if hooked or len(called) > len(set(called)) or borrowed & set(called):
        return module
    fused = fuse(module, inplace=True, no_trace=True)
    assert isinstance(fused, fx.GraphModule)  # it is given one
    return fused


def recording(module: fx.GraphModule, names: Sequence[str]) -> fx.GraphModule:
    """Make a network put out its result and then, as a tuple with it, copies of some values, by their nodes' names.

    An operation in place further on may overwrite the values themselves. The layers are those of the network.
    """
    part = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    recorded: dict[str, fx.Node] = {}
    for node in module.graph.nodes:
        if node.op == "output":
            part.output((copies[node.args[0]], *(recorded[name] for name in names)))
            continue
        copies[node] = part.node_copy(node, copies.__getitem__)
        if node.name in names:
            recorded[node.name] = part.call_function(_copied, (copies[node],))
    return fx.GraphModule(module, part)


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
