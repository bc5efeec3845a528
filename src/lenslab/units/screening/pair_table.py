"""Pairs that were decided, kept: no pair is ever run twice, however a screening was stopped and goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lenslab.records import Draft

Integers = NDArray[np.int64]

PAIRS = pa.schema(
    [("site", pa.string()), *((name, pa.int32()) for name in ("unit", "image", "label", "before", "after"))]
)
"""A decided pair: what the network answers to the image before and after the unit is silenced."""


def pair_table(site: str, *columns: NDArray[np.integer]) -> pa.Table:
    """Make a table of one site's pairs: ``unit, image, label, before, after``.

    Example:
        >>> pair_table("relu", *np.array([[0], [7], [3], [3], [5]])).to_pylist()
        [{'site': 'relu', 'unit': 0, 'image': 7, 'label': 3, 'before': 3, 'after': 5}]
    """
    arrays = [pa.array(column, pa.int32()) for column in columns]
    return pa.table([pa.array([site] * len(arrays[0]), pa.string()), *arrays], schema=PAIRS)


@dataclass
class KeptPairs:
    """The pairs of one site whose answers are known.

    Attributes:
        key: ``row * units + unit`` of each, ascending, where the row is that of the table of images.
        changed: Whether right became wrong, or wrong right.
    """

    key: Integers
    changed: NDArray[np.bool_]

    @classmethod
    def of(cls, pairs: pd.DataFrame, numbers: Integers, units: int) -> KeptPairs:
        """Read a site's rows of a table of pairs; ``numbers`` are those of all images, in the order of their table."""
        label, before, after = (pairs[name].to_numpy() for name in ("label", "before", "after"))
        key = np.searchsorted(numbers, pairs["image"].to_numpy()) * units + pairs["unit"].to_numpy()
        key, first = np.unique(key, return_index=True)
        return cls(key.astype(np.int64), ((before == label) != (after == label))[first])

    def has(self, key: Integers) -> NDArray[np.bool_]:
        """Tell which pairs are known."""
        return np.asarray(np.isin(key, self.key))

    def outcome(self, key: Integers) -> NDArray[np.bool_]:
        """Tell of known pairs whether they changed."""
        return np.asarray(self.changed[np.searchsorted(self.key, key)])


def kept(draft: Draft) -> pd.DataFrame:
    """Read every pair that was run for a draft, sorted, each once."""
    found = [pq.read_table(path, partitioning=None) for path in draft.shards("pairs-*.parquet")]
    frame: pd.DataFrame = pa.concat_tables([PAIRS.empty_table(), *found]).to_pandas()
    return frame.drop_duplicates(["site", "unit", "image"], ignore_index=True)


def keep(draft: Draft, pairs: pa.Table) -> None:
    """Write pairs down beside those that are there."""
    draft.write_table(f"shards/pairs-{len(draft.shards('pairs-*.parquet')):06d}", pairs)
