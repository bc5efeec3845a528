"""What is silenced at a site, and what it becomes: units, sets of units, or directions of the units' space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray


class Silencing(Protocol):
    """A numbered list of things that can be silenced at one site, each on any image."""

    @property
    def single(self) -> bool:
        """Whether each thing is one unit, so that the attributes of units are its own."""
        ...

    def count(self, units: int) -> int:
        """How many things there are at a site of so many units."""
        ...

    def silenced(self, value: torch.Tensor, things: torch.Tensor) -> torch.Tensor:
        """Give a copy of a site's value ``[rows, units, ...]`` in which row ``i`` has ``things[i]`` silenced."""
        ...

    def differs(self, value: torch.Tensor) -> torch.Tensor:
        """Tell which things change the value ``[images, units, ...]`` when silenced, bool ``[images, things]``."""
        ...

    def observed(self, means: torch.Tensor) -> torch.Tensor:
        """Turn the units' means ``[images, units]`` into those of the things, ``[images, things]``."""
        ...


@dataclass(frozen=True, eq=False)
class Replacement:
    """The value that each unit of one site takes when it is silenced, the same on every image.

    Attributes:
        fill: what the units become: one number for all (``[]``), one per unit (``[units]``), or one map per unit
            (``[units, height, width]``).

    Example:
        >>> ZERO.silenced(torch.ones(2, 3), torch.tensor([0, 2])).tolist()
        [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    fill: torch.Tensor
    single: bool = field(default=True, init=False)

    def count(self, units: int) -> int:
        """Each unit is a thing of its own."""
        return units

    def observed(self, means: torch.Tensor) -> torch.Tensor:
        """The units' means, as they are."""
        return means

    def silenced(self, value: torch.Tensor, units: torch.Tensor) -> torch.Tensor:
        """Give a copy of a site's value in which row ``i`` has unit ``units[i]`` silenced.

        Args:
            value: a site's value, ``[rows, units, ...]``; it is not changed.
            units: the unit to silence in each row, int64 ``[rows]``.

        Returns:
            The copy, with the same shape, type and memory layout.
        """
        copy = value.clone()
        rows = torch.arange(len(units), device=value.device)
        copy[rows, units] = self._like(value).expand(value.shape)[rows, units]
        return copy

    def differs(self, value: torch.Tensor) -> torch.Tensor:
        """Tell which units differ from their replacement, image by image; the others change nothing when silenced.

        Args:
            value: a site's value, ``[images, units, ...]``.

        Returns:
            bool ``[images, units]``.

        Example:
            >>> ZERO.differs(torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])).tolist()
            [[False, True]]
        """
        different = value != self._like(value)
        return different if different.dim() == 2 else different.flatten(2).any(dim=2)

    def everywhere(self, value: torch.Tensor) -> torch.Tensor:
        """Give a site's value with every unit silenced at once, which a linear tail is taken apart with."""
        return self._like(value).expand(value.shape).contiguous()

    def _like(self, value: torch.Tensor) -> torch.Tensor:
        fill = self.fill.to(value.device, value.dtype)
        if fill.dim() == 0:
            return fill
        return fill.reshape(1, *fill.shape, *[1] * (value.dim() - 1 - fill.dim()))


@dataclass(frozen=True, eq=False)
class Sets:
    """Several units at once: the things are sets of units.

    Attributes:
        members: which units each set has, bool ``[sets, units]``.
        replacement: what they become.

    Example:
        >>> pair = Sets(torch.tensor([[True, True, False]]), ZERO)
        >>> pair.silenced(torch.ones(1, 3), torch.tensor([0])).tolist()
        [[0.0, 0.0, 1.0]]
    """

    members: torch.Tensor
    replacement: Replacement
    single: bool = field(default=False, init=False)

    def count(self, units: int) -> int:
        """The number of sets."""
        assert self.members.shape[1] == units  # made for this site
        return len(self.members)

    def silenced(self, value: torch.Tensor, things: torch.Tensor) -> torch.Tensor:
        """Silence set ``things[i]`` in row ``i``."""
        silent = self.members.to(value.device)[things].reshape(*value.shape[:2], *[1] * (value.dim() - 2))
        return torch.where(silent, self.replacement.everywhere(value), value)

    def differs(self, value: torch.Tensor) -> torch.Tensor:
        """A set changes the value where one of its members does."""
        members = self.members.to(value.device).float()
        return (self.replacement.differs(value).float() @ members.T) > 0

    def observed(self, means: torch.Tensor) -> torch.Tensor:
        """The mean over a set's members; 0 for an empty set."""
        members = self.members.to(means)
        return means @ members.T / members.sum(dim=1).clamp_min(1)


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions of the units' space in place of its axes: what a random rotation of the representation silences.

    The value ``h`` at every position becomes ``h - q (q . h)``. With an orthonormal basis the network and its accuracy
    are the same, and only the axes along which it is ablated are others.

    Attributes:
        basis: one direction of length 1 per row, float64 ``[directions, units]``.

    Example:
        >>> sloping = Directions(torch.tensor([[0.6, 0.8]], dtype=torch.float64))
        >>> sloping.silenced(torch.tensor([[5.0, 0.0]]).double(), torch.tensor([0])).round(decimals=6).tolist()
        [[3.2, -2.4]]
    """

    basis: torch.Tensor
    single: bool = field(default=False, init=False)

    def count(self, units: int) -> int:
        """The number of directions."""
        assert self.basis.shape[1] == units  # made for this site
        return len(self.basis)

    def silenced(self, value: torch.Tensor, things: torch.Tensor) -> torch.Tensor:
        """Take direction ``things[i]`` out of row ``i``."""
        direction = self.basis.to(value)[things].reshape(*value.shape[:2], *[1] * (value.dim() - 2))
        return value - direction * (direction * value).sum(dim=1, keepdim=True)

    def differs(self, value: torch.Tensor) -> torch.Tensor:
        """A direction changes every value that is not 0 everywhere."""
        anything = (value != 0).flatten(1).any(dim=1, keepdim=True)
        return anything.expand(len(value), len(self.basis))

    def observed(self, means: torch.Tensor) -> torch.Tensor:
        """The means along the directions."""
        return means @ self.basis.to(means).T


def haar(units: int, seed: int) -> Directions:
    """Draw a random orthonormal basis, uniformly over all rotations (Haar): the QR factors of a Gaussian matrix.

    Args:
        units: how many units the site has.
        seed: decides the basis.

    Example:
        >>> basis = haar(5, seed=0).basis
        >>> bool(torch.allclose(basis @ basis.T, torch.eye(5, dtype=torch.float64)))
        True
    """
    gaussian = np.random.default_rng(seed).standard_normal((units, units))
    orthogonal, triangular = np.linalg.qr(gaussian)
    return Directions(torch.from_numpy(orthogonal * np.sign(np.diag(triangular))))


ZERO = Replacement(torch.zeros(()))
"""The unit's output is 0 everywhere: the replacement of Zhou et al. 2018 (arXiv 1806.02891)."""


def spatial_mean(value: torch.Tensor, silencing: Silencing = ZERO) -> NDArray[np.float32]:
    """Average each thing that can be silenced over its positions.

    Args:
        value: a site's value, ``[images, units, ...]``.
        silencing: the things; each unit by default.

    Returns:
        float32 ``[images, things]``; a value without positions is given as it is.

    Example:
        >>> spatial_mean(torch.tensor([[[1.0, 3.0]]])).tolist()
        [[2.0]]
    """
    mean = value if value.dim() == 2 else value.flatten(2).mean(dim=2)
    return silencing.observed(mean).to("cpu", torch.float32).numpy()
