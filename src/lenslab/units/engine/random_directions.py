"""Directions of the units' space in place of its axes: what a random rotation of the representation silences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.units.engine.site_intervention import Change

Floats = NDArray[np.float64]

_STEPS = 100
"""Halvings of the bracket in which a tilt is sought."""

_STEEPEST = 1e6
"""The strongest tilt, in units of the largest eigenvalue: beyond it only the edge of the spectrum is left."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions that are taken out of a site's value, one at a time.

    The value ``h`` at every position becomes ``h - q (q . h)``. With an orthonormal basis the network and its accuracy
    are the same, and only the axes along which it is ablated are others.

    Attributes:
        basis: One direction of length 1 per row, float64 ``[directions, units]``.

    Example:
        >>> sloping = Directions(torch.tensor([[0.6, 0.8]], dtype=torch.float64))
        >>> sloping.applied(torch.tensor([[5.0, 0.0]]).double(), torch.tensor([0])).round(decimals=6).tolist()
        [[3.2, -2.4]]
    """

    basis: Tensor
    single: bool = field(default=False, init=False)
    keeps_axes: bool = field(default=False, init=False)

    def count(self, units: int) -> int:
        """Count the directions."""
        assert self.basis.shape[1] == units  # made for this site
        return len(self.basis)

    def rank(self, units: int) -> float:  # noqa: ARG002 - of however many
        """Count one map: how far each position's value goes along the direction."""
        return 1.0

    def changes(self, value: Tensor, rows: Tensor, targets: Tensor) -> Iterator[tuple[slice, Change]]:
        """Take that map away; every channel has its share of it."""
        directions = self.basis.to(value)[targets]
        along = torch.einsum("nu...,nu->n...", value[rows], directions).unsqueeze(1)
        channels = torch.arange(value.shape[1], device=rows.device).expand(len(rows), -1)
        yield slice(None), Change(along, torch.zeros_like(along), channels, directions)

    def applied(self, value: Tensor, targets: Tensor, *, in_place: bool = False) -> Tensor:  # noqa: ARG002
        """Take direction ``targets[i]`` out of row ``i``."""
        direction = self.basis.to(value)[targets].reshape(*value.shape[:2], *[1] * (value.dim() - 2))
        return value - direction * (direction * value).sum(dim=1, keepdim=True)

    def differs(self, value: Tensor) -> Tensor:
        """Tell which values are not 0 everywhere: every direction changes these."""
        anything = (value != 0).flatten(1).any(dim=1, keepdim=True)
        return anything.expand(len(value), len(self.basis))

    def everywhere(self, value: Tensor) -> Tensor:
        """Give zeros, which is what is left without any direction."""
        return torch.zeros_like(value)

    def target_means(self, means: Tensor) -> Tensor:
        """Give the means along the directions."""
        return means @ self.basis.to(means).T

    def with_fill(self, fill: Tensor) -> Directions:
        """Refuse: directions are taken out, and become nothing else."""
        raise TypeError(f"directions take no fill ({tuple(fill.shape)} was given)")

    def at(self, rows: Tensor) -> Directions:  # noqa: ARG002 - the same on every image
        """Give the same on every image."""
        return self


def haar(units: int, seed: int) -> Directions:
    """Draw a random orthonormal basis, uniformly over all rotations (Haar): the QR factors of a Gaussian matrix.

    Example:
        >>> basis = haar(5, seed=0).basis
        >>> bool(torch.allclose(basis @ basis.T, torch.eye(5, dtype=torch.float64)))
        True
    """
    gaussian = np.random.default_rng(seed).standard_normal((units, units))
    orthogonal, triangular = np.linalg.qr(gaussian)
    return Directions(torch.from_numpy(orthogonal * np.sign(np.diag(triangular))))


def matched(moments: Floats, seed: int) -> Directions:
    r"""Draw random directions, each with the activation energy of one unit, in the order of the units.

    The energy of a direction q is the mean of :math:`(q \cdot h)^2` over images and positions, :math:`q^T M q` with M
    the second moments of the site's value. A Haar direction has about the mean energy of the units, whichever unit it
    stands beside; so a unit can cost more than it does by its energy alone. Here direction u is a Gaussian one, tilted:
    its components along the eigenvectors of M are multiplied by :math:`e^{t \lambda}`, with the one t for which its
    energy is that of unit u, :math:`M_{uu}` (the energy rises with t, from the smallest eigenvalue to the largest).
    The directions have length 1 and are not orthogonal to each other.

    Example:
        >>> moments = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
        >>> basis = matched(moments, seed=0).basis.numpy()
        >>> np.einsum("ui,ij,uj->u", basis, moments, basis).round(6).tolist()
        [4.0, 2.0, 1.0]
    """
    units = len(moments)
    energies, axes = np.linalg.eigh((moments + moments.T) / 2)
    largest = max(float(energies[-1]), np.finfo(np.float64).tiny)
    spectrum, wanted = np.clip(energies / largest, 0, 1), np.diag(moments) / largest
    components = np.random.default_rng(seed).standard_normal((units, units))
    low, high = np.full(units, -_STEEPEST), np.full(units, _STEEPEST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        enough = (_tilted(components, spectrum, middle) ** 2) @ spectrum >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return Directions(torch.from_numpy(_tilted(components, spectrum, high) @ axes.T))


def _tilted(
    components: NDArray[np.float64], spectrum: NDArray[np.float64], tilt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply components by ``exp(tilt * spectrum)`` and give them length 1, without overflow."""
    exponents = tilt[:, None] * spectrum + np.log(np.abs(components))
    sizes = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    tilted = np.copysign(sizes, components)
    unit_length: Floats = tilted / np.linalg.norm(tilted, axis=1, keepdims=True)
    return unit_length
