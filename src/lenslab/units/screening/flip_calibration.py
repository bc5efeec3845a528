"""The calibration of forecasts: how likely an answer is to change, given what was forecast of its margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from lenslab.units.screening.site_forecast import FEATURES, SiteForecast

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RIGIDITY = 1.0
_LEAST = 1e-6
"""No probability is nearer to 0 or 1 than this."""

_MOST_ODDS = 12.0
_PLENTY = 10
"""With fewer changed, or unchanged, answers in the pilot than this, one rate stands for all."""

_SITE_PRIOR, _UNIT_PRIOR = (2.0, 0.7), (1.0, 0.2)
"""Standard deviations of the shift and of the stretch of a site's log-odds, and of a unit's, before any is known."""

_STEPS = 25


@dataclass(frozen=True)
class Sample:
    """The pairs of a pilot at one site.

    Attributes:
        features: See `SiteForecast.features`, ``[pairs, features]``.
        unit: ``[pairs]``.
        changed: Whether the answer changed between right and wrong, bool ``[pairs]``.
    """

    features: Floats
    unit: Integers
    changed: NDArray[np.bool_]


@dataclass(frozen=True)
class FlipCalibration:
    """A logistic regression on forecasts, whose log-odds each site and then each unit shifts and stretches.

    The sites' and the units' own parts are fitted one after the other, with normal priors, by Newton's method. Units
    for which forecasts to first order fail altogether thereby become known as such after a dozen pairs.

    Attributes:
        centre: Of each feature, ``[features]``.
        spread: Of each feature, ``[features]``.
        weights: Of each feature, once centred and scaled, ``[features]``.
        intercept: The log-odds at the centre.
        shift: Added to the log-odds of each unit, ``[units]``, by the site's name.
        stretch: What they are multiplied by before, ``[units]``, by the site's name.

    Example:
        >>> seen = SiteForecast(np.ones(400), np.linspace(-3, 1, 400, dtype=np.float32)[:, None], np.ones(400, bool))
        >>> pilot = Sample(seen.features(slice(None)), seen.unit, seen.after[:, 0] < 0)
        >>> probability = FlipCalibration.fitted({"relu": pilot}, {"relu": 1}).probability("relu", seen)
        >>> bool(probability[0] > 0.95), bool(probability[-1] < 0.05)
        (True, True)
    """

    centre: Floats
    spread: Floats
    weights: Floats
    intercept: float
    shift: Mapping[str, Floats]
    stretch: Mapping[str, Floats]

    @classmethod
    def fitted(cls, pilots: Mapping[str, Sample], units: Mapping[str, int]) -> FlipCalibration:
        """Fit pairs that were run; ``units`` is how many units each site has."""
        features = np.concatenate([np.zeros((0, FEATURES)), *(pilot.features for pilot in pilots.values())])
        changed = np.concatenate([np.zeros(0, np.bool_), *(pilot.changed for pilot in pilots.values())])
        common = cls(*_regression(features, changed), {}, {})
        own = {site: common._own(pilots[site], count) for site, count in units.items()}
        shift, stretch = ({site: each[place] for site, each in own.items()} for place in (0, 1))
        return cls(common.centre, common.spread, common.weights, common.intercept, shift, stretch)

    def probability(self, site: str, forecast: SiteForecast) -> Floats:
        """Give how likely the answer of each of a site's pairs is to change, ``[pairs]``, never 0 or 1."""
        shift, stretch = self.shift[site], self.stretch[site]
        found = [np.zeros(0)]
        for piece in forecast.pieces():
            unit = forecast.unit[piece]
            found.append(expit(shift[unit] + stretch[unit] * self._odds(forecast.features(piece))))
        return np.clip(np.concatenate(found), _LEAST, 1 - _LEAST)

    def _odds(self, features: Floats) -> Floats:
        odds = (features - self.centre) / self.spread @ self.weights + self.intercept
        return np.clip(odds, -_MOST_ODDS, _MOST_ODDS)

    def _own(self, pilot: Sample, units: int) -> tuple[Floats, Floats]:
        """Fit what a site and its units have of their own: the units' shifts and stretches."""
        odds = self._odds(pilot.features)
        shift, stretch = _shifted(odds, pilot.changed, np.zeros_like(pilot.unit), 1, _SITE_PRIOR)
        own_shift, own_stretch = _shifted(shift + stretch * odds, pilot.changed, pilot.unit, units, _UNIT_PRIOR)
        return own_shift + own_stretch * shift, own_stretch * stretch


def _regression(features: Floats, changed: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, float]:
    """Fit all pairs together; where hardly any or nearly all changed, their share stands for all."""
    count = features.shape[1]
    if min(int(changed.sum()), int((~changed).sum())) < _PLENTY:
        share = (changed.sum() + 0.5) / (len(changed) + 1)
        return np.zeros(count), np.ones(count), np.zeros(count), float(np.log(share / (1 - share)))
    from sklearn.linear_model import LogisticRegression

    centre, spread = features.mean(axis=0), features.std(axis=0) + _LEAST
    model = LogisticRegression(C=_RIGIDITY, max_iter=1000).fit((features - centre) / spread, changed)
    return centre, spread, model.coef_[0], float(model.intercept_[0])


def _shifted(
    odds: Floats, changed: NDArray[np.bool_], group: Integers, groups: int, prior: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Find by how much the log-odds of each group are shifted, and how stretched: the mode under the prior."""
    shift, stretch = np.zeros(groups), np.ones(groups)
    for _ in range(_STEPS):
        chance = expit(np.clip(shift[group] + stretch[group] * odds, -30, 30))
        miss, weight = changed - chance, chance * (1 - chance)
        down = np.bincount(group, miss, groups) - shift / prior[0] ** 2
        aside = np.bincount(group, miss * odds, groups) - (stretch - 1) / prior[1] ** 2
        first, mixed, second = (np.bincount(group, weight * odds**power, groups) * 1.0 for power in (0, 1, 2))
        first, second = first + 1 / prior[0] ** 2, second + 1 / prior[1] ** 2
        determinant = first * second - mixed**2
        step = (second * down - mixed * aside) / determinant, (first * aside - mixed * down) / determinant
        size = np.minimum(1.0, 2.0 / np.maximum(np.abs(step[0]) + 2 * np.abs(step[1]), 1e-9))
        shift, stretch = shift + size * step[0], stretch + size * step[1]
    return shift, stretch
