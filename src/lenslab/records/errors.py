"""What can go wrong with a record, and what to do about it.

::

    RecordsError
    ├── RecordNotFoundError   (LookupError)  no record in that directory, or no such table in it
    ├── UnknownSchemaError    (ValueError)   written by a version this one does not know
    ├── BrokenRecordError     (ValueError)   damaged, or not what it says it is
    ├── OtherRecordError      (ValueError)   the directory already holds something else
    ├── NotWritableError      (OSError)      nothing can be written to the directory
    └── NoSpaceError          (OSError)      the disk is full
"""


class RecordsError(Exception):
    """Anything that ``lenslab.records`` refuses, with one message that names the thing and the next step."""


class RecordNotFoundError(RecordsError, LookupError):
    """There is no record, or no such part of a record, at the place that was named."""


class UnknownSchemaError(RecordsError, ValueError):
    """The record's schema or kind is not one that this version reads."""


class BrokenRecordError(RecordsError, ValueError):
    """The record is damaged, or a part of it is not what its name says."""


class OtherRecordError(RecordsError, ValueError):
    """The directory holds another record, or files that are not a record's."""


class NotWritableError(RecordsError, OSError):
    """Nothing can be written to the directory; nothing was measured."""


class NoSpaceError(RecordsError, OSError):
    """The disk, or the quota, is full; what was written before is whole, and the work goes on from there."""
