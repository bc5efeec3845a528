"""What silence is: from the word for a replacement to the values that the units of each site become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from lenslab.units.engine.directions import haar, matched
from lenslab.units.engine.plan import Plan
from lenslab.units.engine.replacement import ZERO as NOTHING
from lenslab.units.engine.replacement import Replacement, Sets, Silencing
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnitsError, UnknownSiteError
from lenslab.units.images import Images
from lenslab.units.preprocessing import Preprocessing

ZERO = "zero"
MEAN = "mean"
MEAN_MAP = "mean-map"
FILTER = "filter"
RESAMPLE = "resample"

UNITS = "units"
HAAR = "haar"
ENERGY = "energy"

_BATCH = 64
"""Images per batch when means are measured; fixed, so that the last bits of a mean depend on nothing else."""


def word_for(replacement: str | float) -> str:
    """Write a replacement in its one form: ``zero``, ``mean``, ``mean-map``, ``filter``, ``resample``, or a number.

    Args:
        replacement: the word, or the constant that silenced units become.

    Raises:
        UnitsError: there is no such replacement.

    Example:
        >>> word_for("mean"), word_for("0.50"), word_for(0)
        ('mean', '0.5', 'zero')
    """
    if replacement in (ZERO, MEAN, MEAN_MAP, FILTER, RESAMPLE):
        return str(replacement)
    try:
        constant = float(replacement)
    except ValueError:
        constant = float("nan")
    if not np.isfinite(constant):
        raise UnitsError(
            f"no replacement {replacement!r}; there are zero, mean (of each unit), mean-map (of each unit at each "
            "position), filter (weights and bias 0), resample (its map on another image), or a number"
        )
    return repr(constant) if constant else ZERO


def silencings_for(
    sites: Sequence[Site], word: str, basis: str, groups: Mapping[str, Sequence[Sequence[int]]], seed: int
) -> dict[str, Silencing]:
    """Say what is silenced at each site, where it is not each unit alone.

    Args:
        sites: the chosen sites.
        word: the replacement, see `word_for`.
        basis: ``"units"``, ``"haar"`` or ``"energy"``.
        groups: sets of units by the site's name.
        seed: decides random directions.

    Raises:
        UnitsError: there is no such basis or unit, or the two do not go together.
    """
    if basis not in (UNITS, HAAR, ENERGY):
        raise UnitsError(
            f"no basis {basis!r}; there are units, haar (random directions) and energy (random directions, each with "
            "the activation energy of a unit)"
        )
    if basis != UNITS and (groups or word != ZERO):
        raise UnitsError(
            "random directions are taken out (replacement zero), one at a time; leave replacement and sets"
        )
    if basis != UNITS:  # the energies are measured when the sweep begins, see `with_replacements`
        return {site.name: haar(site.units, seed) for site in sites}
    return {site.name: Sets(_members(site, groups[site.name]), NOTHING) for site in sites if site.name in groups}


def all_but(units: int, kept: Iterable[int]) -> list[int]:
    """Name every unit of a site except those to keep: a keep-only set is the silence of all the others.

    Args:
        units: how many the site has.
        kept: the units to keep.

    Example:
        >>> all_but(5, [1, 3])
        [0, 2, 4]
    """
    spared = set(kept)
    return [unit for unit in range(units) if unit not in spared]


def _members(site: Site, groups: Sequence[Sequence[int]]) -> torch.Tensor:
    members = torch.zeros(len(groups), site.units, dtype=torch.bool)
    for row, group in zip(members, groups, strict=True):
        for unit in group:
            if not 0 <= unit < site.units:
                raise UnknownSiteError(f"site {site.name!r} has no unit {unit}; its units are 0 to {site.units - 1}")
            row[unit] = True
    return members


def with_replacements(
    plans: Sequence[Plan],
    word: str,
    trace: Trace,
    reference: Images,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    basis: str = UNITS,
    seed: int = 0,
) -> tuple[Plan, ...]:
    """Give every plan what its units become, as far as that is the same on every image.

    Args:
        plans: the plans.
        word: see `word_for`.
        trace: the network seen from inside.
        reference: the images that means and energies are measured on.
        preprocessing: from pixels to the network's input.
        device: where to run.
        basis: see `silencings_for`.
        seed: decides random directions.
    """
    if basis == ENERGY:
        moments = _second_moments(plans, trace, reference, preprocessing, device)
        return tuple(replace(plan, silencing=matched(moments[plan.cut], seed)) for plan in plans)
    if word in (ZERO, FILTER, RESAMPLE):
        return tuple(plans)
    if word not in (MEAN, MEAN_MAP):
        constant = Replacement(torch.tensor(float(word), dtype=torch.float64))
        return tuple(replaced(plan, constant) for plan in plans)
    maps = _mean_maps(plans, trace, reference, preprocessing, device)
    if word == MEAN:
        maps = {name: fill if fill.dim() == 1 else fill.flatten(1).mean(dim=1) for name, fill in maps.items()}
    return tuple(replaced(plan, Replacement(maps[plan.cut])) for plan in plans)


def replaced(plan: Plan, replacement: Replacement) -> Plan:
    """Give a plan what its units, or the members of its sets, become."""
    if isinstance(plan.silencing, Sets):
        return replace(plan, silencing=replace(plan.silencing, replacement=replacement))
    return replace(plan, silencing=replacement)


def _mean_maps(
    plans: Sequence[Plan], trace: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> dict[str, torch.Tensor]:
    sums, count = _sums(plans, trace, images, preprocessing, device, lambda value: value.sum(dim=0))
    return {name: total / count for name, total in sums.items()}


def _second_moments(
    plans: Sequence[Plan], trace: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> dict[str, NDArray[np.float64]]:
    def products(value: torch.Tensor) -> torch.Tensor:
        by_unit = value.transpose(0, 1).flatten(1)
        return by_unit @ by_unit.T / (by_unit.shape[1] / len(value))

    sums, count = _sums(plans, trace, images, preprocessing, device, products)
    return {name: (total / count).cpu().numpy() for name, total in sums.items()}


def _sums(
    plans: Sequence[Plan],
    trace: Trace,
    images: Images,
    preprocessing: Preprocessing,
    device: torch.device,
    what: Callable[[torch.Tensor], torch.Tensor],
) -> tuple[dict[str, torch.Tensor], int]:
    """Add something up over all images, in float64, and count them."""
    program, names = trace.program(device), [plan.cut for plan in plans]
    sums: dict[str, torch.Tensor] = {}
    count = 0
    with torch.inference_mode():
        for block in images.blocks(_BATCH):
            if not len(block):
                continue
            golden = program.golden(preprocessing(block.pixels).to(device), names)
            for name in names:
                total = what(golden.values[name].double())
                sums[name] = total + sums[name] if name in sums else total
            count += len(block)
    return sums, count
