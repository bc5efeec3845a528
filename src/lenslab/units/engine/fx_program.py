"""A network that torch.fx traced, as a program: any value can be recorded, replaced and resumed from."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.low_rank_update import LowRankUpdate, low_rank_update
from lenslab.units.engine.network_suffix import Suffix, allow_channels_last, folded, recording, suffix
from lenslab.units.engine.prepared_parts import PreparedParts, pieces
from lenslab.units.engine.program import Golden
from lenslab.units.engine.rows import filled, rows_of
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention

_FEWEST_PAIRS, _MOST_PAIRS = 16, 512
_NUMBERS = 1 << 20
"""Numbers that the pairs of one run start from: what follows works best on what the cache holds."""


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
        self._updates: dict[str, LowRankUpdate] = {}
        self._prepared_parts = PreparedParts()
        self._most_images = 0
        self._whole = copy.deepcopy(graph.module).to(device, precision)
        if fast:
            for layer in self._whole.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
            self._whole = allow_channels_last(self._whole)
        self._recordings: dict[tuple[str, ...], fx.GraphModule] = {}

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the whole network."""
        result: Tensor = self._whole(self._prepared(inputs))
        return result

    def golden(
        self, inputs: Tensor, sites: Sequence[str], updated: Collection[str] = (), execution: Execution = PLAIN
    ) -> Golden:
        """Run the whole network and record these sites, and what resuming from them takes.

        For the sites of ``updated`` what `updated_logits` takes is recorded, too.
        """
        prepared = self._prepared(inputs)
        names = {site: self._nodes[site].name for site in sites}
        parts = [self._suffix(self._nodes[site], self._graph.result) for site in sites]
        updates = [self._update(site) for site in updated]
        frontier = [*(part.frontier for part in parts), *((*each.names, *each.rest.frontier) for each in updates)]
        wanted = tuple(dict.fromkeys((*names.values(), *itertools.chain.from_iterable(frontier))))
        module = self._recording(wanted)
        recorded: Sequence[Any]
        if all(name in self._per_image for name in wanted):
            self._most_images = max(self._most_images, len(prepared))
            recorded = self._prepared_parts.run(wanted, module, [prepared], self._most_images, execution)
        else:
            recorded = module(prepared)
        values = dict(zip(wanted, recorded[1:], strict=True))
        return Golden(recorded[0], {site: values[name] for site, name in names.items()}, prepared, values)

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
        execution: Execution = PLAIN,
    ) -> Tensor:
        """Run only what follows from a site, for images ``rows`` of the golden pass.

        Unit ``units[i]`` is silenced in row ``i``; ``None`` silences nothing. The intervention is for all images of the
        golden batch.
        """
        part, value = self._suffix(self._nodes[site], self._graph.result), golden.values[site]

        def inputs(some: Tensor, some_units: Tensor | None) -> list[Any]:
            start = rows_of(value, some)
            if some_units is not None:
                start = intervention.at(some).applied(start, some_units, in_place=True)
            return [start, *self._gathered(part, golden, some)]

        return self._run(part, golden, rows, units, inputs, value[0].numel(), execution)

    def updated_logits(
        self,
        golden: Golden,
        site: str,
        rows: Tensor,
        units: Tensor,
        intervention: SiteIntervention,
        execution: Execution = PLAIN,
    ) -> Tensor:
        """Run what follows from the first dense layers behind a site, which change by a share of them.

        Target ``units[i]`` is silenced on image ``rows[i]`` of the golden pass; equal ones stand together.
        """
        update, value = self._update(site), golden.values[site]

        def inputs(some: Tensor, some_units: Tensor | None) -> list[Any]:
            assert some_units is not None
            updated = update.updated(golden.frontier, value, some, some_units, intervention)
            return [*updated, *self._gathered(update.rest, golden, some)]

        numbers = max(golden.frontier[name][0].numel() for name in update.names)
        return self._run(update.rest, golden, rows, units, inputs, numbers, execution)

    def _run(
        self,
        part: Suffix,
        golden: Golden,
        rows: Tensor,
        units: Tensor | None,
        inputs: Callable[[Tensor, Tensor | None], list[Any]],
        numbers: int,
        execution: Execution,
    ) -> Tensor:
        """Run a part for some rows; so many at once, a power of two, that what they start from fits the cache.

        Some networks carry the batch's size as a number; so the rows are filled up to the golden batch where a number
        is among the values that the rest needs, and torch itself runs it.
        """
        size = pairs_at_once(numbers)
        fixed = _carries_numbers(part, golden)
        if fixed:
            size, execution = len(golden.inputs), PLAIN
        found, start = [], 0
        for count, prepared in pieces(len(rows), size, execution):
            some, some_units = (None if each is None else each[start : start + count] for each in (rows, units))
            assert some is not None
            if fixed:
                some, some_units = filled(some, size), None if some_units is None else filled(some_units, size)
            (logits,) = self._prepared_parts.run(part, part.module, inputs(some, some_units), prepared, execution)
            found.append(logits[:count])
            start += count
        return torch.cat(found)

    def _gathered(self, part: Suffix, golden: Golden, rows: Tensor) -> list[Any]:
        """Gather the values of a part's frontier for these images."""
        values = {name: golden.frontier[name] for name in part.frontier}
        return [rows_of(value, rows) if name in self._per_image else value for name, value in values.items()]

    def _update(self, site: str) -> LowRankUpdate:
        if site not in self._updates:
            self._updates[site] = low_rank_update(self._graph, self._nodes[site], self._whole)
        return self._updates[site]

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
            part = suffix(self._graph, [start], end, self._whole)
            if self._fast:
                part = replace(part, module=folded(allow_channels_last(part.module)))
            self._suffixes[start, end] = part
        return self._suffixes[start, end]

    def _recording(self, names: tuple[str, ...]) -> fx.GraphModule:
        """Make the whole network put out these values beside the logits."""
        if names not in self._recordings:
            module = recording(self._whole, names)
            self._recordings[names] = folded(module) if self._fast else module
        return self._recordings[names]

    def _prepared(self, inputs: Tensor) -> Tensor:
        prepared = inputs.to(self._device, self._precision, copy=True)  # a network may overwrite its input
        channels_last = self._fast and prepared.dim() == 4
        return prepared.contiguous(memory_format=torch.channels_last) if channels_last else prepared


def pairs_at_once(numbers: int) -> int:
    """Say how many pairs are run at once that start from so many numbers each."""
    return max(_FEWEST_PAIRS, min(_MOST_PAIRS, 1 << (_NUMBERS // numbers).bit_length() >> 1))


def _carries_numbers(part: Suffix, golden: Golden) -> bool:
    """Tell whether a part needs a number, such as the batch's size, and so as many rows as the golden pass had."""
    return not all(isinstance(golden.frontier[name], Tensor) for name in part.frontier)


class _Silencer(fx.Interpreter):
    """Silences units of one value on its way."""

    def __init__(self, module: fx.GraphModule, name: str, silence: Callable[[Tensor], Tensor]) -> None:
        super().__init__(module)
        self._name = name
        self._silence = silence

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        return self._silence(value) if n.name == self._name else value
