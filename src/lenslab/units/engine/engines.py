"""The engines by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch

from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.plain_engine import PlainEngine
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace

Engine: TypeAlias = ExactEngine | PlainEngine
"""What silences units on a batch and gives the same integers, whichever it is."""

ENGINES = ("exact", "plain")
"""The engines by name."""


def engine(
    name: str,
    trace: Trace,
    plans: Sequence[Plan],
    device: torch.device,
    *,
    top: int | None = None,
    clean: Execution = PLAIN,
) -> Engine:
    """Make an engine.

    Args:
        name: One of :data:`ENGINES`.
        trace: The network.
        plans: What happens at each site.
        device: Where to run.
        top: Among how many of the largest logits the true class is looked for; ``None`` does not look.
        clean: How the exact engine runs its clean passes.
    """
    if name == "plain":
        return PlainEngine(trace, plans, device, top)
    return ExactEngine(trace, plans, device, top, clean)
