"""Filters: the weights that make a site's units, and the batch norm that acts on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lenslab.runs.attributes import weight_norms
from lenslab.runs.attributes.weight_norms import WeightNorms
from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace

Floats = NDArray[np.float64]


def norms_of(trace: Trace, site: Site) -> WeightNorms:
    """Read the norms of the filters that make a site's units.

    Behind a residual sum these are the filters of its first term, as `Site.filters` names them. The batch norm is the
    one that takes the filters' output, before any activation, whether the site lies before or behind it. Hooks do not
    see who takes an output, so the folded norm of a network that torch.fx cannot trace is unknown.

    Example:
        >>> from lenslab.units.engine.trace import trace
        >>> network = nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(),
        ...                         nn.Linear(2, 2)).eval()
        >>> _ = nn.init.constant_(network[0].weight, -1), nn.init.constant_(network[1].running_var, 4)
        >>> found = norms_of(traced := trace(network, (1, 2, 2)), traced.sites["2"])
        >>> found.raw.tolist(), found.folded.round(3).tolist()
        ([4.0, 4.0], [2.0, 2.0])
    """
    unknown = np.full(site.units, np.nan)
    if site.filters is None:
        return WeightNorms(unknown, unknown)
    weight = trace.module.get_submodule(site.filters).weight
    assert isinstance(weight, Tensor)  # convolutions and linear layers have one
    if len(weight) != site.units:
        return WeightNorms(unknown, unknown)
    weights = weight.detach().cpu().numpy()
    raw = weight_norms.l1_norm(weights)
    if trace.graph is None:
        return WeightNorms(raw, unknown)
    norm = _normalisation(trace.graph, trace.graph.sites()[site.name][1])
    if norm is None:
        return WeightNorms(raw, raw)
    layer = trace.graph.modules.get(str(norm.target)) if norm.op == "call_module" else None
    if not isinstance(layer, _BatchNorm) or layer.running_var is None:
        return WeightNorms(raw, unknown)
    variance = layer.running_var.detach().cpu().numpy()
    scale = np.ones(site.units) if layer.weight is None else layer.weight.detach().cpu().numpy()
    return WeightNorms(raw, weight_norms.l1_norm_folded(weights, scale, variance, layer.eps))


def _normalisation(graph: Graph, node: fx.Node) -> fx.Node | None:
    """Find the normalisation that takes the output of the layer behind a site, going the way of `Site.filters`."""
    way = [node]
    while graph.tensor_inputs(way[-1]) and not _has_filters(graph, way[-1]):
        way.append(graph.tensor_inputs(way[-1])[0])
    for behind in reversed(way[:-1]):
        if graph.is_normalisation(behind):
            return behind
        if not graph.is_identity(behind):
            return None
    return _sole_normalisation(graph, node)


def _sole_normalisation(graph: Graph, node: fx.Node) -> fx.Node | None:
    """Find the normalisation that is the only one to take a value."""
    users = graph.tensor_users(node)
    if len(users) != 1:
        return None
    if graph.is_identity(users[0]):
        return _sole_normalisation(graph, users[0])
    return users[0] if graph.is_normalisation(users[0]) else None


def _has_filters(graph: Graph, node: fx.Node) -> bool:
    layer = graph.modules.get(str(node.target)) if node.op == "call_module" else None
    return graph.is_convolution(node) or isinstance(layer, nn.Linear)
