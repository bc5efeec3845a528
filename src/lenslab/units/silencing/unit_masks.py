"""Masks: which units of which sites are silent, in a small JSON file.

The file holds no code: the names of the sites, the silent units of each, what they become, and the hashes
of the network that the mask was made for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lenslab.records import atomic_write
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.trace import trace
from lenslab.units.errors import MaskError, UnitsError
from lenslab.units.images import Source
from lenslab.units.networks import Network
from lenslab.units.silencing.silenced_network import FillValue, masks_of, silenced, sites_and_units

FORMAT = 1
"""The format that this version writes, and the only one that it reads."""


@dataclass(frozen=True)
class Mask:
    """Which units of a network are silent, and what they become.

    Attributes:
        network: The name of the network that it was made for.
        architecture_sha256: Of that network, see `lenslab.units.engine.network_hash.hash_of_architecture`.
        weights_sha256: Of its tensors, see `lenslab.units.engine.network_hash.hash_of_weights`.
        units: The silent units, ascending, by the name of the site whose value is replaced.
        size: How many units each of these sites has.
        fill: What the silent units of each site become: a number for all, a list with one number per silent unit, or
            one map (a list of rows) per silent unit.
    """

    network: str
    architecture_sha256: str
    weights_sha256: str
    units: Mapping[str, tuple[int, ...]]
    size: Mapping[str, int]
    fill: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        network: Network,
        site: str | Mapping[str, Sequence[int]],
        units: Sequence[int] | None = None,
        replacement: str | float = "zero",
        *,
        fill: FillValue | Mapping[str, FillValue] | None = None,
        reference: Source | None = None,
    ) -> Mask:
        """Say which units of a network are silent; for the arguments see `lenslab.units.silenced`.

        With the replacement ``"filter"`` the mask is at the filters' own output.

        Raises:
            UnitsError: There is no such site, unit or replacement.

        Example:
            >>> from lenslab.units import load
            >>> network = load("small", weights="digits")
            >>> mask = Mask.of(network, {"relu1": [7, 3], "relu3": [0]})
            >>> mask.units, mask.applied_to(network)(torch.ones(1, 1, 8, 8)).shape
            ({'relu1': (3, 7), 'relu3': (0,)}, torch.Size([1, 10]))
        """
        wanted = sites_and_units(site, units)
        traced = trace(network)
        masks = masks_of(traced, network, wanted, replacement, fill, reference)
        return cls(
            network.name,
            hash_of_architecture(traced),
            hash_of_weights(traced.module),
            {name: tuple(np.flatnonzero(silent.numpy()).tolist()) for name, (silent, _) in masks.items()},
            {name: len(silent) for name, (silent, _) in masks.items()},
            {
                name: value.item() if value.dim() == 0 else value[silent].tolist()
                for name, (silent, value) in masks.items()
            },
        )

    def applied_to(self, network: Network, *, same_weights: bool = False) -> nn.Module:
        """Make a network in which the units are silent.

        Args:
            network: Of the mask's architecture; its module is copied and left as it is.
            same_weights: Refuse other weights too, as where the mask goes with one checkpoint.

        Returns:
            A module with its own parameters, see `lenslab.units.silenced`.

        Raises:
            MaskError: The mask was made for another network, or does not fit this one.
        """
        traced = trace(network)
        if hash_of_architecture(traced) != self.architecture_sha256:
            raise MaskError(
                f"the mask was made for the architecture of {self.network} ({self.architecture_sha256[:12]}), and "
                f"{network.name} is another one ({hash_of_architecture(traced)[:12]}); make one with units.Mask.of"
            )
        if same_weights and hash_of_weights(traced.module) != self.weights_sha256:
            raise MaskError(f"the mask was made for other weights of {self.network} ({self.weights_sha256[:12]})")
        try:
            fills: dict[str, FillValue] = {name: _spread(self, name) for name in self.units}
            return silenced(network, self.units, fill=fills)
        except (UnitsError, RuntimeError, ValueError, TypeError, IndexError) as error:
            raise MaskError(f"the mask does not fit {network.name}: {error}") from error

    def write(self, path: str | Path) -> Path:
        """Write the mask as JSON; a file that is there is replaced, whole or not at all."""
        return atomic_write.write_text(Path(path).expanduser(), json.dumps(self.to_json(), allow_nan=False) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> Mask:
        """Read what `write` wrote; nothing in the file is ever run.

        Raises:
            MaskError: There is no such file, or it is not a mask.

        Example:
            >>> Mask.read("no/such/mask.json")
            Traceback (most recent call last):
            ...
            lenslab.units.errors.MaskError: the mask no/such/mask.json cannot be read: No such file or directory
        """
        path = Path(path).expanduser()
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["lenslab_mask"] != FORMAT:
                raise MaskError(f"{path} is of format {document['lenslab_mask']!r}; this version reads {FORMAT}")
            sites = {str(site["name"]): site for site in document["sites"]}
            return cls(
                str(document["network"]),
                str(document["architecture_sha256"]),
                str(document["weights_sha256"]),
                {name: tuple(int(unit) for unit in site["silent"]) for name, site in sites.items()},
                {name: int(site["units"]) for name, site in sites.items()},
                {name: site["fill"] for name, site in sites.items()},
            )
        except OSError as error:
            raise MaskError(f"the mask {path} cannot be read: {error.strerror or error}") from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise MaskError(f"{path} is not a mask, which units.Mask.write writes: {error!r}") from error

    def to_json(self) -> dict[str, Any]:
        """Give the mask as it stands in a file."""
        return {
            "lenslab_mask": FORMAT,
            "network": self.network,
            "architecture_sha256": self.architecture_sha256,
            "weights_sha256": self.weights_sha256,
            "sites": [
                {"name": name, "units": self.size[name], "silent": list(silent), "fill": self.fill[name]}
                for name, silent in self.units.items()
            ],
        }


def _spread(mask: Mask, name: str) -> FillValue:
    """Give the fill of every unit, 0 where nothing is silent."""
    fill = torch.tensor(mask.fill[name], dtype=torch.float32)
    if fill.dim() == 0:
        return fill
    everywhere = torch.zeros(mask.size[name], *fill.shape[1:])
    everywhere[list(mask.units[name])] = fill
    return everywhere
