"""What shortcuts that the exact engine does not take could save: dead, local and certified changes.

Of pairs of unit and image whose unit is not silent anyway, site by site:

- *dead*: no logit changes when the unit is silenced. Whatever layer a change dies behind, it is among these.
- *local*: the share of the consumer's map that a rectangle around the change covers, one position wider on each side.
- *certified*: where a dense layer, ReLU, average pooling and the last layer follow, what the change can do to a margin
  is at most its sum of absolute values times the weights on the way; that is below the margin, so nothing is to be run.

    python -m benchmarks.shortcuts --network resnet20 --weights WEIGHTS --source IMAGES
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.networks import make
from benchmarks.pictures import measured_and_fit
from benchmarks.reporting import write
from lenslab import units
from lenslab.units.engine.low_rank_update import ways
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT
from lenslab.units.engine.site_plan import Plan

_PAIRS = 400
"""So many pairs of each site are looked at."""

_NOTHING = 1e-6
"""Changes below this share of the logits' scale are none."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="resnet20")
    parser.add_argument("--weights", help="a file; by default weights are random and the last layer is fitted")
    parser.add_argument("--source", help="labelled images; default: textures that a seed draws")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    images, fit = measured_and_fit(options.network, options.source, options.images, 200, None)
    network = make(options.network, fit, weights=options.weights)
    ablation = units.Ablation.of(network, images, attributes=False)
    inputs = torch.cat([network.preprocessing(block.pixels) for block in images.blocks(64)])
    with torch.inference_mode():
        rows = [*_rows(ablation, inputs)]
    for row in rows:
        certified = "" if row["certified"] is None else f"{row['certified']:10.1%} certified"
        print(f"{row['site']:24}{row['live']:8.1%} live{row['dead']:8.2%} dead{row['box']:8.1%} of the map{certified}")
    if not options.no_record:
        write(f"shortcuts-{options.network}", {"images": len(inputs), "pairs": _PAIRS, "sites": rows})


def _rows(ablation: units.Ablation, inputs: Tensor) -> Iterator[dict[str, Any]]:
    program = ablation.trace.program(inputs.device)
    golden = program.golden(inputs, [plan.site.name for plan in ablation.plans])
    scale = golden.logits.abs().amax(dim=1)
    for plan in ablation.plans:
        name, value = plan.site.name, golden.values[plan.site.name]
        live = ZERO_REPLACEMENT.differs(value)
        rows, chosen = live.nonzero(as_tuple=True)
        some = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:_PAIRS]
        rows, chosen = rows[some], chosen[some]
        moved = (program.resumed_logits(golden, name, rows, chosen) - golden.logits[rows]).abs().amax(dim=1)
        yield {
            "site": name,
            "live": float(live.float().mean()),
            "dead": float((moved < _NOTHING * scale[rows]).float().mean()),
            "box": float(_box(value[rows, chosen]).mean()) if value.dim() == 4 else 1.0,
            "certified": _certified(ablation, plan, value[rows, chosen], chosen, golden.logits[rows]),
        }


def _box(maps: Tensor) -> Tensor:
    """Give the share of each map that a rectangle around what is not 0 covers, one position wider on each side."""
    share = torch.ones(len(maps))
    for axis in (1, 2):
        somewhere = (maps != 0).any(dim=3 - axis)
        size = somewhere.shape[1]
        first = somewhere.int().argmax(dim=1)
        last = size - 1 - somewhere.flip(1).int().argmax(dim=1)
        share *= ((last + 1).clamp_max(size - 1) - (first - 1).clamp_min(0) + 1) / size
    return share


def _certified(ablation: units.Ablation, plan: Plan, maps: Tensor, chosen: Tensor, logits: Tensor) -> float | None:
    """Give the share of the pairs whose answer a bound before the dense layer settles; ``None`` where none is known."""
    graph = ablation.trace.graph
    assert graph is not None
    found = ways(graph, graph.sites()[plan.site.name][1])
    tails = {graph.sites()[name][1]: tail for name, tail in ablation.trace.tails.items()}
    if found is None or len(found.consumers) != 1 or len(found.steps):
        return None
    (consumer,) = found.consumers
    behind = next(iter(graph.tensor_users(consumer.value)))
    if graph.is_addition(behind):
        behind = next(iter(graph.tensor_users(behind)))
    if not graph.is_activation(behind) or behind not in tails or tails[behind].positions != 1:
        return None
    convolution, last = (graph.modules[path] for path in (consumer.layer, tails[behind].layer))
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(last, nn.Linear)
    weight = convolution.weight
    if consumer.norm:
        norm = graph.modules[consumer.norm]
        weight = weight * (norm.weight * torch.rsqrt(norm.running_var + norm.eps))[:, None, None, None]  # type: ignore[union-attr, operator]
    reach = weight.abs().sum(dim=(2, 3))[:, chosen].T  # [pairs, outputs]
    positions = torch.Size(graph.shapes[consumer.value][2:]).numel()
    change = maps.abs().flatten(1).sum(dim=1)[:, None] * reach / positions
    top = logits.argmax(dim=1)
    apart = (last.weight[top][:, None] - last.weight[None]).abs()  # [pairs, classes, outputs]
    most = torch.einsum("pco,po->pc", apart, change)
    margin = logits.gather(1, top[:, None]) - logits
    return float(((margin > most) | (margin == 0)).all(dim=1).float().mean())


if __name__ == "__main__":
    main()
