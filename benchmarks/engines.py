"""The exact engine against its opponents, in one process, on the same sites, images and threads.

Opponents: a plain loop with forward hooks, Captum's LayerFeatureAblation, and a prefix-cached loop on
torch.fx.Interpreter, the one that has to be beaten. Everything is decoded and preprocessed beforehand; each opponent
counts the images that every unit's silencing costs or restores, and the counts have to be equal.

    python -m benchmarks.engines --network small --images digits --limit 200
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn

from lenslab import records, units
from lenslab.units.engine.batch import batch_of
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.networks import shipped_weights_for

RECORDS = Path(__file__).parent / "records"
Flips = dict[tuple[str, int], np.ndarray]


def plain_loop(ablation: units.Ablation, inputs: torch.Tensor) -> Flips:
    """Zero one channel by a forward hook, one run of the whole network per unit."""
    module, found = ablation.trace.module, {}
    base = module(inputs).argmax(dim=1)
    for plan in ablation.plans:
        layer = module.get_submodule(plan.site.name)
        for unit in range(plan.site.units):

            def silence(_layer: nn.Module, _inputs: object, output: torch.Tensor, unit: int = unit) -> torch.Tensor:
                output = output.clone()
                output[:, unit] = 0
                return output

            handle = layer.register_forward_hook(silence)
            found[plan.site.name, unit] = (module(inputs).argmax(dim=1) != base).numpy()
            handle.remove()
    return found


def captum(ablation: units.Ablation, inputs: torch.Tensor) -> Flips:
    """LayerFeatureAblation with a mask per channel, several perturbations per evaluation."""
    from captum.attr import LayerFeatureAblation

    module, found = ablation.trace.module, {}
    base = module(inputs).argmax(dim=1)

    def unchanged(x: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        return (module(x).argmax(dim=1) == before).float()

    for plan in ablation.plans:
        ablation = LayerFeatureAblation(unchanged, module.get_submodule(plan.site.name))
        mask = torch.arange(plan.site.units).view(1, -1, *[1] * (len(plan.site.shape) - 1))
        changed = ablation.attribute(
            inputs, layer_baselines=0.0, additional_forward_args=(base,), layer_mask=mask, perturbations_per_eval=4
        )
        for unit in range(plan.site.units):
            found[plan.site.name, unit] = (changed[:, unit].flatten(1)[:, 0] != 0).numpy()
    return found


def prefix_loop(ablation: units.Ablation, inputs: torch.Tensor) -> Flips:
    """One clean pass per site, then torch.fx.Interpreter restarted behind it for every unit."""
    graph = ablation.trace.graph
    assert graph is not None
    found: Flips = {}
    for plan in ablation.plans:
        node = graph.sites()[plan.site.name][1]
        environment = _environment(graph.module, inputs)
        before = {name: value for name, value in environment.items() if name not in graph.downstream[node]}
        base = environment[graph.result].argmax(dim=1)
        for unit in range(plan.site.units):
            value = before[node].clone()
            value[:, unit] = 0
            logits = fx.Interpreter(graph.module).run(inputs, initial_env={**before, node: value})
            found[plan.site.name, unit] = (logits.argmax(dim=1) != base).numpy()
    return found


def exact(ablation: units.Ablation, inputs: torch.Tensor) -> Flips:
    """Lenslab's engine, near ties in float64 included."""
    outcome = ExactEngine(ablation.trace, ablation.plans, torch.device("cpu")).run(
        batch_of(inputs, np.zeros(len(inputs)), np.arange(len(inputs)))
    )
    found: Flips = {}
    for site, plan in zip(outcome.sites, ablation.plans, strict=True):
        changed = np.zeros((plan.site.units, len(inputs)), bool)
        for piece in site.decided:
            flipped = piece.after != outcome.reference.predictions[piece.rows]
            changed[piece.units[flipped].numpy(), piece.rows[flipped].numpy()] = True
        found.update({(plan.site.name, unit): changed[unit] for unit in range(plan.site.units)})
    return found


def _environment(module: fx.GraphModule, inputs: torch.Tensor) -> dict[fx.Node, torch.Tensor]:
    interpreter = fx.Interpreter(module, garbage_collect_values=False)
    interpreter.run(inputs)
    return dict(interpreter.env)


OPPONENTS: dict[str, Callable[[units.Ablation, torch.Tensor], Flips]] = {
    "plain loop": plain_loop,
    "Captum": captum,
    "prefix-cached loop": prefix_loop,
    "lenslab exact": exact,
}


def main() -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="small")
    parser.add_argument("--weights")
    parser.add_argument("--images", default="digits")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    weights = options.weights or shipped_weights_for(options.network, options.images)
    network = units.load(options.network, weights=weights)
    ablation = units.Ablation.of(network, options.images, limit=options.limit, batch_size=options.batch_size)
    blocks = list(ablation.images.blocks(options.batch_size))
    batches = [network.preprocessing(block.pixels) for block in blocks]
    pairs = ablation.units * len(ablation.images)

    wall: dict[str, list[float]] = {name: [] for name in OPPONENTS}
    processor: dict[str, list[float]] = {name: [] for name in OPPONENTS}
    flips: dict[str, Flips] = {}
    with torch.inference_mode(), full_precision():
        for _ in range(options.repeats):
            for name, opponent in OPPONENTS.items():
                start, used = time.perf_counter(), time.process_time()
                pieces = [opponent(ablation, batch) for batch in batches]
                wall[name].append(time.perf_counter() - start)
                processor[name].append(time.process_time() - used)
                flips[name] = {pair: np.concatenate([piece[pair] for piece in pieces]) for pair in pieces[0]}

    ours = statistics.median(wall["lenslab exact"])
    rows = []
    for name in OPPONENTS:
        seconds = statistics.median(wall[name])
        differing = sum(int((flips[name][pair] != flips["lenslab exact"][pair]).sum()) for pair in flips[name])
        rows.append(
            {
                "engine": name,
                "seconds": round(seconds, 3),
                "processor_seconds": round(statistics.median(processor[name]), 3),
                "pairs_per_second": round(pairs / seconds),
                "lenslab_is_faster_by": round(seconds / ours, 2),
                "flips": int(sum(changed.sum() for changed in flips[name].values())),
                "pairs_differing_from_lenslab": differing,
            }
        )
        print(
            f"{name:20} {seconds:8.2f} s  {pairs / seconds:12,.0f} pairs/s  {seconds / ours:6.2f}x  "
            f"{rows[-1]['flips']:8,} flips  {differing} differ"
        )
    document = {
        "network": options.network,
        "images": ablation.images.name,
        "count": len(ablation.images),
        "sites": len(ablation.plans),
        "units": ablation.units,
        "threads": options.threads,
        "batch_size": options.batch_size,
        "repeats": options.repeats,
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "rows": rows,
        "versions": records.versions(),
        "machine": records.machine(),
        "measured": records.timestamp(),
    }
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"engines-{options.network}-{ablation.images.name}.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"record: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
