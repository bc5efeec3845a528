"""What a run leaves behind: a directory with ``record.json``, Parquet tables and charts, readable anywhere."""

from lenslab.records.draft import Draft, begun, key_of
from lenslab.records.errors import (
    BrokenRecordError,
    NoSpaceError,
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
    "OtherRecordError",
    "Record",
    "RecordNotFoundError",
    "RecordsError",
    "UnknownSchemaError",
    "begun",
    "find",
    "key_of",
    "machine",
    "read",
    "sha256_of_file",
    "sha256_of_json",
    "timestamp",
    "versions",
]
