"""The page of a screening: what was asked and reached, estimates with their intervals, and the most costly units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lenslab.records import BrokenRecordError
from lenslab.records.chart_themes import THEMES
from lenslab.report.run_facts import Fact, time_of
from lenslab.report.script_bundle import read_bundle
from lenslab.report.strongest_rows import StrongestRows
from lenslab.runs.screening import RANKED_BY, Screening

if TYPE_CHECKING:
    import pandas as pd

_TOPS = (1, 3, 5, 10, 20, 50)
"""How long a list of the most costly units may be chosen."""

_ROWS = 400_000
"""Rows of class drops that a page carries at most."""


def compose_screening(found: Screening) -> str:
    """Put the page of a screening together.

    Raises:
        MissingBundleError: The page's script is not built.
        RecordsError: A table is missing or damaged.
    """
    from lenslab.report.data_packing import DataPack
    from lenslab.report.html_page import SCREENING, html_page

    bundle, units = read_bundle(), found.units
    classes, kept = _classes(found, units)
    pack = DataPack()
    pack.table("units", units)
    pack.table("classes", classes)
    pack.table("tops", tops_table(found))
    pack.header |= {
        "kind": "screening",
        "key": found.key,
        "network": found.network.name,
        "accuracy": found.accuracy,
        "classes": int(classes["label"].max()) + 1 if found.dataset.classes is None else found.dataset.classes,
        "class_names": found.dataset.class_names,
        "kept": {"classes": kept, "flips": None, "left_out": 0},
        "pictured": False,
        "themes": {name: dict(theme) for name, theme in THEMES.items()},
    }
    return html_page(
        bundle,
        network=found.network.name,
        images=found.dataset.name,
        facts=screening_facts(found),
        work=(),
        warnings=(*found.warnings, *(f"assumed: {assumption}" for assumption in found.assumptions)),
        key=found.key,
        data=pack.text(),
        thumbnails=(),
        kind=SCREENING,
    )


def screening_facts(found: Screening) -> list[Fact]:
    """Say what was asked of a screening, and what it reached."""
    units = found.units
    images = int(units["images"].max())
    asked = [f"overall drops to ±{found.precision:g} points (95 %)"] if found.precision else ["every pair"]
    if found.class_precision is not None:
        asked.append(f"class drops to ±{found.class_precision:g} points")
    if found.budget is not None:
        asked.append(f"at most {found.budget:.2%} of the pairs")
    return [
        Fact("Network", found.network.name),
        Fact("Images", f"{images:,} of {found.dataset.name}"),
        Fact("Accuracy before", f"{100 * found.accuracy:.2f} %"),
        Fact("Asked", ", ".join(asked)),
        Fact(
            "Reached",
            f"±{found.widest:.2f} points or better",
            "every figure is as sharp as was asked" if found.reached else "not every figure is as sharp as was asked",
        ),
        Fact("Run exactly", f"{found.share:.2%} of the pairs", f"of {len(units) * images:,}; the others are estimated"),
        Fact("Silenced", f"{len(units):,} units at {len(found.sites):,} site{'s' * (len(found.sites) != 1)}"),
        Fact("Finished", time_of(found.finished)),
        Fact("Record", found.key[:12], "the first digits of its key"),
    ]


def tops_table(found: Screening) -> pd.DataFrame:
    """Say how likely lists of the most costly units are right: one row each, ``by, many, probability``."""
    import pandas as pd

    rows: list[tuple[str, int, float]] = []
    for by in (name for name in RANKED_BY if f"{name}_estimate" in found.units):
        known = int(np.isfinite(found.units[f"{by}_estimate"]).sum())
        lengths = dict.fromkeys(min(each, known) for each in _TOPS if known)
        rows += [(by, many, found.top_units(many, by)[1]) for many in lengths]
    return pd.DataFrame(rows, columns=["by", "many", "probability"])


def _classes(found: Screening, units: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    """Give the class drops by the row of their unit, and how many each unit has at most where some were left out."""
    import pandas as pd

    keys, table = pd.MultiIndex.from_frame(units[["site", "unit"]]), found.classes
    rows = keys.get_indexer(pd.MultiIndex.from_frame(table[["site", "unit"]])).astype(np.int32)
    if (rows < 0).any():
        raise BrokenRecordError(f"the table classes of {found.directory} tells of a unit that its table of units lacks")
    kept = StrongestRows(len(units), _ROWS)
    named = {"drop_estimate": "drop", "drop_low": "low", "drop_high": "high"}
    every = table.drop(columns=["site", "unit"]).rename(columns=named).assign(row=rows)
    kept.add(every, every["drop"].abs().to_numpy())
    return kept.table(), kept.most
