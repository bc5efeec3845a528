"""The exact engine against the plain one: the same integers, network by network and replacement by replacement.

Every prediction that changes, and every integer that is counted from them, has to be the same. At the first, the middle
and the last site of each network (or those of --sites) all units are silenced, or --units of them, evenly spread, where
there are more, on the images whose margins are smallest. Networks without weights at hand get random features that are
alive and a last layer that is fitted, so that margins are real. The exit code is 1 where anything differs.

    python -m benchmarks.equality --network resnet20 --network concatenation
    python -m benchmarks.equality --images imagenet.parquet --size 0
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.networks import make
from benchmarks.pictures import hardest, measured_and_fit, size_of
from benchmarks.reporting import write
from lenslab import units
from lenslab.records import Record, RecordNotFoundError
from lenslab.units.engine.sites import select
from lenslab.units.errors import UnsupportedNetworkError
from lenslab.units.images import Images
from lenslab.units.networks import Network

NETWORKS = (
    *("small", "resnet20", "concatenation", "leaky", "untraceable", "twins"),
    *("alexnet", "vgg16_bn", "resnet18", "resnet50", "efficientnet_lite0"),
)
CASES: dict[str, dict[str, Any]] = {
    "zero": {},
    "mean": {"replacement": "mean"},
    "mean-map": {"replacement": "mean-map"},
    "filter": {"replacement": "filter"},
    "0.5": {"replacement": 0.5},
    "resample": {"replacement": "resample", "draws": 2},
    "haar": {"basis": "haar"},
    "energy": {"basis": "energy"},
    "sets": {"groups": "sets"},
    "keep-only": {"groups": "keep-only"},
}
"""What is asked of `lenslab.units.ablate`, by name; those that it does not know are left out."""

TABLES = ("images", "flips", "top_flips", "units", "classes")
FROM_ROUNDED = ("class_correlation_class", "maximum_informedness_class")
"""Integers that are read off activations, which differ in their last bits: the one of two near ties."""


@dataclass
class Tally:
    """What comparing two engines gave.

    Attributes:
        sites: how many sites were compared.
        pairs: pairs of unit, direction or set and image, with every draw.
        flips: how many of them changed the prediction.
        near_ties: how many pairs the exact engine decided in float64.
        differences: rows and integers that the engines do not share.
        seconds: what each engine took.
        shown: the first differences.
    """

    sites: int = 0
    pairs: int = 0
    flips: int = 0
    near_ties: int = 0
    differences: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"plain": 0.0, "exact": 0.0})
    shown: list[str] = field(default_factory=list)

    def add(self, differing: pd.DataFrame, what: str) -> None:
        """Count rows that one side lacks."""
        self.differences += len(differing)
        if len(differing):
            self.shown.append(f"{what}:\n{differing.head(5).to_string(index=False)}")


def compare(
    network: Network, images: Images, sites: Sequence[units.Site], case: Mapping[str, Any], *, cap: int, tails: set[str]
) -> Tally:
    """Run both engines and compare what they leave behind.

    Args:
        network: the network.
        images: the images.
        sites: the sites.
        case: of `CASES`.
        cap: how many units of a site at most, where the case is about units.
        tails: the sites whose closed form the exact engine takes for all units.
    """
    tally = Tally()
    kind = case.get("groups")
    for site in sites:
        few = site.units <= cap
        if "basis" in case and not few:
            continue
        asked: dict[str, Any] = {key: value for key, value in case.items() if key != "groups"}
        sample = np.unique(np.linspace(0, site.units - 1, cap).round().astype(int)).tolist()
        if kind:
            asked["groups"] = {site.name: groups(site.units, kind)}
        elif few:
            asked["sites"] = [site.name]
        else:
            asked["groups"] = {site.name: [[unit] for unit in sample]}
        try:
            plain = _run(network, images, tally, "plain", **asked)
        except UnsupportedNetworkError as error:
            if case.get("replacement") == "filter" and "filters cannot be" in str(error):
                continue  # a concatenation or a pooling has no filters of its own
            raise
        exact = _run(network, images, tally, "exact", **asked)
        _compare_records(plain, exact, tally, site.name)
        if not few and not kind and site.name in tails:
            whole = _run(network, images, tally, "exact", **{**asked, "groups": {}, "sites": [site.name]})
            _compare_sample(plain, whole, sample, tally, site.name)
        tally.sites += 1
        tally.pairs += len(_table(plain, "units")) * len(images) * case.get("draws", 1)
        tally.flips += len(_table(plain, "flips"))
        tally.near_ties += int(exact.record.document["paths"][site.name].get("float64", 0))
    return tally


def groups(count: int, kind: str) -> list[list[int]]:
    """Draw sets of units, or what keep-only sets silence: the first, a quarter, half of them, all, none."""
    order = np.random.default_rng(0).permutation(count).tolist()
    drawn = [sorted(order[:size]) for size in (1, 2, max(3, count // 4), count // 2, count)]
    drawn.append([])
    return drawn if kind == "sets" else [sorted({*range(count)} - {*each}) for each in drawn]


def without_graph(images: Images, fit: Images) -> Tally:
    """Compare a network that only hooks see with the same network as torch.fx sees it; say what hooks do not see."""
    hooked, traced = make("untraceable", fit), make("untraceable, unasked", fit)
    traced.module.load_state_dict(hooked.module.state_dict())
    names = [list(units.trace(each.module, each.input_shape).sites) for each in (hooked, traced)]
    shared = [name for name in names[1] if name in names[0]]
    missing = [name for name in names[1] if name not in names[0]]
    tally = Tally(sites=len(shared))
    one, other = (_run(each, images, tally, "exact", sites=shared) for each in (hooked, traced))
    tally.add(_rows_of_one(_integers(one, "flips"), _integers(other, "flips")), "hooks and torch.fx")
    tally.pairs, tally.flips = len(_table(one, "units")) * len(images), len(_table(one, "flips"))
    tally.near_ties = sum(paths.get("float64", 0) for paths in one.record.document["paths"].values())
    print(f"  hooks see {len(shared)} of {len(names[1])} sites; they do not see {', '.join(missing)}")
    return tally


def _run(network: Network, images: Images, tally: Tally, engine: str, **asked: Any) -> units.Run:
    started = time.perf_counter()
    # Other batches for each engine: they decide no integer either.
    batch_size = len(images) if engine == "plain" else max(1, 3 * len(images) // 4)
    run = units.ablate(network, images, engine=engine, batch_size=batch_size, **asked)
    tally.seconds[engine] += time.perf_counter() - started
    gc.collect()  # graphs lie in cycles, and hold their network
    return run


def _compare_records(plain: units.Run, exact: units.Run, tally: Tally, site: str) -> None:
    for name in TABLES:
        one, other = _integers(plain, name), _integers(exact, name)
        tally.add(_rows_of_one(one, other), f"{site}, table {name}")


def _compare_sample(plain: units.Run, whole: units.Run, sample: list[int], tally: Tally, site: str) -> None:
    """Compare single units that the closed form decided with the same units as sets of one."""
    one, other = _integers(plain, "flips"), _integers(whole, "flips")
    one = one.assign(unit=np.asarray(sample)[one["unit"]])
    tally.add(_rows_of_one(one, other[other["unit"].isin(sample)]), f"{site}, the closed form's flips")


def _integers(run: units.Run, name: str) -> pd.DataFrame:
    table = _table(run, name)
    kept = [
        column
        for column in table.columns
        if not pd.api.types.is_float_dtype(table[column]) and column not in FROM_ROUNDED
    ]
    return table[kept]


def _table(run: units.Run, name: str) -> pd.DataFrame:
    record: Record = run.record
    try:
        return record.table(name)
    except (RecordNotFoundError, FileNotFoundError):  # top_flips, where top-k is not measured
        return pd.DataFrame({"site": pd.Series([], dtype=object)})


def _rows_of_one(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    columns = list(one.columns)
    both = one.astype(object).merge(other.astype(object), how="outer", on=columns, indicator="engine")
    return both[both["engine"] != "both"]


def main() -> None:
    """Compare, print a table, write a record for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", help=f"repeatable; default: {', '.join(NETWORKS)}")
    parser.add_argument("--weights", help="a file, for a single --network")
    parser.add_argument("--images", help="whatever lenslab opens; default: textures that a seed draws")
    parser.add_argument("--limit", type=int, default=4, help="images that are measured")
    parser.add_argument("--fit", type=int, default=200, help="other images, that last layers are fitted on")
    parser.add_argument("--size", type=int, default=64, help="pixels a side of larger networks; 0: the network's own")
    parser.add_argument("--sites", action="append", help="globs; repeatable; default: the first, middle and last site")
    parser.add_argument("--units", type=int, default=48, help="units per site at most")
    parser.add_argument("--replacement", action="append", help=f"repeatable; default: {', '.join(CASES)}")
    parser.add_argument("--executor", default="auto", help="of the exact engine")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cases = {
        name: {**case, "executor": options.executor}
        for name, case in CASES.items()
        if not options.replacement or name in options.replacement
    }
    print(f"{'network':20}{'replacement':12}{'sites':>6}{'pairs':>9}{'flips':>8}{'near ties':>10}{'differ':>8}")
    executors = [options.executor] if options.executor != "auto" else []
    asked_of = {key: getattr(options, key) for key in ("limit", "fit", "size", "units", "threads")}
    pictures = Path(options.images).name if options.images else "textures"
    found: Counter[str] = Counter()
    for name in options.network or NETWORKS:
        size = size_of(name, options.size)
        pool, fit = measured_and_fit(name, options.images, 8 * options.limit, options.fit, size)
        network = make(name, fit, size=size, weights=options.weights)
        images = hardest(network, pool, options.limit)
        traced = units.trace(network.module, network.input_shape)
        chosen = select(traced.sites.values(), options.sites)
        if traced.graph is None:
            chosen = tuple(traced.sites.values())  # they are few, and not all of them have filters
        elif not options.sites:
            chosen = tuple(dict.fromkeys((chosen[0], chosen[len(chosen) // 2], chosen[-1])))
        rows = []
        for case, asked in cases.items():
            tally = compare(network, images, chosen, asked, cap=options.units, tails=set(traced.tails))
            rows.append(_report(name, case, tally))
        if name == "untraceable":
            rows.append(_report(name, "hooks or fx", without_graph(images, fit)))
        sums = {key: sum(row[key] for row in rows) for key in ("pairs", "flips", "near_ties", "differences")}
        # A record for each network, as soon as it is done: all of them take hours.
        write(
            "-".join(("equality", name, *(options.replacement or ()), *executors)),
            {"images": pictures, "executor": options.executor, **asked_of, **sums, "rows": rows},
        )
        found.update(sums)
    if not found["flips"]:
        sys.exit("nothing flipped: equal engines would prove nothing")
    sys.exit(f"{found['differences']} differences" if found["differences"] else 0)


def _report(network: str, case: str, tally: Tally) -> dict[str, Any]:
    print(
        f"{network:20}{case:12}{tally.sites:6}{tally.pairs:9,}{tally.flips:8,}{tally.near_ties:10,}"
        f"{tally.differences:8,}",
        flush=True,
    )
    for difference in tally.shown:
        print(difference)
    return {
        "network": network,
        "replacement": case,
        **{key: getattr(tally, key) for key in ("sites", "pairs", "flips", "near_ties", "differences")},
        "seconds": {engine: round(seconds, 2) for engine, seconds in tally.seconds.items()},
    }


if __name__ == "__main__":
    main()
