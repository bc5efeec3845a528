"""A comparison: what units cost in one run beside what they cost in another, site by site.

Every difference is the one run minus the other: positive where the one has more. The units of two trainings are not the
same units, so by default only their distributions are compared; those of two checkpoints of one training are, and on
the same images each unit's change can be tested image by image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lenslab.runs.arguments import flag, fraction
from lenslab.runs.errors import UnitsError, UnknownSiteError
from lenslab.runs.run_record import RunRecord
from lenslab.runs.statistics.confidence_intervals import difference_interval, score_interval, share_interval
from lenslab.runs.statistics.correlation_coefficients import spearman
from lenslab.runs.statistics.drop_differences import cliffs_delta, drop_differences
from lenslab.runs.statistics.hypothesis_tests import benjamini_hochberg, mcnemar

# The costs of one chunk of units hold about this many numbers.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        one: The one run.
        other: The other run.
        paired: Whether units were compared one by one.
        accuracy: Of the untouched networks: ``one`` and ``other`` (each on all of its images), ``images`` (how many
            both have), ``difference``, ``low``, ``high`` and ``p_value`` on these; where there are none, of all images,
            without a test.
        sites: One row per site that both have: ``site``; for each run ``units, mean, median, largest`` (drops of
            accuracy, fractions) and ``significant`` (the share of units with a q-value up to the level), ending in
            ``_one`` and ``_other``; ``delta, delta_low, delta_high`` (Cliff's) and ``p_value`` (Mann and Whitney's),
            ``q_value`` over the sites. With paired units also ``pairs``, ``dead`` (units that are dead in both runs and
            left out of the correlation), ``spearman, spearman_low, spearman_high`` and ``changed`` (how many units).
        units: With paired units one row per unit: ``site, unit, images, drop_one, drop_other, difference, low, high,
            differing, p_value, q_value`` on the images that both runs have; empty otherwise.
        only_one: Sites that only the one run has.
        only_other: Sites that only the other run has.
        notes: What a reader should know, a sentence each.
    """

    one: RunRecord
    other: RunRecord
    paired: bool
    accuracy: Mapping[str, float | int | None]
    sites: pd.DataFrame
    units: pd.DataFrame
    only_one: tuple[str, ...]
    only_other: tuple[str, ...]
    notes: tuple[str, ...]


def comparison(one: RunRecord, other: RunRecord, *, paired: bool = False, level: float = 0.05) -> Comparison:
    """Compare two runs, see `lenslab.runs.Run.compare`."""
    fraction("level", level)
    flag("paired", paired)
    for run in (one, other):
        run.refuse_other_than_units("what is compared is")
        if paired and run.intervention.draws != 1:
            raise UnitsError(
                f"{run.directory} silenced each unit in several ways (replacement {run.intervention.replacement}); "
                "units are paired where each was silenced once"
            )
    sizes, sizes_other = ({site.name: site.units for site in run.sites} for run in (one, other))
    shared = [name for name in sizes if name in sizes_other]
    if not shared:
        raise UnknownSiteError(
            f"{one.directory} and {other.directory} have no site in common: the one has {', '.join(sizes)}, the other "
            f"{', '.join(sizes_other)}"
        )
    matched = match(one, other)
    if paired and matched.empty:
        raise UnitsError(
            f"{one.directory} and {other.directory} have no image in common, and units are paired image by image; "
            "measure both on the same images, or compare distributions, without pairing"
        )
    pairable = [name for name in shared if sizes[name] == sizes_other[name]] if paired else []
    if paired and not pairable:
        raise UnitsError("no site has as many units in both runs, so units cannot be paired; compare distributions")
    units = _units(one, other, matched, {name: sizes[name] for name in pairable})
    return Comparison(
        one,
        other,
        paired,
        _accuracy(one, other, matched),
        _sites(one, other, shared, units, level, paired=paired),
        units,
        tuple(name for name in sizes if name not in sizes_other),
        tuple(name for name in sizes_other if name not in sizes),
        tuple(_notes(one, other, matched, [name for name in shared if paired and name not in pairable])),
    )


def match(one: RunRecord, other: RunRecord) -> pd.DataFrame:
    """Find the images that two runs have in common: those of the same content and label, each once.

    Returns:
        Columns ``image_one, image_other, label, correct_one, correct_other``, in the order of the contents.
    """
    frames = []
    for run in (one, other):
        frame = run.table("images", ["image", "label", "prediction", "content"]).sort_values("image")
        copy = frame.groupby(["content", "label"]).cumcount()  # copies of an image are paired in turn
        correct = frame["label"] == frame["prediction"]
        frames.append(frame.assign(copy=copy, correct=correct).drop(columns="prediction"))
    keys = ["content", "label", "copy"]
    merged = frames[0].merge(frames[1], on=keys, suffixes=("_one", "_other"), validate="one_to_one")
    return merged.sort_values(keys).drop(columns=["content", "copy"]).reset_index(drop=True)


def _accuracy(one: RunRecord, other: RunRecord, matched: pd.DataFrame) -> dict[str, float | int | None]:
    found: dict[str, float | int | None] = {"one": one.accuracy, "other": other.accuracy, "images": len(matched)}
    if len(matched):
        first, second = matched["correct_one"].to_numpy(bool), matched["correct_other"].to_numpy(bool)
        more, fewer = int((first & ~second).sum()), int((~first & second).sum())
        low, high = score_interval(more, fewer, len(matched))
        difference, p_value = (more - fewer) / len(matched), float(mcnemar(more, fewer))
    else:
        figures = []
        for run in (one, other):
            images = run.table("images", ["label", "prediction"])
            correct = int((images["label"] == images["prediction"]).sum())
            figures.append((correct / len(images), *share_interval(correct, len(images))))
        low, high = difference_interval(figures[0], figures[1])
        difference, p_value = float(figures[0][0] - figures[1][0]), None
    return {**found, "difference": difference, "low": float(low), "high": float(high), "p_value": p_value}


def _units(one: RunRecord, other: RunRecord, matched: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    frames = []
    flips = [run.table("flips") if sizes else pd.DataFrame() for run in (one, other)]
    for site, size in sizes.items():
        ours = [frame[frame["site"] == site] for frame in flips]
        step = max(1, _CHUNK // len(matched))
        parts = []
        for first in range(0, size, step):
            units = range(first, min(first + step, size))
            costs = [
                _costs(frame, matched[f"image_{name}"].to_numpy(), units)
                for frame, name in zip(ours, ("one", "other"), strict=True)
            ]
            columns = {
                "site": np.full(len(units), site, dtype=object),
                "unit": np.arange(first, first + len(units), dtype=np.int32),
                "images": np.int32(len(matched)),
                "drop_one": costs[0].mean(axis=0),
                "drop_other": costs[1].mean(axis=0),
                **vars(drop_differences(*costs)),
            }
            parts.append(pd.DataFrame(columns).astype({"differing": np.int32}))
        whole = pd.concat(parts, ignore_index=True)
        frames.append(whole.assign(q_value=benjamini_hochberg(whole["p_value"].to_numpy())))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_UNITS)


def _costs(flips: pd.DataFrame, numbers: NDArray[np.int64], units: range) -> NDArray[np.int64]:
    """Count what each unit costs on each image: 1 where a correct answer is lost, -1 where one is gained."""
    ours = flips[flips["unit"].between(units.start, units.stop - 1) & flips["image"].isin(numbers)]
    order = np.argsort(numbers)
    row = order[np.searchsorted(numbers, ours["image"].to_numpy(), sorter=order)]
    costs = np.zeros((len(numbers), len(units)), np.int64)
    before, after = (ours[name].to_numpy() == ours["label"].to_numpy() for name in ("before", "after"))
    costs[row, ours["unit"].to_numpy(int) - units.start] = before.astype(np.int64) - after
    return costs


def _sites(
    one: RunRecord, other: RunRecord, shared: list[str], units: pd.DataFrame, level: float, *, paired: bool
) -> pd.DataFrame:
    tables = [run.table("units") for run in (one, other)]
    rows = []
    for site in shared:
        row: dict[str, Any] = {"site": site}
        ours = [table[table["site"] == site].sort_values("unit") for table in tables]
        for name, table in zip(("one", "other"), ours, strict=True):
            drops = table["accuracy_drop"]
            row |= {
                f"units_{name}": len(table),
                f"mean_{name}": drops.mean(),
                f"median_{name}": drops.median(),
                f"largest_{name}": drops.max(),
                f"significant_{name}": (table["q_value"] <= level).mean(),
            }
        found = cliffs_delta(*(table["accuracy_drop"].to_numpy() for table in ours))
        row |= {"delta": found.delta, "delta_low": found.low, "delta_high": found.high, "p_value": found.p_value}
        pairs = units[units["site"] == site]
        if paired and len(pairs):
            dead = np.logical_and(*(table["dead"].to_numpy(bool) for table in ours))
            row |= {"pairs": len(pairs), "dead": int(dead.sum())}
            row |= _correlation(pairs["drop_one"].to_numpy()[~dead], pairs["drop_other"].to_numpy()[~dead])
            row["changed"] = int((pairs["q_value"] <= level).sum())
        rows.append(row)
    frame = pd.DataFrame(rows)
    return frame.assign(q_value=benjamini_hochberg(frame["p_value"].to_numpy()))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, float]:
    """Spearman's, with the interval of Bonett and Wright (2000, Psychometrika 65:23)."""
    estimate = float(spearman(first, second)) if len(first) else np.nan
    low = high = np.nan
    if len(first) > 3 and abs(estimate) < 1:
        reach = stats.norm.isf(0.025) * np.sqrt((1 + estimate**2 / 2) / (len(first) - 3))
        low, high = (float(np.tanh(np.arctanh(estimate) + side * reach)) for side in (-1, 1))
    elif abs(estimate) == 1:
        low = high = estimate
    return {"spearman": estimate, "spearman_low": low, "spearman_high": high}


def _notes(one: RunRecord, other: RunRecord, matched: pd.DataFrame, unpaired: list[str]) -> list[str]:
    notes = []
    words = [run.intervention.replacement for run in (one, other)]
    if words[0] != words[1]:
        notes.append(
            f"silenced units become something else in each run ({words[0]}, {words[1]}), so a difference may be that "
            "of the replacements"
        )
    if one.network.weights_sha256 == other.network.weights_sha256:
        notes.append("both runs have the same weights")
    elif one.network.architecture_sha256 != other.network.architecture_sha256:
        notes.append("the runs are of different architectures")
    if one.network.preprocessing != other.network.preprocessing:
        notes.append("images are prepared differently for each run")
    counts = [run.dataset.limit or 0 for run in (one, other)]
    if len(matched) < max(counts):
        notes.append(
            f"{len(matched):,} images are in both runs, which have {counts[0]:,} and {counts[1]:,}"
            + ("" if len(matched) else ": only distributions are compared")
        )
    if unpaired:
        notes.append(f"not paired, for they have other numbers of units: {', '.join(unpaired)}")
    return notes


_UNITS = [
    *("site", "unit", "images", "drop_one", "drop_other", "difference", "low", "high", "differing", "p_value"),
    "q_value",
]
