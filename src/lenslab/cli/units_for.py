"""``lenslab units-for``: which units a class needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.network_options import AsJson
from lenslab.cli.run_choice import read_run


def units_for(
    wanted: Annotated[str, Argument(metavar="CLASS", help="A class, by its name or its label.")],
    run: Annotated[Path | None, Option(metavar="DIR", help="A run's record. Default: the newest in runs/.")] = None,
    site: Annotated[str | None, Option(metavar="SITE", help="Only the units of this site.")] = None,
    level: Annotated[float, Option(min=0.0, max=1.0, help="False-discovery rate.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Name the units that a class needs, with evidence."""
    found = read_run(run)
    rows = found.units_for(wanted, site=site, level=level)
    if as_json:
        console.print_json({"run": str(found.directory), "class": wanted, "units": rows.to_dict("records")})
        return
    if rows.empty:
        chance = f"beyond chance (q above {level:g} everywhere)"
        console.remark(f"no unit of {found.directory} is needed by {wanted!r} {chance}")
        return
    numbers = ("unit", "drop", "95 % interval", "lost", "gained", "of", "q")
    grid = console.table("site", *numbers, numbers=numbers)
    for row in rows.to_dict("records"):
        interval = f"{console.points(row['low'])} to {console.points(row['high'])}"
        counts = (str(row[name]) for name in ("losses", "gains", "images"))
        figures = (str(row["unit"]), console.points(row["drop"]), interval, *counts, f"{row['q_value']:.1e}")
        grid.add_row(str(row["site"]), *figures)
    console.answers.print(grid)
    console.remark(f"\n{len(rows)} units of {found.directory}; drops in points of the class's recall")
