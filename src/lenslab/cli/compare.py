"""``lenslab compare``: two runs, site by site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.network_options import AsJson

if TYPE_CHECKING:
    from lenslab.runs import Comparison


def compare(
    one: Annotated[Path, Argument(metavar="RUN", help="A run's record.")],
    other: Annotated[Path, Argument(metavar="RUN", help="Another run's record.")],
    paired: Annotated[
        bool, Option("--paired", help="Units are the same in both, as in two checkpoints of one training.")
    ] = False,
    level: Annotated[float, Option(min=0.0, max=1.0, help="False-discovery rate.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Compare what units cost in two runs: two seeds, or two checkpoints of one training."""
    from lenslab import runs

    found = runs.read(one).compare(other, paired=paired, level=level)
    if as_json:
        console.print_json(_document(found))
        return
    _show_sites(found)
    changed = found.units[found.units["q_value"] <= level] if found.paired else found.units
    if len(changed):
        _show_units(found, level)
    accuracy = found.accuracy
    console.answers.print(
        f"\naccuracy: {100 * (accuracy['one'] or 0):.2f} % and {100 * (accuracy['other'] or 0):.2f} %; difference "
        f"{_signed(accuracy['difference'])} ({_signed(accuracy['low'])} to {_signed(accuracy['high'])}) points"
        + (
            f", p {console.probability(accuracy['p_value'] or 0.0)}, on {accuracy['images']:,} images of both"
            if accuracy["images"]
            else ""
        )
        + "\nfirst and second are the runs in the order given; differences are first minus second, drops in points",
        markup=False,
        soft_wrap=True,
    )
    for name, sites in (("first", found.only_one), ("second", found.only_other)):
        if sites:
            console.remark(f"only in the {name} run: {', '.join(sites)}")
    for note in found.notes:
        console.remark(f"note: {note}")


def _show_sites(found: Comparison) -> None:
    costs = ("mean drop\nfirst", "\nsecond", "largest\nfirst", "\nsecond ")
    figures = ("units", *costs, "significant\nfirst", "\nsecond  ")
    grid = console.table("site", *figures, numbers=figures)
    for row in found.sites.to_dict("records"):
        counts = {row["units_one"], row["units_other"]}
        grid.add_row(
            str(row["site"]),
            " / ".join(str(row[f"units_{name}"]) for name in ("one", "other")[: len(counts)]),
            *(console.points(row[f"{figure}_{name}"]) for figure in ("mean", "largest") for name in ("one", "other")),
            *(f"{100 * row[f'significant_{name}']:.0f} %" for name in ("one", "other")),
        )
    console.answers.print(grid)
    console.answers.print()
    tests = ["Cliff's delta", "95 % interval", "q"] + ["Spearman, unit by unit", "units changed"] * found.paired
    grid = console.table("site", *tests, numbers=tuple(tests))
    for row in found.sites.to_dict("records"):
        interval = f"{row['delta_low']:+.2f} to {row['delta_high']:+.2f}"
        cells = [f"{row['delta']:+.2f}", interval, console.probability(row["q_value"])]
        if found.paired:
            known = row.get("pairs") == row.get("pairs") and row.get("pairs") is not None
            spearman = f"{row['spearman']:+.2f}" if row["spearman"] == row["spearman"] else "not defined"
            cells += [spearman, str(int(row["changed"]))] if known else ["", ""]
        grid.add_row(str(row["site"]), *cells)
    console.answers.print(grid)


def _show_units(found: Comparison, level: float) -> None:
    changed = found.units[found.units["q_value"] <= level]
    largest = changed.reindex(changed["difference"].abs().sort_values(ascending=False, kind="stable").index).head(15)
    figures = ("unit", "drop\nfirst", "\nsecond", "difference", "95 % interval", "images\ndiffering", "q")
    console.answers.print()
    grid = console.table("changed", *figures, numbers=figures)
    for row in largest.to_dict("records"):
        grid.add_row(
            str(row["site"]),
            str(row["unit"]),
            console.points(row["drop_one"]),
            console.points(row["drop_other"]),
            _signed(row["difference"]),
            f"{_signed(row['low'])} to {_signed(row['high'])}",
            str(row["differing"]),
            console.probability(row["q_value"]),
        )
    console.answers.print(grid)
    if len(changed) > len(largest):
        console.remark(f"{len(changed)} units changed; the {len(largest)} largest changes are shown, all with --json")


def _signed(fraction: float | None) -> str:
    return console.points(fraction or 0.0, signed=True)


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "one": str(found.one.directory),
        "other": str(found.other.directory),
        "paired": found.paired,
        "accuracy": dict(found.accuracy),
        "sites": console.rows(found.sites),
        "units": console.rows(found.units),
        "only_one": list(found.only_one),
        "only_other": list(found.only_other),
        "notes": list(found.notes),
    }
