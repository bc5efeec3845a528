"""Which units does a class need, and where do its images go? The answers of a finished run, with their evidence."""

from __future__ import annotations

import difflib

import numpy as np
import pandas as pd

from lenslab.records import Record
from lenslab.runs.errors import LabelError, UnknownSiteError


def units_for(record: Record, wanted: str | int, *, site: str | None = None, level: float = 0.05) -> pd.DataFrame:
    """Find the units that a class needs: those whose silencing costs its images more than chance explains.

    Args:
        record: A finished run.
        wanted: The class, by its name or its label.
        site: Only the units of this site.
        level: The false-discovery rate: of the units that are named, at most this share is expected to be named by
            chance (Benjamini-Hochberg over all units and classes of a site, exact McNemar tests, two-sided).

    Returns:
        Columns ``site, unit, label, images, drop, low, high, losses, gains, p_value, q_value``, the largest drop first.
        Fractions; ``low`` and ``high`` are Tango's 95 % interval of each row by itself.

    Raises:
        LabelError: The run has no such class, or no image of it.
        UnknownSiteError: The run has no such site.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu1"])
        >>> units_for(run.record, "8")[["unit", "images", "losses"]].head(1)
           unit  images  losses
        0    31      65      49
    """
    label = label_of(record, wanted)
    table = record.table("classes")
    _refuse_site(record, site)
    rows = table[(table["label"] == label) & (table["site"] == (site or table["site"]))]
    if rows.empty:
        raise LabelError(f"{record.directory} has no image of class {wanted!r}, so nothing is known about it")
    needed = rows[(rows["drop"] > 0) & (rows["q_value"] <= level)]
    return needed.sort_values(["drop", "site", "unit"], ascending=[False, True, True]).reset_index(drop=True)


def destinations(record: Record, *, site: str | None = None, unit: int | None = None) -> pd.DataFrame:
    """Tell where the images go whose predicted class changes when a unit is silenced.

    Args:
        record: A finished run.
        site: Only the units of this site.
        unit: Only this unit.

    Returns:
        Columns ``site, unit, before, after, answer, images, share``, one row per unit and pair of classes, the sites in
        the order of the run, then by unit, the commonest destination first. ``answer`` is ``lost`` (the class before
        was the right one), ``gained`` (the class after is) or ``wrong`` (neither); ``share`` is that of the unit's
        changed predictions, a fraction. A unit that changes none has no row. With several draws, an image counts for
        each of them.

    Raises:
        UnknownSiteError: The run has no such site, or the site no such unit.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu1"])
        >>> destinations(run.record, unit=31)[["unit", "before", "after", "answer", "images"]].head(2)
           unit  before  after answer  images
        0    31       8      1   lost      22
        1    31       8      3   lost      12
    """
    _refuse_site(record, site)
    order = [each["name"] for each in record.document["sites"]]
    flips = record.table("flips")
    if site is not None:
        flips = flips[flips["site"] == site]
    if unit is not None:
        units = {each["name"]: int(each["units"]) for each in record.document["sites"] if site in (None, each["name"])}
        if not any(0 <= unit < count for count in units.values()):
            known = ", ".join(f"{name} has 0 to {count - 1}" for name, count in units.items())
            raise UnknownSiteError(f"{record.directory} has no unit {unit}; {known}")
        flips = flips[flips["unit"] == unit]
    answer = np.select(
        [flips["before"] == flips["label"], flips["after"] == flips["label"]], ["lost", "gained"], "wrong"
    )
    keys = ["site", "unit", "before", "after", "answer"]
    counts = flips.assign(answer=answer).groupby(keys, as_index=False).size().rename(columns={"size": "images"})
    counts["share"] = counts["images"] / counts.groupby(["site", "unit"])["images"].transform("sum")
    counts["place"] = counts["site"].map({name: place for place, name in enumerate(order)})
    by, ascending = ["place", "unit", "images", "before", "after"], [True, True, False, True, True]
    return counts.sort_values(by, ascending=ascending).drop(columns="place").reset_index(drop=True)


def _refuse_site(record: Record, site: str | None) -> None:
    sites = [each["name"] for each in record.document["sites"]]
    if site is not None and site not in sites:
        raise UnknownSiteError(f"{record.directory} has no site {site!r}; it has {', '.join(sites)}")


def label_of(record: Record, wanted: str | int) -> int:
    """Find a class of a run by its name, whatever its case, or by its label.

    Args:
        record: A finished run.
        wanted: The name or the label.

    Raises:
        LabelError: There is no such class.
    """
    names = [str(name) for name in record.document["images"]["class_names"] or ()]
    classes = int(record.document["images"]["classes"])
    matching = [label for label, name in enumerate(names) if name.casefold() == str(wanted).casefold()]
    if len(matching) == 1:
        return matching[0]
    if str(wanted).isdecimal() and int(wanted) < classes:
        return int(wanted)
    near = difflib.get_close_matches(str(wanted), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    known = f"labels 0 to {classes - 1}" + (
        f": {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" * bool(names)
    )
    raise LabelError(f"no class {wanted!r} in {record.directory}{hint} It has {known}")
