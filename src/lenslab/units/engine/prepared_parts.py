"""The parts of a network that were prepared to be run, each for a number of rows, as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, fx

from lenslab.units.engine.execution import EAGER, PLAIN, Execution, Part, prepared
from lenslab.units.engine.rows import filled

_BYTES = 1 << 30
"""Bytes of weights that prepared parts hold, each its own copy; those that were not run for longest make room."""


_STEP, _FEWEST = 4, 16
"""A part is compiled for as many rows as are run at once, and for so many times fewer, down to a fewest."""


@dataclass(frozen=True)
class _Prepared:
    part: Part
    size: int


def pieces(rows: int, most: int, execution: Execution) -> Iterator[tuple[int, int]]:
    """Cut rows into pieces that are run at once: where parts are compiled, so that few rows are filled up.

    Yields:
        How many rows, and for how many the part is prepared.

    Example:
        >>> [*pieces(330, 256, Execution("openvino"))], [*pieces(330, 256, PLAIN)]
        ([(256, 256), (64, 64), (10, 16)], [(256, 256), (74, 256)])
    """
    size = most
    while rows:
        while execution.executor != EAGER and size > max(rows, _FEWEST):
            size = max(size // _STEP, _FEWEST)
        yield min(size, rows), size
        rows -= min(size, rows)


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
            rows: For how many rows it is prepared; fewer are filled up.
            execution: How it is run.
        """
        if execution == PLAIN:
            result = module(*values)
            return result if isinstance(result, tuple) else (result,)
        named = key, execution, rows
        if named not in self._parts:
            size = sum(parameter.nbytes for parameter in module.parameters())
            while self._parts and size + sum(held.size for held in self._parts.values()) > _BYTES:
                self._parts.popitem(last=False)
            examples = [filled(value, rows) if len(value) == len(values[0]) else value for value in values]
            self._parts[named] = _Prepared(prepared(module, examples, execution), size)
        self._parts.move_to_end(named)
        return self._parts[named].part(values)
