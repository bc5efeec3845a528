"""Orders: in which order the units of a site are silenced, and which images decided it.

A ranking by accuracy drops and a curve read on the same images would flatter the ranking: each unit's drop holds the
luck of those images. So an order knows the images whose predictions it was made from, and a curve is read on others.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.arguments import whole_number
from lenslab.runs.attributes.attribute_names import NAMES
from lenslab.runs.errors import NotOfUnitsError, UnitsError, UnknownOrderError
from lenslab.runs.intervention import RESAMPLE
from lenslab.runs.run_record import RunRecord
from lenslab.runs.statistics.image_halves import HALVES

RANDOM = "random"
OWN_DROP = "own-drop"
CLASS_DROP = "class-drop"

ATTRIBUTES = frozenset(("unit", *NAMES))
"""Columns of the units table that no silenced unit had a part in; every other one is an outcome of an ablation."""


@dataclass(frozen=True)
class Order:
    """An order in which the units of a site are silenced, or several of one kind.

    Attributes:
        name: As it was asked for, for instance ``"-l1_norm"``.
        rankings: The units, those to silence first in front; one ranking, or one for each repeat of a random order.
        saw: The content hashes of the images whose predictions decided the ranking.
        ranked_on: What a record says about where the ranking comes from.
        label: The class that it is about; None where it is about all of them.
    """

    name: str
    rankings: tuple[tuple[int, ...], ...]
    saw: frozenset[str]
    ranked_on: dict[str, Any]
    label: int | None = None


def order_of(
    asked: str | Sequence[int], run: RunRecord, site: str, *, scoring: Collection[str], repeats: int = 10, seed: int = 0
) -> Order:
    """Rank the units of a site.

    Args:
        asked: ``"random"``; ``"own-drop"``, the drop of accuracy; ``"class-drop:CLASS"``, the drop of a class's recall
            (Bau et al. 2020, PNAS 117:30071, rank units so); or a numeric column of the run's units table. The largest
            comes first; with ``-`` before the name, the smallest. Equal values come in the order of their numbers,
            unknown ones last. Or the units themselves, first the one to silence first; those not named come after.
        run: The run that ranks them.
        site: The name of the site.
        scoring: The content hashes of the images that are going to be scored. Where one of them is among the run's,
            drops are measured on the run's half A alone, otherwise on all of its images.
        repeats: How many random orders.
        seed: Decides them.

    Raises:
        UnknownOrderError: There is no such order, or nothing is known of the column at this site.
        LabelError: The run has no such class.
    """
    units = rankable(run, site)
    if not isinstance(asked, str):
        return _given(asked, units)
    name = asked
    ascending, plain = name.startswith("-"), name.removeprefix("-")
    if plain == RANDOM:
        if ascending:
            raise UnknownOrderError("a random order has no direction; name it random")
        drawn = (np.random.default_rng([seed, repeat]).permutation(units) for repeat in range(repeats))
        return Order(name, tuple(tuple(each.tolist()) for each in drawn), frozenset(), {"seed": seed})
    source = {"run": run.key, "images_sha256": run.dataset.sha256}
    kind, _, wanted = plain.partition(":")
    if plain == OWN_DROP or (kind == CLASS_DROP and wanted):
        label = run.label_of(wanted) if wanted else None
        drops, saw, ranked_on = _drops(run, site, units, label, scoring)
        return Order(name, (_ranked(drops, ascending=ascending),), saw, {**source, **ranked_on}, label)
    table = run.table("units")
    values = _column(table[table["site"] == site], plain, run, site)
    contents = run.table("images", ["content"])["content"]
    saw = frozenset() if plain in ATTRIBUTES else frozenset(contents)
    return Order(name, (_ranked(values, ascending=ascending),), saw, {**source, "images": len(contents), "half": None})


def rankable(run: RunRecord, site: str) -> int:
    """Tell how many units of a site can be ranked and silenced in sets."""
    run.refuse_other_than_units("units are ranked by")
    if run.intervention.replacement == RESAMPLE:
        raise NotOfUnitsError(
            f"{run.directory} replaced units by their maps on other images ({RESAMPLE}), and sets of units are not; "
            "name a run with one replacement for all images"
        )
    return run.site_named(site).units


def sizes_for(units: int, steps: int | Sequence[int] = 20) -> tuple[int, ...]:
    """Choose the numbers of silenced units that a curve is measured at.

    Args:
        units: How many units the site has.
        steps: About how many sizes, denser at the start (they grow with the cube); or the sizes. None and all of the
            units are always among them.

    Raises:
        UnitsError: A size is negative or larger than the site.

    Example:
        >>> sizes_for(64, 8), sizes_for(64, [4, 2])
        ((0, 1, 5, 12, 23, 40, 64), (0, 2, 4, 64))
    """
    if isinstance(steps, str) or not isinstance(steps, Iterable):
        count = whole_number("steps", steps, least=None)
        if count < 2:
            raise UnitsError(f"{count} steps make no curve; give 2 or more")
        grown = np.rint(units * np.linspace(0, 1, count) ** 3).astype(int).tolist()
        return tuple(sorted({0, min(1, units), *grown, units}))
    sizes = [whole_number("a size", size, least=None) for size in steps]
    wrong = [size for size in sizes if not 0 <= size <= units]
    if wrong:
        raise UnitsError(f"{wrong[0]} units cannot be silenced at a site of {units}; give sizes from 0 to {units}")
    return tuple(sorted({0, *sizes, units}))


def _given(ranking: Sequence[int], units: int) -> Order:
    """Take an order that is given unit by unit."""
    try:
        first = [whole_number("a unit", unit, least=None) for unit in ranking]
    except (TypeError, UnitsError) as error:
        raise UnknownOrderError(f"an order is a name or a list of units, not {ranking!r:.80}") from error
    wrong = [unit for unit in first if not 0 <= unit < units]
    if wrong or len({*first}) < len(first):
        what = f"unit {wrong[0]}, and the site has 0 to {units - 1}" if wrong else "a unit twice"
        raise UnknownOrderError(f"the order {first!r:.80} has {what}")
    rest = sorted({*range(units)} - {*first})
    name = f"given: {', '.join(map(str, first[:8]))}{', ...' if len(first) > 8 else ''}"
    return Order(name, ((*first, *rest),), frozenset(), {"given": first})


def _drops(
    run: RunRecord, site: str, units: int, label: int | None, scoring: Collection[str]
) -> tuple[NDArray[np.float64], frozenset[str], dict[str, Any]]:
    images = run.table("images", ["image", "label", "half", "content"])
    shared = not set(images["content"]).isdisjoint(scoring)
    chosen = images[images["half"] == HALVES[0]] if shared else images
    saw = frozenset(chosen["content"])
    read = chosen if label is None else chosen[chosen["label"] == label]
    if read.empty:
        raise UnknownOrderError(f"{run.directory} has no image to measure {CLASS_DROP} {label} on")
    flips = run.table("flips")
    flips = flips[(flips["site"] == site) & flips["image"].isin(read["image"])]
    change = (flips["before"] == flips["label"]).astype(int) - (flips["after"] == flips["label"]).astype(int)
    net = np.bincount(flips["unit"], weights=change, minlength=units)
    return net / len(read), saw, {"images": len(read), "half": HALVES[0] if shared else None}


def _column(units: pd.DataFrame, name: str, run: RunRecord, site: str) -> NDArray[np.float64]:
    numeric = [str(column) for column in units.columns if pd.api.types.is_numeric_dtype(units[column])]
    if name not in numeric:
        near = difflib.get_close_matches(name, [RANDOM, OWN_DROP, CLASS_DROP, *numeric], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UnknownOrderError(
            f"no order {name!r}{hint} There are {RANDOM}, {OWN_DROP}, {CLASS_DROP}:CLASS and the columns of "
            f"{run.directory}: {', '.join(column for column in numeric if column in ATTRIBUTES)}, ..."
        )
    values = units.sort_values("unit")[name].to_numpy(np.float64)
    if not np.isfinite(values).any():
        raise UnknownOrderError(f"{run.directory} knows no {name} of the units at {site!r}; name another order")
    return values


def _ranked(values: NDArray[np.float64], *, ascending: bool) -> tuple[int, ...]:
    keys = np.where(np.isnan(values), np.inf, values if ascending else -values)
    return tuple(np.argsort(keys, kind="stable").tolist())
