"""``lenslab curve``: accuracy as the units of a site are silenced one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from lenslab.cli import console
from lenslab.cli.network_options import AsJson, Classes, Weights
from lenslab.cli.run_choice import Run, directory_for, read_run

if TYPE_CHECKING:
    from lenslab.runs import Curve

_BARS = "▁▂▃▄▅▆▇█"


def curve(
    run: Run = None,
    order: Annotated[
        list[str] | None,
        Option(
            metavar="ORDER",
            help="random, own-drop, class-drop:CLASS, or a column of the run's units, the largest first; - before it: "
            "the smallest first. Repeatable. Default: own-drop and random.",
        ),
    ] = None,
    site: Annotated[
        str | None, Option(metavar="SITE", help="A site of the run. Default: its last default site.")
    ] = None,
    keep: Annotated[bool, Option("--keep", help="Keep only the best N units, and silence all others.")] = False,
    steps: Annotated[
        str, Option(metavar="N|N,N,...", help="About how many sizes, denser at the start; or the sizes.")
    ] = "20",
    repeats: Annotated[int, Option(min=1, metavar="R", help="How many random orders.")] = 10,
    ranked_by: Annotated[Path | None, Option(metavar="RUN", help="Another run, which ranks the units.")] = None,
    network: Annotated[
        str | None, Option(metavar="N", help="The run's network, where its name is another one now.")
    ] = None,
    weights: Weights = None,
    images: Annotated[
        str | None,
        Option(metavar="SOURCE", help="Where the run's images are now, or other images to read the curve on."),
    ] = None,
    classes: Classes = None,
    reference: Annotated[
        str | None, Option(metavar="SOURCE", help="Where the images are that means were measured on.")
    ] = None,
    limit: Annotated[int | None, Option(metavar="N", help="Only the first N images.")] = None,
    seed: Annotated[int, Option(min=0, metavar="S", help="Decides random orders and bootstrap.")] = 0,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Where the record goes. Default: runs/<network>-curve-<short hash>.")
    ] = None,
    verify: Annotated[
        int, Option(metavar="K", min=0, help="Do K pairs again the plain way, and fail if one differs.")
    ] = 0,
    batch_size: Annotated[int | None, Option(metavar="N", help="Images per batch; it decides no integer.")] = None,
    device: Annotated[str, Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would be done, and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Silence the units of a run's site one after the other, in one or several orders, and measure what is left."""
    from lenslab.studies.curve_chart import write_curve_chart
    from lenslab.units.curves import CurveAblation

    curves = CurveAblation.of(
        read_run(run),
        order or ["own-drop", "random"],
        site=site,
        keep=keep,
        steps=_steps(steps),
        repeats=repeats,
        seed=seed,
        ranked_by=ranked_by,
        network=network,
        weights=weights,
        images=images,
        classes=classes,
        reference=reference,
        limit=limit,
        batch_size=batch_size,
    )
    directory = out or directory_for(f"{curves.ablation.network.name}-curve", curves.ablation.key)
    if dry_run and as_json:
        plan = {"sets": curves.ablation.units, "multiply_accumulates": curves.ablation.cost}
        console.print_json({**curves.metadata, **plan})
        return
    if not as_json:
        metadata = curves.metadata
        console.remark(
            f"{metadata['site']}: {curves.ablation.units:,} sets of its {metadata['units']} units on "
            f"{metadata['read_on']['images']:,} images of {metadata['read_on']['source']}"
            + (f", into {directory}" if not dry_run else "; nothing was run")
        )
    if dry_run:
        return
    with console.progress("silencing") as progress:
        found = curves.run(device=device, verify=verify, out=directory, progress=progress)
    write_curve_chart(found)
    if as_json:
        console.print_json(_document(found, directory))
    else:
        _show(found, directory)


def _steps(text: str) -> int | list[int]:
    """Read a count, or sizes with commas between them."""
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r} is neither a count nor sizes such as 1,2,4,8", param_hint="--steps")
    return [int(part) for part in parts] if "," in text else int(parts[0])


def _show(found: Curve, directory: Path) -> None:
    metadata, points, recalls = found.metadata, found.points, found.recalls
    areas = {(row["order"], row["measure"], row["label"]): row for row in found.areas.to_dict("records")}
    random = any(each["order"] == "random" for each in metadata["orders"])
    figures = ("area (95 % interval)", *(("less the random one's",) if random else ()))
    sizes = metadata["sizes"]
    what = "kept" if metadata["keep"] else "silent"
    grid = console.table("order", "of", *figures, numbers=figures)
    lines = console.table("order", "accuracy, or recall, at each size")
    for each in metadata["orders"]:
        ours = points[points["order"] == each["order"]]
        names = {"accuracy": "accuracy", "balanced": "balanced_accuracy"}
        rows = [(name, -1, column, ours[column]) for name, column in names.items()]
        if each["label"] is not None:
            wanted = recalls[(recalls["order"] == each["order"]) & (recalls["label"] == each["label"])]
            called = f"recall of {found.dataset.class_name(each['label'])}"
            ours = ours.assign(recall=wanted["recall"].to_numpy())
            rows.append((called, each["label"], "recall", ours["recall"]))
        for place, (called, label, measure, values) in enumerate(rows):
            area = areas[each["order"], measure, label]
            grid.add_row("" if place else each["order"], called, *_figures(area, random=random))
            if label == each["label"] or (each["label"] is None and not place):
                lines.add_row(each["order"], _bars(values.groupby(ours["size"]).mean()))
    console.answers.print(grid)
    console.answers.print()
    console.answers.print(lines)
    console.answers.print(
        f"\nuntouched: {100 * found.accuracy:.2f} % of {metadata['read_on']['images']:,} images\n"
        "areas in percent: accuracy (or recall) averaged over the way from 0 to all units\n"
        f"units {what}: {', '.join(map(str, sizes))}\n"
        f"record: {directory}, with charts/curve.light.svg",
        markup=False,
        soft_wrap=True,
    )
    for text in _remarks(metadata):
        console.remark(text)


def _figures(area: Mapping[Any, Any], *, random: bool) -> Iterator[str]:
    yield f"{100 * area['area']:.2f} ({100 * area['low']:.2f} to {100 * area['high']:.2f})"
    if random:
        known = area["difference"] == area["difference"]  # the random order itself is compared with nothing
        named = ("difference", "difference_low", "difference_high")
        value, low, high = (console.points(area[name], signed=True) for name in named)
        yield f"{value} ({low} to {high})" if known else ""


def _bars(values: Iterable[float]) -> str:
    """Draw fractions as bars, one letter each.

    Example:
        >>> _bars([0.0, 0.5, 1.0])
        '▁▅█'
    """
    return "".join(_BARS[round(value * (len(_BARS) - 1))] for value in values)


def _remarks(metadata: Mapping[str, Any]) -> Iterator[str]:
    read_on = metadata["read_on"]
    seen = [each for each in metadata["orders"] if each["ranked_on"].get("half")]
    if seen:
        yield (
            f"ranked on half A of the run: {', '.join(each['order'] for each in seen)}; every curve is read on the "
            f"{read_on['images']:,} of {read_on['of']:,} images that no ranking was made from"
        )
    others = read_on["images"] - read_on["images_of_the_run"]
    if others:
        yield f"{others:,} of the {read_on['images']:,} images that the curves are read on are not those of the run"
    if metadata["ranked_by"] != metadata["run"]:
        yield "ranked by another run"


def _document(found: Curve, directory: Path) -> dict[str, Any]:
    head = {"directory": str(directory), "network": found.network.name, "accuracy": found.accuracy}
    return {**head, **found.metadata, "areas": console.rows(found.areas), "points": console.rows(found.points)}
