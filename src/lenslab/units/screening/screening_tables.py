"""The tables of a screening's record: estimates with standard errors and intervals, as fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lenslab.runs.statistics.accuracy_drops import heldout_class_drop
from lenslab.units.screening.campaign import SiteTotals
from lenslab.units.screening.drop_estimator import Totals


def half_counts(labels: np.ndarray, second: np.ndarray, classes: int) -> np.ndarray:
    """Count the images of each class in each half, ``[2, classes]``.

    Example:
        >>> half_counts(np.array([0, 1, 1]), np.array([False, False, True]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    return np.stack([np.bincount(labels[second == half], minlength=classes) for half in (False, True)])


def units_table(site: str, found: SiteTotals, counts: np.ndarray) -> pd.DataFrame:
    """Make one row per unit; ``counts`` are the images of each class in each half.

    Returns:
        Columns ``site, unit, images, pairs_run``; ``accuracy_drop_estimate`` with ``_standard_error, _low, _high``; and
        ``heldout_max_class_drop_estimate`` with ``_standard_error``, which is of the classes that were chosen: it does
        not hold how far another sample would choose others.
    """
    units, images = len(found.pairs), int(counts.sum())
    return pd.DataFrame(
        {
            "site": np.full(units, site, dtype=object),
            "unit": np.arange(units, dtype=np.int32),
            "images": np.full(units, images, dtype=np.int32),
            "pairs_run": found.pairs.astype(np.int32),
            **_figures("accuracy_drop", found.overall, np.full(units, images)),
            **_heldout(found, counts),
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


def _heldout(found: SiteTotals, counts: np.ndarray) -> dict[str, np.ndarray]:
    shape = 2, len(found.pairs), counts.shape[1]
    chosen = heldout_class_drop(found.by_half.estimate.reshape(shape), counts)
    other = np.maximum(counts[::-1, None, :], 1)
    errors = np.broadcast_to(found.by_half.standard_error.reshape(shape)[::-1] / other, shape)
    read = np.take_along_axis(errors, np.maximum(chosen.label, 0)[..., None], axis=-1)[..., 0]
    return {
        "heldout_max_class_drop_estimate": chosen.mean,
        "heldout_max_class_drop_standard_error": np.sqrt((read**2).sum(axis=0)) / 2,
    }


def _figures(name: str, found: Totals, images: np.ndarray) -> dict[str, np.ndarray]:
    return {
        # An estimate may lie beyond what is possible at all, where its interval ends.
        f"{name}_estimate": np.clip(found.estimate, found.low, found.high) / images,
        f"{name}_standard_error": found.standard_error / images,
        f"{name}_low": found.low / images,
        f"{name}_high": found.high / images,
    }
