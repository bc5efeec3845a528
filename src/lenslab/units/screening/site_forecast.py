"""What was forecast at one site: how far each answer is from changing, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEATURES = 14
"""How many numbers describe a pair."""

_NOISE_SHARES = (0.05, 1.0)
"""How much of a unit's usual change counts into the noise of its forecasts, beside the change itself."""

_KNOTS = (1.0, 3.0, 6.0)
"""Where, in units of that noise, the log-odds of a change may bend as a function of the distance."""

_NEAREST, _FARTHEST = -4.0, 12.0
_LEAST_DOUBT = 0.02
_TINY = 1e-6

_PAIRS = 1 << 20
"""So many pairs are described at once."""


@dataclass(frozen=True, eq=False)
class SiteForecast:
    """The forecast margins of one site.

    Attributes:
        before: The margin of the true class with every unit in place, as a share of the margins' standard deviation
            over the images, ``[images]``.
        after: The same with each unit silenced, float32 ``[images, units]``; NaN where the answer is known to stay.
        right: Whether the untouched network's answer is right, bool ``[images]``.

    Example:
        >>> seen = SiteForecast(np.array([1.0, -1.0]), np.array([[0.5], [np.nan]], np.float32), np.array([True, False]))
        >>> seen.row.tolist(), seen.unit.tolist(), seen.sign.tolist(), seen.features(slice(None)).shape
        ([0], [0], [1.0], (1, 14))
    """

    before: Floats
    after: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def units(self) -> int:
        """How many units the site has."""
        return int(self.after.shape[1])

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """The pairs whose answer may change, bool ``[images, units]``; all else is told of these, row by row."""
        return ~np.isnan(self.after)

    @cached_property
    def row(self) -> Integers:
        """The place of each pair's image, ``[pairs]``."""
        return np.asarray(self.active.nonzero()[0], dtype=np.int64)

    @cached_property
    def unit(self) -> Integers:
        """The unit of each pair, ``[pairs]``."""
        return np.asarray(self.active.nonzero()[1], dtype=np.int64)

    @property
    def sign(self) -> Floats:
        """What a changed answer does to the drop: +1 where it was right, -1 where it was wrong; ``[pairs]``."""
        return np.where(self.right, 1.0, -1.0)[self.row]

    @cached_property
    def _usual(self) -> Floats:
        """The root of the mean square of each unit's forecast change over all images, ``[units]``."""
        squares = np.nansum((self.after - self.before[:, None].astype(np.float32)) ** 2, axis=0, dtype=np.float64)
        return np.asarray(np.sqrt(squares / max(len(self.before), 1)))

    def features(self, pairs: slice | NDArray[np.bool_]) -> Floats:
        """Describe some of the pairs, ``[pairs, features]``.

        The distance to a change is what is left of the margin, or for a wrong answer what is still missing. It is
        measured in units of the forecast's noise, which grows with the forecast change and with the unit's usual one:
        a forecast to first order errs by more where the change is large.
        """
        row, unit = self.row[pairs], self.unit[pairs]
        margin, usual, after = self.before[row], self._usual[unit], self.after[row, unit].astype(np.float64)
        sign, change = np.where(self.right[row], 1.0, -1.0), after - margin
        columns = []
        for share in _NOISE_SHARES:
            scaled = self._scaled(sign * after, change, share * usual**2)
            columns += [scaled, *(np.minimum(scaled, knot) for knot in _KNOTS)]
        sizes = [np.log(np.abs(each) + _TINY) for each in (usual, change, margin)]
        return np.stack([*columns, *sizes, np.abs(margin), sign, sign * columns[0]], axis=1)

    def doubt(self) -> Floats:
        """Say how open the answer of each pair is before any was run, positive, ``[pairs]``."""
        margin = self.before[self.row]
        after = self.after[self.active].astype(np.float64)
        distance = np.where(self.right[self.row], after, -after)
        scaled = self._scaled(distance, after - margin, self._usual[self.unit] ** 2)
        return np.asarray(1 / (1 + np.exp(np.clip(scaled, -2, 9))) + _LEAST_DOUBT)

    def pieces(self) -> Iterator[slice]:
        """Divide the pairs, so that describing some takes little memory."""
        for start in range(0, len(self.row), _PAIRS):
            yield slice(start, start + _PAIRS)

    @staticmethod
    def _scaled(distance: Floats, change: Floats, usual: Floats) -> Floats:
        return np.asarray(np.clip(distance / (np.sqrt(change**2 + usual) + _TINY), _NEAREST, _FARTHEST))
