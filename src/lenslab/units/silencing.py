"""A network with some of its units silenced for good, as a module of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from lenslab.units.engine.replacement import Replacement
from lenslab.units.engine.sites import Site, select
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import UnknownSiteError, UnsupportedNetworkError
from lenslab.units.networks import Network


class Silence(nn.Module):
    """Replaces some units of the value that it is given.

    Args:
        silent: which units, bool ``[units]``.
        fill: what they become, see `lenslab.units.engine.replacement.Replacement`.
    """

    silent: torch.Tensor
    fill: torch.Tensor

    def __init__(self, silent: torch.Tensor, fill: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("silent", silent)
        self.register_buffer("fill", fill)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Map ``[n, units, ...]`` to the same shape."""
        silent = self.silent.reshape(1, -1, *[1] * (value.dim() - 2))
        return torch.where(silent, Replacement(self.fill).everywhere(value), value)


def silenced(
    network: Network,
    site: str,
    units: Sequence[int],
    *,
    fill: float | torch.Tensor = 0.0,
) -> nn.Module:
    """Make a network in which some units of one site are silent, for use anywhere.

    Args:
        network: see `lenslab.units.load`; its module is copied and left as it is.
        site: the name of the site, see `lenslab.units.trace`.
        units: the units to silence.
        fill: what they become: a number, or a tensor ``[all units]`` or ``[all units, height, width]``.

    Returns:
        A module with its own parameters; it can be saved, moved and trained like any other.

    Raises:
        UnitsError: there is no such site or unit, or the network cannot be looked into.

    Example:
        >>> from lenslab.units import load
        >>> network = load("small", weights="digits")
        >>> without = silenced(network, "relu3", range(64))
        >>> torch.allclose(without(torch.ones(1, 1, 8, 8))[0], network.module.linear.bias)
        True
    """
    traced = trace(network.module, network.input_shape)
    (found,) = _one(traced, site)
    silent = torch.zeros(found.units, dtype=torch.bool)
    for unit in units:
        if not 0 <= unit < found.units:
            raise UnknownSiteError(f"site {site!r} has no unit {unit}; its units are 0 to {found.units - 1}")
        silent[unit] = True
    mask = Silence(silent, torch.as_tensor(fill, dtype=torch.float32))
    if traced.graph is None:
        return _around_module(traced, found, mask)
    quiet = copy.deepcopy(traced.graph.module)
    quiet.add_submodule("silence", mask)
    name = traced.graph.sites()[site][1].name
    node = next(each for each in quiet.graph.nodes if each.name == name)
    with quiet.graph.inserting_after(node):
        masked = quiet.graph.call_module("silence", (node,))
    node.replace_all_uses_with(masked, delete_user_cb=lambda user: user is not masked)
    quiet.recompile()
    return quiet.requires_grad_(True)


@contextmanager
def ablated(
    network: Network,
    site: str,
    units: Sequence[int],
    *,
    fill: float | torch.Tensor = 0.0,
) -> Iterator[nn.Module]:
    """Work with a network while some of its units are silent; the caller's own module is never touched.

    Args:
        network: see `silenced`.
        site: see `silenced`.
        units: see `silenced`.
        fill: see `silenced`.

    Yields:
        The silenced copy, in inference mode.
    """
    with torch.inference_mode():
        yield silenced(network, site, units, fill=fill)


def _one(traced: Trace, site: str) -> tuple[Site, ...]:
    found = select(traced.sites.values(), [site])
    if len(found) > 1:
        raise UnknownSiteError(f"{site!r} names {len(found)} sites; name one of them")
    return found


def _around_module(traced: Trace, site: Site, mask: Silence) -> nn.Module:
    """Without a graph, put the mask behind the module itself; that needs a module that is called once."""
    if ":" in site.name:
        raise UnsupportedNetworkError(
            f"{site.name!r} is one of several calls of a module in a network that torch.fx cannot trace; only a module "
            "that is called once can be silenced for good there"
        )
    network = copy.deepcopy(traced.module).requires_grad_(True)
    network.set_submodule(site.name, nn.Sequential(network.get_submodule(site.name), mask))
    return network
