"""The campaign: a pilot, a sample planned from it, and more wherever a figure is not yet as sharp as asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lenslab.units.screening.drop_estimator import BANDS, Totals, inflation
from lenslab.units.screening.flip_calibration import FlipCalibration
from lenslab.units.screening.site_screen import SiteScreen

Flags = NDArray[np.bool_]
Decide: TypeAlias = Callable[[Mapping[str, Flags]], Mapping[str, Flags]]
"""Runs the pairs that are wanted, bool ``[pairs]`` by the site's name, and tells of all whether right became wrong or
wrong right, bool ``[pairs]``; False of those that were not run."""

PILOT_PAIRS = 12
"""Pairs of each unit that the model is fitted to."""

SECOND_PILOT = 0.1
"""Of the pairs that are planned by the pilot so far, what is added to it."""

_PILOT_SHARE = 0.5
"""Of a budget, what the pilot takes at most."""

_ROUNDS = 8
"""After so many draws every pair of a unit is run whose interval is still too wide."""

_ROOM = 1.05
"""By so much more than asked an interval that was too wide is narrowed."""

_HALVINGS = 12


@dataclass(frozen=True)
class Aim:
    """What is asked of a campaign.

    Attributes:
        half_width: Of the 95 % interval of every overall drop, a fraction; 0 asks for every pair.
        class_half_width: The same of every class drop; ``None`` asks nothing of them.
        pairs: How many pairs may be run at most; ``None`` sets no limit.
    """

    half_width: float
    class_half_width: float | None = None
    pairs: int | None = None


@dataclass(frozen=True)
class SiteTotals:
    """What a campaign says of one site.

    Attributes:
        overall: Losses minus gains of every unit.
        by_class: The same of every unit and class, cell ``unit * classes + label``.
        by_half: The same of these in each half, cell ``(half * units + unit) * classes + label``.
        pairs: How many pairs of each unit were run, int64 ``[units]``.
    """

    overall: Totals
    by_class: Totals
    by_half: Totals
    pairs: NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What a campaign gave.

    Attributes:
        sites: By the site's name.
        rounds: How often pairs were drawn, the pilot counted.
        reached: Whether every figure is as sharp as was asked.
        inflation: By how much the model may be too low in each band of probability.
    """

    sites: Mapping[str, SiteTotals]
    rounds: int
    reached: bool
    inflation: tuple[float, ...]


def campaign(screens: Sequence[SiteScreen], decide: Decide, aim: Aim) -> Outcome:
    """Run a campaign over sites whose pilots are drawn.

    The model is fitted to the pilot alone, and the pilot's pairs count as known, so the first draw's estimates have no
    bias whatever the model. The pilot has two parts: a few pairs of each unit, and then a share of what the model plans
    by those, for units need the better a model the more pairs they need. Where intervals turn out too wide the efforts
    of those units grow, and with them the sample, which contains the earlier one.
    """
    images = len(screens[0].labels) if screens else 0
    screens, factors = _fitted(screens, decide)
    if aim.half_width and aim.pairs is None:
        screens = [screen.planned(aim.half_width * images, factors).piloted(SECOND_PILOT) for screen in screens]
        screens, factors = _fitted(screens, decide)
    wanted = [screen.planned(aim.half_width * images, factors) for screen in screens]
    for number in range(_ROUNDS + 1):
        planned = _affordable(screens, wanted, aim.pairs)
        cut = any((one.effort < other.effort).any() for one, other in zip(planned, wanted, strict=True))
        screens = planned
        drawn = {screen.name: screen.drawn for screen in screens}
        changed = decide(drawn)
        factors = _factors(screens, changed, {screen.name: drawn[screen.name] & ~screen.pilot for screen in screens})
        found = {each.name: each.totals(changed[each.name], drawn[each.name], factors) for each in screens}
        excess = {screen.name: _excess(screen, *found[screen.name][:2], aim) for screen in screens}
        reached = all((each <= 1).all() for each in excess.values())
        if reached or cut:
            break
        if number == _ROUNDS - 1:
            wanted = [screen.exhausted(excess[screen.name]) for screen in screens]
        else:
            wanted = [
                screen.sharpened(np.where(excess[screen.name] > 1, _ROOM * excess[screen.name], 0.0), factors)
                for screen in screens
            ]
    sites = {
        each.name: SiteTotals(
            *found[each.name], np.bincount(each.forecast.unit[drawn[each.name]], minlength=each.forecast.units)
        )
        for each in screens
    }
    return Outcome(sites, number + 2, reached, tuple(map(float, factors)))


def _fitted(screens: Sequence[SiteScreen], decide: Decide) -> tuple[list[SiteScreen], NDArray[np.float64]]:
    """Run the pilot, fit the model to it, and tell by what factors that is off."""
    pilot = {screen.name: screen.pilot for screen in screens}
    changed = decide(pilot)
    samples = {screen.name: screen.sample(changed[screen.name]) for screen in screens}
    calibration = FlipCalibration.fitted(samples, {screen.name: screen.forecast.units for screen in screens})
    return [replace(screen.calibrated(calibration), effort=screen.effort * 0) for screen in screens], _factors(
        screens, changed, pilot
    )


def pilot_pairs(units: int, budget: int | None) -> float:
    """Give how many pairs of each unit the pilot may have."""
    return PILOT_PAIRS if budget is None else min(PILOT_PAIRS, _PILOT_SHARE * budget / max(units, 1))


def _factors(
    screens: Sequence[SiteScreen], changed: Mapping[str, Flags], which: Mapping[str, Flags]
) -> NDArray[np.float64]:
    sums = np.zeros((2, len(BANDS) + 1))
    for screen in screens:
        sums += np.stack(screen.evidence(changed[screen.name], which[screen.name]))
    return inflation(*sums)


def _excess(screen: SiteScreen, overall: Totals, by_class: Totals, aim: Aim) -> NDArray[np.float64]:
    """Say by how much each unit's widest interval is wider than asked, ``[units]``; 1 or less is sharp enough."""
    images = np.bincount(screen.labels, minlength=screen.classes)
    excess = _ratio(overall.half_width, aim.half_width * len(screen.labels))
    if aim.class_half_width is not None:
        widths = by_class.half_width.reshape(-1, screen.classes)
        excess = np.maximum(excess, _ratio(widths, aim.class_half_width * images).max(axis=1))
    return excess


def _ratio(width: NDArray[np.float64], asked: Any) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(width <= 0, 0.0, width / asked)


def _affordable(now: Sequence[SiteScreen], wanted: Sequence[SiteScreen], pairs: int | None) -> Sequence[SiteScreen]:
    """Give what is wanted, or as much of the way to it as a number of pairs allows, evenly for all units."""
    if pairs is None or _count(wanted) <= pairs:
        return wanted
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _count(_between(now, wanted, middle)) <= pairs else (low, middle)
    return _between(now, wanted, low)


def _between(now: Sequence[SiteScreen], wanted: Sequence[SiteScreen], part: float) -> list[SiteScreen]:
    return [
        replace(one, effort=one.effort + part * (other.effort - one.effort))
        for one, other in zip(now, wanted, strict=True)
    ]


def _count(screens: Sequence[SiteScreen]) -> int:
    return sum(int(screen.drawn.sum()) for screen in screens)
