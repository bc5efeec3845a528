"""A curve: how accuracy falls as the units of a site are silenced one after the other, in one order or in several.

It is read from a run of sets with three tables more (``curve``, ``recalls``, ``areas``) and ``curve.json``, which says
what was ranked on which images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lenslab.records import BrokenRecordError, Record
from lenslab.runs.run_record import RunRecord, record_of
from lenslab.runs.statistics.curve_areas import areas_table, trapezoid_sums
from lenslab.runs.statistics.curve_points import correctness, points_table, recalls_table

if TYPE_CHECKING:
    import pandas as pd

METADATA = "curve.json"

RANDOM = "random"
"""The order that the others are compared with."""


@dataclass(frozen=True, repr=False)
class Curve(RunRecord):
    """Measured curves.

    Attributes:
        metadata: What was ranked how and on what, and what the curves were read on.
    """

    metadata: Mapping[str, Any]

    def __repr__(self) -> str:
        orders = ", ".join(each["order"] for each in self.metadata["orders"])
        return f"<Curve of {self.metadata['units']} units at {self.metadata['site']}: {orders}; {self.directory}>"

    @property
    def points(self) -> pd.DataFrame:
        """One row per point, see `lenslab.runs.statistics.curve_points.points_table`. Fractions."""
        return self.table("curve")

    @property
    def recalls(self) -> pd.DataFrame:
        """One row per point and class. Fractions."""
        return self.table("recalls")

    @property
    def areas(self) -> pd.DataFrame:
        """One row per order and measure, see `lenslab.runs.statistics.curve_areas.areas_table`. Fractions."""
        return self.table("areas")


def read_curve(source: RunRecord | Record | str | Path) -> Curve:
    """Read curves back.

    Args:
        source: The run of sets that holds them, its record or its directory.

    Raises:
        RecordNotFoundError: The record holds no curves.
        BrokenRecordError: What it says about them cannot be read.

    Example:
        >>> from lenslab import units
        >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
        >>> read_curve(run.curve("own-drop", steps=[8, 32])).metadata["sizes"]
        [0, 8, 32, 64]
    """
    record = record_of(source)
    path = record.path(METADATA)
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise BrokenRecordError(f"{path} cannot be read as JSON: {error}") from error
    try:
        names = [each["order"] for each in metadata["orders"]]
        whole = bool(names) and {"site", "units", "keep", "sizes", "read_on"} <= metadata.keys()
    except (TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise BrokenRecordError(f"{path} does not say what was measured; measure the curves again into a new directory")
    return Curve(record, metadata)


def curve_tables(run: RunRecord, points: pd.DataFrame, metadata: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Read curves off a run of sets: the tables ``curve``, ``recalls`` and ``areas``.

    ``points`` has the columns ``order, repeat, size, silenced, set``: which set is silent at which point.
    """
    # In the order of their contents the images are the same whatever their order in the source.
    images = run.images.sort_values(["content", "label", "image"], kind="stable")
    labels = images["label"].to_numpy(np.int64)
    correct = correctness(run.flips, images, int(points["set"].max()) + 1)
    doubled = {
        str(name): np.stack(
            [
                trapezoid_sums(correct[:, 1 + rows.sort_values("size")["set"].to_numpy()], metadata["sizes"])
                for _, rows in group.groupby("repeat", sort=True)
            ]
        )
        for name, group in points.groupby("order", sort=False)
    }
    areas = areas_table(
        doubled,
        labels,
        units=metadata["units"],
        classes=run.class_count,
        against=RANDOM if RANDOM in doubled else None,
        seed=metadata["seed"],
    )
    return {
        "curve": points_table(points, correct, labels),
        "recalls": recalls_table(points, correct, labels),
        "areas": areas,
    }
