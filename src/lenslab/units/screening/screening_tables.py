"""The tables of a screening's record: estimates with standard errors and intervals, as fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lenslab.units.screening.campaign import SiteTotals
from lenslab.units.screening.drop_estimator import Totals


def units_table(site: str, found: SiteTotals, images: int) -> pd.DataFrame:
    """Make one row per unit.

    Returns:
        Columns ``site, unit, images, pairs_run``, and ``accuracy_drop_estimate`` with ``_standard_error, _low, _high``.
    """
    units = len(found.pairs)
    return pd.DataFrame(
        {
            "site": np.full(units, site, dtype=object),
            "unit": np.arange(units, dtype=np.int32),
            "images": np.full(units, images, dtype=np.int32),
            "pairs_run": found.pairs.astype(np.int32),
            **_figures("accuracy_drop", found.overall, np.full(units, images)),
        }
    )


def classes_table(site: str, found: SiteTotals, labels: np.ndarray, classes: int) -> pd.DataFrame:
    """Make one row per unit and class that has images, by unit, then by label.

    Returns:
        Columns ``site, unit, label, images``, and ``drop_estimate`` with ``_standard_error, _low, _high``.
    """
    units, images = len(found.pairs), np.bincount(labels, minlength=classes)
    cell = np.arange(units * classes)
    frame = pd.DataFrame(
        {
            "site": np.full(len(cell), site, dtype=object),
            "unit": (cell // classes).astype(np.int32),
            "label": (cell % classes).astype(np.int32),
            "images": images[cell % classes].astype(np.int32),
            **_figures("drop", found.by_class, np.maximum(images[cell % classes], 1)),
        }
    )
    return frame[frame["images"] > 0].reset_index(drop=True)


def _figures(name: str, found: Totals, images: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{name}_estimate": found.estimate / images,
        f"{name}_standard_error": found.standard_error / images,
        f"{name}_low": found.low / images,
        f"{name}_high": found.high / images,
    }
