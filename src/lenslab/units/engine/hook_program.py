"""A network that torch.fx cannot trace, as a program: forward hooks see what its modules put out, and nothing else.

This is the one place where forward hooks are set, always on a private copy of the network, and always taken off again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.fx_graph import ACTIVATIONS, CONVOLUTIONS, IDENTITIES, NORMALISATIONS
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention
from lenslab.units.engine.sites import Site, numbered, obstacle_of


@dataclass(frozen=True)
class Call:
    """One call of one module in a forward pass: its dotted path, and 0 for the first call, 1 for the second, ..."""

    path: str
    index: int


class HookProgram:
    """Runs a copy of a module whole, and reads or replaces what its modules put out."""

    def __init__(
        self, module: nn.Module, calls: Mapping[str, Call], *, device: torch.device, precision: torch.dtype
    ) -> None:
        self._module = copy.deepcopy(module).to(device, precision)
        self._calls = calls
        self._device = device
        self._precision = precision

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the whole network."""
        result: Tensor = self._module(inputs.to(self._device, self._precision, copy=True))
        return result

    def golden(
        self,
        inputs: Tensor,
        sites: Sequence[str],
        dense: Collection[str] = (),  # noqa: ARG002 - what follows from a site is not known
        execution: Execution = PLAIN,  # noqa: ARG002 - only torch runs what has no graph
    ) -> Golden:
        """Run the whole network and record these sites."""
        recorded: dict[str, Tensor] = {}

        def recorder(site: str) -> Callable[[Tensor], None]:
            return lambda value: recorded.update({site: value.clone()})

        with ExitStack() as stack:
            for site in sites:
                stack.enter_context(watching(self._module, self._calls[site], recorder(site)))
            logits = self.logits(inputs)
        return Golden(logits, recorded, inputs.to(self._device, self._precision), {})

    def ablated_logits(
        self, inputs: Tensor, site: str, units: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT
    ) -> Tensor:
        """Run the whole network with unit ``units[i]`` of the site silenced on image ``i``."""
        with watching(self._module, self._calls[site], lambda value: intervention.applied(value, units)):
            return self.logits(inputs)

    def resumed_logits(
        self,
        golden: Golden,
        site: str,
        rows: Tensor,
        units: Tensor | None,
        intervention: SiteIntervention = ZERO_REPLACEMENT,
        execution: Execution = PLAIN,  # noqa: ARG002 - only torch runs what has no graph
    ) -> Tensor:
        """Run the whole network again for images ``rows``: without a graph it cannot resume in the middle."""
        inputs = golden.inputs.index_select(0, rows)
        return self.logits(inputs) if units is None else self.ablated_logits(inputs, site, units, intervention.at(rows))


def sites_of(module: nn.Module, probe: Tensor) -> tuple[dict[str, tuple[Site, Call]], dict[str, str]]:
    """Find the sites that hooks can see, the outputs of modules without submodules, and the calls behind them.

    A default site is followed from a convolution through the batch norm and activation modules that take its value;
    sums and functions between modules stay unseen. The probe is two or more inputs; the module is left as it was.

    Returns:
        The sites with their calls, by name, and why the outputs of the other such modules are no sites.
    """
    seen: list[tuple[str, nn.Module, Any, Any]] = []
    paths = [path for path, layer in module.named_modules() if path and not list(layer.children())]

    def watcher(path: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda layer, inputs, output: seen.append((path, layer, inputs[0] if inputs else None, output))

    with ExitStack() as stack:
        for path in paths:
            stack.callback(module.get_submodule(path).register_forward_hook(watcher(path)).remove)
        logits = module(probe.clone())

    obstacles = _obstacles(seen, len(probe), logits)
    kept = [call for call, obstacle in zip(seen, obstacles, strict=True) if not obstacle]
    names = numbered([path for path, *_ in kept])
    default = [_handed_on(call, kept) for call in kept if isinstance(call[1], CONVOLUTIONS)]
    counts: dict[str, int] = {}
    sites = {}
    for name, call in zip(names, kept, strict=True):
        path, layer, _, output = call
        index = counts[path] = counts.get(path, -1) + 1
        site = Site(
            name=name,
            units=output.shape[1],
            shape=tuple(output.shape[1:]),
            operation=type(layer).__name__.lower(),
            default=any(call is other for other in default),
            filters=path if isinstance(layer, (*CONVOLUTIONS, nn.Linear)) else None,
            source=name if isinstance(layer, (*CONVOLUTIONS, nn.Linear)) else None,
        )
        sites[name] = (site, Call(path, index))
    called = zip(seen, obstacles, strict=True)
    others = {path: obstacle for (path, *_), obstacle in called if obstacle and path not in sites}
    idle = dict.fromkeys({*paths} - {path for path, *_ in seen}, "it is not called")
    return sites, others | idle


def _obstacles(calls: Sequence[Any], batch: int, logits: Any) -> list[str]:
    """Say why the value of each call is no site; nothing where its channels are in dimension 1.

    After a linear layer or a layer norm they are in the last one, and stay there through the layers that take that
    very value, convolutions apart.
    """
    obstacles: list[str] = []
    channels_last: list[Tensor] = []
    for _, layer, taken, output in calls:
        moved = isinstance(layer, (nn.Linear, nn.LayerNorm)) or any(taken is value for value in channels_last)
        tensor = isinstance(output, Tensor)
        numbers, per_image = tensor and output.is_floating_point(), tensor and output.shape[:1] == (batch,)
        turned = numbers and per_image and output.dim() == 4 and moved and not isinstance(layer, CONVOLUTIONS)
        if turned:
            channels_last.append(output)
        if output is logits:
            obstacles.append("it is the logits")
        elif numbers and per_image and output.dim() in (2, 4) and not turned:
            obstacles.append("")
        else:
            shape = tuple(output.shape) if tensor else None
            obstacles.append(obstacle_of(shape, per_image=per_image, numbers=numbers))
    return obstacles


def _handed_on(call: Any, calls: Sequence[Any]) -> Any:
    """Follow a value through the norms and activations that take it."""
    passing = (*NORMALISATIONS, *ACTIVATIONS, *IDENTITIES)
    reached = False
    for later in calls:
        if reached and later[2] is call[3] and isinstance(later[1], passing):
            call = later
        reached = reached or later is call
    return call


@contextmanager
def watching(module: nn.Module, call: Call, see: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Watch one call of one module by a hook; what ``see`` returns, unless ``None``, replaces the module's output."""
    count = -1

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        nonlocal count
        count += 1
        return see(output) if count == call.index else None

    handle = module.get_submodule(call.path).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
