"""Orders: in which order the units of a site are silenced, and which images decided it.

A ranking by accuracy drops and a curve read on the same images would flatter the ranking: each unit's drop holds the
luck of those images. So an order knows the images whose predictions it was made from, and a curve is read on others.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.records import Record
from lenslab.runs.attributes.attribute_names import NAMES
from lenslab.runs.errors import UnitsError, UnknownOrderError, UnknownSiteError
from lenslab.runs.intervention import RESAMPLE
from lenslab.runs.needed_units import label_of
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
    name: str, record: Record, site: str, *, scoring: Collection[str], repeats: int = 10, seed: int = 0
) -> Order:
    """Rank the units of a site.

    Args:
        name: ``"random"``; ``"own-drop"``, the drop of accuracy; ``"class-drop:CLASS"``, the drop of a class's recall
            (Bau et al. 2020, PNAS 117:30071, rank units so); or a numeric column of the run's units table. The largest
            comes first; with ``-`` before the name, the smallest. Equal values come in the order of their numbers,
            unknown ones last.
        record: The run that ranks them.
        site: The name of the site.
        scoring: The content hashes of the images that are going to be scored. Where one of them is among the run's,
            drops are measured on the run's half A alone, otherwise on all of its images.
        repeats: How many random orders.
        seed: Decides them.

    Raises:
        UnknownOrderError: There is no such order, or nothing is known of the column at this site.
        LabelError: The run has no such class.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu1"])
        >>> own = order_of("own-drop", run.record, "relu1", scoring=run.record.table("images")["content"])
        >>> own.rankings[0][:3], own.ranked_on["half"]
        ((31, 20, 11), 'A')
        >>> len(order_of("random", run.record, "relu1", scoring=[], repeats=3).rankings)
        3
    """
    ascending, plain = name.startswith("-"), name.removeprefix("-")
    units = units_of(record, site)
    if plain == RANDOM:
        if ascending:
            raise UnknownOrderError("a random order has no direction; name it random")
        drawn = (np.random.default_rng([seed, repeat]).permutation(units) for repeat in range(repeats))
        return Order(name, tuple(tuple(each.tolist()) for each in drawn), frozenset(), {"seed": seed})
    run = {"run": record.key, "images_sha256": record.document["request"]["images_sha256"]}
    kind, _, wanted = plain.partition(":")
    if plain == OWN_DROP or (kind == CLASS_DROP and wanted):
        label = label_of(record, wanted) if wanted else None
        drops, saw, ranked_on = _drops(record, site, units, label, scoring)
        return Order(name, (_ranked(drops, ascending=ascending),), saw, {**run, **ranked_on}, label)
    table = record.table("units")
    values = _column(table[table["site"] == site], plain, record, site)
    contents = record.table("images", ["content"])["content"]
    saw = frozenset() if plain in ATTRIBUTES else frozenset(contents)
    return Order(name, (_ranked(values, ascending=ascending),), saw, {**run, "images": len(contents), "half": None})


def units_of(record: Record, site: str) -> int:
    """How many units a site of a run has.

    Raises:
        UnknownSiteError: The run has no such site.
        UnitsError: The run silenced something else than single units.
    """
    request = record.document["request"]
    if request.get("groups") or request.get("basis", "units") != "units":
        what = "sets of units" if request.get("groups") else "random directions"
        raise UnitsError(f"{record.directory} silenced {what}; units are ranked by a run that silenced each unit alone")
    if request["replacement"] == RESAMPLE:
        raise UnitsError(
            f"{record.directory} replaced units by their maps on other images ({RESAMPLE}), and sets of units are not; "
            "name a run with one replacement for all images"
        )
    sizes = {each["name"]: int(each["units"]) for each in record.document["sites"]}
    if site not in sizes:
        raise UnknownSiteError(f"{record.directory} has no site {site!r}; it has {', '.join(sizes)}")
    return sizes[site]


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
    if isinstance(steps, int):
        if steps < 2:
            raise UnitsError(f"{steps} steps make no curve; give 2 or more")
        grown = np.rint(units * np.linspace(0, 1, steps) ** 3).astype(int).tolist()
        return tuple(sorted({0, min(1, units), *grown, units}))
    wrong = [size for size in steps if not 0 <= size <= units]
    if wrong:
        raise UnitsError(f"{wrong[0]} units cannot be silenced at a site of {units}; give sizes from 0 to {units}")
    return tuple(sorted({0, *steps, units}))


def _drops(
    record: Record, site: str, units: int, label: int | None, scoring: Collection[str]
) -> tuple[NDArray[np.float64], frozenset[str], dict[str, Any]]:
    images = record.table("images", ["image", "label", "half", "content"])
    shared = not set(images["content"]).isdisjoint(scoring)
    chosen = images[images["half"] == HALVES[0]] if shared else images
    saw = frozenset(chosen["content"])
    read = chosen if label is None else chosen[chosen["label"] == label]
    if read.empty:
        raise UnknownOrderError(f"{record.directory} has no image to measure {CLASS_DROP} {label} on")
    flips = record.table("flips")
    flips = flips[(flips["site"] == site) & flips["image"].isin(read["image"])]
    change = (flips["before"] == flips["label"]).astype(int) - (flips["after"] == flips["label"]).astype(int)
    net = np.bincount(flips["unit"], weights=change, minlength=units)
    return net / len(read), saw, {"images": len(read), "half": HALVES[0] if shared else None}


def _column(units: pd.DataFrame, name: str, record: Record, site: str) -> NDArray[np.float64]:
    numeric = [str(column) for column in units.columns if pd.api.types.is_numeric_dtype(units[column])]
    if name not in numeric:
        near = difflib.get_close_matches(name, [RANDOM, OWN_DROP, CLASS_DROP, *numeric], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UnknownOrderError(
            f"no order {name!r}{hint} There are {RANDOM}, {OWN_DROP}, {CLASS_DROP}:CLASS and the columns of "
            f"{record.directory}: {', '.join(column for column in numeric if column in ATTRIBUTES)}, ..."
        )
    values = units.sort_values("unit")[name].to_numpy(np.float64)
    if not np.isfinite(values).any():
        raise UnknownOrderError(f"{record.directory} knows no {name} of the units at {site!r}; name another order")
    return values


def _ranked(values: NDArray[np.float64], *, ascending: bool) -> tuple[int, ...]:
    keys = np.where(np.isnan(values), np.inf, values if ascending else -values)
    return tuple(np.argsort(keys, kind="stable").tolist())
