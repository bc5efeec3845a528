"""A record in the making: every file is written whole or not at all, ``record.json`` last.

This is the one place that writes a record's files. An interrupted process leaves either a whole file or none, so a
draft can be resumed by the same request.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.records import atomic_write
from lenslab.records.errors import (
    BrokenRecordError,
    NoSpaceError,
    NotWritableError,
    OtherRecordError,
    RecordNotFoundError,
)
from lenslab.records.provenance import sha256_of_json
from lenslab.records.record import DOCUMENT, KINDS, SCHEMA, Record, read

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


REQUEST = "request.json"
SHARDS = "shards"

_SHA256, _LONGEST = 64, 60
"""Letters of a hash, and of a value in a message."""


@dataclass(frozen=True)
class Draft:
    """A directory that is becoming a record.

    Attributes:
        directory: Where it lies.
        kind: ``"run"``, ``"screening"`` or ``"study"``.
        request: Everything that decides a number, as JSON.
        made: The directories that were made for it, the innermost first.
        may_differ: In which parts of the request a record or draft that is there may differ; this one goes on with it.
    """

    directory: Path
    kind: str
    request: Mapping[str, Any]
    made: tuple[Path, ...] = ()
    may_differ: frozenset[str] = frozenset()

    @classmethod
    def open(
        cls, directory: str | Path, *, kind: str, request: Mapping[str, Any], may_differ: Iterable[str] = ()
    ) -> Draft:
        """Begin a record, or resume a draft of the same request, whose finished shards are still there.

        Args:
            directory: A new or empty directory, or one that holds a draft of the same request.
            kind: ``"run"``, ``"screening"`` or ``"study"``.
            request: Everything that decides a number; its hash is the record's key.
            may_differ: Parts of the request in which a record that is there may differ: this draft goes on with it, see
                `begin_anew`.

        Raises:
            OtherRecordError: The directory holds another record, another draft, or foreign files.
            NotWritableError: Nothing can be written there.
            NoSpaceError: The disk is full.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as place:
            ...     draft = Draft.open(f"{place}/run", kind="run", request={"network": "toy"})
            ...     record = draft.finish({"accuracy": 0.5})
            ...     (record.kind, record.document["accuracy"])
            ('run', 0.5)
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of record {kind!r}; known kinds are {', '.join(KINDS)}")
        place = Path(directory).expanduser()
        made = tuple(each for each in (place, *place.parents) if not each.exists())
        draft = cls(place, kind, request, made, frozenset(may_differ))
        if not str(directory).strip():
            raise OtherRecordError("the directory for the record has no name; name one with --out")
        try:
            draft._refuse_foreign_files()
            draft.directory.mkdir(parents=True, exist_ok=True)
            if not draft._answered():
                draft.write_json(REQUEST, {"kind": kind, "key": draft.key, "request": dict(request)})
        except NoSpaceError:
            raise
        except OSError as error:
            raise NotWritableError(
                f"no record can be written to {draft.directory}: {error.strerror or error}; name another directory "
                "with --out, or allow writing there"
            ) from error
        return draft

    @property
    def key(self) -> str:
        """The record's key, see `key_of`."""
        return key_of(self.kind, self.request)

    def finished(self) -> Record | None:
        """Read the finished record, if this very request has been answered here before; else give None.

        Scaffolding that an interrupted process has left beside the record is cleared away.
        """
        try:
            record = read(self.directory)
        except RecordNotFoundError:
            return None
        if record.key != self.key:
            return None
        with suppress(OSError):  # a finished record can be read where nothing may be written
            self._clear()
        return record

    def write_table(self, name: str, table: pd.DataFrame | pa.Table | Iterator[pa.Table]) -> Path:
        """Write ``name.parquet`` and give its path; equal tables give equal bytes.

        Args:
            name: The table's name without its ending; ``shards/...`` for a piece of the work.
            table: One row per fact; or pieces of it, of which only one is in memory at a time.

        Raises:
            NoSpaceError: The disk is full; what was there before is as it was.
        """
        pieces = table if isinstance(table, Iterator) else iter([table])
        self.write_tables((name, piece) for piece in pieces)
        return self.directory / f"{name}.parquet"

    def write_tables(self, pieces: Iterable[tuple[str, pd.DataFrame | pa.Table]]) -> None:
        """Write several tables from their pieces, which come in any order; each is whole or not at all.

        Args:
            pieces: The name of a table and some of its rows, which have the columns of all its pieces. Only one is in
                memory at a time.

        Raises:
            NoSpaceError: The disk is full; what was there before is as it was.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with ExitStack() as stack:
            writers: dict[str, pq.ParquetWriter] = {}
            for name, piece in pieces:
                arrow = piece if isinstance(piece, pa.Table) else pa.Table.from_pandas(piece, preserve_index=False)
                if name not in writers:
                    path = stack.enter_context(atomic_write.replacing(self._place(f"{name}.parquet")))
                    writer = pq.ParquetWriter(path, arrow.schema.remove_metadata(), compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(arrow.replace_schema_metadata(None))

    def write_json(self, name: str, value: Mapping[str, Any]) -> Path:
        """Write a JSON file, its name with the ending; numbers that are not finite are refused."""
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        return self.write_text(name, f"{text}\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, its name with the ending."""
        return atomic_write.write_text(self._place(name), text)

    def _place(self, name: str) -> Path:
        place = self.directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def shards(self, pattern: str) -> list[Path]:
        """List the finished pieces of the work whose file names match, in the order of their names."""
        return sorted((self.directory / SHARDS).glob(pattern))

    def finish(self, document: Mapping[str, Any]) -> Record:
        """Write ``record.json``, the mark of completeness, and clear the scaffolding away.

        Args:
            document: What the record says; schema, kind, key and request are added here.
        """
        head = {"schema": SCHEMA, "kind": self.kind, "key": self.key, "request": dict(self.request)}
        self.write_json(DOCUMENT, {**head, **document, **head})
        self._clear()
        return read(self.directory)

    def abandon(self) -> None:
        """Take back what `open` made, if no piece of the work was finished."""
        if self.shards("*.parquet") or (self.directory / DOCUMENT).exists() or not self.made:
            return
        self._clear()
        with suppress(OSError):  # what is not empty stays
            for each in self.made:
                each.rmdir()

    def amend(self, document: Mapping[str, Any]) -> Record:
        """Change some fields of the finished record, which no number of it depends on; all others stay."""
        self.write_json(DOCUMENT, {**read(self.directory).document, **document})
        return read(self.directory)

    @classmethod
    def of(cls, record: Record) -> Draft:
        """Take up a finished record, to put further files beside its own."""
        return cls.open(record.directory, kind=record.kind, request=record.document["request"])

    def begin_anew(self) -> None:
        """Take the record away that this draft goes on with: what is kept of it lies among the pieces of the work."""
        (self.directory / DOCUMENT).unlink(missing_ok=True)

    def _answered(self) -> bool:
        """Tell whether this very request has been answered here, or another one that this does not go on with."""
        path = self.directory / DOCUMENT
        return path.exists() and (
            not self.may_differ or json.loads(path.read_text(encoding="utf-8"))["key"] == self.key
        )

    def _goes_on_with(self, held: Mapping[str, Any]) -> bool:
        there = held.get("request")
        if not self.may_differ or held.get("kind") != self.kind or not isinstance(there, dict):
            return False
        return all(there.get(name) == self.request.get(name) for name in {*there, *self.request} - self.may_differ)

    def _clear(self) -> None:
        shutil.rmtree(self.directory / SHARDS, ignore_errors=True)
        for leftover in (self.directory / REQUEST, *atomic_write.abandoned(self.directory)):
            leftover.unlink(missing_ok=True)

    def _refuse_foreign_files(self) -> None:
        if self.directory.exists() and not self.directory.is_dir():
            raise OtherRecordError(f"{self.directory} is a file; name a new directory")
        advice, known = "Name another directory with --out, or remove this one yourself.", False
        for name in (DOCUMENT, REQUEST):
            path = self.directory / name
            if not path.is_file():
                continue
            try:
                held = json.loads(path.read_text(encoding="utf-8"))
                key = held["key"]
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise BrokenRecordError(f"{path} cannot be read: {error!r}. {advice}") from error
            if key == self.key:
                return
            if not self._goes_on_with(held):
                raise OtherRecordError(f"{self.directory} holds another {_describe(held, self.request)}. {advice}")
            known = True
        if known:
            return
        entries = self.directory.iterdir() if self.directory.is_dir() else ()
        foreign = sorted(entry.name for entry in entries if not entry.match(atomic_write.PARTIAL))
        if foreign:
            raise OtherRecordError(f"{self.directory} is not empty (it has {foreign[0]!r}) and is no record. {advice}")


def require_begun(directory: str | Path) -> None:
    """Check that a record was begun or finished in a directory, before resuming it.

    Raises:
        RecordNotFoundError: Nothing was begun there.

    Example:
        >>> require_begun("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: nothing to resume in no/such/place: no record was begun there; ...
    """
    if not any((Path(directory) / name).is_file() for name in (DOCUMENT, REQUEST)):
        raise RecordNotFoundError(
            f"nothing to resume in {directory}: no record was begun there; name its directory with --out, give the "
            "options it was begun with, or leave --resume out to begin"
        )


def key_of(kind: str, request: Mapping[str, Any]) -> str:
    """Name a question: the SHA-256 of a record's kind and of everything that decides a number in it.

    Example:
        >>> key_of("run", {"seed": 0}) == key_of("run", {"seed": 1})
        False
    """
    return sha256_of_json({"kind": kind, "request": dict(request)})


def _describe(held: Mapping[str, Any], requested: Mapping[str, Any]) -> str:
    """Say what is held and how it differs from the request."""
    kind = str(held.get("kind", "record"))
    request = held.get("request")
    if not isinstance(request, dict):
        return kind
    differing = sorted(name for name in {*request, *requested} if request.get(name) != requested.get(name))
    values = [
        f"{name} is {_short(request.get(name))} there and {_short(requested.get(name))} here" for name in differing
    ]
    return f"{kind}: {', '.join(values)}" if differing else kind


def _short(value: Any) -> str:
    """Write a value in a few letters, of a hash the first twelve."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) == _SHA256 and text.isalnum():
        return text[:12]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
