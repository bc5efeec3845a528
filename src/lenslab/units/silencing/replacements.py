"""Replacements: the values that the silenced units of each site become, measured where they have to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.runs.arguments import whole_number
from lenslab.runs.intervention import ENERGY, FILTER, MEAN, MEAN_MAP, RESAMPLE, UNITS, ZERO, Intervention
from lenslab.units.engine.batch import batches
from lenslab.units.engine.random_directions import haar, matched
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT, Replacement, Sets, SiteIntervention
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnknownSiteError
from lenslab.units.images import Images
from lenslab.units.images.preprocessing import Preprocessing

_BATCH = 64
"""Images per batch when means are measured; fixed, so that the last bits of a mean depend on nothing else."""


def site_interventions(sites: Sequence[Site], intervention: Intervention, seed: int) -> dict[str, SiteIntervention]:
    """Choose what is silenced at each site, where it is not each unit alone; the seed decides directions."""
    if intervention.basis != UNITS:  # the energies are measured when the sweep begins, see `with_replacements`
        return {site.name: haar(site.units, seed) for site in sites}
    groups = intervention.groups
    return {
        site.name: Sets(members(site, groups[site.name]), ZERO_REPLACEMENT) for site in sites if site.name in groups
    }


def members(site: Site, groups: Sequence[Sequence[int]]) -> Tensor:
    """Mark the units of each set at a site, bool ``[sets, units]``."""
    marked = torch.zeros(len(groups), site.units, dtype=torch.bool)
    for row, group in zip(marked, groups, strict=True):
        for unit in (whole_number("a unit", each, least=None) for each in group):
            if not 0 <= unit < site.units:
                raise UnknownSiteError(f"site {site.name!r} has no unit {unit}; its units are 0 to {site.units - 1}")
            row[unit] = True
    return marked


def with_replacements(
    plans: Sequence[Plan],
    intervention: Intervention,
    trace: Trace,
    reference: Images,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    seed: int = 0,
) -> tuple[Plan, ...]:
    """Put what the units become into every plan, as far as it is the same on every image.

    Means and energies are measured on the reference images; the seed decides random directions.
    """
    word = intervention.replacement
    if intervention.basis == ENERGY:
        moments = _second_moments(plans, trace, reference, preprocessing, device)
        return tuple(replace(plan, intervention=matched(moments[plan.cut], seed)) for plan in plans)
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
    """Put what the units, or the members of sets, become into a plan."""
    if isinstance(plan.intervention, Sets):
        return replace(plan, intervention=replace(plan.intervention, replacement=replacement))
    return replace(plan, intervention=replacement)


def _mean_maps(
    plans: Sequence[Plan], trace: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> dict[str, Tensor]:
    sums, count = _sums(plans, trace, images, preprocessing, device, lambda value: value.sum(dim=0))
    return {name: total / count for name, total in sums.items()}


def _second_moments(
    plans: Sequence[Plan], trace: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> dict[str, NDArray[np.float64]]:
    def products(value: Tensor) -> Tensor:
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
    summand: Callable[[Tensor], Tensor],
) -> tuple[dict[str, Tensor], int]:
    """Add something up over all images, in float64, and count them."""
    program, names = trace.program(device), [plan.cut for plan in plans]
    sums: dict[str, Tensor] = {}
    count = 0
    with torch.inference_mode():
        for _, batch in batches(images, preprocessing, _BATCH, device):
            if not len(batch):
                continue
            values = program.golden(batch.inputs, names).values
            for name in names:
                total = summand(values[name].double())
                sums[name] = total + sums[name] if name in sums else total
            count += len(batch)
    return sums, count
