"""``lenslab ablate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from lenslab.cli import console, screening
from lenslab.cli.network_options import (
    AsJson,
    Classes,
    Declared,
    Mean,
    NetworkName,
    NoExif,
    On,
    Output,
    Sd,
    Size,
    Split,
    Weights,
    Workers,
    load,
)
from lenslab.cli.run_choice import directory_for

if TYPE_CHECKING:
    from lenslab.runs import Run
    from lenslab.units import Ablation


def ablate(
    network: NetworkName,
    images: Annotated[
        str, Option(metavar="SOURCE", help="digits, fashion-mnist, a folder of class folders, Parquet, or .npz.")
    ],
    split: Split = None,
    weights: Weights = None,
    sites: Annotated[
        list[str] | None,
        Option(metavar="PATTERN", help="Sites by name, shell globs allowed; repeatable. Default: the default sites."),
    ] = None,
    engine: Annotated[
        str,
        Option(
            metavar="E",
            help="exact; plain: the whole network for every unit; or screen: drops with intervals, from a share of "
            "the pairs.",
        ),
    ] = "exact",
    precision: Annotated[
        float | None,
        Option(
            metavar="POINTS",
            help="With --engine screen: half the width of every overall drop's 95 % interval. 0: every pair.",
        ),
    ] = None,
    class_precision: Annotated[
        float | None, Option(metavar="POINTS", help="With --engine screen: the same of every class drop.")
    ] = None,
    budget: Annotated[
        float | None, Option(metavar="SHARE", help="With --engine screen: the share of the pairs to run at most.")
    ] = None,
    top_units: Annotated[
        int | None,
        Option(
            metavar="N",
            help="With --engine screen: name the N units with the largest drops, and how likely that list is right.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        Option(
            metavar="DROP",
            help="By what --top-units ranks: accuracy_drop (the default), or heldout_max_class_drop, whose class is "
            "chosen on one half of the images and read on the other.",
        ),
    ] = None,
    executor: Annotated[
        str,
        Option(
            metavar="X",
            help="What runs the network on a processor: eager (torch), openvino, or auto: OpenVINO where it is "
            "installed and there is much to do.",
        ),
    ] = "auto",
    arithmetic: Annotated[
        str,
        Option(
            metavar="A",
            help="float32; mixed: bfloat16 where that decides, the same integers, and no continuous figures; or auto: "
            "mixed where the processor is fast at it.",
        ),
    ] = "float32",
    limit: Annotated[int | None, Option(metavar="N", help="Only the first N images.")] = None,
    seed: Annotated[int, Option(min=0, metavar="S", help="Decides halves, bootstrap and verified pairs.")] = 0,
    out: Annotated[Path | None, Option(metavar="DIR", help="Where the record goes. Default: below runs/.")] = None,
    replacement: Annotated[
        str, Option(metavar="R", help="zero, mean, mean-map, resample, filter, or a number.")
    ] = "zero",
    draws: Annotated[int | None, Option(metavar="D", help="Resample every unit D times. Default: 3.")] = None,
    classes: Classes = None,
    reference: Annotated[
        str | None, Option(metavar="SOURCE", help="Images for means, energies and resampling.")
    ] = None,
    basis: Annotated[
        str,
        Option(
            metavar="B",
            help="units, or random directions in their place: haar, or energy (each with the energy of a unit).",
        ),
    ] = "units",
    top: Annotated[
        int | None, Option(metavar="K", help="Measure top-K accuracy, too. Default: 5 from 20 classes on; 0: none.")
    ] = None,
    no_attributes: Annotated[
        bool, Option("--no-attributes", help="Leave the units' attributes and strongest images out.")
    ] = False,
    concepts: Annotated[
        Path | None,
        Option(
            metavar="DATASET",
            help="Images with pixel masks of concepts: a directory with images/ and masks/CONCEPT/, or Parquet. Each "
            "unit's overlap with the concept that it aligns with best becomes an attribute.",
        ),
    ] = None,
    skip_broken: Annotated[
        bool, Option("--skip-broken", help="Leave images out that do not decode, and count and name them.")
    ] = False,
    no_exif: NoExif = False,
    resume: Annotated[
        bool, Option("--resume", help="Only go on with what was begun in the same place; never begin anew.")
    ] = False,
    verify: Annotated[
        int, Option(metavar="K", min=0, help="Do K pairs again the plain way, and fail if one differs.")
    ] = 0,
    mean: Mean = None,
    sd: Sd = None,
    size: Size = None,
    declared: Declared = None,
    output: Output = None,
    batch_size: Annotated[int | None, Option(metavar="N", help="Images per batch; it decides no integer.")] = None,
    device: Annotated[str, Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    on: On = None,
    workers: Workers = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the plan, with time and memory by a short trial, and stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Silence every unit of a network, one at a time, and measure what each one costs."""
    from lenslab import records, units
    from lenslab.units.screening.screening import Screen

    images = f"{images}#{split}" if split else images
    aim = {"precision": precision, "class_precision": class_precision, "budget": budget}
    screening.refuse_contradictions(
        engine,
        only_screening={**aim, "top_units": top_units, "by": by},
        never_screening={
            "concepts": concepts,
            "top": top,
            "draws": draws,
            "verify": verify,
            "dry_run": dry_run,
            "on": on,
            "workers": workers,
            "basis": basis if basis != "units" else None,
            "arithmetic": arithmetic if arithmetic != "float32" else None,
        },
    )
    loaded = load(network, weights, mean, sd, size, declared=declared, output=output, images=images)
    opened = units.open_images(images, on_error="skip" if skip_broken else "raise", exif=not no_exif)
    mapped = opened.mapped(loaded.class_names or loaded.classes, classes) if classes else opened
    if engine == screening.ENGINE:
        asked = Screen.of(
            loaded,
            mapped,
            sites=sites,
            limit=limit,
            seed=seed,
            batch_size=batch_size,
            replacement=replacement,
            reference=reference,
            executor=executor,
            **aim,
        )
        screening.run(asked, out, resume=resume, device=device, top_units=top_units, by=by, as_json=as_json)
        return
    ablation = units.Ablation.of(
        loaded,
        mapped,
        sites=sites,
        engine=engine,
        executor=executor,
        arithmetic=arithmetic,
        limit=limit,
        seed=seed,
        batch_size=batch_size,
        replacement=replacement,
        reference=reference,
        basis=basis,
        draws=draws,
        top=top,
        attributes=not no_attributes,
        concepts=concepts,
    )
    ablation = ablation.on_device(device)
    if dry_run:
        _show_plan(ablation, device, as_json)
        return
    directory = out or directory_for(loaded.name, ablation.key)
    if resume:
        records.require_begun(directory)
    if not as_json:
        console.remark(
            f"{loaded.name}: {ablation.units:,} units at {len(ablation.plans)} "
            f"site{'s' * (len(ablation.plans) > 1)} on {len(ablation.images):,} images of {ablation.images.name}, "
            f"into {directory}"
        )
    with console.progress("silencing") as progress:
        run = ablation.run(device=device, verify=verify, out=directory, progress=progress, on=on, workers=workers)
    if as_json:
        console.print_json({"directory": str(directory), "reused": run.reused, **run.record.document})
    else:
        _show_run(run, directory)


_EXPECTED = ("MMAC per pair", "expected", "memory")


def _show_plan(ablation: Ablation, device: str, as_json: bool) -> None:
    with console.progress("trying") as progress:
        progress(0, 1)
        expected = ablation.forecast(device=device)
    took, holds = expected.site_seconds, expected.site_bytes
    if as_json:
        names = ("site", "units", "path", "executor", "multiply_accumulates_per_pair", "seconds", "peak_bytes")
        rows = (
            (site.name, site.units, each.path, each.execution.executor, each.cost, took[site.name], holds[site.name])
            for each in ablation.plans
            for site in [each.site]
        )
        plans = [dict(zip(names, row, strict=True)) for row in rows]
        document = {"images": len(ablation.images), "units": ablation.units, "pairs": ablation.pairs}
        parts = (expected.sweep_seconds, expected.attribute_seconds, expected.statistics_seconds, expected.seconds)
        seconds = dict(zip(("sweep", "attributes", "statistics", "all"), parts, strict=True))
        figures = {"multiply_accumulates": ablation.cost, "seconds": seconds, "peak_bytes": expected.peak_bytes}
        console.print_json({**document, **figures, "trial_seconds": expected.trial_seconds, "plans": plans})
        return
    grid = console.table("site", "units", "path", "by", *_EXPECTED, numbers=("units", *_EXPECTED))
    for plan in ablation.plans:
        cost = "?" if plan.cost is None else f"{plan.cost / 1e6:,.3f}"
        by = f"{plan.execution.executor}, {str(plan.execution.precision).removeprefix('torch.')}"
        expects, memory = console.duration(took[plan.site.name]), holds[plan.site.name]
        held = "?" if memory is None else console.size(memory)
        grid.add_row(plan.site.name, str(plan.site.units), plan.path, by, cost, expects, held)
    console.answers.print(grid)
    whole = (
        ""
        if ablation.cost is None
        else f", {ablation.cost / 1e9:,.1f} GMAC (thousand million multiply-accumulates) at most"
    )
    draws = f" x {ablation.intervention.draws} draws" if ablation.intervention.draws > 1 else ""
    console.remark(
        f"\n{ablation.units:,} units x {len(ablation.images):,} images{draws} = {ablation.pairs:,} pairs{whole}\n"
        f"expected: {console.duration(expected.seconds)} and {console.size(expected.peak_bytes)} of memory, "
        f"by a trial of {console.duration(expected.trial_seconds)}; nothing was kept"
    )


def _decided(run: Run) -> str:
    """Say how many pairs bfloat16 decided, and that it was audited."""
    low = sum(site.get("bfloat16", 0) for site in run.paths.values())
    every = sum(sum(site.values()) for site in run.paths.values())
    audited, failed = (sum(int(each[name]) for each in run.audits.values()) for name in ("audited", "failed"))
    return (
        f"bfloat16 decided {low:,} of {every:,} pairs, where their margins allow it; {audited:,} pairs were audited in "
        f"float32, {failed:,} outside their band; no losses or logits are measured in mixed arithmetic"
    )


def _show_work(run: Run) -> None:
    """Show what each site cost, beside what was expected."""
    figures = ("GMAC", "expected s", "took s")
    grid = console.table("site", "path", "pairs by path", *figures, numbers=figures)
    for work in run.work:
        pairs = ", ".join(f"{path} {count:,}" for path, count in work.pairs.items())
        cost = "?" if work.multiply_accumulates is None else f"{work.multiply_accumulates / 1e9:,.3f}"
        took = ("?" if each is None else f"{each:,.2f}" for each in (work.predicted_seconds, work.seconds))
        grid.add_row(console.escaped(work.site), work.path or "?", pairs, cost, *took)
    console.answers.print(grid)


def _show_run(run: Run, directory: Path) -> None:
    table = run.units
    if run.reused:
        console.remark("this was measured before; here is the record")
    if run.verified:
        counts = ", ".join(f"{pairs} {path}" for path, pairs in run.verified.items())
        console.remark(f"done again the plain way, and equal: {counts}")
    if run.audits:
        console.remark(_decided(run))
    for warning in run.warnings:
        console.remark(f"note: {warning}")
    figures = ("units", "dead", "drop\nmean", "\nlargest", "class drop\nmean", "\nlargest ")
    grid = console.table("site", *figures, "hit\nhardest", "by\nunit", numbers=("site", *figures, "by\nunit"))
    for site, rows in table.groupby("site", sort=False):
        worst = rows.nlargest(1, "heldout_max_class_drop").iloc[0]
        label, costs = int(worst["max_class"]), worst["heldout_max_class_drop"] > 0
        grid.add_row(
            str(site),
            str(len(rows)),
            str(int(rows["dead"].sum())),
            console.points(rows["accuracy_drop"].mean()),
            console.points(rows["accuracy_drop"].max()),
            console.points(rows["heldout_max_class_drop"].mean()),
            console.points(worst["heldout_max_class_drop"]),
            *((run.dataset.class_name(label), str(int(worst["unit"]))) if costs else ("none", "")),
        )
    grid.columns[0].justify = "left"
    console.answers.print(grid)
    console.answers.print()
    _show_work(run)
    console.answers.print(
        f"\naccuracy before: {100 * run.accuracy:.2f} %\n"
        "drops in points; a class drop is that of the class hit hardest, chosen on one half, read on the other\n"
        f"record: {directory}; to look at it: lenslab report {console.typed(directory)}",
        markup=False,
        soft_wrap=True,
    )
    for assumption in run.assumptions:
        console.remark(f"assumed: {assumption}")
