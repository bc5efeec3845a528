"""Where the record of something that is measured goes: a directory that was named, or one that goes with the result."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from lenslab.records import Record
from lenslab.runs.arguments import directory


class Finished(Protocol):
    """What was measured, with its record."""

    @property
    def record(self) -> Record:
        """The directory with its document and tables."""
        ...


Result = TypeVar("Result", bound=Finished)


def recorded(out: str | Path | None, make: Callable[[Path], Result]) -> Result:
    """Make something with a record in the directory ``out``; without one, in a temporary directory.

    The temporary directory is removed when the record is no longer held, or what makes it fails.
    """
    named = directory("out", out)
    if named is not None:
        return make(named)
    place = Path(tempfile.mkdtemp(prefix="lenslab-"))
    try:
        made = make(place)
    except BaseException:
        shutil.rmtree(place)
        raise
    weakref.finalize(made.record, shutil.rmtree, place, ignore_errors=True)
    return made
