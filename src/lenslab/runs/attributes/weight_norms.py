"""Norms of weights: the size of the filter that makes a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeightNorms:
    """The L1 norms of a site's filters.

    Attributes:
        raw: As `l1_norm`, ``[units]``; NaN where no one layer makes the units.
        folded: As `l1_norm_folded`, ``[units]``. The raw norm where no
            normalisation takes the layer's output; NaN where it is not known or cannot be folded (group norm depends on
            the image).
    """

    raw: Floats
    folded: Floats


def l1_norm(weights: NDArray[np.floating[Any]]) -> Floats:
    r"""Sum the absolute incoming weights of each unit, bias not included, from ``[units, channels, height, width]``.

    .. math:: \sum_{c, i, j} |W_{u, c, i, j}|

    0 and above. Source: Li, Kadav, Durdanovic, Samet and Graf 2017, Pruning filters for efficient ConvNets (arXiv
    1608.08710). Trap: where batch norm follows, the norm can be scaled freely without changing the network; then
    `l1_norm_folded` is the one that acts.

    Example:
        >>> l1_norm(np.array([[1.0, -2.0], [0.0, 0.5]])).tolist()
        [3.0, 0.5]
    """
    flat = np.asarray(weights, dtype=np.float64).reshape(len(weights), -1)
    return np.asarray(np.abs(flat).sum(axis=1))


def l1_norm_folded(
    weights: NDArray[np.floating[Any]],
    scale: NDArray[np.floating[Any]],
    variance: NDArray[np.floating[Any]],
    epsilon: float,
) -> Floats:
    r"""Compute the L1 norm of the weights that act in evaluation mode, with the batch norm behind them folded in.

    .. math:: \frac{|\gamma_u|}{\sqrt{\sigma_u^2 + \epsilon}} \sum_{c, i, j} |W_{u, c, i, j}|

    with the batch norm's scale, running variance and epsilon; 0 and above. Source: as `l1_norm`; folding is what
    inference engines do. Trap: which of the two norms a paper means is seldom said, and they rank units differently.

    Example:
        >>> l1_norm_folded(np.array([[1.0, -2.0]]), np.array([-2.0]), np.array([3.0]), 1.0).tolist()
        [3.0]
    """
    deviation = np.sqrt(np.asarray(variance, dtype=np.float64) + epsilon)
    return np.asarray(l1_norm(weights) * np.abs(np.asarray(scale, dtype=np.float64)) / deviation)
