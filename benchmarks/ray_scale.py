"""On paper: ResNet-50 on the 50,000 validation images of ImageNet, every one of 22,720 units, on 1, 8 and 64 GPUs.

Measured on this machine, one thread: the multiply-accumulates per second of the suffixes, how long a JPEG picture takes
to decode and preprocess, what the process that was asked takes to write a piece, its bytes, and the statistics of the
tables. The division of the sweep is the real one. The rate of a GPU is an assumption, given with ``--gpu-rate``: with
another one all hours are others. The scheduler is simulated with a heap: every worker has two pieces in hand, gets the
next one when a piece has come back, and one process writes all of them, one after the other.

    python -m benchmarks.ray_scale
"""

from __future__ import annotations

import argparse
import heapq
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.reporting import write
from lenslab.records import Draft
from lenslab.units import Ablation, load
from lenslab.units.forecast import _batch, _statistics_seconds, _tried
from lenslab.units.images.picture_decoding import decode
from lenslab.units.sweep.pieces import Piece
from lenslab.units.sweep.schedule import Schedule, schedule
from lenslab.units.sweep.shards import Shards

IMAGES, CLASSES, PIXELS = 50_000, 1000, (375, 500)
"""Of the validation set: how many, of how many classes, and the size of a usual picture."""

FLIPPED = 0.03
"""The share of pairs that flip, where the statistics are timed."""

IN_HAND = 2
"""Pieces that a worker has at a time."""


@dataclass(frozen=True)
class Rates:
    """What things take.

    Attributes:
        gpu: Multiply-accumulates per second of a worker.
        picture: Seconds to decode and preprocess one picture.
        writing: Seconds in which one piece is written.
        opening: Seconds until a worker begins.
    """

    gpu: float
    picture: float
    writing: float
    opening: float


def simulated(divided: Schedule, clean: float, workers: int, rates: Rates) -> dict[str, float]:
    """Simulate a sweep; give its hours, the share of the time that workers compute and that the writer writes."""
    groups = [sum(divided.costs[site] for site in group) for group in divided.groups]
    queue = iter(range(len(groups) * -(-IMAGES // divided.batch_size)))
    free, seen, computing = [rates.opening] * workers, [-1] * workers, 0.0
    events: list[tuple[float, int]] = []

    def hand(worker: int, now: float) -> float:
        """Give a worker the next piece; tell how long it computes."""
        piece = next(queue, None)
        if piece is None:
            return 0.0
        block, group = divmod(piece, len(groups))
        reading = 0.0 if seen[worker] == block else divided.batch_size * (rates.picture + clean / rates.gpu)
        deciding = divided.batch_size * groups[group] / rates.gpu
        seen[worker], free[worker] = block, max(now, free[worker]) + reading + deciding
        heapq.heappush(events, (free[worker], worker))
        return deciding

    for _ in range(IN_HAND):
        for worker in range(workers):
            computing += hand(worker, rates.opening)
    writer, written = 0.0, 0
    while events:
        ended, worker = heapq.heappop(events)
        writer = max(writer, ended)
        computing += hand(worker, writer)
        writer, written = writer + rates.writing, written + 1
    return {
        "hours": round(writer / 3600, 2),
        "computing": round(computing / writer / workers, 3),
        "writing": round(written * rates.writing / writer, 3),
        "pieces": written,
    }


def measured(batch_size: int) -> dict[str, Any]:
    """Measure the rates on this machine, and take the real division."""
    torch.set_num_threads(1)
    question = asked(batch_size)
    with tempfile.TemporaryDirectory() as place, torch.inference_mode():
        seconds, size, files = writing(question, Path(place))
        rates = core_rates(question)
    return {
        "core_macs_per_second": {site: f"{rate:.2e}" for site, rate in rates.items()},
        "core_rate": median(rates.values()),
        "picture_seconds": round(picture_seconds(question), 5),
        "writing_seconds": round(seconds, 4),
        "bytes_of_a_piece": size,
        "files_of_a_piece": files,
        "statistics_seconds": round(_statistics_seconds(question, question.plans, FLIPPED)),
    }


def asked(batch_size: int, images: int = IMAGES) -> Ablation:
    """Ask the question, of pictures that are all alike; nothing here depends on what they show."""
    one = np.random.default_rng(0).integers(0, 255, (1, *PIXELS, 3), dtype=np.uint8)
    pixels = np.broadcast_to(one, (images, *PIXELS, 3))
    network = load("resnet50", untrained=True)
    return Ablation.of(network, (pixels, np.arange(images) % CLASSES), batch_size=batch_size, attributes=False)


def core_rates(question: Ablation) -> dict[str, float]:
    """Measure multiply-accumulates per second at a site of each stage, as the forecast does."""
    some = [plan for plan in question.plans if plan.site.name in ("layer1.1.relu3", "layer2.2.relu3", "layer3.2.relu3")]
    engine = question.engine_for(some, torch.device("cpu"))
    batch = _batch(question, torch.device("cpu"))
    seconds = {plan.site.name: _tried(engine, batch, plan).seconds for plan in some}
    return {plan.site.name: plan.count * len(batch) * float(plan.cost or 0) / seconds[plan.site.name] for plan in some}


def picture_seconds(question: Ablation) -> float:
    """Time decoding and preprocessing a JPEG picture."""
    grain = np.random.default_rng(0).integers(0, 255, (PIXELS[0] // 2, PIXELS[1] // 2, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grain).resize(PIXELS[::-1], Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    times = []
    for _ in range(40):
        began = time.perf_counter()
        question.network.preprocessing([decode(buffer.getvalue(), "grain").pixels])
        times.append(time.perf_counter() - began)
    return median(times)


def writing(question: Ablation, place: Path) -> tuple[float, int, int]:
    """Time writing a piece of the last site, 2,048 units; give seconds, bytes and files."""
    few = asked(question.batch_size, question.batch_size)
    sweep = few.sweep([few.plans[-1]], None, torch.device("cpu"), 0)
    (block,) = sweep.schedule.blocks(question.batch_size)
    made = sweep.make(Piece(block, 0))
    shards = Shards(Draft.open(place / "run", kind="run", request={}))
    times = []
    for _ in range(20):
        began = time.perf_counter()
        shards.write_all(block, 0, made.of_group)
        times.append(time.perf_counter() - began)
    files = [*(place / "run" / "shards").iterdir()]
    return median(times), sum(path.stat().st_size for path in files), len(files)


def table(options: argparse.Namespace, found: dict[str, Any], batch_sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Simulate every number of workers with every batch size, and print it."""
    rows = []
    question = asked(16)
    clean = float(question.trace.costs[""])
    for size in batch_sizes:
        divided = schedule(question.plans, question.trace.costs[""], batch_size=size)
        for workers in options.workers:
            rates = Rates(options.gpu_rate, found["picture_seconds"], found["writing_seconds"], options.opening)
            row = {"batch_size": size, "gpus": workers, **simulated(divided, clean, workers, rates)}
            row["hours_with_statistics"] = round(row["hours"] + found["statistics_seconds"] / 3600, 2)
            rows.append(row)
            print(row, flush=True)
    return rows


def main() -> None:
    """Measure, simulate, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--gpu-rate", type=float, default=4e12, help="multiply-accumulates per second of a GPU, assumed"
    )
    parser.add_argument("--opening", type=float, default=60.0, help="seconds until a worker begins, assumed")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64])
    options = parser.parse_args()
    question = asked(16)
    found = measured(16)
    print(found, flush=True)
    rows = table(options, found, (16, 64, 256))
    total = float(question.cost or 0)
    core_years = total / found["core_rate"] / 3600 / 24 / 365
    document = {
        "network": "resnet50",
        "units": question.units,
        "images": IMAGES,
        "multiply_accumulates": f"{total:.3e}",
        "measured": found,
        "assumed": {"gpu_macs_per_second": options.gpu_rate, "opening_seconds": options.opening},
        "core_years": round(core_years, 2),
        "rows": rows,
    }
    write("ray-scale", document)


if __name__ == "__main__":
    main()
