"""Tables: the units, classes and correlations of one site, as a run's record keeps them.

Figures are fractions, ``drop = before - after``. Intervals are Tango's at 95 % for each row by itself, p-values are
exact and two-sided, q-values are Benjamini-Hochberg's over the rows of the site.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.units.attributes import activity, selectivity
from lenslab.units.statistics.correlations import correlate
from lenslab.units.statistics.counts import count
from lenslab.units.statistics.drops import class_drops, heldout_class_drop, max_class_drop, overall_drop
from lenslab.units.statistics.intervals import score_interval
from lenslab.units.statistics.observations import Observations
from lenslab.units.statistics.replicates import measure, replicate
from lenslab.units.statistics.significance import benjamini_hochberg, mcnemar

MEASURES = ("accuracy_drop", "max_class_drop", "heldout_max_class_drop")


def units_table(site: str, observations: Observations, l1_norm: NDArray[np.floating[Any]] | None) -> pd.DataFrame:
    """One row per unit of a site.

    Args:
        site: Its name.
        observations: What was seen there; see `lenslab.units.statistics.observations.observe`.
        l1_norm: The L1 norm of each unit's incoming weights, shape ``[units]``; None where it has none.

    Returns:
        Columns ``site, unit, images, accuracy_drop, accuracy_drop_low, accuracy_drop_high, losses, gains, p_value,
        q_value, max_class_drop, max_class, heldout_a_to_b, heldout_b_to_a, heldout_max_class_drop, dead,
        class_selectivity, l1_norm``.

    Example:
        >>> from lenslab.units.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [1, 1], "image": [0, 1], "before": [0, 0], "after": [1, 1]})
        >>> seen = observe(flips, images, np.array([[0, 2], [0, 2], [0, 1], [0, 1.0]]), classes=2)
        >>> units_table("relu", seen, None)[["unit", "accuracy_drop", "max_class", "heldout_max_class_drop", "dead"]]
           unit  accuracy_drop  max_class  heldout_max_class_drop   dead
        0     0            0.0          0                     0.0   True
        1     1            0.5          0                     1.0  False
    """
    counts = count(observations)
    losses, gains = counts.losses.sum(axis=(0, 2)), counts.gains.sum(axis=(0, 2))
    images = len(observations.labels)
    low, high = score_interval(losses, gains, images)
    p_values = mcnemar(losses, gains)
    largest, label = max_class_drop(counts.net, counts.images)
    heldout = heldout_class_drop(counts.net, counts.images)
    unknown = np.full(observations.units, np.nan)
    return pd.DataFrame(
        {
            "site": np.full(observations.units, site, dtype=object),
            "unit": np.arange(observations.units, dtype=np.int32),
            "images": np.full(observations.units, images, dtype=np.int32),
            "accuracy_drop": overall_drop(counts.net, counts.images),
            "accuracy_drop_low": low,
            "accuracy_drop_high": high,
            "losses": losses.astype(np.int32),
            "gains": gains.astype(np.int32),
            "p_value": p_values,
            "q_value": benjamini_hochberg(p_values),
            "max_class_drop": largest,
            "max_class": label.astype(np.int32),
            "heldout_a_to_b": heldout.drop[0],
            "heldout_b_to_a": heldout.drop[1],
            "heldout_max_class_drop": heldout.mean,
            "dead": activity.dead(observations.activations),
            "class_selectivity": _selectivity(observations),
            "l1_norm": unknown if l1_norm is None else np.asarray(l1_norm, dtype=np.float64),
        }
    )


def classes_table(site: str, observations: Observations) -> pd.DataFrame:
    """One row per unit and class that has images, by unit, then by label.

    Args:
        site: Its name.
        observations: What was seen there.

    Returns:
        Columns ``site, unit, label, images, drop, low, high, losses, gains, p_value, q_value``; the q-values are over
        all units and classes of the site.

    Example:
        >>> from lenslab.units.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [0, 0], "image": [0, 1], "before": [0, 0], "after": [1, 1]})
        >>> classes_table("relu", observe(flips, images, np.ones((4, 1)), classes=3))[["label", "images", "drop"]]
           label  images  drop
        0      0       2   1.0
        1      1       2   0.0
    """
    counts = count(observations)
    present = np.flatnonzero(counts.images.sum(axis=0))
    images = np.broadcast_to(counts.images.sum(axis=0)[present], (observations.units, len(present)))
    losses, gains = counts.losses.sum(axis=0)[:, present], counts.gains.sum(axis=0)[:, present]
    low, high = score_interval(losses, gains, images)
    p_values = mcnemar(losses, gains)
    return pd.DataFrame(
        {
            "site": np.full(images.size, site, dtype=object),
            "unit": np.repeat(np.arange(observations.units, dtype=np.int32), len(present)),
            "label": np.tile(present.astype(np.int32), observations.units),
            "images": images.ravel().astype(np.int32),
            "drop": class_drops(counts.net, counts.images)[:, present].ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
            "losses": losses.ravel().astype(np.int32),
            "gains": gains.ravel().astype(np.int32),
            "p_value": p_values.ravel(),
            "q_value": benjamini_hochberg(p_values).ravel(),
        }
    )


def correlations_table(
    site: str,
    observations: Observations,
    l1_norm: NDArray[np.floating[Any]] | None,
    *,
    seed: int,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Spearman's correlation of each attribute with each measure over the live units of a site.

    The estimates are those of the columns of `units_table`. The ones with ``max_class_drop`` are biased, as that
    measure is; ``heldout_max_class_drop`` is the one to read.

    Args:
        site: Its name.
        observations: What was seen there.
        l1_norm: The L1 norm of each unit's incoming weights; None leaves its rows out.
        seed: Decides the bootstrap's draws.
        replicates: How many times to draw images and units.
        confidence: Of the intervals.

    Returns:
        Columns ``site, attribute, measure, method, estimate, low, high, units, dead``: how many units were used, and
        how many were dead and left out. NaN where a side is constant.

    Example:
        >>> from lenslab.units.statistics.observations import observe
        >>> random = np.random.default_rng(0)
        >>> images = pd.DataFrame({"image": range(80), "label": [0, 0, 1, 1] * 20, "half": ["A", "B"] * 40})
        >>> lost = pd.DataFrame({"unit": np.arange(80) % 8, "image": random.integers(0, 80, 80)}).drop_duplicates()
        >>> flips = lost.assign(before=images.label.to_numpy()[lost.image], after=2)
        >>> seen = observe(flips, images, random.random((80, 8)), classes=3)
        >>> correlations_table("relu", seen, None, seed=0, replicates=50)[["attribute", "measure", "units"]]
                   attribute                 measure  units
        0  class_selectivity           accuracy_drop      8
        1  class_selectivity          max_class_drop      8
        2  class_selectivity  heldout_max_class_drop      8
    """
    observed = measure(observations)
    replicated = replicate(observations, replicates=replicates, seed=seed)
    dead = activity.dead(observations.activations)
    # Where the replicates' attribute is the observed one, it has no replicate axis.
    pairs = {"class_selectivity": (observed.class_selectivity, replicated.class_selectivity)}
    if l1_norm is not None:
        norm = np.asarray(l1_norm, dtype=np.float64)
        pairs["l1_norm"] = (norm, norm)
    rows = []
    for attribute, (values, replicated_values) in pairs.items():
        for name in MEASURES:
            figure = getattr(observed, name)
            found = correlate(
                values,
                figure,
                replicated_values,
                getattr(replicated, name),
                units=~dead & np.isfinite(values) & np.isfinite(figure),
                seed=seed,
                confidence=confidence,
            )
            rows.append((site, attribute, name, "spearman", found.estimate, found.low, found.high, found.units))
    table = pd.DataFrame(
        rows, columns=["site", "attribute", "measure", "method", "estimate", "low", "high", "units"]
    ).astype({"units": np.int32})
    return table.assign(dead=np.int32(dead.sum()))


def _selectivity(observations: Observations) -> NDArray[np.float64]:
    means = activity.class_means(observations.activations, observations.labels, classes=observations.classes)
    return selectivity.class_selectivity(means)
