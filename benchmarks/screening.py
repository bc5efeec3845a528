"""Screening against the exact run: how often intervals hold, by the number of flips, and how many passes they take.

An exact run decides every pair once; a campaign then reads from it what it would have run, so that many seeds cost
little. Seeds are independent, and so are the draws of different units; the figures are overall drops and class drops.

With --time one screening, from the forecast to the record, is timed against a plain loop at its best batch size and
memory layout, in processor seconds of one thread and one process, all images decoded and in memory. The plain loop is
timed on a twentieth of the units at least and on a spread of the images, and its time is taken in proportion.

    python -m benchmarks.screening
    python -m benchmarks.screening --network resnet20 --weights resnet20.th --images cifar10.npz --precision 1 --seeds 8
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.reporting import write
from benchmarks.timing import best_setting, spread, timed_opponent
from lenslab import units
from lenslab.records import Draft
from lenslab.runs import Run, read
from lenslab.units.screening.campaign import Outcome, campaign
from lenslab.units.screening.drop_estimator import QUANTILE
from lenslab.units.screening.forecast_pass import ForecastPass, Forecasts
from lenslab.units.screening.margin_forecast import RIVALS
from lenslab.units.screening.screening import Screen
from lenslab.units.screening.site_screen import SiteScreen

EDGES = (0, 1, 5, 20, 100)
"""Bands of the number of changed answers of a figure begin here."""

WANTED = 0.93
FORECAST = 2 + RIVALS
"""Passes that a forecast takes: one of the engine, one to go back from, and one back for each rival. A pass back goes
to values and not to weights, and so takes as many multiply-accumulates as one forward."""

TIMED_UNITS, TIMED_IMAGES = 0.05, 128
"""What the plain loop is timed on."""

Flags = NDArray[np.bool_]


@dataclass
class Coverage:
    """How often intervals held, by band."""

    held: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EDGES), np.int64))
    figures: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EDGES), np.int64))

    def add(self, flips: NDArray[np.int64], held: Flags) -> None:
        """Count some figures."""
        band = np.digitize(flips, EDGES[1:])
        self.held += np.bincount(band, held, len(EDGES)).astype(np.int64)
        self.figures += np.bincount(band, minlength=len(EDGES))

    def rows(self) -> list[dict[str, Any]]:
        """Give one row per band that has figures."""
        ends = [*(str(edge - 1) for edge in EDGES[1:]), "more"]
        return [
            {"flips": f"{start} to {end}", "figures": int(count), "coverage": round(held / count, 4)}
            for start, end, held, count in zip(EDGES, ends, self.held, self.figures, strict=True)
            if count
        ]


@dataclass(frozen=True)
class Truth:
    """What the exact run says of one site: the changes of right answers, ``[images, units]``, +1 lost and -1 gained."""

    change: NDArray[np.int8]

    @classmethod
    def of(cls, run: Run, site: str, screen: SiteScreen) -> Truth:
        """Read it off the run's flips."""
        flips = run.table("flips", site=site)
        change = np.zeros((len(screen.labels), screen.forecast.units), np.int8)
        row = np.searchsorted(screen.numbers, flips["image"].to_numpy())
        right = [(flips[name] == flips["label"]).to_numpy().astype(np.int8) for name in ("before", "after")]
        change[row, flips["unit"]] = right[0] - right[1]
        return cls(change)


def replayed(asked: Screen, screens: Sequence[SiteScreen], truths: Mapping[str, Truth]) -> tuple[Outcome, list[int]]:
    """Carry a campaign out on what is known, and count the images that each round had to pass over."""
    known = {each.name: (truths[each.name].change != 0)[each.forecast.active] for each in screens}
    ran = {each.name: np.zeros(len(each.forecast.row), np.bool_) for each in screens}
    images: list[int] = []

    def decide(wanted: Mapping[str, Flags]) -> dict[str, Flags]:
        needed = np.zeros(len(screens[0].labels), np.bool_)
        for each in screens:
            needed[each.forecast.row[wanted[each.name] & ~ran[each.name]]] = True
            ran[each.name] |= wanted[each.name]
        images.append(int(needed.sum()))
        return {name: known[name] & which for name, which in wanted.items()}

    return campaign(screens, decide, asked.aim), images


def compared(outcome: Outcome, screens: Sequence[SiteScreen], truths: Mapping[str, Truth]) -> dict[str, Coverage]:
    """Compare every interval with the exact figure."""
    found = {"overall": Coverage(), "class": Coverage()}
    for each in screens:
        change, totals = truths[each.name].change.astype(np.int64), outcome.sites[each.name]
        if not len(each.forecast.row):
            continue  # decided in closed form: nothing is estimated
        member = np.eye(each.classes, dtype=np.int64)[each.labels]
        by_class, flips = (member.T @ part for part in (change, np.abs(change)))
        present = np.tile(member.sum(axis=0) > 0, each.forecast.units)
        for name, interval, truth, count, wanted in (
            ("overall", totals.overall, change.sum(axis=0), np.abs(change).sum(axis=0), slice(None)),
            ("class", totals.by_class, by_class.T.ravel(), flips.T.ravel(), present),
        ):
            held = (truth >= interval.low - 1e-9) & (truth <= interval.high + 1e-9)
            found[name].add(count[wanted], held[wanted])
    return found


def cost_of(asked: Screen, outcome: Outcome, images: list[int]) -> dict[str, float]:
    """Count what a campaign takes, against a plain loop that runs the whole network once for every pair."""
    ablation = asked.ablation
    count, whole = len(ablation.images), float(ablation.trace.costs[""])
    pairs = {name: int(each.pairs.sum()) for name, each in outcome.sites.items()}
    passes = FORECAST * count + sum(images)
    work = passes * whole + sum(float(plan.cost or 0) * pairs[plan.site.name] for plan in ablation.plans)
    plain = ablation.units * count
    return {
        "pairs_run": sum(pairs.values()) / plain,
        "passes": (sum(pairs.values()) + passes) / plain,
        "multiply_accumulates": work / (plain * whole),
    }


def plain_sample(truths: Mapping[str, Truth], half_width: float) -> float:
    """Give the share of the pairs that a plain random sample of each unit's images takes for the same precision."""
    needed = pairs = 0.0
    for truth in truths.values():
        images, units_ = truth.change.shape
        fewest = (QUANTILE / half_width) ** 2 * truth.change.astype(np.float64).var(axis=0)
        needed += float((fewest / (1 + fewest / images)).sum())
        pairs += images * units_
    return needed / pairs


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="small")
    parser.add_argument("--weights")
    parser.add_argument("--images", default="digits")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--precision", type=float, default=1.0, help="in points")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--exact", help="a finished exact run of the same, not to measure it again")
    parser.add_argument("--name", help="of the record")
    parser.add_argument("--time", action="store_true", help="time it against a plain loop, on one thread")
    options = parser.parse_args(arguments)
    network = units.load(options.network, weights=options.weights) if options.weights else options.network
    asked = Screen.of(network, options.images, precision=options.precision, limit=options.limit)
    timed = processor_seconds(asked) if options.time else {}
    with tempfile.TemporaryDirectory() as place:
        started = time.monotonic()
        exact = read(options.exact) if options.exact else asked.ablation.run(out=f"{place}/exact")
        exact_seconds = time.monotonic() - started
        draft = Draft.open(f"{place}/forecasts", kind="screening", request=asked.request)
        forecasts = forecast(asked, draft)
        document = {**measured(asked, forecasts, exact, options.seeds), **timed}
        if not options.exact:
            document["seconds"] = {"exact": round(exact_seconds, 1)}
    name = options.name or f"screening-{asked.ablation.network.name}-{len(asked.ablation.images)}"
    write(name, document)
    bad = [row for rows in document["coverage"].values() for row in rows if row["coverage"] < WANTED]
    return 1 if bad else 0


def processor_seconds(asked: Screen) -> dict[str, Any]:
    """Time a screening and a plain loop on the same images."""
    torch.set_num_threads(1)
    ablation, network = asked.ablation, asked.ablation.network
    pixels = [image for block in ablation.images.blocks(64) for image in block.pixels]
    images = units.open_images(list(zip(pixels, ablation.images.labels.tolist(), strict=True)))
    with tempfile.TemporaryDirectory() as place:
        start = time.process_time()
        found = units.screen(network, images, precision=asked.precision, out=place)
        screened = time.process_time() - start
    few = [pixels[number] for number in spread(len(pixels), TIMED_IMAGES / len(pixels))]
    inputs, sample = network.preprocessing(few), {p.site.name: spread(p.count, TIMED_UNITS) for p in ablation.plans}
    with torch.inference_mode():
        setting = best_setting("plain loop", ablation, inputs, sample)
        laps, _ = timed_opponent("plain loop", ablation, inputs, sample, setting, len(pixels))()
    plain = sum(seconds for _, seconds in laps.values())
    print(f"{screened:.1f} s of a processor, and {plain:.0f} s a plain loop: {plain / screened:.1f} times as fast")
    return {
        "processor_seconds": {
            "threads": 1,
            "screening": round(screened, 1),
            "plain_loop": round(plain, 1),
            "plain_loop_over_screening": round(plain / screened, 1),
            "plain_loop_setting": str(setting),
            "plain_loop_timed_on": {
                "units": round(sum(map(len, sample.values())) / ablation.units, 4),
                "images": len(few),
            },
            "share_of_pairs": round(found.share, 5),
            "executor": ablation.executor,
        }
    }


def forecast(asked: Screen, draft: Draft) -> Forecasts:
    """Make the pass that all seeds share."""
    ablation, device = asked.ablation, torch.device("cpu")
    engine = ablation.engine_for(ablation.plans, device)
    return ForecastPass(ablation, engine, ablation.plans, draft, device, asked.forecasts).run()


def measured(asked: Screen, forecasts: Forecasts, exact: Run, seeds: int) -> dict[str, Any]:
    """Replay the seeds, and sum them up."""
    images = forecasts.images()
    truths: dict[str, Truth] = {}
    coverage = {"overall": Coverage(), "class": Coverage()}
    costs, widest = [], []
    for seed in range(seeds):
        screens = replace(asked, ablation=replace(asked.ablation, seed=seed)).screens(forecasts, images)
        truths = truths or {each.name: Truth.of(exact, each.name, each) for each in screens}
        outcome, passed = replayed(asked, screens, truths)
        for name, found in compared(outcome, screens, truths).items():
            coverage[name].held += found.held
            coverage[name].figures += found.figures
        costs.append(cost_of(asked, outcome, passed))
        widest.append(max(float(each.overall.half_width.max()) for each in outcome.sites.values()) / len(images))
        print(f"seed {seed}: {100 * costs[-1]['pairs_run']:.2f} % of the pairs, widest {100 * widest[-1]:.2f} points")
    share = pd.DataFrame(costs)
    document = {
        "network": asked.ablation.network.name,
        "images": {"name": asked.ablation.images.name, "count": len(images)},
        "units": asked.ablation.units,
        "accuracy": exact.accuracy,
        "precision_points": asked.precision,
        "seeds": seeds,
        "coverage": {name: found.rows() for name, found in coverage.items()},
        "share_of_plain_loop": {name: round(float(share[name].mean()), 5) for name in share},
        "share_of_pairs_of_a_plain_sample": round(plain_sample(truths, asked.precision / 100), 5),
        "widest_half_width_points": round(100 * max(widest), 3),
    }
    for name, rows in document["coverage"].items():
        print(pd.DataFrame(rows).assign(drop=name).to_string(index=False))
    print(document["share_of_plain_loop"])
    return document


if __name__ == "__main__":
    sys.exit(main())
