"""A network that torch.fx traced, as a program: any value can be recorded, replaced and resumed from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.network_suffix import Suffix, allow_channels_last, folded, suffix
from lenslab.units.engine.one_channel_delta import DenseLayers, dense_layers
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, Replacement, SiteIntervention

_MOST_PAIRS = 512
_NUMBERS = 1 << 21
"""Numbers of one value that the pairs of one run may have: what follows works best on what the cache holds."""


class FxProgram:
    """Runs a graph; ``nodes`` are those behind the names of sites, for ``fast`` see `Trace.program`."""

    def __init__(
        self, graph: Graph, nodes: Mapping[str, fx.Node], *, device: torch.device, precision: torch.dtype, fast: bool
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._device = device
        self._precision = precision
        self._fast = fast
        self._per_image = {node.name for node in graph.per_image}
        self._suffixes: dict[tuple[fx.Node, fx.Node], Suffix] = {}
        self._behind: dict[str, DenseLayers] = {}
        self._whole = copy.deepcopy(graph.module).to(device, precision)
        if fast:
            for layer in self._whole.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
            self._whole = allow_channels_last(self._whole)

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the whole network."""
        result: Tensor = self._whole(self._prepared(inputs))
        return result

    def golden(self, inputs: Tensor, sites: Sequence[str], dense: Collection[str] = ()) -> Golden:
        """Run the whole network and record these sites, and what resuming from them takes.

        For the sites of ``dense`` the values of the first dense layers behind them are recorded, too.
        """
        prepared = self._prepared(inputs)
        names = {site: self._nodes[site].name for site in sites}
        frontier = {name for site in sites for name in self._suffix(self._nodes[site], self._graph.result).frontier}
        for site in dense:
            frontier.update(self._dense(site).names)
        recorder = _Recorder(self._whole, {*names.values(), *frontier})
        logits: Tensor = recorder.run(prepared)
        values = {site: recorder.recorded[name] for site, name in names.items()}
        return Golden(logits, values, prepared, {name: recorder.recorded[name] for name in frontier})

    def ablated_logits(
        self, inputs: Tensor, site: str, units: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT
    ) -> Tensor:
        """Run the whole network with unit ``units[i]`` of the site silenced on image ``i``."""
        silencer = _Silencer(self._whole, self._nodes[site].name, lambda value: intervention.applied(value, units))
        result: Tensor = silencer.run(self._prepared(inputs))
        return result

    def resumed_logits(
        self,
        golden: Golden,
        site: str,
        rows: Tensor,
        units: Tensor | None,
        intervention: SiteIntervention = ZERO_REPLACEMENT,
    ) -> Tensor:
        """Run only what follows from a site, for images ``rows`` of the golden pass.

        Some networks carry the batch's size as a number; so the rows are filled up to the golden batch where a number
        is among the values that the rest needs. The intervention is for all images of the golden batch.
        """
        part, wanted = self._suffix(self._nodes[site], self._graph.result), len(rows)
        rows = self._filled(part, golden, rows)
        units = None if units is None else self._filled(part, golden, units)
        value = golden.values[site].index_select(0, rows)
        if units is not None:
            value = intervention.at(rows).applied(value, units)
        result: Tensor = part.module(value, *self._gathered(part, golden, rows))
        return result[:wanted]

    def pairs_at_once(self, golden: Golden, site: str) -> int:
        """Tell how many pairs `changed_logits` takes at once: the weights that follow are read once for all of them."""
        behind, batch = self._dense(site), len(golden.inputs)
        if _carries_numbers(behind.rest, golden):
            return batch
        per_pair: int = max(golden.frontier[layer.name][0].numel() for layer in behind.layers)
        return max(batch, min(_MOST_PAIRS, _NUMBERS // per_pair))

    def changed_logits(
        self, golden: Golden, site: str, rows: Tensor, units: Tensor, replacement: Replacement
    ) -> Tensor:
        """Run what follows from the first dense layers behind a site, which one unit changes by its share of them.

        Unit ``units[i]`` is silenced on image ``rows[i]`` of the golden pass; equal units stand together.
        """
        behind, wanted = self._dense(site), len(rows)
        rows, units = (self._filled(behind.rest, golden, each) for each in (rows, units))
        value = golden.values[site]
        before, after = value[rows, units].unsqueeze(1), replacement.taken(value, rows, units).unsqueeze(1)
        changed = [
            layer.changed(golden.frontier[layer.name].index_select(0, rows), before, after, units)
            for layer in behind.layers
        ]
        start = before
        if behind.rest.needs_start:
            start = value.index_select(0, rows)
            start[torch.arange(len(rows), device=rows.device), units] = after.squeeze(1)
        result: Tensor = behind.rest.module(start, *changed, *self._gathered(behind.rest, golden, rows))
        return result[:wanted]

    def _filled(self, part: Suffix, golden: Golden, numbers: Tensor) -> Tensor:
        """Repeat the last of some rows' numbers up to the golden batch, where the part needs as many rows."""
        missing = len(golden.inputs) - len(numbers)
        if missing <= 0 or not len(numbers) or not _carries_numbers(part, golden):
            return numbers
        return torch.cat([numbers, numbers[-1:].expand(missing)])

    def _gathered(self, part: Suffix, golden: Golden, rows: Tensor) -> list[Any]:
        """Gather the values of a part's frontier for these images."""
        values = {name: golden.frontier[name] for name in part.frontier}
        return [value.index_select(0, rows) if name in self._per_image else value for name, value in values.items()]

    def _dense(self, site: str) -> DenseLayers:
        if site not in self._behind:
            self._behind[site] = dense_layers(self._graph, self._nodes[site], self._whole)
        return self._behind[site]

    def features(self, golden: Golden, site: str, end: fx.Node, value: Tensor) -> Tensor:
        """Run from a site to a later node with this value in the site's place, for all images of the golden pass."""
        if end is self._nodes[site]:
            return value
        part = self._suffix(self._nodes[site], end)
        result: Tensor = part.module(value, *(golden.frontier[name] for name in part.frontier))
        return result

    def layer(self, path: str) -> nn.Module:
        """Give the program's own copy of a layer."""
        return self._whole.get_submodule(path)

    def _suffix(self, start: fx.Node, end: fx.Node) -> Suffix:
        if (start, end) not in self._suffixes:
            part = suffix(self._graph, start, end, self._whole)
            if self._fast:
                allow_channels_last(part.module)
                part = folded(part)
            self._suffixes[start, end] = part
        return self._suffixes[start, end]

    def _prepared(self, inputs: Tensor) -> Tensor:
        prepared = inputs.to(self._device, self._precision, copy=True)  # a network may overwrite its input
        channels_last = self._fast and prepared.dim() == 4
        return prepared.contiguous(memory_format=torch.channels_last) if channels_last else prepared


def _carries_numbers(part: Suffix, golden: Golden) -> bool:
    """Tell whether a part needs a number, such as the batch's size, and so as many rows as the golden pass had."""
    return not all(isinstance(golden.frontier[name], Tensor) for name in part.frontier)


class _Recorder(fx.Interpreter):
    """Keeps copies of some values: an in-place operation further on may overwrite the originals."""

    def __init__(self, module: fx.GraphModule, names: set[str]) -> None:
        super().__init__(module)
        self._names = names
        self.recorded: dict[str, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.name in self._names:
            self.recorded[n.name] = value.clone() if isinstance(value, Tensor) else value
        return value


class _Silencer(fx.Interpreter):
    """Silences units of one value on its way."""

    def __init__(self, module: fx.GraphModule, name: str, silence: Callable[[Tensor], Tensor]) -> None:
        super().__init__(module)
        self._name = name
        self._silence = silence

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        return self._silence(value) if n.name == self._name else value
