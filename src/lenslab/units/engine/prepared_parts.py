"""The parts of a network that were prepared to be run, and stay so as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, fx

from lenslab.units.engine.execution import PLAIN, Execution, Part, prepared

_BYTES = 1 << 30
"""Bytes of weights that prepared parts hold, each its own copy; those that were not run for longest make room."""


class PreparedParts:
    """Prepares a part where it is first run, for as many rows at once, and keeps it for the next time."""

    def __init__(self) -> None:
        self._parts: OrderedDict[Hashable, tuple[Part, int]] = OrderedDict()

    def run(
        self, key: Hashable, module: fx.GraphModule, values: Sequence[Tensor], rows: int, execution: Execution
    ) -> Sequence[Tensor]:
        """Run a part on some values.

        Args:
            key: What it is known by.
            module: What it is.
            values: Of each of its inputs, at most so many rows.
            rows: Of how many rows it is prepared for.
            execution: How it is run.
        """
        if execution == PLAIN:
            result = module(*values)
            return result if isinstance(result, tuple) else (result,)
        named = key, execution
        if named not in self._parts:
            size = sum(parameter.nbytes for parameter in module.parameters())
            while self._parts and size + sum(held for _, held in self._parts.values()) > _BYTES:
                self._parts.popitem(last=False)
            examples = [_of_rows(value, len(values[0]), rows) for value in values]
            self._parts[named] = prepared(module, examples, execution), size
        self._parts.move_to_end(named)
        return self._parts[named][0](values)


def _of_rows(value: Tensor, there: int, rows: int) -> Tensor:
    """Repeat the last row of a value that has one for each image."""
    if len(value) != there:
        return value
    layout = torch.channels_last if value.dim() == 4 else torch.contiguous_format
    filled = torch.cat([value, value[-1:].expand(rows - there, *value.shape[1:])])
    return filled.contiguous(memory_format=layout)
