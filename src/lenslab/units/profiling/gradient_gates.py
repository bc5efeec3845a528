"""Gates: a factor of 1 at every unit, whose gradient is the unit's value times its gradient, summed over positions."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, fx

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.hook_program import Call, sites_of, watching
from lenslab.units.engine.network_suffix import allow_channels_last, suffix
from lenslab.units.engine.program import Golden
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

_PIECES = 4
"""A backward pass holds every value of its images, so a batch is passed back in so many pieces."""

_AGREEMENT = 1e-3
"""How far the gated logits may be from the plain ones, as a share of their scale: rounding stays far below."""


class GradientGates:
    """A private, differentiable copy of what follows from some sites, with a gate at each of their units.

    A traced network is run from a clean pass's values at its first sites on; any other one is run whole, with hooks on
    its modules' outputs. Multiplying by 1 changes no bit of the forward pass. The caller's network is neither run nor
    changed, and in-place operations behind a site do not disturb it, because they act on the gated copy.

    Example:
        >>> from torch import nn
        >>> from lenslab.units.engine.trace import trace
        >>> network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2)).eval()
        >>> traced, device = trace(network, (1, 1, 1)), torch.device("cpu")
        >>> golden = traced.program(device).golden(torch.ones(3, 1, 1, 1), ["1"])
        >>> GradientGates(traced, ["1"], device).products(golden, np.array([0, 1, 1]))["1"].shape
        (3, 2)
    """

    def __init__(self, trace: Trace, sites: Sequence[str], device: torch.device) -> None:
        self._device = device
        self._units = {site: trace.sites[site].units for site in sites}
        self._calls: dict[str, Call] | None = None
        with torch.inference_mode(False):  # a copy made in inference mode could not take part in autograd
            if trace.graph is None:
                self._module = copy.deepcopy(trace.module).to(device).requires_grad_(False)
                self._taken: tuple[str, ...] | None = None
            else:
                whole = copy.deepcopy(trace.graph.module).to(device).requires_grad_(False)
                self._module, self._taken = _gated_rest(trace.graph, sites, whole)
                self._per_image = {node.name for node in trace.graph.per_image}

    def products(self, golden: Golden, labels: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Run a batch forward from its clean pass and backward, in pieces; compare the gated logits with the pass's.

        Args:
            golden: The clean pass, with the values of the sites.
            labels: The class of each image.

        Returns:
            For each site the sum over positions of value times gradient of the image's own cross-entropy,
            ``[images, units]``; NaN at a site from which no gradient path leads to the logits.

        Raises:
            UnsupportedNetworkError: There are no gradients, or the gates change the answer.
        """
        images = len(golden.inputs)
        whole = self._taken is not None and not all(isinstance(golden.frontier[name], Tensor) for name in self._taken)
        size = images if whole else max(1, images // _PIECES)
        pieces = [self._piece(golden, labels, slice(start, start + size)) for start in range(0, images, size)]
        return {site: np.concatenate([piece[site] for piece in pieces]) for site in self._units}

    def _piece(self, golden: Golden, labels: NDArray[np.int64], some: slice) -> dict[str, NDArray[np.float64]]:
        with torch.inference_mode(False), torch.enable_grad():
            truth = torch.as_tensor(labels[some], device=self._device)
            gates = {
                site: torch.ones(len(truth), units, device=self._device, requires_grad=True)
                for site, units in self._units.items()
            }
            try:
                answered = self._forward(golden, gates, some)
                loss = F.cross_entropy(answered, truth, reduction="sum")
                gradients = torch.autograd.grad(loss, list(gates.values()), allow_unused=True)
            except (RuntimeError, NotImplementedError) as error:
                raise UnsupportedNetworkError(
                    f"no gradients for this network ({str(error).splitlines()[0]}); leave its gradient scores out"
                ) from error
        _refuse_difference(answered.detach(), golden.logits[some])
        return {
            site: np.full(gate.shape, np.nan) if gradient is None else gradient.double().cpu().numpy()
            for (site, gate), gradient in zip(gates.items(), gradients, strict=True)
        }

    def _forward(self, golden: Golden, gates: Mapping[str, Tensor], some: slice) -> Tensor:
        result: Tensor
        if self._taken is None:
            images = golden.inputs[some].to(self._device, torch.float32).clone()
            with self._hooked(gates, images):
                result = self._module(images)
        else:
            values = {name: golden.frontier[name] for name in self._taken}
            taken = (value[some].clone() if name in self._per_image else value for name, value in values.items())
            result = self._module(*taken, *gates.values())
        return result

    @contextmanager
    def _hooked(self, gates: Mapping[str, Tensor], images: Tensor) -> Iterator[None]:
        if self._calls is None:
            with torch.no_grad():
                found, _ = sites_of(self._module, torch.zeros(2, *images.shape[1:], device=images.device))
            self._calls = {site: found[site][1] for site in gates}
        with ExitStack() as stack:
            for site, gate in gates.items():
                stack.enter_context(watching(self._module, self._calls[site], partial(_through, gate)))
            yield


def _gated_rest(graph: Graph, sites: Sequence[str], layers: fx.GraphModule) -> tuple[fx.GraphModule, tuple[str, ...]]:
    """Cut out what follows from some sites, with a gate at each, taken after the values that are named."""
    found = graph.sites()
    nodes = [found[site][1] for site in sites]
    first = [node for node in nodes if not graph.upstream[node] & {*nodes}]
    part = suffix(graph, first, graph.result, layers).module
    taken = [node for node in part.graph.nodes if node.op == "placeholder"]
    by_name = {node.name: node for node in part.graph.nodes}
    with part.graph.inserting_after(taken[-1]):
        gates = [part.graph.placeholder(f"gate_{place}") for place in reversed(range(len(nodes)))][::-1]
    for node, gate in zip(nodes, gates, strict=True):
        value = by_name[node.name]
        with part.graph.inserting_after(gates[-1] if value in taken else value):
            gated = part.graph.call_function(_through, (gate, value))
        value.replace_all_uses_with(gated, delete_user_cb=lambda user, gated=gated: user is not gated)
    part.graph.lint()
    part.recompile()
    return allow_channels_last(part), tuple(node.name for node in taken)


def _refuse_difference(gated: Tensor, logits: Tensor) -> None:
    error = float((gated - logits).abs().max() / logits.abs().max().clamp_min(1e-30))
    if not error < _AGREEMENT:
        raise UnsupportedNetworkError(
            f"with gates at its units the network gives another answer (off by {error:.1e} of the logits' scale): "
            "it may overwrite its own values. Leave its gradient scores out, or name other sites"
        )


def _through(gate: Tensor, value: Tensor) -> Tensor:
    return value * gate.view(*gate.shape, *(1,) * (value.dim() - 2))
