"""``lenslab study list | run | show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.network_options import (
    AsJson,
    Classes,
    Declared,
    Mean,
    NoExif,
    On,
    Output,
    Sd,
    Size,
    Split,
    Weights,
    Workers,
    key_of,
    numbers,
    size_of,
)

if TYPE_CHECKING:
    from lenslab.studies import StudyResult

app = typer.Typer(
    help="Measure a paper's claims on your own network and images.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


_COLOURS = {"supported": "green", "contradicted": "red", "undecided": "yellow", "not run": "dim"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the studies, and the claims of each."""
    from lenslab.studies import list_studies

    studies = list_studies()
    if as_json:
        listed = []
        for rules in studies:
            claims = [{"id": claim.id, "statement": claim.statement} for claim in rules.claims]
            listed.append({"id": rules.study, "title": rules.title, "rules_sha256": rules.sha256, "claims": claims})
        console.print_json({"studies": listed})
        return
    for rules in studies:
        grid = console.table("", "claim")
        for claim in rules.claims:
            grid.add_row(claim.id, claim.statement)
        console.answers.print(f"[bold]{rules.study}[/bold]  {rules.title}\n")
        console.answers.print(grid)
        console.remark(f"\nMeasure them: lenslab study run {rules.study}")


@app.command()
def run(
    study: Annotated[str, Argument(metavar="ID", help="A paper's arXiv id from 'lenslab study list'.")],
    network: Annotated[
        str | None, Option(metavar="N", help="A name from 'lenslab networks', or package.module:callable.")
    ] = None,
    weights: Weights = None,
    images: Annotated[
        str | None, Option(metavar="SOURCE", help="Default: Fashion-MNIST's test images, or digits without a network.")
    ] = None,
    split: Split = None,
    classes: Classes = None,
    no_exif: NoExif = False,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Where the record goes. Default: runs/<id>-<network>-<short hash>.")
    ] = None,
    seed: Annotated[int, Option(min=0, metavar="S", help="Decides halves and bootstrap.")] = 0,
    limit: Annotated[int | None, Option(metavar="N", help="Only the first N images.")] = None,
    mean: Mean = None,
    sd: Sd = None,
    size: Size = None,
    declared: Declared = None,
    output: Output = None,
    device: Annotated[str, Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    on: On = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Silence every unit, decide the paper's claims by its rules, and leave a record that the site shows."""
    from lenslab import studies
    from lenslab.units import open_images

    source = f"{images}#{split}" if images and split else images
    studies.load_rules(study)  # an unknown study is refused before anything is loaded or shown
    with console.progress("silencing") as progress:
        result = studies.run(
            study,
            network=network,
            weights=weights,
            mean=numbers("--mean", mean),
            sd=numbers("--sd", sd),
            size=size_of(size),
            preprocessing=declared,
            output=key_of(output),
            images=open_images(source, exif=False) if source and no_exif else source,
            classes=classes,
            out=out,
            seed=seed,
            limit=limit,
            device=device,
            on=on,
            workers=workers,
            progress=progress,
            tell=console.remark,
        )
    _show(result, as_json)


@app.command()
def show(
    directory: Annotated[Path, Argument(metavar="DIR", help="A study's record.")], as_json: AsJson = False
) -> None:
    """Show what a study found."""
    from lenslab.studies import read_study

    _show(read_study(directory), as_json)


def _show(result: StudyResult, as_json: bool) -> None:
    if as_json:
        console.print_json({"directory": str(result.directory), **result.record.document})
        return
    from rich.markup import escape

    grid = console.table("", "claim", "here", "estimate with interval")
    for claim in result.claims:
        colour = _COLOURS[claim.verdict]
        grid.add_row(claim.id, escape(claim.statement), f"[{colour}]{claim.verdict}[/{colour}]", escape(claim.words))
        for part in claim.parts:
            grid.add_row("", f"  {escape(part.name)}", str(part.verdict), escape(part.words), style="dim")
        if claim.detail:
            grid.add_row("", f"  {escape(claim.detail)}", "", "", style="dim")
    confidence = max((claim.confidence for claim in result.claims), default=0.0)
    dead = f", {result.dead} of them dead" if result.dead else ""
    console.answers.print(
        f"{result.study} on {result.network} and {result.image_count:,} images of {result.images}: accuracy "
        f"{100 * result.accuracy:.2f} %, site {result.site} with {result.units} units{dead}\n",
        markup=False,
    )
    console.answers.print(grid)
    scope = "; ".join(result.scope) or "none"
    console.answers.print(
        f"\nscope flags: {scope}\nintervals at {100 * confidence:g} %; rules {result.rules_file} "
        f"{result.rules_sha256[:12]}\nrecord: {result.directory}",
        markup=False,
    )
    for warning in result.warnings:
        console.remark(f"note: {warning}")
