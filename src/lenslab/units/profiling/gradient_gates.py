"""Gates: a factor of 1 at every unit, whose gradient is the unit's value times its gradient, summed over positions."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, fx

from lenslab.units.engine.hook_program import Call, sites_of, watching
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

_AGREEMENT = 1e-3
"""How far the gated logits may be from the plain ones, as a share of their scale: rounding stays far below."""


class GradientGates:
    """A private, differentiable copy of a network with a gate at each unit of some sites.

    A traced network gets its gates in the graph, any other one by hooks on its modules' outputs. Multiplying by 1
    changes no bit of the forward pass. The caller's network is neither run nor changed, and in-place operations behind
    a site do not disturb it, because they act on the gated copy.

    Example:
        >>> from torch import nn
        >>> from lenslab.units.engine.trace import trace
        >>> network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2)).eval()
        >>> gates = GradientGates(trace(network, (1, 1, 1)), ["1"], torch.device("cpu"))
        >>> gates.products(torch.ones(3, 1, 1, 1), np.array([0, 1, 1]))["1"].shape
        (3, 2)
    """

    def __init__(self, trace: Trace, sites: Sequence[str], device: torch.device) -> None:
        self._device = device
        self._units = {site: trace.sites[site].units for site in sites}
        self._nodes: dict[str, str] | None = None
        self._calls: dict[str, Call] | None = None
        module = trace.module
        if trace.graph is not None:
            found = trace.graph.sites()
            self._nodes = {site: found[site][1].name for site in sites}
            module = trace.graph.module
        with torch.inference_mode(False):  # a copy made in inference mode could not take part in autograd
            self._module = copy.deepcopy(module).to(device).requires_grad_(False)

    def products(
        self, inputs: Tensor, labels: NDArray[np.int64], *, logits: Tensor | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Run a batch forward and backward; where the logits without gates are given, compare the gated ones.

        Returns:
            For each site the sum over positions of value times gradient of the image's own cross-entropy,
            ``[images, units]``; NaN at a site from which no gradient path leads to the logits.
        """
        with torch.inference_mode(False), torch.enable_grad():
            images = inputs.to(self._device, torch.float32).clone()
            gates = {
                site: torch.ones(len(images), units, device=self._device, requires_grad=True)
                for site, units in self._units.items()
            }
            try:
                answered = self._forward(images, gates)
                loss = F.cross_entropy(answered, torch.as_tensor(labels, device=self._device), reduction="sum")
                gradients = torch.autograd.grad(loss, list(gates.values()), allow_unused=True)
            except (RuntimeError, NotImplementedError) as error:
                raise UnsupportedNetworkError(
                    f"no gradients for this network ({str(error).splitlines()[0]}); leave its gradient scores out"
                ) from error
        self._refuse_difference(answered.detach(), logits)
        return {
            site: np.full(gate.shape, np.nan) if gradient is None else gradient.double().cpu().numpy()
            for (site, gate), gradient in zip(gates.items(), gradients, strict=True)
        }

    def _forward(self, images: Tensor, gates: Mapping[str, Tensor]) -> Tensor:
        result: Tensor
        if self._nodes is None:
            with self._hooked(gates, images):
                result = self._module(images)
        else:
            assert isinstance(self._module, fx.GraphModule)
            result = _Gated(self._module, {self._nodes[site]: gate for site, gate in gates.items()}).run(images)
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

    def _refuse_difference(self, gated: Tensor, logits: Tensor | None) -> None:
        if logits is None:
            return
        error = float((gated - logits).abs().max() / logits.abs().max().clamp_min(1e-30))
        if not error < _AGREEMENT:
            raise UnsupportedNetworkError(
                f"with gates at its units the network gives another answer (off by {error:.1e} of the logits' scale): "
                "it may overwrite its own values. Leave its gradient scores out, or name other sites"
            )


class _Gated(fx.Interpreter):
    """Multiplies some values by their gates on their way."""

    def __init__(self, module: fx.GraphModule, gates: Mapping[str, Tensor]) -> None:
        super().__init__(module)
        self._gates = gates

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        return _through(self._gates[n.name], value) if n.name in self._gates else value


def _through(gate: Tensor, value: Tensor) -> Tensor:
    return value * gate.view(*gate.shape, *(1,) * (value.dim() - 2))
