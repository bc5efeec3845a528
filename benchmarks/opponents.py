"""Other ways to silence every unit: a plain loop, Captum, and a prefix-cached loop, the one that has to be beaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from lenslab import units
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.sites import Site

Flips = dict[tuple[str, int], NDArray[np.bool_]]
"""Whether each image's prediction changes, by the name of the site and the unit."""

Sample = Mapping[str, Sequence[int]]
"""Which units of each site are silenced."""

Lap = Callable[[str], None]
"""Is told that a clean pass (``""``) or a site is done."""


def plain_loop(ablation: units.Ablation, inputs: Tensor, sample: Sample, lap: Lap) -> Flips:
    """Zero one channel on its way, one run of the whole network for each unit."""
    graph, found = ablation.trace.graph, {}
    assert graph is not None
    nodes = graph.sites()
    base = graph.module(inputs).argmax(dim=1)
    lap("")
    for plan in ablation.plans:
        for unit in sample[plan.site.name]:
            logits = _Silencer(graph.module, nodes[plan.site.name][1], unit).run(inputs)
            found[plan.site.name, unit] = (logits.argmax(dim=1) != base).cpu().numpy()
        lap(plan.site.name)
    return found


def prefix_loop(ablation: units.Ablation, inputs: Tensor, sample: Sample, lap: Lap) -> Flips:
    """One clean pass, then torch.fx.Interpreter restarted behind the site for each unit."""
    graph, found = ablation.trace.graph, {}
    assert graph is not None
    nodes = graph.sites()
    interpreter = fx.Interpreter(graph.module, garbage_collect_values=False)
    interpreter.run(inputs)
    environment = dict(interpreter.env)
    base = environment[graph.result].argmax(dim=1)
    lap("")
    for plan in ablation.plans:
        node = nodes[plan.site.name][1]
        before = {name: value for name, value in environment.items() if name not in graph.downstream[node]}
        for unit in sample[plan.site.name]:
            value = before[node].clone()
            value[:, unit] = 0
            logits = fx.Interpreter(graph.module).run(inputs, initial_env={**before, node: value})
            found[plan.site.name, unit] = (logits.argmax(dim=1) != base).cpu().numpy()
        lap(plan.site.name)
    return found


def captum(ablation: units.Ablation, inputs: Tensor, sample: Sample, lap: Lap) -> Flips:
    """LayerFeatureAblation with a mask for each channel, where the site is a module that is called once."""
    from captum.attr import LayerFeatureAblation

    module, found = ablation.trace.module, {}
    base = module(inputs).argmax(dim=1)
    lap("")

    def unchanged(x: Tensor, before: Tensor) -> Tensor:
        return (module(x).argmax(dim=1) == before).float()

    for plan in ablation.plans:
        chosen = list(sample[plan.site.name])
        changed = LayerFeatureAblation(unchanged, module.get_submodule(plan.site.name)).attribute(
            inputs,
            layer_baselines=0.0,
            additional_forward_args=(base,),
            layer_mask=_mask(plan.site, chosen).to(inputs.device),
            perturbations_per_eval=4,
        )
        for unit in chosen:
            found[plan.site.name, unit] = (changed[:, unit].flatten(1)[:, 0] != 0).cpu().numpy()
        lap(plan.site.name)
    return found


def fits_captum(plans: Sequence[Plan], module: nn.Module) -> bool:
    """Tell whether every site is the output of a module that is called once."""
    return all(plan.site.name in dict(module.named_modules()) for plan in plans)


OPPONENTS: dict[str, Callable[[units.Ablation, Tensor, Sample, Lap], Flips]] = {
    "plain loop": plain_loop,
    "Captum": captum,
    "prefix-cached loop": prefix_loop,
}


def _mask(site: Site, chosen: Sequence[int]) -> Tensor:
    """Give each chosen channel a number from 1 on; all others are one feature more, which is silenced once as well."""
    mask = torch.zeros(site.units, dtype=torch.int64)
    mask[list(chosen)] = torch.arange(1, len(chosen) + 1)
    return mask.view(1, -1, *[1] * (len(site.shape) - 1))


class _Silencer(fx.Interpreter):
    def __init__(self, module: fx.GraphModule, node: fx.Node, unit: int) -> None:
        super().__init__(module)
        self._node, self._unit = node, unit

    def run_node(self, n: fx.Node) -> Tensor:
        value = super().run_node(n)
        return value.index_fill(1, torch.tensor([self._unit], device=value.device), 0.0) if n is self._node else value
