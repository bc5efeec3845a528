"""The forecast of margins: what one pass forward and back says of silencing each unit, before any is silenced."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from lenslab.units.engine.batch import Batch
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

RIVALS = 3
"""To so many other classes the margin of the true one is forecast; each takes a pass back."""


class MarginForecast:
    """Forecasts, to first order, the margin of the true class after each unit of some sites is silenced.

    With the true class ``y`` and a rival ``j`` the margin is ``z_y - z_j``; silencing unit ``u`` changes its map ``a``
    to its replacement ``r`` and the margin by about ``sum((r - a) * d(z_y - z_j)/da)`` over the map's positions
    (Molchanov et al. 2017, arXiv 1611.06440, section 2.2, of a loss). The answer is right where the smallest margin is
    positive, so that is what is forecast, over the few rivals with the largest logits.

    Example:
        >>> from lenslab.units import Ablation
        >>> from lenslab.units.engine.batch import batches
        >>> asked, device = Ablation.of("small", "digits", limit=20), torch.device("cpu")
        >>> ((_, batch),) = batches(asked.images, asked.network.preprocessing, 20, device)
        >>> before, after = MarginForecast(asked.trace, asked.plans, device).of(batch)
        >>> before.shape, after["relu2"].shape
        ((20,), (20, 64))
    """

    def __init__(self, trace: Trace, plans: Sequence[Plan], device: torch.device) -> None:
        if trace.graph is None:
            raise UnsupportedNetworkError(
                "screening forecasts from gradients inside the network, and torch.fx cannot trace this one; "
                "use --engine exact"
            )
        found = trace.graph.sites()
        self._plans = list(plans)
        self._nodes = {found[plan.cut][1].name for plan in plans}
        self._names = {plan.cut: found[plan.cut][1].name for plan in plans}
        with torch.inference_mode(False):  # a copy made in inference mode could not take part in autograd
            self._module = copy.deepcopy(trace.graph.module).to(device).requires_grad_(False)

    def of(self, batch: Batch) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Forecast a batch.

        Returns:
            The margins of the true class with every unit in place, ``[images]``, and by the site's name what they
            would be with each unit silenced, ``[images, units]``; both in units of the logits.
        """
        with torch.inference_mode(False), torch.enable_grad():
            recorder = _Recorder(self._module, self._nodes)
            logits = recorder.run(batch.inputs.to(torch.float32).clone())
            margins = _margins(logits, batch.labels)
            lowest = {plan.site.name: torch.full((len(batch), plan.count), torch.inf) for plan in self._plans}
            for margin in margins:
                gradients = torch.autograd.grad(
                    margin.sum(), list(recorder.offsets.values()), retain_graph=True, allow_unused=True
                )
                slopes = dict(zip(recorder.offsets, gradients, strict=True))
                for plan in self._plans:
                    node = self._names[plan.cut]
                    change = _change(recorder.values[node], slopes[node], plan)
                    site = plan.site.name
                    lowest[site] = torch.minimum(lowest[site].to(change.device), margin.detach()[:, None] + change)
        before = torch.stack(margins).amin(dim=0).detach().cpu().numpy()
        return before, {site: each.cpu().numpy() for site, each in lowest.items()}


def _margins(logits: Tensor, labels: Tensor) -> list[Tensor]:
    others = logits.detach().scatter(1, labels[:, None], -torch.inf)
    _, rivals = others.topk(min(RIVALS, logits.shape[1] - 1), dim=1)
    truth = logits.gather(1, labels[:, None])
    return list((truth - logits.gather(1, rivals)).T)


def _change(value: Tensor, slope: Tensor | None, plan: Plan) -> Tensor:
    if slope is None:
        return torch.zeros(value.shape[:2], device=value.device)
    assert isinstance(plan.intervention, Replacement)
    taken = plan.intervention.everywhere(value) - value
    return (taken * slope).flatten(2).sum(dim=2) if value.dim() > 2 else taken * slope


class _Recorder(fx.Interpreter):
    """Records some values, and adds a zero to each, whose gradient is the value's."""

    def __init__(self, module: fx.GraphModule, nodes: set[str]) -> None:
        super().__init__(module)
        self._wanted = nodes
        self.values: dict[str, Tensor] = {}
        self.offsets: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.name not in self._wanted:
            return value
        self.values[n.name] = value.detach().clone()
        self.offsets[n.name] = torch.zeros_like(value, requires_grad=True)
        return value + self.offsets[n.name]
