"""What a run leaves behind: a directory with ``record.json``, Parquet tables and charts, readable anywhere."""

from lenslab.records.draft import Draft, key_of, require_begun
from lenslab.records.errors import (
    BrokenRecordError,
    NoSpaceError,
    NotWritableError,
    OtherRecordError,
    RecordNotFoundError,
    RecordsError,
    UnknownSchemaError,
)
from lenslab.records.provenance import machine, sha256_of_file, sha256_of_json, timestamp, versions
from lenslab.records.record import SCHEMA, Record, find, read

__all__ = [
    "SCHEMA",
    "BrokenRecordError",
    "Draft",
    "NoSpaceError",
    "NotWritableError",
    "OtherRecordError",
    "Record",
    "RecordNotFoundError",
    "RecordsError",
    "UnknownSchemaError",
    "find",
    "key_of",
    "machine",
    "read",
    "require_begun",
    "sha256_of_file",
    "sha256_of_json",
    "timestamp",
    "versions",
]
