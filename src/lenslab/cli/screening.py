"""``lenslab ablate --engine screen``: how a screening is run and shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.cli import console
from lenslab.cli.run_choice import directory_for

if TYPE_CHECKING:
    from lenslab.runs import Screening
    from lenslab.units.screening.screening import Screen

ENGINE = "screen"


def refuse_contradictions(
    engine: str, *, only_screening: Mapping[str, Any], never_screening: Mapping[str, Any]
) -> None:
    """Refuse options that do not go with the engine.

    Args:
        engine: The engine that was named.
        only_screening: Options that only screening has, by name; None where they were not given.
        never_screening: Options that screening has no use for; None, 0 or False where they were not given.

    Raises:
        UnitsError: One was given.
    """
    from lenslab.runs import UnitsError

    given = only_screening if engine != ENGINE else {name: value or None for name, value in never_screening.items()}
    wrong = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if wrong and engine != ENGINE:
        raise UnitsError(
            f"{', '.join(wrong)} goes with --engine screen, and the engine is {engine}; leave one of the two"
        )
    if wrong:
        raise UnitsError(f"{', '.join(wrong)} does not go with --engine screen; leave it out, or take --engine exact")


def run(
    asked: Screen, out: Path | None, *, resume: bool, device: str, top_units: int | None, by: str | None, as_json: bool
) -> None:
    """Run a screening, and show it."""
    from lenslab.runs import UnitsError
    from lenslab.runs.screening import RANKED_BY

    if by is not None and top_units is None:
        raise UnitsError("--by ranks the units that --top-units names; give that as well")
    by = by or RANKED_BY[0]
    if by not in RANKED_BY:
        raise UnitsError(f"--by is {' or '.join(RANKED_BY)}, not {by!r:.80}")
    from lenslab import records

    name, ablation = asked.ablation.network.name, asked.ablation
    directory = out or directory_for(name, asked.key)
    if resume:
        records.require_begun(directory)
    if not as_json:
        console.remark(
            f"{name}: screening {ablation.units:,} units at {len(ablation.plans)} "
            f"site{'s' * (len(ablation.plans) > 1)} on {len(ablation.images):,} images of {ablation.images.name}, "
            f"into {directory}"
        )
    with console.progress("screening") as progress:
        found = asked.run(device=device, out=directory, progress=progress)
    top = None if top_units is None else found.top_units(top_units, by)
    if as_json:
        named = {} if top is None else {"top_units": {"by": by, "units": console.rows(top[0]), "probability": top[1]}}
        console.print_json({"directory": str(directory), "reused": found.reused, **found.record.document, **named})
    else:
        _show(found, top, by)


def _show(found: Screening, top: tuple[Any, float] | None, by: str) -> None:
    if found.reused:
        console.remark("this was screened before; here is the record")
    for warning in found.warnings:
        console.remark(f"note: {warning}")
    units = found.units
    figures = ("units", "pairs\nrun", "estimated\nmean drop", "\nlargest", "95 %\ninterval", "by\nunit")
    grid = console.table("site", *figures, numbers=figures)
    for site, rows in units.groupby("site", sort=False):
        worst = rows.nlargest(1, "accuracy_drop_estimate").iloc[0]
        ran = rows["pairs_run"].sum() / rows["images"].sum()
        mean = console.points(rows["accuracy_drop_estimate"].mean())
        unit = str(int(worst["unit"]))
        grid.add_row(str(site), str(len(rows)), f"{100 * ran:.1f} %", mean, *_estimate(worst), unit)
    grid.columns[0].justify = "left"
    console.answers.print(grid)
    if top is not None:
        _show_top(*top, by)
    asked = "every figure is as sharp as was asked" if found.reached else "not every figure is as sharp as was asked"
    console.answers.print(
        f"\naccuracy before: {100 * found.accuracy:.2f} %\n"
        f"{100 * found.share:.2f} % of the pairs were run; overall drops are known to +-{found.widest:.2f} points "
        f"(95 %) or better: {asked}\n"
        "drops in points, estimated for these very images; --precision 0 in the same place runs the other pairs\n"
        f"record: {found.directory}",
        markup=False,
        soft_wrap=True,
    )
    for assumption in found.assumptions:
        console.remark(f"assumed: {assumption}")


def _show_top(rows: Any, probability: float, by: str) -> None:
    overall = by == "accuracy_drop"
    figures = ("unit", "estimated drop" if overall else "estimated held-out class drop")
    grid = console.table("site", *figures, "95 % interval" if overall else "standard error", numbers=figures)
    for row in rows.to_dict("records"):
        held = [console.points(row[f"{by}_{name}"]) for name in ("estimate", "standard_error")]
        grid.add_row(str(row["site"]), str(row["unit"]), *(_estimate(row) if overall else held))
    console.answers.print(grid)
    what = "drops" if overall else "held-out class drops"
    chance = console.probability(probability)
    console.answers.print(f"these are the {len(rows)} units with the largest {what} with probability {chance}")


def _estimate(row: Any) -> tuple[str, str]:
    low, high = (console.points(row[f"accuracy_drop_{end}"]) for end in ("low", "high"))
    return console.points(row["accuracy_drop_estimate"]), f"{low} to {high}"
