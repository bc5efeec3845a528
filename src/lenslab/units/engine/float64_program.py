"""A program in float64 throughout, also where the network itself asks for float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from lenslab.units.engine.program import Program

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Float64Mode(TorchFunctionMode):
    """While it is active, every request for float32 is one for float64: ``x.float()``, ``dtype=torch.float32``.

    Example:
        >>> with Float64Mode():
        ...     torch.ones(2, dtype=torch.float64).float().dtype
        torch.float64
    """

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        called = torch.Tensor.double if func is torch.Tensor.float else func
        args, kwargs = pytree.tree_map(_as_float64, (tuple(args), dict(kwargs or {})))
        return called(*args, **kwargs)


class Float64Program:
    """Runs a program of precision float64, for networks that cast on their way."""

    def __init__(self, program: Program) -> None:
        self.logits = _in_float64(program.logits)
        self.golden = _in_float64(program.golden)
        self.ablated_logits = _in_float64(program.ablated_logits)
        self.resumed_logits = _in_float64(program.resumed_logits)


def _in_float64(run: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    def run_in_float64(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with Float64Mode():
            return run(*args, **kwargs)

    return run_in_float64


def _as_float64(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else value
