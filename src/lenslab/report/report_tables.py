"""Tables of a report: a run's tables, reduced to the rows that a page needs.

A unit is named by its row in the table of units. Nothing is measured or estimated here: rows are chosen, counted and
put in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError
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
    every = _by_row(run.table("classes", _CLASSES), keys, run, "classes")
    unchanged, changed = _split(every)
    classes, classes_kept = strongest_rows(changed, changed["drop"].abs().to_numpy(), len(units), rows)
    counted = _by_row(transitions(run), keys, run, "flips")
    flips, flips_kept = strongest_rows(counted, counted["pairs"].to_numpy(), len(units), rows)
    flips = flips.sort_values(["row", "pairs", "before", "after"], ascending=[True, False, True, True], kind="stable")
    by_class = _optional(run, "attribute_classes")
    return ReportTables(
        units=units,
        classes=classes,
        unchanged=unchanged,
        flips=flips,
        correlations=_optional(run, "correlations"),
        class_attributes=_by_row(by_class, keys, run, "attribute_classes")
        if 0 < len(by_class) <= rows
        else by_class[:0],
        classes_kept=classes_kept,
        flips_kept=flips_kept,
    )


def strongest_rows(
    table: pd.DataFrame, strength: NDArray[Any], units: int, rows: int
) -> tuple[pd.DataFrame, int | None]:
    """Keep the strongest rows of each unit, which the column ``row`` names, up to ``rows`` of them in all.

    Gives the rows by unit, and how many each unit has at most; ``None`` where nothing was left out.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"row": [0, 0, 0, 1], "drop": [0.1, 0.3, 0.2, 0.0]})
        >>> kept, most = strongest_rows(table, table["drop"].to_numpy(), units=2, rows=3)
        >>> kept["drop"].tolist(), most
        ([0.3, 0.0], 1)
    """
    if len(table) <= rows:
        return table.sort_values("row", kind="stable"), None
    most = max(1, rows // max(units, 1))
    order = table.iloc[np.argsort(-strength, kind="stable")]
    return order.groupby("row", sort=False).head(most).sort_values("row", kind="stable"), most


def _split(every: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the classes that a unit does not change, which all have the same figures."""
    alone = (every["losses"] == 0) & (every["gains"] == 0)
    common = every.loc[alone, _UNCHANGED].drop_duplicates()
    alike = ~common["label"].duplicated(keep=False)
    common = common[alike].sort_values("label")
    changed = every[~(alone & every["label"].isin(common["label"]))]
    return common, changed


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
