"""A program in float64 throughout, also where the network itself asks for float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from lenslab.units.engine.program import Golden, Program
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention


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
        called = Tensor.double if func is Tensor.float else func
        args, kwargs = pytree.tree_map(_as_float64, (tuple(args), dict(kwargs or {})))
        return called(*args, **kwargs)


@dataclass(frozen=True)
class Float64Program:
    """Runs a program of precision float64, for networks that cast on their way.

    Attributes:
        program: See `lenslab.units.engine.program.Program`.
    """

    program: Program

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the whole network."""
        with Float64Mode():
            return self.program.logits(inputs)

    def golden(self, inputs: Tensor, sites: Sequence[str]) -> Golden:
        """Run the whole network and record these sites."""
        with Float64Mode():
            return self.program.golden(inputs, sites)

    def ablated_logits(
        self, inputs: Tensor, site: str, units: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT
    ) -> Tensor:
        """Run the whole network with unit ``units[i]`` of the site silenced on image ``i``."""
        with Float64Mode():
            return self.program.ablated_logits(inputs, site, units, intervention)

    def resumed_logits(
        self,
        golden: Golden,
        site: str,
        rows: Tensor,
        units: Tensor | None,
        intervention: SiteIntervention = ZERO_REPLACEMENT,
    ) -> Tensor:
        """Run the rest of the network from a site on, for images ``rows`` of the golden pass."""
        with Float64Mode():
            return self.program.resumed_logits(golden, site, rows, units, intervention)


def _as_float64(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else value
