"""Destinations: the classes that images go to when a unit is silenced and their predicted class changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenslab.records import BrokenRecordError
from lenslab.runs.arguments import whole_number
from lenslab.runs.errors import UnknownSiteError
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import pandas as pd


def transitions(run: RunRecord, site: str | None = None) -> pd.DataFrame:
    """Count each unit's changed predictions by the class before and the class after, of all sites or one.

    Returns:
        Columns ``site, unit, before, after, pairs, lost, gained``, in no order: ``lost`` of the pairs were right
        before, ``gained`` after. With several draws, an image counts for each of them.

    Raises:
        BrokenRecordError: The table of flips cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = run.record.path("flips.parquet")
    try:
        columns, filters = ["site", "unit", "label", "before", "after"], site and [("site", "=", site)]
        flips = pq.read_table(path, columns=columns, filters=filters, partitioning=None)
        judged = flips.append_column("lost", pc.equal(flips["before"], flips["label"]).cast("int32"))
        judged = judged.append_column("gained", pc.equal(flips["after"], flips["label"]).cast("int32"))
        keys = ["site", "unit", "before", "after"]
        counted = judged.group_by(keys).aggregate([("label", "count"), ("lost", "sum"), ("gained", "sum")])
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise BrokenRecordError(f"{path} cannot be read as a table of changed predictions: {error}") from error
    names = {"label_count": "pairs", "lost_sum": "lost", "gained_sum": "gained"}
    frame: pd.DataFrame = counted.to_pandas().rename(columns=names)
    return frame


def destinations(run: RunRecord, *, site: str | None = None, unit: int | None = None) -> pd.DataFrame:
    """Tell where the images of silenced units go, see `lenslab.runs.Run.destinations`."""
    sites = run.sites if site is None else (run.site_named(site),)
    if unit is not None:
        counts_of = run.table("units", ["site", "unit"]).groupby("site").size()  # sets and directions are rows as well
        if not any(0 <= whole_number("unit", unit, least=None) < counts_of[each.name] for each in sites):
            noun = {"sets of units": "set", "random directions": "direction"}.get(run.intervention.silenced, "unit")
            known = ", ".join(f"{each.name} has 0 to {counts_of[each.name] - 1}" for each in sites)
            raise UnknownSiteError(f"{run.directory} has no {noun} {unit}; {known}")
    counts = transitions(run, site)
    if unit is not None:
        counts = counts[counts["unit"] == unit]
    counts = counts.assign(wrong=counts["pairs"] - counts["lost"] - counts["gained"])
    kinds = counts.melt(
        ["site", "unit", "before", "after"], ["gained", "lost", "wrong"], var_name="answer", value_name="images"
    )
    kinds = kinds[kinds["images"] > 0]
    kinds["share"] = kinds["images"] / kinds.groupby(["site", "unit"])["images"].transform("sum")
    kinds["place"] = kinds["site"].map({each.name: place for place, each in enumerate(run.sites)})
    by, ascending = ["place", "unit", "images", "before", "after"], [True, True, False, True, True]
    return kinds.sort_values(by, ascending=ascending, kind="stable").drop(columns="place").reset_index(drop=True)
