"""Curves: how accuracy falls as the units of a site are silenced one after the other, in this order or in that.

All sets of all orders are silenced in one ablation by sets, on images that no ranking was made from. What it leaves
behind is a run's record with three tables more (``curve``, ``recalls``, ``areas``) and ``curve.json``, which says what
was ranked on which images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lenslab.records import BrokenRecordError, Draft, Record
from lenslab.runs.orders import RANDOM, Order, order_of, sizes_for, units_of
from lenslab.runs.statistics.curve_areas import areas_table, trapezoid_sums
from lenslab.runs.statistics.curve_points import correctness, points_table, recalls_table
from lenslab.units.ablation import answer
from lenslab.units.errors import UnknownOrderError
from lenslab.units.images import Images, Source, subset
from lenslab.units.networks import Network
from lenslab.units.question import Question, ask
from lenslab.units.run_inputs import (
    images_again,
    mapped_again,
    network_again,
    opened_as,
    reference_again,
    refuse_other_architecture,
)
from lenslab.units.sweep.sweep import Progress

SAID = "curve.json"


@dataclass(frozen=True)
class CurveQuestion:
    """Curves before they are measured.

    Attributes:
        question: The one ablation by sets that gives all of them.
        points: Columns ``order, repeat, size, silenced, set``: one row per point; ``set`` is the number of the set of
            units that is silent there, ``size`` how many are silent, or kept.
        said: What ``curve.json`` is going to say.
    """

    question: Question
    points: pd.DataFrame
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """Measured curves.

    Attributes:
        record: The run by sets, with the tables ``curve``, ``recalls`` and ``areas``.
        said: What was ranked how and on what, and what the curves were read on.
    """

    record: Record
    said: Mapping[str, Any]

    @property
    def points(self) -> pd.DataFrame:
        """One row per point, see `lenslab.runs.statistics.curve_points.points_table`. Fractions."""
        return self.record.table("curve")

    @property
    def recalls(self) -> pd.DataFrame:
        """One row per point and class. Fractions."""
        return self.record.table("recalls")

    @property
    def areas(self) -> pd.DataFrame:
        """One row per order and measure, see `lenslab.runs.statistics.curve_areas.areas_table`. Fractions."""
        return self.record.table("areas")

    @property
    def accuracy(self) -> float:
        """The accuracy of the untouched network on the images that the curves were read on."""
        return float(self.record.document["accuracy"])


def curve(
    record: Record,
    order: str | Sequence[str] = (RANDOM,),
    *,
    site: str | None = None,
    keep: bool = False,
    steps: int | Sequence[int] = 20,
    repeats: int = 10,
    seed: int = 0,
    ranked_by: Record | None = None,
    network: Network | str | None = None,
    weights: str | Path | None = None,
    images: Source | None = None,
    classes: str | Path | None = None,
    reference: Source | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Silence the units of one site of a finished run one after the other, and measure what is left.

    Units become what they became in the run. All orders are read on the same images: those that had no part in any
    ranking by drops.

    Args:
        record: A finished run that silenced each unit alone; its network and images are found again by what the record
            says, and checked.
        order: One or several orders, see `lenslab.runs.orders.order_of`: ``"random"``, ``"own-drop"``,
            ``"class-drop:CLASS"``, or a column of the units table, ``-`` before the name for the smallest first.
        site: Of the run; its last default site by default.
        keep: Keep only the best units: at each size all the others are silent.
        steps: About how many sizes, or the sizes, see `lenslab.runs.orders.sizes_for`.
        repeats: How many random orders.
        seed: Decides random orders and the bootstrap.
        ranked_by: Another run with the same site, which ranks the units in place of this one.
        network: The network, or its name now; by default what the record says.
        weights: Where its weights are now.
        images: The images to read the curves on, or where the run's own are now; by default the run's own. Of the run's
            own source as many are read as the run had, unless ``limit`` says otherwise.
        classes: How their classes are mapped to the network's, see `lenslab.units.Images.mapped`.
        reference: Where the reference images are now, if the run replaced units by means over other images.
        limit: Only the first so many images.
        batch_size: Images per batch; it decides no integer.
        device: Where to run.
        verify: So many pairs are done again the plain way, see `lenslab.units.sweep.verification`.
        out: The directory for the record; a temporary one that goes with the result by default. A curve that was
            stopped there goes on.
        progress: Is told how far it has come.

    Returns:
        The curves, each point with intervals, and the areas under them.

    Raises:
        UnitsError: Anything asked does not exist, network or images are not those of the run, or no image is left to
            read the curves on.
        RecordsError: ``out`` holds something else.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu3"])
        >>> found = curve(run.record, ["own-drop", "random"], steps=[8, 32], repeats=2)
        >>> found.points.query("order == 'own-drop'")["size"].tolist(), found.said["read_on"]["images"]
        ([0, 8, 32, 64], 293)
    """
    asked = ask_curve(
        record,
        order,
        site=site,
        keep=keep,
        steps=steps,
        repeats=repeats,
        seed=seed,
        ranked_by=ranked_by,
        network=network,
        weights=weights,
        images=images,
        classes=classes,
        reference=reference,
        limit=limit,
        batch_size=batch_size,
    )
    return answer_curve(asked, device=device, verify=verify, out=out, progress=progress)


def ask_curve(
    record: Record,
    order: str | Sequence[str] = (RANDOM,),
    *,
    site: str | None = None,
    keep: bool = False,
    steps: int | Sequence[int] = 20,
    repeats: int = 10,
    seed: int = 0,
    ranked_by: Record | None = None,
    network: Network | str | None = None,
    weights: str | Path | None = None,
    images: Source | None = None,
    classes: str | Path | None = None,
    reference: Source | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
) -> CurveQuestion:
    """Put curves together without measuring them; see `curve` for the arguments.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
        >>> asked = ask_curve(run.record, "own-drop", steps=[8, 32])
        >>> asked.question.units, asked.points["silenced"].tolist()
        (4, [0, 8, 32, 64])
    """
    names = tuple(dict.fromkeys([order] if isinstance(order, str) else order))
    if not names:
        raise UnknownOrderError("no order is given; there are random, own-drop, class-drop:CLASS and the run's columns")
    site = site if site is not None else _last_default(record)
    units = units_of(record, site)
    ranking = ranked_by or record
    if units_of(ranking, site) != units:
        raise UnknownOrderError(
            f"{ranking.directory} has {units_of(ranking, site)} units at {site!r} and {record.directory} {units}; "
            "rank by a run of the same architecture"
        )
    loaded = network_again(record, network, weights=weights)
    own, opened = _opened(record, images, classes, limit)
    contents = _contents(record, opened, known=own is not None)
    orders = [order_of(name, ranking, site, scoring=set(contents), repeats=repeats, seed=seed) for name in names]
    saw = frozenset[str]().union(*(each.saw for each in orders))
    read = contents[~contents.isin(saw)]
    if read.empty:
        ranked = ", ".join(each.name for each in orders if each.saw)
        raise UnknownOrderError(
            f"every image of {opened.source} had a part in the ranking by {ranked}, so none is left to read the curve "
            "on: rank by own-drop, which leaves half B, or read on other images with --images"
        )
    sizes = sizes_for(units, steps)
    points, sets = _points(orders, sizes, keep=keep)
    question = ask(
        loaded,
        subset(opened, read.index.to_numpy()),
        groups={site: sets},
        seed=seed,
        batch_size=batch_size,
        replacement=record.document["request"]["replacement"],
        reference=reference_again(record, own, reference),
        top=0,
    )
    refuse_other_architecture(record, loaded, question.trace)
    run_contents = set(record.table("images", ["content"])["content"])
    said = {
        "key": question.key,
        "run": record.key,
        "ranked_by": ranking.key,
        "site": site,
        "units": units,
        "keep": keep,
        "sizes": list(sizes),
        "seed": seed,
        "orders": [
            {"order": each.name, "label": each.label, "repeats": len(each.rankings), "ranked_on": each.ranked_on}
            for each in orders
        ],
        "read_on": {
            "images": len(read),
            "of": len(contents),
            "source": opened.source,
            "sha256": opened.sha256,
            "images_of_the_run": int(read.isin(run_contents).sum()),
            "images_that_ranked": int(read.isin(saw).sum()),
        },
    }
    return CurveQuestion(question, points, said)


def answer_curve(
    asked: CurveQuestion,
    *,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Measure curves; see `curve` for the arguments.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
        >>> answer_curve(ask_curve(run.record, "own-drop", steps=[8, 32])).areas["measure"].head(2).tolist()
        ['accuracy', 'balanced_accuracy']
    """
    run = answer(asked.question, device=device, verify=verify, out=out, progress=progress)
    draft = Draft.open(run.record.directory, kind="run", request=asked.question.request)
    for name, table in curve_tables(run.record, asked.points, asked.said).items():
        draft.write_table(name, table)
    draft.write_json(SAID, asked.said)
    return Curve(run.record, asked.said)


def read_curve(record: Record) -> Curve:
    """Read curves back from their record.

    Raises:
        RecordNotFoundError: The record holds no curves.
        BrokenRecordError: What it says about them cannot be read.

    Example:
        >>> from lenslab.units import ablate, load
        >>> run = ablate(load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
        >>> found = curve(run.record, "own-drop", steps=[8, 32])
        >>> read_curve(found.record).said["sizes"]
        [0, 8, 32, 64]
    """
    path = record.path(SAID)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise BrokenRecordError(f"{path} cannot be read as JSON: {error}") from error
    return Curve(record, said)


def curve_tables(record: Record, points: pd.DataFrame, said: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Read curves off a run by sets: the tables ``curve``, ``recalls`` and ``areas``.

    Args:
        record: The run by sets.
        points: Which set is silent at which point, see `CurveQuestion`.
        said: What ``curve.json`` says.
    """
    # In the order of their contents the images are the same whatever their order in the source.
    images = record.table("images").sort_values(["content", "label", "image"], kind="stable")
    labels = images["label"].to_numpy(np.int64)
    correct = correctness(record.table("flips"), images, int(points["set"].max()) + 1)
    sizes = said["sizes"]
    doubled = {
        str(name): np.stack(
            [
                trapezoid_sums(correct[:, 1 + rows.sort_values("size")["set"].to_numpy()], sizes)
                for _, rows in group.groupby("repeat", sort=True)
            ]
        )
        for name, group in points.groupby("order", sort=False)
    }
    areas = areas_table(
        doubled,
        labels,
        units=said["units"],
        classes=int(record.document["images"]["classes"]),
        against=RANDOM if RANDOM in doubled else None,
        seed=said["seed"],
    )
    return {
        "curve": points_table(points, correct, labels),
        "recalls": recalls_table(points, correct, labels),
        "areas": areas,
    }


def _last_default(record: Record) -> str:
    sites = record.document["sites"]
    return str(next((site["name"] for site in reversed(sites) if site["default"]), sites[-1]["name"]))


def _opened(
    record: Record, images: Source | None, classes: str | Path | None, limit: int | None
) -> tuple[Images | None, Images]:
    """The run's own images, if it is their source that is read, and the images to read on."""
    request = record.document["request"]
    if images is None:
        own = images_again(record, classes=classes)
        return own, own.limited(limit)
    opened = mapped_again(record, opened_as(record, images), classes)
    if opened.sha256 != request["images_sha256"]:
        return None, opened.limited(limit)
    return opened.limited(request["count"]), opened.limited(request["count"] if limit is None else limit)


def _contents(record: Record, images: Images, *, known: bool) -> pd.Series[str]:
    """The content hash of every image, by its number; those of the run's own are known without decoding."""
    found: dict[int, str] = {}
    start = 0
    if known:
        frame = record.table("images", ["image", "content"])
        start = min(record.document["request"]["count"], len(images))
        kept = frame[frame["image"] < start]
        found = dict(zip(kept["image"].tolist(), kept["content"].tolist(), strict=True))
    for block in images.blocks(64, start=start):
        found |= dict(zip(block.numbers.tolist(), block.contents, strict=True))
    return pd.Series(found, dtype=str)


def _points(orders: Sequence[Order], sizes: Sequence[int], *, keep: bool) -> tuple[pd.DataFrame, list[list[int]]]:
    """Every point of every curve, and the sets of units that are silent there; each set once."""
    numbers: dict[tuple[int, ...], int] = {}
    rows = []
    for each in orders:
        for repeat, ranking in enumerate(each.rankings):
            for size in sizes:
                silent = tuple(sorted(ranking[size:] if keep else ranking[:size]))
                rows.append((each.name, repeat, size, len(silent), numbers.setdefault(silent, len(numbers))))
    points = pd.DataFrame(rows, columns=["order", "repeat", "size", "silenced", "set"])
    integers = dict.fromkeys(("repeat", "size", "silenced", "set"), np.int32)
    return points.astype(integers), [list(silent) for silent in numbers]
