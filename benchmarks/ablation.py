"""The exact engine against its opponents: the same units, images and threads, in one process.

Everything is decoded and preprocessed beforehand, and every opponent runs in the faster of two memory layouts and at
the best of three batch sizes, by a trial on a few units. Long loops are timed on some of the units of every site (at
least a twentieth, evenly spread), and some cases on some of the images; each site's time is taken in proportion, and
the clean pass is counted once. Lenslab
does all pairs, compiles, checks itself and decides near ties in float64 within its time. Ratios are of processor
seconds. Of the pairs that an opponent decided, those that differ are counted, near ties apart.

    python -m benchmarks.ablation --case resnet20
"""

from __future__ import annotations

import argparse
import resource
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.networks import make
from benchmarks.opponents import OPPONENTS, Flips, fits_captum
from benchmarks.pictures import measured_and_fit
from benchmarks.reporting import write
from benchmarks.timing import Laps, Watch, best_setting, spread, timed_opponent
from lenslab import units
from lenslab.units.engine.batch import batch_of
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.outcome import FLOAT64


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        network: A name of `benchmarks.networks`.
        images: How many.
        side: Pixels a side; 0 for the network's own size.
        sites: Globs; by default all default sites.
        last: Only the last so many of them.
        share: Which share of the units opponents are timed on.
        timed: On how many of the images; by default on all.
    """

    network: str
    images: int
    side: int = 0
    sites: tuple[str, ...] | None = None
    last: int | None = None
    share: float = 0.05
    timed: int | None = None


CASES = {
    "resnet20": Case("resnet20", 1000, timed=256),
    "depthwise": Case("depthwise", 256),
    "vgg16_bn-last": Case("vgg16_bn", 64, last=1, timed=32),
    "alexnet-last": Case("alexnet", 256, last=1, share=0.1, timed=128),
    "resnet18": Case("resnet18", 2),
    "resnet18-last": Case("resnet18", 512, last=1, timed=32),
    "concatenation": Case("concatenation", 1000, share=0.25, timed=256),
}
"""What is measured, by name."""

ENGINES: dict[str, dict[str, Any]] = {
    "lenslab, torch alone": {"executor": "eager"},
    "lenslab": {},
    "lenslab, mixed": {"arithmetic": "mixed"},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write a record for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES, help="repeatable; default: all")
    parser.add_argument("--images", type=int, help="how many, in place of the case's own")
    parser.add_argument("--source", help="labelled images, whatever lenslab opens; default: textures that a seed draws")
    parser.add_argument("--weights", help="a file, for a single --case")
    parser.add_argument("--fit", type=int, default=200, help="other images, that last layers are fitted on")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, ...; on a GPU ratios are of wall seconds")
    parser.add_argument("--without", action="append", default=[], choices=OPPONENTS, help="an opponent; repeatable")
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    for name in options.case or CASES:
        document = measure(CASES[name], options)
        if not options.no_record:
            where = "" if options.device == "cpu" else f"-{torch.device(options.device).type}"
            write(f"ablation-{name}{where}", document)


def measure(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a case: every engine as often as asked, in turn, and medians of that."""
    count, size = options.images or case.images, (case.side, case.side) if case.side else None
    images, fit = measured_and_fit(case.network, options.source, count, options.fit, size)
    network = make(case.network, fit, size=size, weights=options.weights)
    sites = [site.name for site in units.trace(network).select(case.sites)][-(case.last or 0) :]
    asked = {"sites": sites, "attributes": False}
    questions = {name: units.Ablation.of(network, images, **asked, **more) for name, more in ENGINES.items()}
    questions = {name: question.on_device(options.device) for name, question in questions.items()}
    ablation = questions["lenslab"]
    device = torch.device(options.device)
    timed = min(case.timed or count, count)
    inputs = torch.cat([network.preprocessing(block.pixels) for block in images.blocks(64)]).to(device)
    for question in questions.values():
        for module in (question.trace.module, question.trace.graph and question.trace.graph.module):
            if module is not None:
                module.to(device)
    sample = {plan.site.name: spread(plan.site.units, case.share) for plan in ablation.plans}
    print(
        f"\n{case.network}: {ablation.units:,} units at {len(sites)} sites, {len(inputs):,} images {inputs.shape[2:]}"
    )
    with torch.inference_mode(), full_precision():
        rate = _best_rate(device)
        settings = {
            name: best_setting(name, ablation, inputs[:timed], sample)
            for name in OPPONENTS
            if name not in options.without
            if name != "Captum" or fits_captum(ablation.plans, ablation.trace.module)
        }
        for name, setting in settings.items():
            print(f"  {name}: {setting}")
        runs: dict[str, Callable[[], tuple[Laps, Flips]]] = {
            name: timed_opponent(name, ablation, inputs[:timed], sample, setting, len(inputs))
            for name, setting in settings.items()
        }
        runs |= {name: _ours(question, inputs) for name, question in questions.items()}
        taken: dict[str, list[Laps]] = {name: [] for name in runs}
        flips: dict[str, Flips] = {}
        for _ in range(options.repeats):
            for name, run in runs.items():
                laps, flips[name] = run()
                taken[name].append(laps)
    on_gpu: dict[str, Any] = {}
    if device.type != "cpu":
        on_gpu["peak_device_memory_mib"] = round(torch.cuda.max_memory_allocated(device) / 2**20)
        with torch.inference_mode(), full_precision():
            _, there = _ours(units.Ablation.of(network, images, **asked), inputs.cpu())()
        on_gpu["mismatches_with_the_processor"] = _mismatches(there, flips["lenslab"])
    wall, seconds = ({name: _total(each, kind) for name, each in taken.items()} for kind in (0, 1))
    kind = 1 if device.type == "cpu" else 0
    prefix = _by_site(taken["prefix-cached loop"], kind)
    by_site = {
        name: {site: round(prefix[site] / took, 2) for site, took in _by_site(taken[name], kind).items()}
        for name in questions
    }
    compared = seconds if device.type == "cpu" else wall
    rows = [
        {
            "engine": name,
            "wall_seconds": round(wall[name], 3),
            "processor_seconds": round(seconds[name], 3),
            "pairs_per_second": round(ablation.units * len(inputs) / wall[name]),
            "over_plain": round(compared["plain loop"] / compared[name], 2),
            "over_prefix": round(compared["prefix-cached loop"] / compared[name], 2),
            "mismatches": _mismatches(flips[name], flips["lenslab"]),
        }
        for name in runs
    ]
    for row in rows:
        print(
            f"{row['engine']:24}{row['wall_seconds']:10.2f} s{row['processor_seconds']:10.2f} s"
            f"{row['pairs_per_second']:12,} pairs/s {row['over_plain']:8.2f}x plain {row['over_prefix']:6.2f}x prefix"
            f"{row['mismatches']:5} differ",
            flush=True,
        )
    for name, ratios in by_site.items():
        slowest = min(ratios, key=ratios.__getitem__)
        print(f"  {name}: every site at least {ratios[slowest]:.2f}x the prefix-cached loop ({slowest})")
    macs = ablation.cost or 0
    return {
        "network": case.network,
        "images": Path(options.source).name if options.source else "textures",
        "count": len(inputs),
        "size": list(inputs.shape[2:]),
        "sites": len(sites),
        "units": ablation.units,
        "timed_images": timed,
        "timed_share_of_units": sum(map(len, sample.values())) / ablation.units,
        "threads": options.threads,
        "device": options.device,
        "repeats": options.repeats,
        "multiply_accumulates": macs,
        "best_rate": rate,
        "share_of_roofline": round(macs / rate / compared["lenslab"], 3),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        **on_gpu,
        "settings": {name: str(setting) for name, setting in settings.items()},
        "rows": rows,
        "sites_over_prefix": by_site,
    }


def _total(taken: Sequence[Laps], kind: int) -> float:
    return statistics.median(sum(lap[kind] for lap in laps.values()) for laps in taken)


def _by_site(taken: Sequence[Laps], kind: int) -> dict[str, float]:
    return {site: statistics.median(laps[site][kind] for laps in taken) for site in taken[0] if site}


def _ours(question: units.Ablation, inputs: Tensor) -> Callable[[], tuple[Laps, Flips]]:
    """Give what times lenslab; what a site compiles counts as its own, what is checked of the network as clean."""

    def run() -> tuple[Laps, Flips]:
        watch = Watch()
        engine = question.engine_for(question.plans, inputs.device)
        changed = {plan.site.name: np.zeros((plan.count, len(inputs)), np.int8) for plan in question.plans}
        for start in range(0, len(inputs), question.batch_size):
            some = inputs[start : start + question.batch_size]
            outcome = engine.run(batch_of(some, np.zeros(len(some), np.int64), np.arange(len(some))))
            watch.lap("")
            for site in outcome.sites:
                for piece in site.decided:
                    flipped = (piece.after != outcome.reference.predictions[piece.rows]).cpu().numpy().astype(np.int8)
                    where = piece.units.cpu().numpy(), start + piece.rows.cpu().numpy()
                    changed[site.site][where] = flipped + 2 * (piece.path == FLOAT64)
                watch.lap(site.site)
        return watch.laps, {(site, unit): row for site, rows in changed.items() for unit, row in enumerate(rows)}

    return run


def _mismatches(found: Flips, ours: Flips) -> int:
    """Count pairs that differ, but for those that lenslab decided in float64: near ties."""
    differing = 0
    for pair, changed in found.items():
        same = ours[pair][: len(changed)]
        differing += int(((np.asarray(changed, np.int8) % 2 != same % 2) & (same < 2)).sum())
    return differing


def _best_rate(device: torch.device) -> float:
    """Measure the multiply-accumulates per second of a large convolution."""
    x = torch.randn(16, 256, 28, 28, device=device).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3, device=device).contiguous(memory_format=torch.channels_last)
    watch = Watch()
    for trial in range(5):
        F.conv2d(x, weight, padding=1)
        watch.lap(str(trial))
    return 16 * 28 * 28 * 256 * 256 * 9 / min(wall for wall, _ in watch.laps.values())


if __name__ == "__main__":
    main()
