"""Shards: what a stretch of images gave at a group of sites, each in files of its own, and all of them put together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lenslab.records import Draft
from lenslab.runs.statistics.score_changes import ScoreSums
from lenslab.units.engine.logit_scores import RISES
from lenslab.units.sweep.schedule import Block

FLIPS = pa.schema(
    [("site", pa.string()), *((name, pa.int32()) for name in ("unit", "image", "label", "before", "after", "draw"))]
)
TOP_FLIPS = pa.schema(
    [("site", pa.string()), *((name, pa.int32()) for name in ("unit", "image", "label", "draw")), ("lost", pa.bool_())]
)
PATHS = pa.schema([("site", pa.string()), ("path", pa.string()), ("pairs", pa.int64())])
CANDIDATES = pa.schema(
    [
        ("site", pa.string()),
        ("path", pa.string()),
        *((name, pa.int32()) for name in ("unit", "image", "after", "draw")),
        ("priority", pa.float64()),
    ]
)
AUDITS = pa.schema(
    [
        ("site", pa.string()),
        *((name, pa.int64()) for name in ("pairs", "failed")),
        *((name, pa.float64()) for name in ("error", "band")),
    ]
)
TIMES = pa.schema(
    [("site", pa.string()), ("images", pa.int64()), ("seconds", pa.float64()), ("processor_seconds", pa.float64())]
)
"""What a site took on each batch in each draw; unlike all other tables it is another one each time."""

SKIPPED = pa.schema([("image", pa.int64()), ("reason", pa.string())])
_SQUARES = tuple(f"{name}_squared" for name in RISES)
SUMS = pa.schema(
    [
        ("site", pa.string()),
        ("unit", pa.int32()),
        ("label", pa.int32()),
        *((name, pa.float64()) for name in (*RISES, *_SQUARES)),
    ]
)

MARK = "activations"
"""The table of a group that is written last: with it, the group is whole."""


@dataclass(frozen=True)
class Shards:
    """The shards of a draft.

    A block of images is whole when its table of images is there and the mark of every group. A sweep that is killed
    while it writes leaves some other tables, which do not count and are written again.
    """

    draft: Draft

    def write(self, kind: str, block: Block, group: int | None, table: pa.Table) -> None:
        """Write one table of a group, or of the whole block for ``None``."""
        self.draft.write_table(f"shards/{kind}-{_name(block, group)}", table)

    def write_all(self, block: Block, group: int | None, tables: Mapping[str, pa.Table]) -> None:
        """Write the tables of a group, or of the whole block for ``None``, by their kind and in their order."""
        for kind, each in tables.items():
            self.write(kind, block, group, each)

    def has(self, kind: str, block: Block) -> bool:
        """Tell whether a block has its own table of a kind."""
        return self._path(kind, block, None).is_file()

    def missing(self, block: Block) -> list[int]:
        """Give the numbers of the groups of a block that are not whole, or were made of other sites."""
        return [
            number
            for number, sites in enumerate(block.groups)
            if not (path := self._path(MARK, block, number)).is_file()
            or [name for name in pq.read_schema(path).names if name != "image"] != list(sites)
        ]

    def whole(self, sites: Sequence[str], also: Sequence[str] = ()) -> list[Block]:
        """Find the whole blocks from image 0 on without a gap; ``also`` names tables that each has to have as well."""
        chain: list[Block] = []
        for path in self.draft.shards("images-*.parquet"):
            found = re.fullmatch(r"images-(\d+)-(\d+)", path.stem)
            if not found or int(found[1]) != (chain[-1].stop if chain else 0):
                continue
            block = self._block(int(found[1]), int(found[2]))
            if [site for group in block.groups for site in group] != list(sites):
                break
            if not all(self.has(kind, block) for kind in also):
                break
            chain.append(block)
        return chain

    def _block(self, start: int, stop: int) -> Block:
        """Read back of which groups a block consists; those that are not whole are left out."""
        pattern = re.compile(rf"{MARK}-{start:09d}-{stop:09d}-(\d+)of(\d+)")
        marks = [path for path in self.draft.shards(f"{MARK}-*.parquet") if pattern.fullmatch(path.stem)]
        names = [tuple(name for name in pq.read_schema(path).names if name != "image") for path in marks]
        return Block(start, stop, tuple(names))

    def tables(self, kind: str, blocks: Sequence[Block], site: str | None = None) -> Iterator[pa.Table]:
        """Read the tables of a kind in source order.

        Args:
            kind: ``"images"``, ``"profile"`` or ``"skipped"``, which blocks have, or one of the groups' kinds.
            blocks: Whole blocks.
            site: Only the groups with this site, and only its rows where the table has a column ``site``.
        """
        for block in blocks:
            groups: Sequence[int | None] = range(len(block.groups))
            if kind in ("images", "profile", "skipped"):
                groups = [None]
            elif site is not None:
                groups = [number for number, names in enumerate(block.groups) if site in names]
            for group in groups:
                path = self._path(kind, block, group)
                filters = [("site", "=", site)] if site is not None and "site" in pq.read_schema(path).names else None
                yield pq.read_table(path, filters=filters, partitioning=None)

    def collected(self, kind: str, blocks: Sequence[Block], site: str | None = None) -> pa.Table:
        """Put the tables of a kind together, see `tables`."""
        return pa.concat_tables(self.tables(kind, blocks, site))

    def sums(self, blocks: Sequence[Block], site: str, units: int, classes: int) -> ScoreSums:
        """Add up the sums of one site, block after block."""
        total, squares = np.zeros((2, len(RISES), units * classes))
        for table in self.tables("sums", blocks, site):
            cell = table.column("unit").to_numpy().astype(np.int64) * classes + table.column("label").to_numpy()
            for row, (name, squared) in enumerate(zip(RISES, _SQUARES, strict=True)):
                total[row, cell] += table.column(name).to_numpy()
                squares[row, cell] += table.column(squared).to_numpy()
        shape = (len(RISES), units, classes)
        return ScoreSums(total.reshape(shape), squares.reshape(shape))

    def activations(self, blocks: Sequence[Block], sites: Sequence[str]) -> Iterator[pa.Table]:
        """Put the groups of each block side by side: a column for each site, a row for each image."""
        for block in blocks:
            parts = [self._path(MARK, block, group) for group in range(len(block.groups))]
            columns = {name: part.column(name) for part in map(pq.read_table, parts) for name in part.column_names}
            yield pa.table({name: columns[name] for name in ("image", *sites)})

    def _path(self, kind: str, block: Block, group: int | None) -> Path:
        return self.draft.directory / "shards" / f"{kind}-{_name(block, group)}.parquet"


def table(schema: pa.Schema, site: str, *columns: object) -> pa.Table:
    """Make a table of one site's rows: its name, and the other columns in the schema's order."""
    arrays = [pa.array(column, schema.field(position + 1).type) for position, column in enumerate(columns)]
    return pa.table([pa.array([site] * len(arrays[0]), pa.string()), *arrays], schema=schema)


def _name(block: Block, group: int | None) -> str:
    images = f"{block.start:09d}-{block.stop:09d}"
    return images if group is None else f"{images}-{group + 1:04d}of{len(block.groups):04d}"
