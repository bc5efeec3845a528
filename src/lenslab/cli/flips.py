"""``lenslab flips``: where the images of a silenced unit go."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from lenslab.cli import console
from lenslab.cli.network_options import AsJson
from lenslab.cli.run_choice import Run, read_run


def flips(
    run: Run = None,
    site: Annotated[str | None, Option(metavar="SITE", help="Only the units of this site.")] = None,
    unit: Annotated[int | None, Option(min=0, metavar="U", help="Only this unit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which classes the images go to whose prediction changes when a unit is silenced."""
    found = read_run(run, directions=True)
    rows = found.destinations(site=site, unit=unit)
    if as_json:
        console.print_json({"run": str(found.directory), "flips": console.rows(rows)})
        return
    grid = console.table("site", "unit", "from", "to", "answer", "images", "share", numbers=("unit", "images", "share"))
    for row in rows.head(40).to_dict("records"):
        classes = (found.dataset.class_name(row[name]) for name in ("before", "after"))
        figures = (str(row["images"]), f"{100 * row['share']:.0f} %")
        grid.add_row(str(row["site"]), str(row["unit"]), *classes, str(row["answer"]), *figures)
    console.answers.print(grid)
    shown = f"; the first {min(len(rows), 40)} ways are shown, all with --json" if len(rows) > 40 else ""
    console.remark(f"\n{rows['images'].sum():,} changed predictions of {found.directory}{shown}")
