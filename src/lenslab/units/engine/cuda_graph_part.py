"""A part of a network that a GPU has recorded once, and runs again without being told each operation."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, fx

_WARM_UP = 3
"""Runs before the recording, in which libraries choose what they will run."""


class CudaGraphPart:
    """Runs a part of a network as one CUDA graph, recorded for as many rows as its examples have.

    A graph reads and writes the same memory each time: values are copied there, with fewer rows than it was recorded
    for the others keep what they had, and results are copied away.
    """

    def __init__(self, module: fx.GraphModule, examples: Sequence[Tensor], precision: torch.dtype) -> None:
        self._module = module if precision is torch.float32 else copy.deepcopy(module).to(precision)
        # Never recorded on the values that it will be compared on: a graph that reads nothing would pass.
        self._inputs = [torch.zeros_like(self._rounded(value, precision)) for value in examples]
        with torch.cuda.device(examples[0].device):
            now, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(now)
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    self._run()
                self._graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self._graph, stream=aside):
                    self._outputs = self._run()
            now.wait_stream(aside)

    def __call__(self, values: Sequence[Tensor]) -> Sequence[Tensor]:
        """Run it."""
        rows, whole = len(values[0]), len(self._inputs[0])
        for kept, value in zip(self._inputs, values, strict=True):
            kept[: len(value)].copy_(value, non_blocking=True)
        self._graph.replay()
        return [output[:rows].float().clone() if len(output) == whole else output for output in self._outputs]

    def _run(self) -> tuple[Tensor, ...]:
        result = self._module(*self._inputs)
        return result if isinstance(result, tuple) else (result,)

    @staticmethod
    def _rounded(value: Tensor, precision: torch.dtype) -> Tensor:
        return value.to(precision) if value.is_floating_point() else value
