"""Quantiles of activations: the exact value that a given share of them exceeds, found without keeping them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

# A float32's bits, read from the top, are narrowed down in three rounds: (how many lie below, how many).
_DIGITS = ((21, 11), (10, 11), (0, 10))
_SIGN = np.uint32(1 << 31)
# Temporary arrays hold about this many numbers.
_BLOCK = 1 << 21


class ActivationQuantiles:
    """The upper quantile of each unit's values over any number of batches, in three passes.

    The order of float32 numbers is the order of their bits, so each round counts how often every value of the next
    eleven bits occurs among the numbers that begin like the one sought (radix selection). Counts are integers: the
    answer is one of the values itself, the same for any batches, and memory is 16 KiB per unit.

    Args:
        units: How many units there are.
        quantile: The share of values that may lie above.

    Example:
        >>> found = ActivationQuantiles(1, 0.25)
        >>> for _ in range(ActivationQuantiles.ROUNDS):
        ...     for batch in ([[1.0], [4.0]], [[-3.0], [2.0]]):
        ...         found.add(np.array(batch))
        ...     found.advance()
        >>> found.values.tolist()
        [2.0]
    """

    ROUNDS: ClassVar[int] = len(_DIGITS)
    """The number of passes over all batches, with `advance` after each."""

    def __init__(self, units: int, quantile: float) -> None:
        self._quantile = quantile
        self._round = 0
        self._begin = np.zeros(units, dtype=np.uint32)
        self._above = np.zeros(units, dtype=np.int64)
        self._counts = self._empty()

    def add(self, maps: NDArray[np.floating[Any]]) -> None:
        """Count a batch's values, ``[images, units, ...]``; finite."""
        below, width = _DIGITS[self._round]
        units, size = self._counts.shape
        step = max(1, _BLOCK // max(1, maps[0].size)) if len(maps) else 1
        for start in range(0, len(maps), step):
            keys = _keys(maps[start : start + step]).reshape(-1, units, maps[0, 0].size)
            cells = ((keys >> np.uint32(below)) & np.uint32(size - 1)).astype(np.int64)
            cells += (np.arange(units) * size)[:, None]
            if self._round:
                cells = cells[keys >> np.uint32(below + width) == self._begin[:, None]]
            self._counts += np.bincount(cells.ravel(), minlength=units * size).reshape(units, size)

    def advance(self) -> None:
        """End a pass over all batches."""
        if not self._round:
            total = self._counts.sum(axis=1)
            # In floating point, 0.29 * 100 is slightly below 29.
            self._above = np.floor(self._quantile * total + 1e-9).astype(np.int64).clip(max=total - 1)
        size = self._counts.shape[1]
        from_top = self._counts[:, ::-1].cumsum(axis=1)
        place = (from_top <= self._above[:, None]).sum(axis=1)
        taken = np.take_along_axis(from_top, np.maximum(place - 1, 0)[:, None], axis=1)[:, 0]
        self._above = self._above - np.where(place > 0, taken, 0)
        digit = (size - 1 - place).astype(np.uint32)
        self._begin = (self._begin << np.uint32(_DIGITS[self._round][1])) | digit
        self._round += 1
        if self._round < self.ROUNDS:
            self._counts = self._empty()

    @property
    def values(self) -> NDArray[np.float64]:
        """The quantiles, ``[units]``: at most the given share of a unit's values lies above its own."""
        assert self._round == self.ROUNDS
        bits = np.where(self._begin & _SIGN, self._begin ^ _SIGN, ~self._begin)
        return bits.astype(np.uint32).view(np.float32).astype(np.float64)

    def _empty(self) -> NDArray[np.int64]:
        return np.zeros((len(self._begin), 1 << _DIGITS[self._round][1]), dtype=np.int64)


def _keys(values: NDArray[np.floating[Any]]) -> NDArray[np.uint32]:
    """Give integers in the order of the values; of the two zeros, which are equal, the negative one comes first."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)
