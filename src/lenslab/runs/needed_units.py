"""Which units does a class need? Those whose silencing costs its images more than chance explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenslab.runs.arguments import fraction
from lenslab.runs.errors import LabelError
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import pandas as pd


def needed_units(run: RunRecord, wanted: str | int, *, site: str | None = None, level: float = 0.05) -> pd.DataFrame:
    """Find the units that a class needs, see `lenslab.runs.Run.units_for`."""
    fraction("level", level)
    run.refuse_other_than_units("the units that a class needs are named by")
    label, table = run.label_of(wanted), run.classes
    if site is not None:
        run.site_named(site)
    rows = table[(table["label"] == label) & (table["site"] == (site or table["site"]))]
    if rows.empty:
        raise LabelError(f"{run.directory} has no image of class {wanted!r}, so nothing is known about it")
    needed = rows[(rows["drop"] > 0) & (rows["q_value"] <= level)]
    return needed.sort_values(["drop", "site", "unit"], ascending=[False, True, True]).reset_index(drop=True)
