"""A network with some of its units silenced for good, as a module of its own; and the same for a ``with`` block."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from lenslab.runs.intervention import FILTER, MEAN, MEAN_MAP, ZERO, Intervention
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.engine.site_plan import Plan, plan
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import UnitsError, UnknownSiteError, UnsupportedNetworkError
from lenslab.units.images import Source, open_images
from lenslab.units.networks import Network
from lenslab.units.silencing.replacements import members, with_replacements

FillValue: TypeAlias = float | Tensor
"""What silent units become: a number, or a tensor ``[all units]`` or ``[all units, height, width]``."""


class SilencingLayer(nn.Module):
    """A layer that silences units for good: some units (bool ``[units]``) become the fill, see `Replacement`."""

    silent: Tensor
    fill: Tensor

    def __init__(self, silent: Tensor, fill: Tensor) -> None:
        super().__init__()
        self.register_buffer("silent", silent)
        self.register_buffer("fill", fill)

    def forward(self, value: Tensor) -> Tensor:
        """Map ``[n, units, ...]`` to the same shape."""
        silent = self.silent.reshape(1, -1, *[1] * (value.dim() - 2))
        return torch.where(silent, Replacement(self.fill).everywhere(value), value)


def silenced(
    network: Network,
    site: str | Mapping[str, Sequence[int]],
    units: Sequence[int] | None = None,
    replacement: str | float = "zero",
    *,
    fill: FillValue | Mapping[str, FillValue] | None = None,
    reference: Source | None = None,
) -> nn.Module:
    """Make a network in which some units of one or more sites are silent, for use anywhere.

    Args:
        network: See `lenslab.units.load`; its module is copied and left as it is.
        site: The name of the site, see `lenslab.units.trace`; or the units to silence by the names of their sites.
        units: The units of the one site.
        replacement: What they become, in the words of `lenslab.units.ablate`: ``"zero"``, ``"mean"``, ``"mean-map"``,
            ``"filter"`` or a number.
        fill: What they become, in place of a word: a number, or a tensor ``[all units]`` or ``[all units, height,
            width]``; for several sites one for all, or one by the name of each.
        reference: The images that ``"mean"`` and ``"mean-map"`` are measured on, with nothing silenced.

    Returns:
        A module with its own parameters; it can be saved, moved and trained like any other.

    Raises:
        UnitsError: There is no such site, unit or replacement, or the network cannot be looked into.

    Example:
        >>> from lenslab.units import load
        >>> network = load("small", weights="digits")
        >>> without = silenced(network, "relu3", range(64))
        >>> torch.allclose(without(torch.ones(1, 1, 8, 8))[0], network.module.linear.bias)
        True
        >>> several = silenced(network, {"relu1": [3], "relu2": [0, 5]}, replacement="mean", reference="digits")
        >>> several(torch.ones(1, 1, 8, 8)).shape
        torch.Size([1, 10])
    """
    wanted = sites_and_units(site, units)
    traced = trace(network)
    cuts = masks_of(traced, network, wanted, replacement, fill, reference)
    device = next((each.device for each in traced.module.parameters()), torch.device("cpu"))
    masks = {cut: SilencingLayer(silent, value).to(device) for cut, (silent, value) in cuts.items()}
    if traced.graph is None:
        return _around_modules(traced, masks)
    quiet = copy.deepcopy(traced.graph.module)
    nodes = traced.graph.sites()
    for number, (cut, mask) in enumerate(masks.items()):
        name = f"silence_{number}" if number else "silence"
        quiet.add_submodule(name, mask)
        node = next(each for each in quiet.graph.nodes if each.name == nodes[cut][1].name)
        with quiet.graph.inserting_after(node):
            masked = quiet.graph.call_module(name, (node,))
        node.replace_all_uses_with(masked, delete_user_cb=lambda user, masked=masked: user is not masked)
    quiet.recompile()
    return quiet.requires_grad_(True)


def masks_of(
    traced: Trace,
    network: Network,
    wanted: Mapping[str, Sequence[int]],
    replacement: str | float,
    fill: FillValue | Mapping[str, FillValue] | None,
    reference: Source | None,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Find where the network is cut, which units are silent there, and what they become; see `silenced`.

    Returns:
        By the name of the site whose value is replaced (with ``"filter"``, the filters' own output): the silent units,
        bool ``[units]``, and their fill, float32.
    """
    sites = [_one(traced, name) for name in wanted]
    intervention = Intervention.of(replacement)
    word = intervention.replacement
    if fill is not None and word != ZERO:
        raise UnitsError(f"a fill and the replacement {word} are given; give one of the two")
    plans = plan(traced, sites, engine="plain", at_filters=word == FILTER)
    fills = _fills(plans, traced, network, intervention, reference) if fill is None else _given(wanted, fill)
    masks: dict[str, tuple[Tensor, Tensor]] = {}
    for planned, units, value in zip(plans, wanted.values(), fills, strict=True):
        (silent,) = members(planned.site, [units])
        if planned.cut in masks:  # one site named in two ways, or two sites behind the same filters
            silent |= masks[planned.cut][0]
        masks[planned.cut] = silent, value
    return masks


def _fills(
    plans: Sequence[Plan], traced: Trace, network: Network, intervention: Intervention, reference: Source | None
) -> list[Tensor]:
    word = intervention.replacement
    if word in (MEAN, MEAN_MAP):
        if reference is None:
            raise UnitsError(f"the replacement {word} is measured on images; give some as reference")
        measured_on, device = open_images(reference), torch.device("cpu")
        plans = with_replacements(plans, intervention, traced, measured_on, network.preprocessing, device)
        return [each.intervention.fill.float() for each in plans if isinstance(each.intervention, Replacement)]
    try:
        constant = 0.0 if word in (ZERO, FILTER) else float(word)
    except ValueError:
        raise UnitsError(f"{word} becomes something else on every image; a module holds one value for all") from None
    return [torch.tensor(constant)] * len(plans)


def _given(wanted: Mapping[str, Sequence[int]], fill: FillValue | Mapping[str, FillValue]) -> list[Tensor]:
    fills = fill if isinstance(fill, Mapping) else dict.fromkeys(wanted, fill)
    if fills.keys() != wanted.keys():
        raise UnknownSiteError(f"units are given for {', '.join(wanted)}, and fills for {', '.join(fills)}")
    return [torch.as_tensor(fills[name], dtype=torch.float32) for name in wanted]


def sites_and_units(
    site: str | Mapping[str, Sequence[int]], units: Sequence[int] | None
) -> Mapping[str, Sequence[int]]:
    """Read what is silenced as one mapping from the names of sites to their units."""
    wanted = {site: units} if isinstance(site, str) and units is not None else site
    if not isinstance(wanted, Mapping) or not wanted or (wanted is site and units is not None):
        raise UnitsError("say what to silence by a site and its units, or by one mapping from sites to units")
    for name, silent in wanted.items():
        if isinstance(silent, str) or not isinstance(silent, Iterable):
            raise UnitsError(f"the units of {name} are a list of whole numbers, such as [3, 7], not {silent!r:.80}")
    return wanted


def _one(traced: Trace, site: str) -> Site:
    found = traced.select(site)
    if len(found) > 1:
        raise UnknownSiteError(f"{site!r} names {len(found)} sites; name one of them")
    return found[0]


def _around_modules(traced: Trace, masks: Mapping[str, SilencingLayer]) -> nn.Module:
    """Without a graph, put each mask behind the module itself; that needs modules that are called once."""
    network = copy.deepcopy(traced.module).requires_grad_(True)
    for name, mask in masks.items():
        if ":" in name:
            raise UnsupportedNetworkError(
                f"{name!r} is one of several calls of a module in a network that torch.fx cannot trace; only a module "
                "that is called once can be silenced for good there"
            )
        network.set_submodule(name, nn.Sequential(network.get_submodule(name), mask))
    return network
