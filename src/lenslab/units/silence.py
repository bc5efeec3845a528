"""What silence is: from the word for a replacement to the values that the units of each site become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from lenslab.units.engine.plan import Plan
from lenslab.units.engine.replacement import Replacement
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnitsError
from lenslab.units.images import Images
from lenslab.units.preprocessing import Preprocessing

ZERO = "zero"
MEAN = "mean"
MEAN_MAP = "mean-map"
FILTER = "filter"

_BATCH = 64
"""Images per batch when means are measured; fixed, so that the last bits of a mean depend on nothing else."""


def word_for(replacement: str | float) -> str:
    """Write a replacement in its one form: ``zero``, ``mean``, ``mean-map``, ``filter``, or a number.

    Args:
        replacement: the word, or the constant that silenced units become.

    Raises:
        UnitsError: there is no such replacement.

    Example:
        >>> word_for("mean"), word_for("0.50"), word_for(0)
        ('mean', '0.5', 'zero')
    """
    if replacement in (ZERO, MEAN, MEAN_MAP, FILTER):
        return str(replacement)
    try:
        constant = float(replacement)
    except ValueError:
        constant = float("nan")
    if not np.isfinite(constant):
        raise UnitsError(
            f"no replacement {replacement!r}; there are zero, mean (of each unit), mean-map (of each unit at each "
            "position), filter (weights and bias 0), or a number"
        )
    return repr(constant) if constant else ZERO


def with_replacements(
    plans: Sequence[Plan],
    word: str,
    trace: Trace,
    reference: Images,
    preprocessing: Preprocessing,
    device: torch.device,
) -> tuple[Plan, ...]:
    """Give every plan what its units become.

    Args:
        plans: the plans.
        word: see `word_for`.
        trace: the network seen from inside.
        reference: the images that means are measured on.
        preprocessing: from pixels to the network's input.
        device: where to run.
    """
    if word in (ZERO, FILTER):
        return tuple(plans)
    if word not in (MEAN, MEAN_MAP):
        constant = Replacement(torch.tensor(float(word), dtype=torch.float64))
        return tuple(replace(plan, replacement=constant) for plan in plans)
    maps = _mean_maps(plans, trace, reference, preprocessing, device)
    if word == MEAN:
        maps = {name: fill if fill.dim() == 1 else fill.flatten(1).mean(dim=1) for name, fill in maps.items()}
    return tuple(replace(plan, replacement=Replacement(maps[plan.cut])) for plan in plans)


def _mean_maps(
    plans: Sequence[Plan], trace: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> dict[str, torch.Tensor]:
    program, names = trace.program(device), [plan.cut for plan in plans]
    sums: dict[str, torch.Tensor] = {}
    with torch.inference_mode():
        for block in images.blocks(_BATCH):
            golden = program.golden(preprocessing(block.pixels).to(device), names)
            for name in names:
                total = golden.values[name].double().sum(dim=0)
                sums[name] = total + sums[name] if name in sums else total
    return {name: total / len(images) for name, total in sums.items()}
