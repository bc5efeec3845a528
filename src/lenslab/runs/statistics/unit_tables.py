"""Tables: the units and classes of one site, as a run's record keeps them.

Figures are fractions, ``drop = before - after``. Intervals are at 95 % for each row by itself unless they say so:
Tango's for drops, and what `lenslab.runs.statistics.score_changes` and `lenslab.runs.statistics.precision_drops` say
for the rest. p-values are exact, q-values are Benjamini-Hochberg's over the rows of the site. Columns that were not
measured are absent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import class_means, dead_units
from lenslab.runs.attributes.selectivity import class_selectivity
from lenslab.runs.statistics.accuracy_drops import class_drops, heldout_class_drop, max_class_drop, overall_drop
from lenslab.runs.statistics.confidence_intervals import mean_interval, score_interval, simultaneous
from lenslab.runs.statistics.drop_tests import class_p_values, heldout_p_values, overall_p_values, overall_spread
from lenslab.runs.statistics.flip_counts import FlipCounts, count_flips, count_top_flips
from lenslab.runs.statistics.hypothesis_tests import benjamini_hochberg, bonferroni
from lenslab.runs.statistics.observations import Observations, align_attributes
from lenslab.runs.statistics.precision_drops import precision_drops
from lenslab.runs.statistics.score_changes import MEASURES, ScoreMeans, ScoreSums, class_score_means, unit_score_means

Columns = dict[str, NDArray[Any]]


def units_table(
    site: str,
    observations: Observations,
    attributes: pd.DataFrame | None,
    *,
    sums: ScoreSums | None = None,
    top_flips: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Make one row per unit of a site.

    ``attributes`` has the column ``unit`` and any of `lenslab.runs.attributes.attribute_tables.attribute_table`; None
    for sets and directions, which have none of their own. ``top_flips`` holds the pairs whose true class left or
    entered the k largest logits: columns ``unit, image, lost``, with several draws also ``draw``.

    Returns:
        Columns ``site, unit, images``;
        ``accuracy_drop`` with ``_low, _high`` and ``_simultaneous_low, _simultaneous_high``, which hold for all live
        units of the site together (Bonferroni; NaN for dead units);
        ``losses, gains``, their total over draws, ``p_value, q_value`` of the overall drop, and ``draws_sd``, the
        standard deviation of the overall drop over draws (NaN with one draw);
        ``max_class_drop, max_class``; ``heldout_a_to_b, heldout_b_to_a, heldout_max_class_drop``, and
        ``heldout_p_value``, whether either way shows damage, with ``heldout_q_value`` over the live units (NaN for dead
        ones);
        ``balanced_accuracy_drop`` with ``_low, _high``: the mean over the classes that have images;
        ``top_drop`` with ``_low, _high`` and ``top_losses, top_gains`` with ``top_flips``;
        ``loss_rise``, ``logit_drop`` and ``margin_drop`` with ``_low, _high`` each with ``sums``;
        ``dead, class_selectivity, l1_norm`` and the other attributes. Without attributes the selectivity is computed
        from the activations and the norm is NaN.

    Raises:
        BrokenRecordError: The attributes are not those of these units, or a row of ``top_flips`` names what does not
            exist.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [1, 1], "image": [0, 1], "before": [0, 0], "after": [1, 1]})
        >>> seen = observe(flips, images, np.array([[0, 2], [0, 2], [0, 1], [0, 1.0]]), classes=2)
        >>> units_table("relu", seen, None)[["unit", "accuracy_drop", "max_class", "heldout_max_class_drop", "dead"]]
           unit  accuracy_drop  max_class  heldout_max_class_drop   dead
        0     0            0.0          0                     0.0   True
        1     1            0.5          0                     1.0  False
    """
    counts = count_flips(observations)
    dead = dead_units(observations.activations)
    losses, gains = counts.losses.sum(axis=(0, 2)), counts.gains.sum(axis=(0, 2))
    images = len(observations.labels)
    mean_losses, mean_gains = losses / counts.draws, gains / counts.draws
    low, high = score_interval(mean_losses, mean_gains, images)
    family = simultaneous(0.95, int((~dead).sum()))
    wide_low, wide_high = score_interval(mean_losses, mean_gains, images, confidence=family)
    p_values = overall_p_values(observations)
    largest, label = max_class_drop(counts.net, counts.images)
    heldout = heldout_class_drop(counts.net, counts.images)
    heldout_p = bonferroni(*heldout_p_values(observations, heldout))
    means = None if sums is None else unit_score_means(sums, counts.images.sum(axis=0), draws=counts.draws)
    return pd.DataFrame(
        {
            "site": np.full(observations.units, site, dtype=object),
            "unit": np.arange(observations.units, dtype=np.int32),
            "images": np.full(observations.units, images, dtype=np.int32),
            "accuracy_drop": overall_drop(counts.net, counts.images),
            "accuracy_drop_low": low,
            "accuracy_drop_high": high,
            "accuracy_drop_simultaneous_low": np.where(dead, np.nan, wide_low),
            "accuracy_drop_simultaneous_high": np.where(dead, np.nan, wide_high),
            "losses": losses.astype(np.int32),
            "gains": gains.astype(np.int32),
            "p_value": p_values,
            "q_value": benjamini_hochberg(p_values),
            "draws_sd": overall_spread(observations),
            "max_class_drop": largest,
            "max_class": label.astype(np.int32),
            "heldout_a_to_b": heldout.drop[0],
            "heldout_b_to_a": heldout.drop[1],
            "heldout_max_class_drop": heldout.mean,
            "heldout_p_value": heldout_p,
            "heldout_q_value": benjamini_hochberg(np.where(dead, np.nan, heldout_p)),
            **_balanced(counts),
            **({} if top_flips is None else _unit_top(count_top_flips(observations, top_flips))),
            **({} if means is None else _continuous(means)),
            "dead": dead,
            **_attributes(observations, attributes),
        }
    )


def classes_table(
    site: str, observations: Observations, *, sums: ScoreSums | None = None, top_flips: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Make one row per unit and class that has images, by unit, then by label.

    Returns:
        Columns ``site, unit, label, images, drop, low, high, losses, gains, p_value, q_value``; the q-values are over
        all units and classes of the site. The drop of a class is that of its recall. With the untouched network's
        predictions ``precision_drop`` (of the images that the network calls k, how many are; NaN where it calls none k
        before or after), with ``top_flips`` ``top_drop``, ``top_losses, top_gains``, with ``sums`` ``loss_rise``,
        ``logit_drop`` and ``margin_drop``: each figure with ``_low, _high``.

    Raises:
        BrokenRecordError: A row of ``top_flips`` names what does not exist.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [0, 0], "image": [0, 1], "before": [0, 0], "after": [1, 1]})
        >>> classes_table("relu", observe(flips, images, np.ones((4, 1)), classes=3))[["label", "images", "drop"]]
           label  images  drop
        0      0       2   1.0
        1      1       2   0.0
    """
    counts = count_flips(observations)
    present = np.flatnonzero(counts.images.sum(axis=0))
    losses, gains, low, high = _class_counts(counts)
    p_values = _rows(class_p_values(observations), present)
    precision = precision_drops(observations)
    wide: Columns = {
        "drop": class_drops(counts.net, counts.images),
        "low": low,
        "high": high,
        "losses": losses.astype(np.int32),
        "gains": gains.astype(np.int32),
    }
    more: Columns = {}
    if precision is not None:
        more |= _figure("precision_drop", precision.drop, precision.low, precision.high)
    if top_flips is not None:
        top = count_top_flips(observations, top_flips)
        losses, gains, low, high = _class_counts(top)
        more |= _figure("top_drop", class_drops(top.net, top.images), low, high)
        more |= {"top_losses": losses.astype(np.int32), "top_gains": gains.astype(np.int32)}
    if sums is not None:
        more |= _continuous(class_score_means(sums, counts.images.sum(axis=0), draws=counts.draws))
    return pd.DataFrame(
        {
            "site": np.full(len(p_values), site, dtype=object),
            "unit": np.repeat(np.arange(observations.units, dtype=np.int32), len(present)),
            "label": np.tile(present.astype(np.int32), observations.units),
            "images": np.tile(counts.images.sum(axis=0)[present].astype(np.int32), observations.units),
            **{name: _rows(values, present) for name, values in wide.items()},
            "p_value": p_values,
            "q_value": benjamini_hochberg(p_values),
            **{name: _rows(values, present) for name, values in more.items()},
        },
        copy=False,
    )


def _rows(values: NDArray[Any], present: NDArray[np.int64]) -> NDArray[Any]:
    """Put the classes that have images one below the other, by unit."""
    return (values if len(present) == values.shape[1] else values[:, present]).ravel()


def _class_counts(counts: FlipCounts) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    losses, gains = counts.losses.sum(axis=0), counts.gains.sum(axis=0)
    low, high = score_interval(losses / counts.draws, gains / counts.draws, counts.images.sum(axis=0))
    return losses, gains, low, high


def _balanced(counts: FlipCounts) -> Columns:
    drops = class_drops(counts.net, counts.images)
    _, _, low, high = _class_counts(counts)
    low, high = mean_interval(drops, low, high)
    return _figure("balanced_accuracy_drop", np.nanmean(drops, axis=-1), low, high)


def _unit_top(top: FlipCounts) -> Columns:
    losses, gains = top.losses.sum(axis=(0, 2)), top.gains.sum(axis=(0, 2))
    low, high = score_interval(losses / top.draws, gains / top.draws, int(top.images.sum()))
    figure = _figure("top_drop", overall_drop(top.net, top.images), low, high)
    return figure | {"top_losses": losses.astype(np.int32), "top_gains": gains.astype(np.int32)}


def _continuous(means: ScoreMeans) -> Columns:
    found: Columns = {}
    for place, name in enumerate(MEASURES):
        found |= _figure(name, means.mean[place], means.low[place], means.high[place])
    return found


def _figure(name: str, figure: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> Columns:
    return {name: figure, f"{name}_low": low, f"{name}_high": high}


def _attributes(observations: Observations, attributes: pd.DataFrame | None) -> Mapping[str, NDArray[Any]]:
    if attributes is None:
        attributes = pd.DataFrame({"unit": np.arange(observations.units)})
    rows = align_attributes(attributes, observations)
    known = {str(name): rows[name].to_numpy() for name in rows if name not in ("site", "unit", "dead")}
    if "class_selectivity" not in known:
        means = class_means(observations.activations, observations.labels, classes=observations.classes)
        known["class_selectivity"] = class_selectivity(means)
    known.setdefault("l1_norm", np.full(observations.units, np.nan))
    first = ("class_selectivity", "l1_norm")
    return {name: known[name] for name in (*first, *(name for name in known if name not in first))}
