"""A finished record, read back: its document, its tables, its charts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.records.errors import BrokenRecordError, RecordNotFoundError, UnknownSchemaError

if TYPE_CHECKING:
    import pandas as pd


SCHEMA = 1
"""The schema that this version writes, and the only one that it reads."""

KINDS = ("run", "screening", "study")
DOCUMENT = "record.json"


@dataclass(frozen=True)
class Record:
    """A finished record.

    Attributes:
        directory: Where it lies.
        document: What ``record.json`` says.
    """

    directory: Path
    document: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """``"run"`` for one ablation, ``"screening"`` for estimates of one, ``"study"`` for a paper's claims."""
        return str(self.document["kind"])

    @property
    def key(self) -> str:
        """The SHA-256 of the request; equal keys mean equal requests."""
        return str(self.document["key"])

    def path(self, relative: str) -> Path:
        """Find an existing file by its name inside the record's directory, for instance ``"units.parquet"``.

        Raises:
            RecordNotFoundError: No such file, or the name leads out of the directory.
        """
        root = self.directory.resolve()
        try:
            path = (root / relative).resolve()
            found = path.is_relative_to(root) and path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            found = False
        if not found:
            raise RecordNotFoundError(f"{self.directory} has no file {relative!r}")
        return path

    def table(
        self,
        name: str,
        columns: list[str] | None = None,
        *,
        needed: Sequence[str] = (),
        where: tuple[str, object] | None = None,
    ) -> pd.DataFrame:
        """Read one of the record's tables.

        Args:
            name: The table's name without its ending, for instance ``"units"``.
            columns: Only these columns, else all.
            needed: Columns that have to be there, whatever is read.
            where: A column and a value: only the rows that have it, all others are never in memory.

        Returns:
            One row per fact. Figures are fractions.

        Raises:
            RecordNotFoundError: The record has no table of that name.
            BrokenRecordError: The file is not a Parquet table, or lacks a column.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.path(f"{name}.parquet")
        try:
            file = pq.ParquetFile(path)
            asked = (*needed, *(columns or ()), *(where or ())[:1])
            lacking = [column for column in asked if column not in file.schema_arrow.names]
            if lacking:
                raise BrokenRecordError(f"{path} has no column {lacking[0]!r}; the record is damaged, measure again")
            if where is None:
                frame: pd.DataFrame = file.read(columns=columns).to_pandas()
            else:
                filters = [(where[0], "=", where[1])]
                frame = pq.read_table(path, columns=columns, filters=filters, partitioning=None).to_pandas()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise BrokenRecordError(f"{path} cannot be read as a Parquet table: {error}") from error
        return frame

    def rows(self, name: str) -> int:
        """Count the rows of a table without reading them.

        Raises:
            RecordNotFoundError: The record has no table of that name.
            BrokenRecordError: The file is not a Parquet table.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.path(f"{name}.parquet")
        try:
            return int(pq.read_metadata(path).num_rows)
        except (pa.ArrowException, OSError) as error:
            raise BrokenRecordError(f"{path} cannot be read as a Parquet table: {error}") from error

    def chart(self, name: str) -> dict[str, Any]:
        """Read one of the record's Vega-Lite specifications by its name, for instance ``"claim-a"``.

        Raises:
            RecordNotFoundError: The record has no chart of that name.
            BrokenRecordError: The file is not a JSON object.
        """
        return _read_object(self.path(f"charts/{name}.vl.json"))


def read(directory: str | Path) -> Record:
    """Read a record, wherever it was copied to.

    Args:
        directory: The directory with ``record.json`` in it; tables are read on demand.

    Raises:
        RecordNotFoundError: There is no ``record.json``.
        UnknownSchemaError: It was written with a schema or kind that this version does not know.
        BrokenRecordError: ``record.json`` is damaged.

    Example:
        >>> read("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: no record in no/such/place: it has no record.json
    """
    directory = Path(directory)
    path = directory / DOCUMENT
    if not path.is_file():
        raise RecordNotFoundError(f"no record in {directory}: it has no {DOCUMENT}")
    document = _read_object(path)
    schema, kind = document.get("schema"), document.get("kind")
    if schema != SCHEMA or isinstance(schema, bool):
        raise UnknownSchemaError(
            f"{path} has schema {schema!r}; this version reads schema {SCHEMA}. Upgrade lenslab, or measure again."
        )
    if kind not in KINDS:
        raise UnknownSchemaError(f"{path} is of kind {kind!r}; known kinds are {', '.join(KINDS)}")
    if not isinstance(document.get("key"), str):
        raise BrokenRecordError(f"{path} has no key; the record is damaged, measure again")
    return Record(directory, document)


def find(directory: str | Path, *, kind: str) -> tuple[list[Record], list[str]]:
    """Look for finished records directly inside a directory, the newest first.

    Args:
        directory: Where the records lie side by side; it need not exist.
        kind: ``"run"``, ``"screening"`` or ``"study"``.

    Returns:
        The records, and one sentence per directory that holds a ``record.json`` which cannot be read.

    Example:
        >>> find("no/such/place", kind="study")
        ([], [])
    """
    records, problems = [], []
    root = Path(directory)
    for path in sorted(root.glob(f"*/{DOCUMENT}")) if root.is_dir() else []:
        try:
            record = read(path.parent)
        except (UnknownSchemaError, BrokenRecordError) as error:
            problems.append(str(error))
            continue
        if record.kind == kind:
            records.append(record)
    return sorted(records, key=lambda record: str(record.document.get("finished")), reverse=True), problems


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise BrokenRecordError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise BrokenRecordError(f"{path} holds a {type(value).__name__} and not an object; the record is damaged")
    return value
