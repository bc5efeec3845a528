"""The forecast: how long a run will take and what memory it will need, from a trial of a few seconds."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
import torch

from lenslab.records import machine
from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.intervention import MEAN, MEAN_MAP, RESAMPLE
from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.drop_prediction import predictions_table
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.reliability import reliability_table
from lenslab.runs.statistics.unit_tables import classes_table, units_table
from lenslab.units.engine.batch import Batch, preprocessed
from lenslab.units.engine.device import device_of
from lenslab.units.engine.engines import Engine
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.outcome import DecidedPairs
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.engine.site_memory import site_bytes
from lenslab.units.engine.site_plan import Plan
from lenslab.units.images import ImageBlock
from lenslab.units.profiling.profiler import Profiler
from lenslab.units.question import Question
from lenslab.units.silencing.replacements import replaced, with_replacements
from lenslab.units.sweep.exemplars import exemplars_of, profiler

Result = TypeVar("Result")

TRIAL_SECONDS = 8.0
"""After so long no further site is tried; the others are taken to run at the rate of the nearest ones tried."""

_RANKED = 128
"""The profiler's own number of images whose maps' ranks are taken."""

_SITE_SECONDS = 0.5
"""About so long each site is tried."""

_LAPS = 3
"""So often, unless a few units take as long already."""

_AUDITED, _SLOW = 640, 500_000_000
"""Fewer pairs are not decided in bfloat16; where each takes so many multiply-accumulates, more would take too long."""

_TRIAL_UNITS, _FEWER = 96, 6
"""The statistics are tried on a site of so many units at most, and on one of so many times fewer."""

_PICTURE_SECONDS = 1e-3
"""Decoding an image again, and writing a small picture of it."""

_SCATTERED = 1.5
"""Batch after batch, freed memory is scattered, and a run takes more than a trial of one batch did."""


@dataclass(frozen=True)
class Forecast:
    """What a run is expected to take.

    Attributes:
        sweep_seconds: Silencing every unit on every image.
        site_seconds: Of that, at each site, by its name.
        attribute_seconds: The attributes' own pass forward and back, and the look at the strongest images.
        statistics_seconds: The tables.
        site_bytes: What the pairs of each site take of it at the most, by its name, see
            `lenslab.units.engine.site_memory`; ``None`` where that is not known.
        peak_bytes: The most memory the process will hold.
        trial_seconds: How long the trial took.
    """

    sweep_seconds: float
    site_seconds: Mapping[str, float]
    attribute_seconds: float
    statistics_seconds: float
    site_bytes: Mapping[str, int | None]
    peak_bytes: int
    trial_seconds: float

    @property
    def seconds(self) -> float:
        """All together."""
        return self.sweep_seconds + self.attribute_seconds + self.statistics_seconds


def forecast(question: Question, *, device: str = "cpu") -> Forecast:
    """Try a run on its first images and estimate what the whole will take.

    The pairs of some units are decided at each site, as the run itself would, one batch is profiled, and the statistics
    of two sites are computed on made-up flips; nothing is kept. On a machine that is otherwise idle the time is right
    within a third.

    Args:
        question: What is asked.
        device: Where it would run, in torch's words.

    Returns:
        The forecast.

    Raises:
        UnitsError: Whatever the run itself would raise on its first batch.

    Example:
        >>> from lenslab.units import Ablation
        >>> found = forecast(Ablation.of("small", "digits", limit=40, sites=["relu3"]))
        >>> 0 < found.seconds < 60, found.peak_bytes > 1_000_000
        (True, True)
    """
    question = question.on_device(device)
    started, where, images, before = time.perf_counter(), device_of(device), len(question.images), _peak()
    with full_precision():
        plans = _plans(question, where)
        engine = question.engine_for(plans, where)
        reading, (block, batch) = _timed(lambda: _batch(question, where))
        share = images / len(batch)
        with torch.inference_mode():
            checking, _ = _timed(lambda: engine.run(batch, []))  # the checks of the first batch come once
            again = Batch(batch.inputs.clone(), batch.labels, batch.numbers)
            clean, outcome = _timed(lambda: engine.run(again, []))
            sites = _site_trials(engine, again, plans, started)
        seconds = {name: each.once + share * question.intervention.draws * each.seconds for name, each in sites.items()}
        flipped = sum(each.flipped for each in sites.values()) / len(sites)
        attributes = _attribute_seconds(question, outcome.golden, batch, where) if question.attributes else 0.0
    working = max(0.0, checking - clean) + share * clean + sum(seconds.values())
    ahead = reading * (share - 1) if share > 1 else 0.0  # of the batches that are decoded while others are worked on
    return Forecast(
        sweep_seconds=reading + (max(working, ahead) if _has_idle_processors() else working + ahead),
        site_seconds=seconds,
        attribute_seconds=attributes,
        statistics_seconds=_statistics_seconds(question, plans, flipped),
        site_bytes=site_bytes(question.trace, plans, len(batch)),
        peak_bytes=before
        + int(_SCATTERED * (_peak() - before))
        + (share > 1) * (batch.inputs.nbytes + sum(pixels.nbytes for pixels in block.pixels))
        + _growing(question, plans),
        trial_seconds=time.perf_counter() - started,
    )


def _plans(question: Question, device: torch.device) -> Sequence[Plan]:
    """Put what units become into the plans; a number stands in for what takes a pass over all images."""
    if question.intervention.replacement in (MEAN, MEAN_MAP, RESAMPLE):
        some = Replacement(torch.tensor(np.pi / 10, dtype=torch.float64))  # differs from every value
        return [replaced(plan, some) for plan in question.plans]
    return with_replacements(
        question.plans, question.intervention, question.trace, question.images, question.network.preprocessing, device
    )


def _batch(question: Question, device: torch.device) -> tuple[ImageBlock, Batch]:
    """Read the first batch in which an image decodes; `ask` has decoded one."""
    blocks = question.images.blocks(question.batch_size)
    block = next(block for block in blocks if len(block))
    return block, preprocessed(block, question.network.preprocessing, device)


def _has_idle_processors() -> bool:
    """Tell whether images are decoded on a processor that torch leaves idle."""
    return torch.get_num_threads() < int(machine()["processors"])


@dataclass(frozen=True)
class _SiteTrial:
    """What a site takes: once, and for each batch; and the share of its pairs that flip."""

    once: float
    seconds: float
    flipped: float


def _site_trials(engine: Engine, batch: Batch, plans: Sequence[Plan], started: float) -> dict[str, _SiteTrial]:
    """Time each site on a batch, from both ends inwards as long as there is time; others are like the nearest one."""
    found: dict[int, _SiteTrial] = {}
    last = len(plans) - 1
    for position in sorted(range(len(plans)), key=lambda place: (min(place, last - place), place)):
        if time.perf_counter() - started < TRIAL_SECONDS or not found:
            found[position] = _tried(engine, batch, plans[position])
    return {plan.site.name: _like_the_nearest(found, position, plans) for position, plan in enumerate(plans)}


def _like_the_nearest(found: Mapping[int, _SiteTrial], position: int, plans: Sequence[Plan]) -> _SiteTrial:
    """Give a site's trial, or that of the nearest one in proportion to what both cost."""
    nearest = min(found, key=lambda place: abs(place - position))
    cost, tried = (plans[place].count * (plans[place].cost or 1) for place in (position, nearest))
    return replace(found[nearest], seconds=found[nearest].seconds * cost / tried)


def _tried(engine: Engine, batch: Batch, plan: Plan) -> _SiteTrial:
    """Decide the pairs of a few units, and then thrice of as many as time allows, evenly spread.

    The middle one counts: where another process took the processor meanwhile, one is no measure.
    """
    rough = plan.execution.precision is not torch.float32
    few = min(plan.count, -(-_AUDITED // len(batch)) if rough and (plan.cost or 0) < _SLOW else 1)
    first, _ = _timed(lambda: _decided(engine, batch, plan, few))
    second, _ = _timed(lambda: _decided(engine, batch, plan, few))
    units = max(few, min(plan.count, int(few * _SITE_SECONDS / _LAPS / max(second, 1e-6))))
    laps = [_timed(lambda: _decided(engine, batch, plan, units)) for _ in range(_LAPS if second < _SITE_SECONDS else 1)]
    seconds = statistics.median_low(lap for lap, _ in laps)
    pieces = laps[-1][1]
    before = engine.run(batch, []).reference.predictions
    flipped = sum(int((piece.after != before[piece.rows]).sum()) for piece in pieces)
    share = flipped / max(1, sum(len(piece.rows) for piece in pieces))
    return _SiteTrial(max(0.0, first - second), seconds * plan.count / units, share)


def _decided(engine: Engine, batch: Batch, plan: Plan, units: int) -> list[DecidedPairs]:
    spread = np.unique(np.linspace(0, plan.count - 1, units).round().astype(int)).tolist()
    return [*engine.decisions(batch, plan.site.name, spread)]


def _attribute_seconds(question: Question, golden: Golden, batch: Batch, device: torch.device) -> float:
    found: Profiler = profiler(question.trace, [plan.site for plan in question.plans], device)
    labels, images = batch.labels.cpu().numpy(), len(question.images)
    later = np.arange(len(batch)) + _RANKED + images
    found.gather(golden, labels, later)
    plain, _ = _timed(lambda: found.gather(golden, labels, later))
    few = min(_RANKED, len(batch))
    ranked, _ = _timed(lambda: found.gather(golden, labels, np.where(np.arange(len(batch)) < few, 0, later)))
    ranks = max(0.0, ranked - plain) / few * min(_RANKED, images)
    names, program = [plan.site.name for plan in question.plans], question.trace.program(device, fast=True)
    with torch.inference_mode():
        program.golden(batch.inputs, names, (), question.clean)
        looking, _ = _timed(lambda: program.golden(batch.inputs, names, (), question.clean))
    # Each unit's strongest images, which several units share.
    looked_at = images * (1 - np.exp(-exemplars_of(question.units) * question.units / images))
    return plain * images / len(batch) + ranks + float(looked_at) * (looking / len(batch) + _PICTURE_SECONDS)


def _statistics_seconds(question: Question, plans: Sequence[Plan], flipped: float) -> float:
    """Compute the tables of a site of few units and of one of more, on made-up flips, and draw a line through both."""
    widest = max(plan.count for plan in plans)
    more = min(_TRIAL_UNITS, widest)
    few = max(1, more // _FEWER)
    _tables_seconds(question, few, flipped)  # which loads what it takes
    fixed = _tables_seconds(question, few, flipped)
    if more == few:
        return fixed * len(plans)
    slope = max(0.0, (_tables_seconds(question, more, flipped) - fixed) / (more - few))
    return sum(fixed + slope * (plan.count - few) for plan in plans)


def _tables_seconds(question: Question, units: int, flipped: float) -> float:
    images, classes = len(question.images), question.trace.classes
    random = np.random.default_rng(0)
    labels = question.images.labels
    frame = pd.DataFrame(
        {"image": range(images), "label": labels, "prediction": labels, "half": random.choice(["A", "B"], images)}
    )
    pairs = np.unique(random.integers(units * images, size=int(flipped * units * images) + 1))
    image = pairs % images
    flips = pd.DataFrame(
        {"unit": pairs // images, "image": image, "before": labels[image], "after": (labels[image] + 1) % classes}
    )
    activations = random.random((images, units), dtype=np.float32)
    known = {name: random.random(units) for name in SCORES} if question.attributes else {}
    attributes = pd.DataFrame({"unit": range(units), **known})

    def compute() -> None:
        seen = observe(flips, frame, activations, classes=classes)
        units_table("trial", seen, attributes)
        classes_table("trial", seen)
        correlations_table("trial", seen, attributes, seed=0)
        reliability_table("trial", seen, seed=0)
        if question.attributes:
            predictions_table("trial", seen, attributes, seed=0)

    seconds, _ = _timed(compute)
    return seconds


def _growing(question: Question, plans: Sequence[Plan]) -> int:
    """Count the bytes that grow with the images: one site's activations, twice, and the tables of images."""
    widest = max(plan.count for plan in plans)
    return len(question.images) * (2 * 4 * widest + 400)


def _peak() -> int:
    """Read the most memory that this process has held, in bytes."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
