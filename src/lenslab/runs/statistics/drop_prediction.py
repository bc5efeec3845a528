"""Prediction of drops from all attributes together, by ridge regression, on units that the fit has not seen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.statistics.accuracy_drops import heldout_class_drop, overall_drop
from lenslab.runs.statistics.bootstrap import unit_measures
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.observations import Observations, align_attributes

Floats = NDArray[np.float64]

MIN_UNITS = 20
"""Below so many live units nothing is predicted: a fold would hold fewer than four."""

FOLDS = 5
REPEATS = 10

# From hardly any shrinkage to nearly the mean alone, for standardised attributes.
_PENALTIES = tuple(float(penalty) for penalty in np.logspace(-2, 4, 19))


@dataclass(frozen=True)
class Prediction:
    """How well a target is predicted.

    Attributes:
        explained: The share of the target's variance that out-of-fold predictions explain, in each repeat; below 0
            where the mean predicts better. Shape ``[repeats]``; NaN where nothing can be predicted.
        reason: Why nothing can be predicted; empty where it can.
    """

    explained: Floats
    reason: str


def predict(
    attributes: Floats, targets: Floats, *, seed: int, folds: int = FOLDS, repeats: int = REPEATS
) -> list[Prediction]:
    r"""Predict targets from attributes by ridge regressions, each unit by fits on others.

    In each repeat the units are split into folds anew. For each fold the others decide everything: the medians that
    replace missing attributes, which attributes are constant and dropped, means and standard deviations, and each
    target's penalty, which is chosen by leave-one-out (scikit-learn's ``RidgeCV``; Hoerl and Kennard 1970,
    Technometrics 12:55).
    A repeat explains :math:`1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2` over all units.

    The attributes have the shape ``[units, attributes]``, NaN where a unit has none, the targets ``[units, targets]``.

    Example:
        >>> random = np.random.default_rng(0)
        >>> attributes = random.normal(size=(60, 3))
        >>> line, flat = predict(attributes, np.stack([attributes[:, 0], np.ones(60)], axis=1), seed=0)
        >>> bool(line.explained.min() > 0.9), flat.reason
        (True, 'every unit costs the same')
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold

    reasons = [_obstacle(attributes, target) for target in targets.T]
    explained = np.full((repeats, len(reasons)), np.nan)
    predictable = np.array([reason is None for reason in reasons])
    wanted = targets[:, predictable]
    for repeat in range(repeats if predictable.any() else 0):
        guess = np.empty_like(wanted)
        state = int(np.random.default_rng([seed, repeat]).integers(2**31))
        for train, test in KFold(folds, shuffle=True, random_state=state).split(attributes):
            known, unseen, kept = _standardised(attributes[train], attributes[test])
            guess[test] = wanted[train].mean(axis=0)
            if kept.any():
                ridge = RidgeCV(_PENALTIES, alpha_per_target=True).fit(known, wanted[train])
                guess[test] = ridge.predict(unseen).reshape(len(test), -1)  # of one target, it may lack the axis
        variance = ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0)
        explained[repeat, predictable] = 1 - ((wanted - guess) ** 2).sum(axis=0) / variance
    return [Prediction(shares, reason or "") for shares, reason in zip(explained.T, reasons, strict=True)]


def predictions_table(
    site: str,
    observations: Observations,
    attributes: pd.DataFrame,
    *,
    seed: int,
    folds: int = FOLDS,
    repeats: int = REPEATS,
) -> pd.DataFrame:
    """Predict what the ablation of a site's units costs from all of their attributes together.

    The units are the sample: the share says how well the cost of a unit of this site is predicted from its other
    units. Attributes and drops come from the same images; an attribute that looks at the labels shares their noise.

    Returns:
        Columns ``site, target, explained, explained_sd, explained_low, explained_high, folds, repeats, attributes,
        units, dead, reason``, one row for ``accuracy_drop`` and one for ``heldout_max_class_drop``: the out-of-fold
        share of variance (R squared) averaged over repeats, its standard deviation, smallest and largest value over
        repeats, how many attributes were used, over how many live units. Where nothing can be predicted it is NaN and
        ``reason`` says why.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(40), "label": 0, "half": ["A", "B"] * 20})
        >>> lost = [(unit, image) for unit in range(30) for image in range(unit)]
        >>> flips = pd.DataFrame(lost, columns=["unit", "image"]).assign(before=0, after=1)
        >>> seen = observe(flips, images, np.random.default_rng(0).random((40, 30)), classes=2)
        >>> known = pd.DataFrame({"unit": range(30), "l1_norm": np.arange(30.0)})
        >>> predictions_table("relu", seen, known, seed=0)[["target", "explained", "units", "reason"]].round(2)
                           target  explained  units reason
        0           accuracy_drop        1.0     30
        1  heldout_max_class_drop        1.0     30
    """
    names, values, targets, live = _design(observations, attributes)
    rows = []
    predicted = predict(values, np.stack(list(targets.values()), axis=1), seed=seed, folds=folds, repeats=repeats)
    for target, found in zip(targets, predicted, strict=True):
        spread = float(np.std(found.explained, ddof=1)) if repeats > 1 else float("nan")
        shares = (found.explained.mean(), spread, found.explained.min(), found.explained.max())
        rows.append((site, target, *shares, folds, repeats, len(names), len(values), int((~live).sum()), found.reason))
    figures = ["explained", "explained_sd", "explained_low", "explained_high"]
    counts = ["folds", "repeats", "attributes", "units", "dead"]
    table = pd.DataFrame(rows, columns=["site", "target", *figures, *counts, "reason"])
    return table.astype(dict.fromkeys(figures, np.float64) | dict.fromkeys(counts, np.int32))


def coefficients_table(site: str, observations: Observations, attributes: pd.DataFrame) -> pd.DataFrame:
    """Compute the weight of each attribute in the ridge regression on all live units.

    Attributes that go together share their weight, so a small one does not say that an attribute is useless.

    Returns:
        Columns ``site, target, attribute, coefficient, units``: by how many standard deviations the target rises where
        the attribute rises by one. No rows where nothing can be predicted, and none for a constant attribute.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(40), "label": 0, "half": ["A", "B"] * 20})
        >>> lost = [(unit, image) for unit in range(30) for image in range(unit)]
        >>> flips = pd.DataFrame(lost, columns=["unit", "image"]).assign(before=0, after=1)
        >>> seen = observe(flips, images, np.random.default_rng(0).random((40, 30)), classes=2)
        >>> known = pd.DataFrame({"unit": range(30), "l1_norm": np.arange(30.0)})
        >>> coefficients_table("relu", seen, known).query("attribute == 'l1_norm'")[["target", "coefficient"]].round(2)
                           target  coefficient
        0           accuracy_drop          1.0
        1  heldout_max_class_drop          1.0
    """
    from sklearn.linear_model import RidgeCV

    names, values, targets, _ = _design(observations, attributes)
    parts = []
    for target, figure in targets.items():
        if _obstacle(values, figure) is not None:
            continue
        known, _, kept = _standardised(values, values)
        weights = RidgeCV(_PENALTIES).fit(known, figure).coef_ / figure.std()
        attribute = np.array(names, dtype=object)[kept]
        parts.append(pd.DataFrame({"site": site, "target": target, "attribute": attribute, "coefficient": weights}))
    columns = ["site", "target", "attribute", "coefficient"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table.astype({"coefficient": np.float64}).assign(units=np.int32(len(values)))


def _design(
    observations: Observations, attributes: pd.DataFrame
) -> tuple[list[str], Floats, dict[str, Floats], NDArray[np.bool_]]:
    """Give the names and values of the attributes that some live unit has, the targets, and which units are alive."""
    live = ~dead_units(observations.activations)
    rows = align_attributes(attributes, observations)
    columns = {name: rows[name].to_numpy(np.float64)[live] for name in SCORES if name in rows}
    if "class_selectivity" not in columns:
        columns = {"class_selectivity": unit_measures(observations).class_selectivity[live], **columns}
    columns = {name: np.where(np.isfinite(values), values, np.nan) for name, values in columns.items()}
    columns = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    counts = count_flips(observations)
    targets = {
        "accuracy_drop": overall_drop(counts.net, counts.images)[live],
        "heldout_max_class_drop": heldout_class_drop(counts.net, counts.images).mean[live],
    }
    values = np.stack(list(columns.values()), axis=1) if columns else np.empty((int(live.sum()), 0))
    return list(columns), values, targets, live


def _obstacle(attributes: Floats, target: Floats) -> str | None:
    if len(target) < MIN_UNITS:
        return f"{len(target)} live units, fewer than {MIN_UNITS}"
    if np.isnan(target).any():
        return "no class has images in both halves"
    if np.ptp(target) == 0:
        return "every unit costs the same"
    if not attributes.shape[1]:
        return "no attributes are known"
    return None


def _standardised(known: Floats, unseen: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Standardise both by medians, means and spreads of the first, without attributes that are constant there."""
    some = ~np.isnan(known).all(axis=0)
    middle = np.zeros(known.shape[1])
    middle[some] = np.nanmedian(known[:, some], axis=0)
    first, second = (np.where(np.isnan(part), middle, part) for part in (known, unseen))
    mean, spread = first.mean(axis=0), first.std(axis=0)
    kept = np.ptp(first, axis=0) > 0
    return (first[:, kept] - mean[kept]) / spread[kept], (second[:, kept] - mean[kept]) / spread[kept], kept
