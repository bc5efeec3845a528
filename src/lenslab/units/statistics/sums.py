"""Sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sums:
    """Sums."""

    total: NDArray[np.float64]
    squares: NDArray[np.float64]
