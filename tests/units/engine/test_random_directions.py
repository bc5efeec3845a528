"""Directions: a basis keeps the network, and a matched direction has the energy of its unit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lenslab.units.engine.random_directions import haar, matched


def moments(units: int, seed: int = 0) -> np.ndarray:
    """Second moments as units have them: a few strong common causes, very different energies."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((units, 3)) @ random.standard_normal((3, 4000))
    values = np.maximum(values + random.standard_normal((units, 4000)), 0) * np.geomspace(0.05, 4, units)[:, None]
    return values @ values.T / 4000


def energies(basis: torch.Tensor, of: np.ndarray) -> np.ndarray:
    return np.einsum("ui,ij,uj->u", basis.numpy(), of, basis.numpy())


@pytest.mark.parametrize("units", [2, 16, 128])
def test_a_matched_direction_has_length_1_and_the_energy_of_its_unit(units: int) -> None:
    given = moments(units)
    basis = matched(given, seed=0).basis
    np.testing.assert_allclose(np.linalg.norm(basis, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(energies(basis, given), np.diag(given), rtol=1e-6)
    assert not np.allclose(basis, np.eye(units), atol=0.1)


def test_a_haar_direction_has_the_mean_energy_whichever_unit_it_stands_beside() -> None:
    given = moments(128)
    spread = energies(haar(128, seed=0).basis, given)
    assert np.corrcoef(spread, np.diag(given))[0, 1] < 0.3
    assert spread.std() < 0.5 * np.diag(given).std()


def test_silent_units_get_directions_without_energy_and_equal_ones_keep_theirs() -> None:
    given = np.diag([4.0, 1.0, 0.0])
    np.testing.assert_allclose(energies(matched(given, seed=1).basis, given), [4, 1, 0], atol=1e-4)
    np.testing.assert_allclose(energies(matched(np.eye(3), seed=1).basis, np.eye(3)), 1)
    assert matched(np.zeros((2, 2)), seed=1).basis.isfinite().all()


def test_the_seed_decides() -> None:
    given = moments(8)
    assert torch.equal(matched(given, seed=3).basis, matched(given, seed=3).basis)
    assert not torch.allclose(matched(given, seed=3).basis, matched(given, seed=4).basis)
