"""A program in float64 throughout, also where the network itself asks for float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from lenslab.units.engine.program import Golden, Program
from lenslab.units.engine.replacement import ZERO, Silencing


class Doubled(TorchFunctionMode):
    """While it is entered, every request for float32 is one for float64: ``x.float()``, ``dtype=torch.float32``.

    Example:
        >>> with Doubled():
        ...     torch.ones(2, dtype=torch.float64).float().dtype
        torch.float64
    """

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        called = torch.Tensor.double if func is torch.Tensor.float else func
        args, kwargs = pytree.tree_map(_doubled, (tuple(args), dict(kwargs or {})))
        return called(*args, **kwargs)


@dataclass(frozen=True)
class DoubleProgram:
    """Runs a program of precision float64, for networks that cast on their way.

    Attributes:
        program: See `lenslab.units.engine.program.Program`.
    """

    program: Program

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run the whole network."""
        with Doubled():
            return self.program.logits(inputs)

    def golden(self, inputs: torch.Tensor, sites: Sequence[str]) -> Golden:
        """Run the whole network and record these sites."""
        with Doubled():
            return self.program.golden(inputs, sites)

    def ablated(
        self, inputs: torch.Tensor, site: str, units: torch.Tensor, silencing: Silencing = ZERO
    ) -> torch.Tensor:
        """Run the whole network with unit ``units[i]`` of the site silenced on image ``i``."""
        with Doubled():
            return self.program.ablated(inputs, site, units, silencing)

    def resumed(
        self,
        golden: Golden,
        site: str,
        rows: torch.Tensor,
        units: torch.Tensor | None,
        silencing: Silencing = ZERO,
    ) -> torch.Tensor:
        """Run the rest of the network from a site on, for images ``rows`` of the golden pass."""
        with Doubled():
            return self.program.resumed(golden, site, rows, units, silencing)


def _doubled(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else value
