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
from lenslab.units.engine.network_suffix import allow_channels_last, folded
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError

RIVALS = 3
"""To so many other classes the margin of the true one is forecast; each takes a pass back."""

_IMAGES = 64
"""So many images are forecast at once: what a pass back needs of them then comes from the cache."""


class MarginForecast:
    """Forecasts, to first order, the margin of the true class after each unit of some sites is silenced.

    With the true class ``y`` and a rival ``j`` the margin is ``z_y - z_j``; silencing unit ``u`` changes its map ``a``
    to its replacement ``r`` and the margin by about ``sum((r - a) * d(z_y - z_j)/da)`` over the map's positions
    (Molchanov et al. 2017, arXiv 1611.06440, section 2.2, of a loss). The answer is right where the smallest margin is
    positive, so that is what is forecast, over the few rivals with the largest logits. A forecast decides nothing, so
    it may be made in bfloat16.

    Example:
        >>> from lenslab.units import Ablation
        >>> from lenslab.units.engine.batch import batches
        >>> asked, device = Ablation.of("small", "digits", limit=20), torch.device("cpu")
        >>> ((_, batch),) = batches(asked.images, asked.network.preprocessing, 20, device)
        >>> before, after = MarginForecast(asked.trace, asked.plans, device).of(batch)
        >>> before.shape, after["relu2"].shape
        ((20,), (20, 64))
    """

    def __init__(
        self, trace: Trace, plans: Sequence[Plan], device: torch.device, precision: torch.dtype = torch.float32
    ) -> None:
        if trace.graph is None:
            raise UnsupportedNetworkError(
                "screening forecasts from gradients inside the network, and torch.fx cannot trace this one; "
                "use --engine exact"
            )
        found = trace.graph.sites()
        self._plans, self._precision = list(plans), precision
        self._names = {plan.cut: found[plan.cut][1].name for plan in plans}
        with torch.inference_mode(False):  # a copy made in inference mode could not take part in autograd
            module = _tapped(copy.deepcopy(trace.graph.module).to(device), {*self._names.values()})
            self._module = folded(allow_channels_last(module)).to(precision).requires_grad_(False)

    def of(self, batch: Batch) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Forecast a batch.

        Returns:
            The margins of the true class with every unit in place, ``[images]``, and by the site's name what they
            would be with each unit silenced, ``[images, units]``; both in units of the logits.
        """
        before: list[Tensor] = []
        after: dict[str, list[Tensor]] = {plan.site.name: [] for plan in self._plans}
        for inputs, labels in zip(torch.split(batch.inputs, _IMAGES), torch.split(batch.labels, _IMAGES), strict=True):
            with torch.inference_mode(False), torch.enable_grad():
                margin, lowest = self._some(inputs, labels)
            before.append(margin)
            for site, each in lowest.items():
                after[site].append(each)
        return _joined(before), {site: _joined(pieces) for site, pieces in after.items()}

    def _some(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        given = inputs.to(self._precision, copy=True)
        if given.dim() == 4:
            given = given.contiguous(memory_format=torch.channels_last)
        recorder = _Recorder(self._module)
        logits = recorder.run(given.requires_grad_())
        margins = _margins(logits.float(), labels)
        lowest: dict[str, Tensor] = {}
        for place, margin in enumerate(margins):
            slopes = torch.autograd.grad(
                margin.sum(), list(recorder.values.values()), retain_graph=place + 1 < len(margins), allow_unused=True
            )
            slope = dict(zip(recorder.values, slopes, strict=True))
            for plan in self._plans:
                site, name = plan.site.name, self._names[plan.cut]
                after = margin.detach()[:, None] + _change(recorder.values[name].detach(), slope[name], plan)
                lowest[site] = torch.minimum(lowest[site], after) if site in lowest else after
        return torch.stack(margins).amin(dim=0).detach(), lowest


def forecast_precision(device: torch.device) -> torch.dtype:
    """Give bfloat16 where the processor has instructions for products in it, which no clock decides.

    Example:
        >>> forecast_precision(torch.device("cuda"))
        torch.float32
    """
    if device.type != "cpu":
        return torch.float32
    told = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return torch.bfloat16 if any(tells() for tells in told if tells) else torch.float32


def _joined(pieces: list[Tensor]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.cat(pieces).cpu().numpy()
    return found


def _margins(logits: Tensor, labels: Tensor) -> list[Tensor]:
    others = logits.detach().scatter(1, labels[:, None], -torch.inf)
    _, rivals = others.topk(min(RIVALS, logits.shape[1] - 1), dim=1)
    truth = logits.gather(1, labels[:, None])
    return list((truth - logits.gather(1, rivals)).T)


def _change(value: Tensor, slope: Tensor | None, plan: Plan) -> Tensor:
    if slope is None:
        return torch.zeros(value.shape[:2], device=value.device)
    assert isinstance(plan.intervention, Replacement)
    taken = (plan.intervention.everywhere(value) - value).to(slope.dtype)
    return (taken * slope).flatten(2).sum(dim=2).float() if value.dim() > 2 else (taken * slope).float()


def _tapped(module: fx.GraphModule, names: set[str]) -> fx.GraphModule:
    """Hand some values on as copies, so that an operation in place further on leaves them as they were."""
    part, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in module.graph.nodes:
        copies[node] = part.node_copy(node, copies.__getitem__)
        if node.name in names:
            copies[node] = part.create_node("call_function", _copied, (copies[node], node.name))
    return fx.GraphModule(module, part)


def _copied(value: Tensor, name: str) -> Tensor:
    del name
    return value.clone()


class _Recorder(fx.Interpreter):
    """Records the values that are handed on as copies, by their names."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[str, Tensor] = {}

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        if target is _copied:
            self.values[args[1]] = args[0]
        return super().call_function(target, args, kwargs)
