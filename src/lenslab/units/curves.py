"""Measuring curves: the units of a site silenced one after the other, in this order or in that.

All sets of all orders are silenced in one ablation of sets, on images that no ranking was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from lenslab.records import Draft, Record
from lenslab.runs.arguments import flag, whole_number
from lenslab.runs.curve import METADATA, RANDOM, Curve, curve_tables
from lenslab.runs.orders import Order, order_of, rankable, sizes_for
from lenslab.runs.run import read
from lenslab.runs.run_record import RunRecord
from lenslab.units.ablation import Ablation
from lenslab.units.errors import UnknownOrderError
from lenslab.units.images import Images, Source, subset
from lenslab.units.networks import Network
from lenslab.units.run_inputs import (
    images_again,
    mapped_again,
    network_again,
    opened_as,
    reference_again,
    refuse_other_architecture,
)
from lenslab.units.sweep.sweep import Progress

Orders = str | Sequence[str] | Sequence[int] | Sequence[str | Sequence[int]]
"""One or several orders by name, or the units themselves, first the one to silence first."""


class Options(TypedDict, total=False):
    """What can be asked, see `CurveAblation.of`."""

    site: str | None
    keep: bool
    steps: int | Sequence[int]
    repeats: int
    seed: int
    ranked_by: RunRecord | Record | str | Path | None
    network: Network | str | None
    weights: str | Path | None
    images: Source | None
    classes: str | Path | None
    reference: Source | None
    limit: int | None
    batch_size: int | None


@dataclass(frozen=True)
class CurveAblation:
    """Curves before they are measured.

    Attributes:
        ablation: The one ablation of sets that gives all of them.
        points: Columns ``order, repeat, size, silenced, set``: one row per point; ``set`` is the number of the set of
            units that is silent there, ``size`` how many are silent, or kept.
        metadata: What ``curve.json`` is going to say.
    """

    ablation: Ablation
    points: pd.DataFrame
    metadata: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        run: RunRecord | Record | str | Path,
        order: Orders = RANDOM,
        *,
        site: str | None = None,
        keep: bool = False,
        steps: int | Sequence[int] = 20,
        repeats: int = 10,
        seed: int = 0,
        ranked_by: RunRecord | Record | str | Path | None = None,
        network: Network | str | None = None,
        weights: str | Path | None = None,
        images: Source | None = None,
        classes: str | Path | None = None,
        reference: Source | None = None,
        limit: int | None = None,
        batch_size: int | None = None,
    ) -> CurveAblation:
        """Put curves together without measuring them.

        Units become what they became in the run. All orders are read on the same images: those that had no part in any
        ranking by drops.

        Args:
            run: A finished run that silenced each unit alone; its network and images are found again by what the record
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
            images: The images to read the curves on, or where the run's own are now; by default the run's own. Of the
                run's own source as many are read as the run had, unless ``limit`` says otherwise.
            classes: How their classes are mapped to the network's, see `lenslab.units.Images.mapped`.
            reference: Where the reference images are now, if the run replaced units by means over other images.
            limit: Only the first so many images.
            batch_size: Images per batch; it decides no integer.

        Raises:
            UnitsError: Anything asked does not exist, network or images are not those of the run, or no image is left
                to read the curves on.

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
            >>> curves = CurveAblation.of(run, "own-drop", steps=[8, 32])
            >>> curves.ablation.units, curves.points["silenced"].tolist()
            (4, [0, 8, 32, 64])
        """
        run = read(run)
        wanted = _each(order)
        flag("keep", keep)
        repeats, seed = whole_number("repeats", repeats, least=1), whole_number("seed", seed)
        site = site if site is not None else run.last_site.name
        units = rankable(run, site)
        ranking = run if ranked_by is None else read(ranked_by)
        if rankable(ranking, site) != units:
            raise UnknownOrderError(
                f"{ranking.directory} has {rankable(ranking, site)} units at {site!r} and {run.directory} {units}; "
                "rank by a run of the same architecture"
            )
        loaded = network_again(run, network, weights=weights)
        own, opened = _opened(run, images, classes, limit)
        contents = _contents(run, opened, known=own is not None)
        orders = [order_of(each, ranking, site, scoring=set(contents), repeats=repeats, seed=seed) for each in wanted]
        orders = _told_apart(orders)
        saw = frozenset[str]().union(*(each.saw for each in orders))
        left = contents[~contents.isin(saw)]
        if left.empty:
            ranked = ", ".join(each.name for each in orders if each.saw)
            raise UnknownOrderError(
                f"every image of {opened.source} had a part in the ranking by {ranked}, so none is left to read the "
                "curve on: rank by own-drop, which leaves half B, or read on other images with --images"
            )
        sizes = sizes_for(units, steps)
        points, sets = _points(orders, sizes, keep=keep)
        ablation = Ablation.of(
            loaded,
            subset(opened, left.index.to_numpy()),
            groups={site: sets},
            seed=seed,
            batch_size=batch_size,
            replacement=run.intervention.replacement,
            reference=reference_again(run, own, reference),
            top=0,
        )
        refuse_other_architecture(run, loaded, ablation.trace)
        run_contents = set(run.table("images", ["content"])["content"])
        metadata = {
            "key": ablation.key,
            "run": run.key,
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
                "images": len(left),
                "of": len(contents),
                "source": opened.source,
                "sha256": opened.sha256,
                "images_of_the_run": int(left.isin(run_contents).sum()),
                "images_that_ranked": int(left.isin(saw).sum()),
            },
        }
        return cls(ablation, points, metadata)

    def run(
        self, *, device: str = "cpu", verify: int = 0, out: str | Path | None = None, progress: Progress | None = None
    ) -> Curve:
        """Measure them; see `measure_curve` for the arguments.

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
            >>> CurveAblation.of(run, "own-drop", steps=[8, 32]).run().areas["measure"].head(2).tolist()
            ['accuracy', 'balanced_accuracy']
        """
        run = self.ablation.run(device=device, verify=verify, out=out, progress=progress)
        draft = Draft.of(run.record)
        for name, table in curve_tables(run, self.points, self.metadata).items():
            draft.write_table(name, table)
        draft.write_json(METADATA, self.metadata)
        return Curve(run.record, self.metadata)


def measure_curve(
    run: RunRecord | Record | str | Path,
    order: Orders = RANDOM,
    *,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Curve:
    """Silence the units of one site of a finished run one after the other, and measure what is left.

    Args:
        run: A finished run that silenced each unit alone, its record or its directory.
        order: One or several orders by name, or units.
        device: Where to run, in torch's words.
        verify: So many pairs are decided again the plain way, see `lenslab.units.sweep.verification`.
        out: The directory for the record; a temporary one that goes with the result by default. A curve that was
            stopped there goes on.
        progress: Is told how far it has come.
        options: What is asked: ``site``, ``keep``, ``steps``, ``repeats``, ``seed``, ``ranked_by``, ``network``,
            ``weights``, ``images``, ``classes``, ``reference``, ``limit``, ``batch_size``; each is described at
            `CurveAblation.of`.

    Returns:
        The curves, each point with intervals, and the areas under them.

    Raises:
        UnitsError: Anything asked does not exist, network or images are not those of the run, or no image is left to
            read the curves on.
        RecordsError: ``out`` holds something else.

    Example:
        >>> from lenslab import units
        >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu3"], limit=60)
        >>> measure_curve(run, [3, 1, 2], steps=[1, 3]).points["silenced"].tolist()
        [0, 1, 3, 64]
    """
    curves = CurveAblation.of(run, order, **options)
    return curves.run(device=device, verify=verify, out=out, progress=progress)


def _each(order: Orders) -> tuple[str | tuple[int, ...], ...]:
    """Read what was asked for as one order after the other, each once."""
    if isinstance(order, str):
        return (order,)
    try:
        asked: list[Any] = list(order)
        if asked and not any(isinstance(each, str | Sequence) for each in asked):
            asked = [asked]  # units: one order
        each_once = tuple(dict.fromkeys(each if isinstance(each, str) else tuple(each) for each in asked))
    except TypeError as error:
        raise UnknownOrderError(f"an order is a name or a list of units, not {order!r:.80}") from error
    if not each_once:
        raise UnknownOrderError("no order is given; there are random, own-drop, class-drop:CLASS and the run's columns")
    return each_once


def _opened(
    run: RunRecord, images: Source | None, classes: str | Path | None, limit: int | None
) -> tuple[Images | None, Images]:
    """Open the run's own images, if it is their source that is read, and the images to read on."""
    if images is None:
        own = images_again(run, classes=classes)
        return own, own.limited(limit)
    opened = mapped_again(run, opened_as(run, images), classes)
    if opened.sha256 != run.dataset.sha256:
        return None, opened.limited(limit)
    return opened.limited(run.dataset.limit), opened.limited(run.dataset.limit if limit is None else limit)


def _contents(run: RunRecord, images: Images, *, known: bool) -> pd.Series[str]:
    """Find the content hash of every image, by its number; those of the run's own are known without decoding."""
    found: dict[int, str] = {}
    start = 0
    if known:
        frame = run.table("images", ["image", "content"])
        start = min(run.dataset.limit or len(images), len(images))
        kept = frame[frame["image"] < start]
        found = dict(zip(kept["image"].tolist(), kept["content"].tolist(), strict=True))
    for block in images.blocks(64, start=start):
        found |= dict(zip(block.numbers.tolist(), block.contents, strict=True))
    return pd.Series(found, dtype=str)


def _told_apart(orders: Sequence[Order]) -> list[Order]:
    """Give orders of the same name a number, as lists of units have one that begin alike."""
    names = [each.name for each in orders]
    return [
        replace(each, name=f"{each.name} ({names[: place + 1].count(each.name)})")
        if names.count(each.name) > 1
        else each
        for place, each in enumerate(orders)
    ]


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
