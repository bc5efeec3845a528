"""Screening a network: a question is answered with intervals, and the answer is a screening."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from lenslab.records import Draft, key_of, timestamp
from lenslab.runs.arguments import progress_function
from lenslab.runs.intervention import RESAMPLE
from lenslab.runs.screening import Screening
from lenslab.runs.statistics.image_halves import HALVES, halves
from lenslab.units.ablation import Ablation
from lenslab.units.engine.device import device_of
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.execution import AUTO, EAGER
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.sites import Site
from lenslab.units.errors import UnitsError
from lenslab.units.images import Source
from lenslab.units.networks import Network
from lenslab.units.record_place import recorded
from lenslab.units.run_writer import document
from lenslab.units.screening.campaign import Aim, Outcome, campaign, pilot_pairs
from lenslab.units.screening.forecast_pass import ForecastPass, Forecasts
from lenslab.units.screening.margin_forecast import forecast_precision
from lenslab.units.screening.pair_runner import PairRunner
from lenslab.units.screening.pair_table import PAIRS, keep, kept
from lenslab.units.screening.screening_tables import classes_table, half_counts, units_table
from lenslab.units.screening.site_screen import SiteScreen
from lenslab.units.silencing.replacements import with_replacements
from lenslab.units.sweep.shards import AUDITS, PATHS
from lenslab.units.sweep.sweep import Progress

ENGINE = "screen"
MAY_DIFFER = ("precision", "class_precision", "budget")
"""What a screening of the same network and images may ask otherwise, and go on with the pairs that were run."""


class Options(TypedDict, total=False):
    """What can be asked, see `screen`."""

    precision: float | None
    class_precision: float | None
    budget: float | None
    sites: Sequence[str | Site] | str | Site | None
    replacement: str | float
    reference: Source | None
    limit: int | None
    seed: int
    batch_size: int | None
    executor: str


@dataclass(frozen=True)
class Screen:
    """A screening before it runs.

    Attributes:
        ablation: What would be asked of every pair.
        precision: Half the width of the 95 % interval of every overall drop, in points; 0 asks for every pair.
        class_precision: The same of every class drop; ``None`` asks nothing of them.
        budget: The share of all pairs that is run at most; ``None`` sets no limit.
        forecasts: In which precision forecasts are made, which decides the draws.
    """

    ablation: Ablation
    precision: float
    class_precision: float | None = None
    budget: float | None = None
    forecasts: torch.dtype = torch.float32

    @classmethod
    def of(cls, network: Network | nn.Module | str, images: Source, **options: Unpack[Options]) -> Screen:
        """Put a screening together without running it; see `screen` for the arguments."""
        if other := options.keys() - Options.__annotations__.keys():
            raise TypeError(f"screening has no option {', '.join(sorted(other))}")
        aim: dict[str, float | None] = {name: options.pop(name, None) for name in MAY_DIFFER}  # type: ignore[misc]
        _refuse_aim(**aim)
        if options.get("executor", AUTO) == AUTO:
            options["executor"] = EAGER  # a part is given few pairs at a time, and OpenVINO would fill them up
        ablation = Ablation.of(network, images, **options, top=0, attributes=False)  # type: ignore[misc]
        if ablation.intervention.replacement == RESAMPLE:
            raise UnitsError("screening silences a unit in one way on each image, and resampling draws several")
        forecasts = forecast_precision(torch.device("cpu"))
        return cls(ablation, float(aim["precision"] or 0), aim["class_precision"], aim["budget"], forecasts)

    @property
    def request(self) -> dict[str, Any]:
        """Everything that decides a number; its hash is the record's key."""
        aim = {name: getattr(self, name) for name in MAY_DIFFER}
        rough = {"forecasts": "bfloat16"} if self.forecasts is torch.bfloat16 else {}
        return {**self.ablation.request, "engine": ENGINE, **rough, **aim}

    @property
    def key(self) -> str:
        """The key of the record that answers it."""
        return key_of("screening", self.request)

    def run(self, *, device: str = "cpu", out: str | Path | None = None, progress: Progress | None = None) -> Screening:
        """Run it; see `screen` for the arguments."""
        where = device_of(device)
        progress_function(progress)
        forecasts = self.forecasts if where.type == "cpu" else torch.float32
        asked = replace(self, ablation=self.ablation.on_device(device), forecasts=forecasts)
        return recorded(out, lambda place: asked._run(place, where, progress))

    def _run(self, out: Path, device: torch.device, progress: Progress | None) -> Screening:
        draft = Draft.open(out, kind="screening", request=self.request, may_differ=MAY_DIFFER)
        record = draft.finished()
        if record is not None:
            return Screening(record, reused=True)
        _take_up(draft)
        started, clock = timestamp(), time.monotonic()
        asked = self.ablation
        with full_precision():
            plans = with_replacements(
                asked.plans, asked.intervention, asked.trace, asked.reference, asked.network.preprocessing, device
            )
            engine = asked.engine_for(plans, device)
            assert isinstance(engine, ExactEngine)  # the ablation asks for it
            try:
                forecasts = ForecastPass(asked, engine, plans, draft, device, self.forecasts).run(progress)
            except UnitsError:
                draft.abandon()
                raise
            images = forecasts.images()
            screens = self.screens(forecasts, images)
            runner = PairRunner(asked, engine, plans, draft, device, {each.name: each for each in screens}, progress)
            outcome = campaign(screens, runner.decide, self.aim)
        times = {"started": started, "finished": timestamp(), "seconds": round(time.monotonic() - clock, 1)}
        said = self._write(draft, forecasts, images, screens, outcome)
        return Screening(draft.finish({**said, **times}))

    @property
    def aim(self) -> Aim:
        """What its campaign is asked for."""
        by_class = None if self.class_precision is None else self.class_precision / 100
        return Aim(self.precision / 100, by_class, self._most_pairs())

    def _most_pairs(self) -> int | None:
        return None if self.budget is None else int(self.budget * self.ablation.pairs)

    def screens(self, forecasts: Forecasts, images: pd.DataFrame) -> list[SiteScreen]:
        """Read the forecasts of all sites, and draw their pilots."""
        labels, numbers = (images[name].to_numpy(np.int64) for name in ("label", "image"))
        half = (halves(labels, images["content"].tolist(), seed=self.ablation.seed) == HALVES[1]).astype(np.int64)
        classes, closed = self.ablation.trace.classes, forecasts.closed()
        change = (closed["before"] == closed["label"]).astype(int) - (closed["after"] == closed["label"])
        screens = []
        for name, units in forecasts.units.items():
            here = closed["site"] == name
            settled = np.zeros((2, units, classes), np.int64)
            where = half[np.searchsorted(numbers, closed["image"][here])]
            np.add.at(settled, (where, closed["unit"][here], closed["label"][here]), change[here])
            screens.append(
                SiteScreen.begun(
                    name,
                    forecasts.site(name, images),
                    labels,
                    half,
                    classes,
                    numbers,
                    seed=self.ablation.seed,
                    settled=settled,
                    pilot_pairs=pilot_pairs(self.ablation.units, self._most_pairs()),
                )
            )
        return screens

    def _write(
        self, draft: Draft, forecasts: Forecasts, images: pd.DataFrame, screens: Sequence[SiteScreen], outcome: Outcome
    ) -> dict[str, Any]:
        """Write the record's tables, and give what ``record.json`` says."""
        asked, pairs = self.ablation, kept(draft)
        draft.begin_anew()
        images.insert(3, "half", halves(images["label"].to_numpy(), images["content"].tolist(), seed=asked.seed))
        draft.write_table("images", images)
        order = {name: place for place, name in enumerate(forecasts.units)}
        for name, table in (("pairs", pairs), ("flips", forecasts.closed())):
            ordered = table.assign(order=table["site"].map(order)).sort_values(["order", "unit", "image"])
            columns = ordered.drop(columns="order").reset_index(drop=True)
            draft.write_table(name, pa.Table.from_pandas(columns, PAIRS, preserve_index=False))
        found, labels = outcome.sites, images["label"].to_numpy(np.int64)
        counts = half_counts(labels, images["half"].to_numpy() == HALVES[1], asked.trace.classes)
        units = [units_table(name, found[name], counts) for name in order]
        classes = [classes_table(name, found[name], labels, asked.trace.classes) for name in order]
        draft.write_table("units", pd.concat(units, ignore_index=True))
        draft.write_table("classes", pd.concat(classes, ignore_index=True))
        paths = _paths(screens, pairs, len(images))
        said = document(asked, images, forecasts.skipped(), paths, AUDITS.empty_table().to_pandas())
        run = sum(int(each.pairs.sum()) for each in found.values())
        widest = max((float(each.overall.half_width.max()) for each in found.values()), default=0.0)
        screened = {
            **{name: getattr(self, name) for name in MAY_DIFFER},
            "pairs": asked.units * len(images),
            "pairs_run": run,
            "rounds": outcome.rounds,
            "reached": outcome.reached,
            "widest_half_width": widest / max(len(images), 1),
            "inflation": list(outcome.inflation),
        }
        warning = (
            f"screened: drops are estimates with 95 % intervals, from exact decisions on {run:,} of "
            f"{screened['pairs']:,} pairs; no counts of losses and gains, and no tests, can be made of them"
        )
        return {**said, "engine": ENGINE, "screening": screened, "warnings": [warning, *said["warnings"]]}


def screen(
    network: Network | nn.Module | str,
    images: Source,
    *,
    device: str = "cpu",
    out: str | Path | None = None,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Screening:
    """Estimate what silencing each unit costs, with intervals, for a fraction of the passes.

    One pass forward and a few back forecast every unit's effect on every image; a pilot of a few pairs of each unit
    tells how far forecasts are to be believed; pairs whose answer is open are then run exactly, the more often the more
    open, and put right what the forecasts expect of all. The 95 % intervals are about the drops that
    `lenslab.units.ablate` would find on the very same images. See `lenslab.units.screening.drop_estimator.totals`.

    Args:
        network: As of `lenslab.units.ablate`.
        images: As there.
        device: Where to run, in torch's words.
        out: The directory for the record. A screening that was stopped there goes on; one that asked for another
            precision is gone on with, and no pair is run twice.
        progress: Is told how far each pass over the images has come.
        options: What is asked: ``precision``, half the width of the 95 % interval of every overall drop, in points (0
            runs every pair); ``class_precision``, the same of every class drop, which by default have the interval
            that they have; ``budget``, the share of the pairs that may be run (where it is used up first, intervals
            are wider than asked); ``seed``, which decides the pairs that are run; and ``sites``, ``replacement``
            (anything but ``"resample"``), ``reference``, ``limit``, ``batch_size``, ``executor`` of
            `lenslab.units.Ablation.of`.

    Raises:
        UnitsError: Anything asked does not exist or does not fit, or torch.fx cannot trace the network.
        RecordsError: ``out`` holds something else.

    Example:
        >>> found = screen("small", "digits", precision=3.0, limit=200, sites=["relu2"])
        >>> list(found.units.columns[4:8]), found.share < 1
        (['accuracy_drop_estimate', 'accuracy_drop_standard_error', 'accuracy_drop_low', 'accuracy_drop_high'], True)
    """
    return Screen.of(network, images, **options).run(device=device, out=out, progress=progress)


def _refuse_aim(precision: float | None, class_precision: float | None, budget: float | None) -> None:
    if precision is None and budget is None:
        raise UnitsError("screening needs to know when to stop; give a precision in points, a budget, or both")
    for name, value in (("precision", precision), ("class_precision", class_precision)):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 100
        ):
            raise UnitsError(
                f"{name} is half the width of an interval in points, from 0 to below 100, not {value!r:.80}"
            )
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget <= 1):
        raise UnitsError(f"budget is the share of the pairs that may be run, above 0 and up to 1, not {budget!r:.80}")
    if class_precision is not None and precision is None:
        raise UnitsError("a class precision goes with a precision of the overall drops; give that as well")


def _take_up(draft: Draft) -> None:
    """Put the pairs of a record that this draft goes on with among its own."""
    path = draft.directory / "pairs.parquet"
    if path.is_file() and not draft.shards("pairs-*.parquet"):
        keep(draft, pq.read_table(path, partitioning=None))


def _paths(screens: Sequence[SiteScreen], pairs: pd.DataFrame, images: int) -> pd.DataFrame:
    """Count the pairs of each site by how they are known."""
    rows = []
    run = pairs.groupby("site").size()
    for each in screens:
        open_, ran = len(each.forecast.row), int(run.get(each.name, 0))
        counts = {"run": ran, "without a run": each.forecast.units * images - open_, "estimated": open_ - ran}
        rows += [(each.name, path, count) for path, count in counts.items() if count]
    return pd.DataFrame(rows, columns=PATHS.names)
