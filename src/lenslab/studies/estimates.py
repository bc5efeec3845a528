"""Estimates: what a run's record says about each claim, before any rule is asked.

Example:
    >>> import pandas as pd
    >>> from lenslab.runs.site import site_data
    >>> from lenslab.runs.statistics.observations import observe
    >>> images = pd.DataFrame({"image": range(40), "label": 0, "half": ["A", "B"] * 20})
    >>> flips = pd.DataFrame({"unit": 0, "image": range(4), "before": 0, "after": 1})
    >>> seen = site_data("relu", observe(flips, images, np.arange(40.0)[:, None], classes=2), None)
    >>> [bound.round(3).tolist() for bound in overall_bounds(seen, 0.95)]
    [[0.1], [0.004], [0.231]]
    >>> damaging(seen, {"drop": 0.05, "false_discovery_rate": 0.3})[1].tolist()
    [[True], [True]]
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.site import SiteData
from lenslab.runs.statistics.accuracy_drops import HeldOutDrop, heldout_class_drop
from lenslab.runs.statistics.bootstrap import (
    bootstrap_half_selectivity,
    bootstrap_measures,
    half_selectivity,
    unit_measures,
)
from lenslab.runs.statistics.confidence_intervals import score_interval, share_interval, simultaneous
from lenslab.runs.statistics.correlation_intervals import correlate, correlation_difference
from lenslab.runs.statistics.drop_tests import heldout_p_values
from lenslab.runs.statistics.hypothesis_tests import benjamini_hochberg
from lenslab.studies.claim import Claim
from lenslab.studies.figure import Figure

Floats = NDArray[np.float64]

UNHALVED = "no class has images in both halves, as with one image per class"
CONSTANT = "so few predictions change that a drop is the same for every unit, or would be on other such images"


@dataclass(frozen=True)
class Estimate:
    """The figures of a claim, or of one part of it.

    Attributes:
        figures: By name; empty where nothing could be estimated.
        headline: The name of the figure that is shown.
        detail: One sentence for people: what lies behind the figure, or why there is none.
    """

    figures: Mapping[str, Figure]
    headline: str
    detail: str


def estimate(claim: Claim, seen: SiteData, *, confidence: float, replicates: int, seed: int) -> dict[str, Estimate]:
    """Estimate a claim at one site: an estimate per part, by name; without parts one under its estimator's name."""
    if not len(seen.live):
        nothing = Estimate({}, "", f"all {len(seen.dead)} units of {seen.site} are dead")
        return dict.fromkeys(claim.parts or (claim.estimator,), nothing)
    return ESTIMATORS[claim.estimator](claim, seen, confidence, replicates, seed)


def damaging(seen: SiteData, settings: Mapping[str, float]) -> tuple[HeldOutDrop, NDArray[np.bool_]]:
    """Which live units damage a class: chosen on one half of the images, shown on the other.

    ``drop`` in the settings is the least drop that counts as damage. The drops and what was found have the shape ``[2,
    units]``; the family of tests is the live units, each way by itself.
    """
    counts, live = seen.counts, seen.live
    heldout = heldout_class_drop(counts.net, counts.images)
    p_values = heldout_p_values(seen.observations, heldout)
    found = np.zeros(heldout.drop.shape, dtype=bool)
    for way in (0, 1):
        significant = benjamini_hochberg(p_values[way, live]) <= settings["false_discovery_rate"]
        found[way, live] = significant & (heldout.drop[way, live] >= settings["drop"])
    return heldout, found


def largest_overall_drop(
    claim: Claim, seen: SiteData, confidence: float, _replicates: int, _seed: int
) -> dict[str, Estimate]:
    """Claim a: the largest overall drop of any live unit, between simultaneous bounds."""
    drop, low, high = overall_bounds(seen, confidence)
    worst = int(drop.argmax())
    detail = f"unit {seen.live[worst]} costs most of {seen.described}"
    figure = Figure(float(drop.max()), float(low.max()), float(high.max()))
    return {claim.estimator: Estimate({"drop": figure}, "drop", detail)}


def overall_bounds(seen: SiteData, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Bound the overall drop of each live unit; the bounds hold for all of them together (Bonferroni).

    Drops, lower and upper bounds, each of shape ``[live units]``.
    """
    losses, gains = (part.sum(axis=(0, 2))[seen.live] for part in (seen.counts.losses, seen.counts.gains))
    images, draws = int(seen.counts.images.sum()), seen.counts.draws
    family = simultaneous(confidence, len(seen.live))
    low, high = score_interval(losses / draws, gains / draws, images, confidence=family)
    return (losses - gains) / (images * draws), low, high


def share_of_damaging_units(
    claim: Claim, seen: SiteData, confidence: float, _replicates: int, _seed: int
) -> dict[str, Estimate]:
    """Claim b: the share of live units that significantly damage a class; both ways and their bounds averaged."""
    if not seen.halved:
        return {claim.estimator: Estimate({}, "share", UNHALVED)}
    _, found = damaging(seen, claim.settings)
    successes, trials = found[:, seen.live].sum(axis=1), len(seen.live)
    low, high = share_interval(successes, trials, confidence=confidence)
    ways = [Figure(float(successes[way] / trials), float(low[way]), float(high[way])) for way in (0, 1)]
    figures = {
        "share": Figure(float(successes.mean() / trials), float(low.mean()), float(high.mean())),
        "share chosen on A, read on B": ways[0],
        "share chosen on B, read on A": ways[1],
    }
    detail = f"{successes[0]} (chosen on A, read on B) and {successes[1]} (the other way) of {seen.described}"
    return {claim.estimator: Estimate(figures, "share", detail)}


def prediction_of_the_max_class_drop(
    claim: Claim, seen: SiteData, confidence: float, replicates: int, seed: int
) -> dict[str, Estimate]:
    """Claim e: per attribute, its correlation with the held-out max class drop and the gain over the overall drop.

    Way 0 takes the attribute and the class from half A and the drops from half B; way 1 the other way round.
    """
    if not seen.halved:
        return dict.fromkeys(claim.parts, Estimate({}, "correlation", UNHALVED))
    observed = unit_measures(seen.observations)
    replicated = bootstrap_measures(seen.observations, replicates=replicates, seed=seed)
    parts = {}
    pairs = {
        "class selectivity": (
            half_selectivity(seen.observations),
            bootstrap_half_selectivity(seen.observations, replicates=replicates, seed=seed),
        ),
        "L1 norm": (seen.l1_norm, seen.l1_norm),
    }
    for part in claim.parts:
        values, again = pairs[part]
        if values is None or again is None:
            parts[part] = Estimate({}, "correlation", f"{seen.site} has no incoming weights of its own")
            continue
        usable = ~seen.dead & np.isfinite(values).reshape(-1, len(seen.dead)).all(axis=0)
        classwise, overall = (
            correlate(values, figure, again, figures, units=usable, seed=seed, confidence=confidence)
            for figure, figures in (
                (observed.heldout_ways, replicated.heldout_ways),
                # The drop of half B is read in way 0, so the halves change places.
                (observed.half_accuracy_drop[::-1], replicated.half_accuracy_drop[:, ::-1]),
            )
        )
        figures = {
            "correlation": Figure(classwise.estimate, classwise.low, classwise.high),
            "gain": Figure(*correlation_difference(classwise, overall, confidence=confidence)),
            "correlation with the overall drop": Figure(overall.estimate, overall.low, overall.high),
        }
        known = all(figure.known for figure in figures.values())
        detail = f"over {int(usable.sum())} units" if known else CONSTANT
        parts[part] = Estimate(figures, "correlation", detail)
    return parts


ESTIMATORS: Mapping[str, Callable[[Claim, SiteData, float, int, int], dict[str, Estimate]]] = MappingProxyType(
    {
        "largest overall drop": largest_overall_drop,
        "share of damaging units": share_of_damaging_units,
        "prediction of the max class drop": prediction_of_the_max_class_drop,
    }
)
