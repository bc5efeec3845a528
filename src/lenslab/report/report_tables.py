"""Tables of a report: a run's tables, reduced to the rows that a page needs.

A unit is named by its row in the table of units. Nothing is measured or estimated here: rows are chosen, counted and
put in order, a site at a time, so that a run of many sites takes no more memory than its widest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lenslab.records import BrokenRecordError, RecordNotFoundError
from lenslab.report.strongest_rows import StrongestRows
from lenslab.runs.destinations import transitions
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

ROWS = 400_000
"""No table of a report has more rows; beyond that each unit keeps its largest ones, and the page says so."""

NEEDED = ["site", "unit", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high"]
_CLASSES = ["site", "unit", "label", "images", "drop", "low", "high", "losses", "gains", "q_value"]
_UNCHANGED = ["label", "images", "drop", "low", "high", "losses", "gains", "q_value"]


@dataclass(frozen=True)
class ReportTables:
    """What the page's table and charts show.

    Attributes:
        units: The record's table of units, in its order.
        classes: One row per unit and class whose correct answers changed: ``row, label, images, drop, low, high,
            losses, gains, q_value``, by unit.
        unchanged: One row per class: what every unit has that changed no answer of it; the same columns without
            ``row``.
        flips: How many predictions each unit changed from which class to which: ``row, before, after, pairs, lost,
            gained``, by unit, the most frequent first; ``lost`` of them were right before, ``gained`` after.
        correlations: The record's table of correlations; empty where there is none.
        class_attributes: The attributes that units have for each class; empty where there are none.
        classes_kept: How many classes of each unit there are at most, where not all; else ``None``.
        flips_kept: How many pairs of classes of each unit there are at most, where not all; else ``None``.
    """

    units: pd.DataFrame
    classes: pd.DataFrame
    unchanged: pd.DataFrame
    flips: pd.DataFrame
    correlations: pd.DataFrame
    class_attributes: pd.DataFrame
    classes_kept: int | None
    flips_kept: int | None


def report_tables(run: RunRecord, *, rows: int = ROWS) -> ReportTables:
    """Read a run's tables, none with more than ``rows`` rows.

    Raises:
        RecordNotFoundError: The record has no table of units, of classes or of flips.
        BrokenRecordError: A table lacks a column, or names a unit that the table of units does not have.
    """
    import pandas as pd

    units = run.table("units")
    missing = [name for name in NEEDED if name not in units.columns]
    if missing:
        raise BrokenRecordError(f"the table of units of {run.directory} lacks {', '.join(missing)}; measure again")
    keys = pd.MultiIndex.from_frame(units[["site", "unit"]])
    if not keys.is_unique:
        raise BrokenRecordError(f"the table of units of {run.directory} has a unit twice; measure again")
    sites = units["site"].unique().tolist()
    unchanged = _unchanged(run, sites)
    classes, flips = StrongestRows(len(units), rows), StrongestRows(len(units), rows)
    seen = {"classes": 0, "flips": 0}
    for site in sites:
        every = _by_row(run.table("classes", _CLASSES, site=site), keys, run, "classes")
        changed = every[~(_alone(every) & every["label"].isin(unchanged["label"]))]
        classes.add(changed, changed["drop"].abs().to_numpy())
        counted = _by_row(transitions(run, site), keys, run, "flips")
        flips.add(counted, counted["pairs"].to_numpy())
        seen = {"classes": seen["classes"] + len(every), "flips": seen["flips"] + int(counted["pairs"].sum())}
    _refuse_other_sites(run, seen)
    return ReportTables(
        units=units,
        classes=classes.table(),
        unchanged=unchanged,
        flips=flips.table().sort_values(
            ["row", "pairs", "before", "after"], ascending=[True, False, True, True], kind="stable"
        ),
        correlations=_optional(run, "correlations"),
        class_attributes=_class_attributes(run, keys, rows),
        classes_kept=classes.most,
        flips_kept=flips.most,
    )


def _unchanged(run: RunRecord, sites: Sequence[str]) -> pd.DataFrame:
    """Find the figures of the classes that a unit does not change, where they are the same for all such units."""
    import pandas as pd

    found = []
    for site in sites:
        every = run.table("classes", _CLASSES, site=site)
        found.append(every.loc[_alone(every), _UNCHANGED].drop_duplicates())
    common = pd.concat(found, ignore_index=True).drop_duplicates()
    return common[~common["label"].duplicated(keep=False)].sort_values("label", ignore_index=True)


def _alone(every: pd.DataFrame) -> pd.Series[bool]:
    return (every["losses"] == 0) & (every["gains"] == 0)


def _refuse_other_sites(run: RunRecord, seen: Mapping[str, int]) -> None:
    """Refuse tables that have more rows than those of the sites that the table of units has."""
    for name, rows in seen.items():
        if run.record.rows(name) != rows:
            raise BrokenRecordError(
                f"the table {name} of {run.directory} tells of a site which its table of units does not have; "
                "the record is damaged, measure again"
            )


def _class_attributes(run: RunRecord, keys: pd.MultiIndex, rows: int) -> pd.DataFrame:
    """Read the attributes that units have for each class, where there is room for all of them."""
    import pandas as pd

    try:
        fits = 0 < run.record.rows("attribute_classes") <= rows
    except RecordNotFoundError:
        return pd.DataFrame()
    return _by_row(run.table("attribute_classes"), keys, run, "attribute_classes") if fits else pd.DataFrame()


def _by_row(table: pd.DataFrame, keys: pd.MultiIndex, run: RunRecord, name: str) -> pd.DataFrame:
    """Name each row's unit by its row in the table of units."""
    import pandas as pd

    rows = keys.get_indexer(pd.MultiIndex.from_frame(table[["site", "unit"]])).astype(np.int32)
    if (rows < 0).any():
        stranger = table.iloc[int(np.argmax(rows < 0))]
        raise BrokenRecordError(
            f"the table {name} of {run.directory} tells of unit {stranger['unit']} of {stranger['site']!r}, "
            "which its table of units does not have; the record is damaged, measure again"
        )
    kept = table.drop(columns=["site", "unit"])
    kept.insert(0, "row", rows)
    return kept


def _optional(run: RunRecord, name: str) -> pd.DataFrame:
    """Read a table that older records do not have; without it, an empty one."""
    import pandas as pd

    found = run.optional_table(name)
    return pd.DataFrame() if found is None else found
