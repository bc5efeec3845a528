"""The parts of a network that were prepared to be run, and stay so as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import Tensor, fx

from lenslab.units.engine.execution import PLAIN, Execution, Part, prepared
from lenslab.units.engine.rows import filled

_BYTES = 1 << 30
"""Bytes of weights that prepared parts hold, each its own copy; those that were not run for longest make room."""


@dataclass(frozen=True)
class _Prepared:
    part: Part
    rows: int
    size: int


class PreparedParts:
    """Prepares a part where it is first run, for as many rows at once, and keeps it for the next time."""

    def __init__(self) -> None:
        self._parts: OrderedDict[Hashable, _Prepared] = OrderedDict()

    def run(
        self, key: Hashable, module: fx.GraphModule, values: Sequence[Tensor], rows: int, execution: Execution
    ) -> Sequence[Tensor]:
        """Run a part on some values.

        Args:
            key: What it is known by.
            module: What it is.
            values: Of each of its inputs, at most so many rows.
            rows: For how many rows it is prepared, if it was not for as many.
            execution: How it is run.
        """
        if execution == PLAIN:
            result = module(*values)
            return result if isinstance(result, tuple) else (result,)
        named = key, execution
        if named not in self._parts or self._parts[named].rows < len(values[0]):
            self._parts.pop(named, None)
            size = sum(parameter.nbytes for parameter in module.parameters())
            while self._parts and size + sum(held.size for held in self._parts.values()) > _BYTES:
                self._parts.popitem(last=False)
            examples = [filled(value, rows) if len(value) == len(values[0]) else value for value in values]
            self._parts[named] = _Prepared(prepared(module, examples, execution), rows, size)
        self._parts.move_to_end(named)
        return self._parts[named].part(values)
