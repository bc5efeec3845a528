"""One site while it is screened: which of its pairs are drawn, and what those that were run say of all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lenslab.units.screening.drop_estimator import QUANTILE, Pairs, Totals, evidence, raised_variance, totals
from lenslab.units.screening.flip_calibration import FlipCalibration, Sample
from lenslab.units.screening.sampling_design import (
    EVERY,
    MAIN,
    PILOT,
    SECOND_PILOT,
    effort_for,
    inclusion,
    permanent_numbers,
    pilot_images,
    spread_of,
)
from lenslab.units.screening.site_forecast import SiteForecast

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TINY = 1e-12

_LARGEST_FACTOR = 3.0
"""What a pilot says of how wrong the model may be is believed to this factor when the sample is planned."""


@dataclass(frozen=True, eq=False)
class SiteScreen:
    """One site's forecast, pilot and model, and how often its units' pairs are drawn.

    Attributes:
        name: The site's name.
        forecast: Its forecast.
        labels: The class of each image, int64 ``[images]``.
        half: In which half of the images each is, 0 or 1, ``[images]``.
        classes: How many classes there are.
        numbers: The number of each image in its source, int64 ``[images]``.
        seed: Decides the draws.
        settled: Losses minus gains of each unit and class that are known without a run, ``[2, units,
            classes]`` by half.
        pilot: Which pairs the pilot has, bool ``[pairs]``.
        probability: How likely each pair's answer is to change, ``[pairs]``.
        effort: See `lenslab.units.screening.sampling_design.inclusion`, ``[units]``.
    """

    name: str
    forecast: SiteForecast
    labels: Integers
    half: Integers
    classes: int
    numbers: Integers
    seed: int
    settled: Integers
    pilot: Flags
    probability: Floats
    effort: Floats

    @classmethod
    def begun(
        cls,
        name: str,
        forecast: SiteForecast,
        labels: Integers,
        half: Integers,
        classes: int,
        numbers: Integers,
        *,
        seed: int,
        settled: Integers,
        pilot_pairs: float,
    ) -> SiteScreen:
        """Draw the pilot: of each unit about so many pairs, on few images, and more often the more open ones."""
        unit = forecast.unit
        doubt = forecast.doubt() * pilot_images(seed, numbers)[forecast.row]
        every = np.maximum(np.bincount(unit, doubt, forecast.units), _TINY)
        chance = np.minimum(pilot_pairs * doubt / every[unit], 1.0)
        drawn = permanent_numbers(seed, PILOT, name, numbers, forecast.units)[forecast.active] < chance
        nothing = np.zeros(len(drawn)), np.zeros(forecast.units)
        return cls(name, forecast, labels, half, classes, numbers, seed, settled, drawn, *nothing)

    def sample(self, changed: Flags) -> Sample:
        """Give the pilot's pairs for calibration, with whether the answer of each pair changed, ``[pairs]``."""
        pilot = self.pilot
        return Sample(self.forecast.features(pilot), self.forecast.unit[pilot], changed[pilot])

    def calibrated(self, calibration: FlipCalibration) -> SiteScreen:
        """Take over what the calibration says of its pairs."""
        return replace(self, probability=calibration.probability(self.name, self.forecast))

    def planned(self, half_width: float, factors: Floats) -> SiteScreen:
        """Plan the first draw, for overall sums with 95 % intervals of this half-width; 0 draws every pair."""
        if not half_width:
            return replace(self, effort=np.full(self.forecast.units, EVERY))
        wanted = np.full(self.forecast.units, (half_width / QUANTILE) ** 2)
        return replace(self, effort=self._effort_for(wanted, np.minimum(factors, _LARGEST_FACTOR)))

    def piloted(self, share: float) -> SiteScreen:
        """Add to the pilot as many pairs as this share of those that are planned, on the images that it has."""
        numbers = permanent_numbers(self.seed, SECOND_PILOT, self.name, self.numbers, self.forecast.units)
        images = pilot_images(self.seed, self.numbers)
        chance = share * self.inclusion * images[self.forecast.row] / max(images.mean(), _TINY)
        more = numbers[self.forecast.active] < chance
        return replace(self, pilot=self.pilot | more)

    def sharpened(self, excess: Floats, factors: Floats) -> SiteScreen:
        """Plan more of the units whose intervals are wider than asked by this factor, ``[units]``; 1 or less is kept.

        The variance is taken to fall, with more pairs, as the model's does.
        """
        chance, unit = self.inclusion, self.forecast.unit
        now = np.bincount(unit, (1 - chance) / chance * raised_variance(self.probability, factors), self.forecast.units)
        effort = self._effort_for(now / np.maximum(excess, 1.0) ** 2, factors)
        return replace(self, effort=np.where(excess > 1, np.maximum(effort, self.effort), self.effort))

    def exhausted(self, excess: Floats) -> SiteScreen:
        """Plan every pair of the units whose intervals are wider than asked."""
        return replace(self, effort=np.where(excess > 1, EVERY, self.effort))

    def _effort_for(self, wanted: Floats, factors: Floats) -> Floats:
        open_ = ~self.pilot
        variance = raised_variance(self.probability, factors)[open_]
        return effort_for(variance, spread_of(self.probability[open_]), self.forecast.unit[open_], wanted)

    @property
    def inclusion(self) -> Floats:
        """With which probability each pair is run, ``[pairs]``; those of the pilot are known for certain."""
        chance = inclusion(spread_of(self.probability), self.effort[self.forecast.unit])
        return np.where(self.pilot, 1.0, chance)

    @property
    def drawn(self) -> Flags:
        """Which pairs are drawn, bool ``[pairs]``, the pilot's among them."""
        numbers = permanent_numbers(self.seed, MAIN, self.name, self.numbers, self.forecast.units)
        return np.asarray(self.pilot | (numbers[self.forecast.active] < self.inclusion))

    def evidence(self, changed: Flags, which: Flags) -> tuple[Floats, Floats]:
        """Count the surprises among some pairs, see `lenslab.units.screening.drop_estimator.evidence`."""
        return evidence(self.probability[which], changed[which])

    def totals(self, changed: Flags, drawn: Flags, factors: Floats) -> tuple[Totals, Totals, Totals]:
        """Estimate losses minus gains of every unit; of every unit and class; and of these in each half.

        The cells are ``unit * classes + label`` and ``(half * units + unit) * classes + label``.
        """
        chance = self.inclusion
        pairs = Pairs(self.forecast.sign, self.probability, chance, drawn, changed & drawn)
        unit, units, row = self.forecast.unit, self.forecast.units, self.forecast.row
        cell, cells = unit * self.classes + self.labels[row], units * self.classes
        return (
            _with(totals(pairs, unit, units, factors), self.settled.sum(axis=(0, 2))),
            _with(totals(pairs, cell, cells, factors), self.settled.sum(axis=0).ravel()),
            _with(totals(pairs, self.half[row] * cells + cell, 2 * cells, factors), self.settled.ravel()),
        )


def _with(found: Totals, settled: Integers) -> Totals:
    """Add what is known."""
    return Totals(found.estimate + settled, found.standard_error, found.low + settled, found.high + settled)
