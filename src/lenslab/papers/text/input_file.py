"""A file to read: whatever keeps it from being read becomes one error."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from lenslab.papers.errors import FileError, PapersError


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file to read its bytes.

    Raises:
        FileError: There is no such file, or it cannot be read.
    """
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; name a file in it")
        with path.open("rb") as file:
            yield file
    except PapersError:
        raise
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
