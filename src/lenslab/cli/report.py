"""``lenslab report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.network_options import AsJson
from lenslab.cli.run_choice import read_run


def report(
    run: Annotated[
        Path | None,
        Argument(metavar="RUN", help="The record of a run, a screening or a study. Default: the newest in runs/."),
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="FILE", help="Where it goes. Default: report.html in the record.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a run or a screening as one HTML file that opens anywhere: every unit with its figures and charts."""
    from lenslab import report as reports

    found = read_run(None, directions=True) if run is None else reports.measured(run)
    path = reports.write(found, out)
    size = path.stat().st_size
    if as_json:
        console.print_json({"report": str(path), "bytes": size, "run": str(found.directory)})
        return
    console.answers.print(f"{path}  ({size / 1e6:.1f} MB)", markup=False, soft_wrap=True)
