"""The runs that a person means: by a directory, or the newest one; and where a new one goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

if TYPE_CHECKING:
    from lenslab import runs

RUNS = Path("runs")
"""Where records go and are looked for."""

Run = Annotated[Path | None, Argument(metavar="[RUN]", help="A run's record. Default: the newest in runs/.")]


def read_run(directory: Path | None, *, directions: bool = False) -> runs.Run:
    """Read the run that was named, or else the newest in ``runs/``; with ``directions``, also one of random directions.

    A run of sets, which a curve leaves behind, is read where it is named.

    Raises:
        RecordsError: There is none, or it cannot be read.
    """
    from lenslab import runs

    if directory is not None:
        return runs.read(directory)
    return runs.newest(RUNS, of=("units", "random directions") if directions else "units")


def directory_for(network: str, key: str) -> Path:
    """Name the directory of a new record.

    Example:
        >>> directory_for("mine:net", "0123456789abcdef").as_posix()
        'runs/mine-net-01234567'
    """
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in network)
    return RUNS / f"{name}-{key[:8]}"
