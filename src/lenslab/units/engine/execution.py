"""What runs a part of a network, and in which precision: torch itself, OpenVINO, or a recording of a GPU's work."""

from __future__ import annotations

import copy
import importlib.util
import timeit
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor, fx

from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.errors import UnitsError

EAGER = "eager"
OPENVINO = "openvino"
CUDA_GRAPH = "cuda graph"
AUTO = "auto"

EXECUTORS = (AUTO, EAGER, OPENVINO)
"""What can be asked for: OpenVINO where that is worth it and installed, torch alone, or OpenVINO everywhere."""

Part: TypeAlias = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""Something that takes values, a row for each image, and gives values."""

FLOAT32 = "float32"
MIXED = "mixed"

ARITHMETICS = (AUTO, FLOAT32, MIXED)
"""In what pairs can be decided, see `precision_of`."""

_TRIED, _FAST = 768, 1.3
"""A product of two square matrices of this size has to be so many times as fast."""

_WORTH_COMPILING = 3e10
"""Multiply-accumulates from which on compiling, a fraction of a second, is little beside running."""


@dataclass(frozen=True)
class Execution:
    """How a part of a network is run.

    Attributes:
        executor: ``"eager"`` (torch, operation by operation), ``"openvino"`` (compiled for batches of one size) or, on
            GPUs, ``"cuda graph"`` (recorded for batches of one size).
        precision: ``torch.float32``, or ``torch.bfloat16`` where what follows decides again what that leaves open.
    """

    executor: str = EAGER
    precision: torch.dtype = torch.float32


PLAIN = Execution()
"""torch in float32."""


def installed() -> bool:
    """Tell whether OpenVINO is there (``pip install 'lenslab[fast]'``)."""
    return importlib.util.find_spec("openvino") is not None


def refuse_executor(executor: str) -> None:
    """Refuse an executor that does not exist or is not installed.

    Raises:
        UnitsError: It says what there is, or what to install.

    Example:
        >>> refuse_executor("eager")
    """
    if executor not in EXECUTORS:
        raise UnitsError(f"no executor named {executor!r}; there are {', '.join(EXECUTORS)}")
    if executor == OPENVINO and not installed():
        raise UnitsError("OpenVINO is not installed; pip install 'lenslab[fast]', or leave the executor to itself")


def execution_of(executor: str, cost: float, precision: torch.dtype = torch.float32, device: str = "cpu") -> Execution:
    """Give how a part is run that takes so many multiply-accumulates in all, on such a kind of device.

    The cost decides, and no clock: equal questions would otherwise differ in their last bits.

    Example:
        >>> execution_of("auto", 1e6).executor, execution_of("openvino", 1e6).executor
        ('eager', 'openvino')
    """
    if executor == AUTO and cost >= _WORTH_COMPILING:
        executor = {"cpu": OPENVINO if installed() else EAGER, "cuda": CUDA_GRAPH}.get(device, EAGER)
    return Execution(EAGER if executor == AUTO else executor, precision)


def precision_of(arithmetic: str, device: str = "cpu") -> torch.dtype:
    """Settle in which precision pairs are decided first on a device, in torch's words.

    ``"float32"``; ``"mixed"``, in bfloat16 and again in float32 where that is needed; or ``"auto"``, which is mixed
    where the device is fast at it.

    Raises:
        UnitsError: There is no such arithmetic.

    Example:
        >>> precision_of("mixed"), precision_of("float32")
        (torch.bfloat16, torch.float32)
    """
    if arithmetic not in ARITHMETICS:
        raise UnitsError(f"no arithmetic named {arithmetic!r}; there are {', '.join(ARITHMETICS)}")
    mixed = arithmetic == MIXED or (arithmetic == AUTO and bfloat16_is_fast(device))
    return torch.bfloat16 if mixed else torch.float32


@cache
def bfloat16_is_fast(device: str = "cpu") -> bool:
    """Measure once whether a device multiplies in bfloat16 well faster than in float32."""
    took = {}
    with full_precision():
        for precision in (torch.float32, torch.bfloat16):
            matrix = torch.ones(_TRIED, _TRIED, dtype=precision, device=device)
            # Reading a number waits for the device.
            took[precision] = min(timeit.repeat(lambda m=matrix: (m @ m)[0, 0].item(), number=1, repeat=5))  # type: ignore[misc]
    return took[torch.bfloat16] * _FAST < took[torch.float32]


def prepared(module: fx.GraphModule, examples: Sequence[Tensor], execution: Execution) -> Part:
    """Prepare a part of a network; what cannot be compiled or recorded, torch runs.

    Args:
        module: Takes the values and gives one, or several.
        examples: A value of each input, of as many rows as will be run at once.
        execution: How it is run.
    """
    try:
        if execution.executor == OPENVINO:
            from lenslab.units.engine.openvino_part import OpenVinoPart

            return OpenVinoPart(module, examples, execution.precision)
        if execution.executor == CUDA_GRAPH:
            from lenslab.units.engine.cuda_graph_part import CudaGraphPart

            return CudaGraphPart(module, examples, execution.precision)
    except Exception as error:  # each of their front ends raises kinds of its own
        why = (str(error).strip() or repr(error)).splitlines()[0]
        warnings.warn(
            f"torch runs a part of the network that {execution.executor} cannot: {why}", RuntimeWarning, stacklevel=2
        )
    return EagerPart(module, execution.precision)


class EagerPart:
    """A part of a network that torch runs, operation by operation, on a copy of its weights in another precision."""

    def __init__(self, module: fx.GraphModule, precision: torch.dtype) -> None:
        self._module = copy.deepcopy(module).to(precision)
        self._precision = precision

    def __call__(self, values: Sequence[Tensor]) -> Sequence[Tensor]:
        """Run it."""
        result = self._module(*(self._rounded(value) for value in values))
        return [each.float() for each in (result if isinstance(result, tuple) else (result,))]

    def _rounded(self, value: Tensor) -> Tensor:
        return value.to(self._precision) if value.is_floating_point() else value
