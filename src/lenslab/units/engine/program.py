"""A network as something that can be run, recorded, cut and resumed: what every engine is written against."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, SiteIntervention


@dataclass(frozen=True)
class Golden:
    """One clean pass over a batch of images, with what is needed to resume it.

    Attributes:
        logits: ``[images, classes]``.
        values: Each recorded site's value, ``[images, units, ...]``, by the site's name.
        inputs: The batch itself.
        frontier: Values that the passes resumed from the sites need, by their names inside the network.
    """

    logits: Tensor
    values: Mapping[str, Tensor]
    inputs: Tensor
    frontier: Mapping[str, Any]


class Program(Protocol):
    """A network in evaluation mode on one device in one precision."""

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the whole network."""
        ...

    def golden(
        self, inputs: Tensor, sites: Sequence[str], dense: Collection[str] = (), execution: Execution = PLAIN
    ) -> Golden:
        """Run the whole network and record these sites, and what resuming from them takes.

        For the sites of ``dense`` the values of the first dense layers behind them are recorded, too.
        """
        ...

    def ablated_logits(
        self, inputs: Tensor, site: str, units: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT
    ) -> Tensor:
        """Run the whole network with unit ``units[i]`` of the site silenced on image ``i``."""
        ...

    def resumed_logits(
        self,
        golden: Golden,
        site: str,
        rows: Tensor,
        units: Tensor | None,
        intervention: SiteIntervention = ZERO_REPLACEMENT,
        execution: Execution = PLAIN,
    ) -> Tensor:
        """Run the rest of the network from a site on, for images ``rows`` of the golden pass.

        Unit ``units[i]`` is silenced in row ``i``; ``None`` silences nothing. The intervention is for all images of the
        golden batch.
        """
        ...
