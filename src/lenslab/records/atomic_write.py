"""A file that is written whole or not at all: beside its place, and renamed into it."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lenslab.records.errors import NoSpaceError

PARTIAL = ".*.partial"
"""The temporary files that a process writes to, and leaves where it is interrupted."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk, the quota, or what a file may hold is used up."""


@contextmanager
def replacing(final: Path) -> Iterator[Path]:
    """Give a path to write to, and move the file into its place once it is whole.

    Args:
        final: The place, in a directory that exists.

    Raises:
        NoSpaceError: The disk is full; what was there before is as it was.
        OSError: Nothing can be written there.
    """
    # A symbolic link stays, and its target is replaced.
    place = final.resolve()
    try:
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{os.getpid()}-", suffix=".partial")
        os.close(handle)
        path = Path(temporary)
        try:
            yield path
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            path.chmod(0o644)
            path.replace(place)
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        if error.errno is None:
            raise
        if error.errno not in _FULL:
            raise OSError(error.errno, os.strerror(error.errno), str(final)) from error
        raise NoSpaceError(
            f"no room to write {final} ({os.strerror(error.errno)}); what was finished before is kept: make room, "
            "and the same command goes on from there"
        ) from error


def abandoned(directory: Path) -> list[Path]:
    """List the temporary files in a directory that no running process is writing to."""
    return [path for path in directory.glob(PARTIAL) if not _runs(path.name[1:].partition("-")[0])]


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except PermissionError:  # of another user
        return True
    except (ValueError, OverflowError, OSError):
        return False
    return True


def write_text(final: Path, text: str) -> Path:
    """Write a text file in UTF-8, keeping its line endings; ``/dev/stdout``, pipes and the like directly.

    Raises:
        NoSpaceError: The disk is full; what was there before is as it was.
        OSError: Nothing can be written there.

    Example:
        >>> with tempfile.TemporaryDirectory() as place:
        ...     write_text(Path(place) / "notes.txt", "whole").read_text()
        'whole'
    """
    if final.exists() and not final.is_file():
        final.write_text(text, encoding="utf-8", newline="")
        return final
    with replacing(final) as path:
        path.write_text(text, encoding="utf-8", newline="")
    return final
