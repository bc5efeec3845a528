"""The runs that a person means: by a directory, or the newest one; and where a new one goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lenslab.records import Record

RUNS = Path("runs")
"""Where records go and are looked for."""

Run = Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run's record. Default: the newest in runs/.")]


def read_run(directory: Path | None) -> Record:
    """Read the run that was named, or else the newest.

    Raises:
        RecordsError: There is none, or it cannot be read.
    """
    from lenslab import records

    return records.read(directory) if directory else newest()


def newest() -> Record:
    """Find the newest run in ``runs/``, those inside studies included, that silenced each unit alone.

    Raises:
        RecordNotFoundError: There is none.
    """
    from lenslab import records

    found, _ = records.find(RUNS, kind="run")
    nested = [
        each for study in records.find(RUNS, kind="study")[0] for each in records.find(study.directory, kind="run")[0]
    ]
    of_units = [each for each in (*found, *nested) if not each.document.get("request", {}).get("groups")]
    if not of_units:
        raise records.RecordNotFoundError("no run in runs/; name its directory, or make one with: lenslab ablate")
    return max(of_units, key=lambda each: str(each.document.get("finished")))


def directory_for(network: str, key: str) -> Path:
    """Name the directory of a new record.

    Example:
        >>> directory_for("mine:net", "0123456789abcdef").as_posix()
        'runs/mine-net-01234567'
    """
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in network)
    return RUNS / f"{name}-{key[:8]}"
