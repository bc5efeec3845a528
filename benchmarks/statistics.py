"""The tables of a run, from its flips: seconds, processor seconds and peak memory of each, at any size.

Sites are made up (`benchmarks.made_sites`), so neither a network nor images are needed: by default 2,048 units, 1,000
classes, 50,000 images and 2 million flips, as the last site of ResNet-50 has them on ImageNet's validation images.
Each table of every site is computed as a run does, and its peak is the largest resident set while it was. The numbers
of units may be several, one for each site; ``--resnet50`` stands for that network's 49 default sites.

    python -m benchmarks.statistics --units 512 2048
    python -m benchmarks.statistics --resnet50
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.made_sites import MadeImages, MadeSite, made_images, made_site
from benchmarks.reporting import write
from lenslab.runs.attributes.attribute_tables import attribute_table, class_table
from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.drop_prediction import coefficients_table, predictions_table
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.reliability import reliability_table
from lenslab.runs.statistics.unit_tables import classes_table, units_table

RESNET50 = (64, *(64, 64, 256) * 3, *(128, 128, 512) * 4, *(256, 256, 1024) * 6, *(512, 512, 2048) * 3)
"""How many units each of its default sites has, in the order of execution."""

Compute = Callable[[], pd.DataFrame]


@dataclass
class Cost:
    """What a table cost, over all sites.

    Attributes:
        seconds: By the wall clock.
        processor_seconds: Of all threads.
        peak_mib: The largest resident set while it was computed, in MiB; with what was held before.
        rows: Of the table.
    """

    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_mib: float = 0.0
    rows: int = 0

    def measure(self, compute: Compute) -> pd.DataFrame:
        """Compute a table once more."""
        _forget_peak()
        wall, processor = time.perf_counter(), time.process_time()
        table = compute()
        self.seconds += time.perf_counter() - wall
        self.processor_seconds += time.process_time() - processor
        self.peak_mib = max(self.peak_mib, _peak_mib())
        self.rows += len(table)
        return table


def tables(site: MadeSite, images: MadeImages, seed: int) -> Iterator[tuple[str, Compute]]:
    """Name the tables of a site in the order of a run, and how each is computed."""
    name, profile, sums, top = site.name, site.profile, site.sums, site.top_flips
    known: list[pd.DataFrame] = []

    def attributes() -> pd.DataFrame:
        known.append(attribute_table(name, profile, norms=site.norms, alignment=site.alignment))
        return known[0]

    seen = observe(site.flips, images.table, profile.activations, classes=images.classes)
    yield "attributes", attributes
    yield "attribute_classes", lambda: class_table(name, profile)
    yield "units", lambda: units_table(name, seen, known[0], sums=sums, top_flips=top)
    yield "classes", lambda: classes_table(name, seen, sums=sums, top_flips=top)
    yield "correlations", lambda: correlations_table(name, seen, known[0], seed=seed, sums=sums)
    yield "reliability", lambda: reliability_table(name, seen, seed=seed)
    yield "predictions", lambda: predictions_table(name, seen, known[0], seed=seed)
    yield "coefficients", lambda: coefficients_table(name, seen, known[0])


def _forget_peak() -> None:
    """Let the kernel measure the peak anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def main() -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=[2048], help="of each site")
    parser.add_argument("--resnet50", action="store_true", help="the 49 default sites of ResNet-50, 22,720 units")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--flips", type=int, default=977, help="per unit, on average")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sizes = RESNET50 if options.resnet50 else tuple(options.units)
    images = made_images(options.images, options.classes, seed=options.seed)
    threads, load = os.environ.get("OMP_NUM_THREADS"), round(os.getloadavg()[0], 1)  # others' work slows the wall clock
    costs: dict[str, Cost] = {}
    flips = 0
    for place, units in enumerate(sizes):
        site = made_site(f"site{place}", units, units * options.flips, images, seed=options.seed + place)
        flips += len(site.flips)
        for name, compute in tables(site, images, options.seed):
            costs.setdefault(name, Cost()).measure(compute)
            print(f"  {site.name} {units:6,} units {name:<18}{costs[name].seconds:9.1f} s", flush=True)
    costs["all"] = Cost(
        sum(cost.seconds for cost in costs.values()),
        sum(cost.processor_seconds for cost in costs.values()),
        max(cost.peak_mib for cost in costs.values()),
        sum(cost.rows for cost in costs.values()),
    )
    print(f"{'table':<18}{'rows':>12}{'seconds':>10}{'processor':>11}{'peak MiB':>10}")
    for name, cost in costs.items():
        print(f"{name:<18}{cost.rows:12,}{cost.seconds:10.1f}{cost.processor_seconds:11.1f}{cost.peak_mib:10,.0f}")
    asked = {"sites": len(sizes), "units": sum(sizes), "classes": options.classes, "images": options.images}
    measured = {name: {key: round(value, 1) for key, value in vars(cost).items()} for name, cost in costs.items()}
    write(f"statistics-{sum(sizes)}", {**asked, "flips": flips, "threads": threads, "load": load, "tables": measured})


if __name__ == "__main__":
    main()
