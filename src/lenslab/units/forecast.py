"""The forecast: how long a run will take and what memory it will need, from a trial of a few seconds."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
import torch

from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.intervention import MEAN, MEAN_MAP, RESAMPLE
from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.drop_prediction import predictions_table
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.reliability import reliability_table
from lenslab.runs.statistics.unit_tables import classes_table, units_table
from lenslab.units.engine.batch import Batch, batches
from lenslab.units.engine.device import device_of
from lenslab.units.engine.engines import Engine
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.engine.site_plan import Plan
from lenslab.units.profiling.profiler import Profiler
from lenslab.units.question import Question
from lenslab.units.silencing.replacements import replaced, with_replacements
from lenslab.units.sweep.exemplars import profiler

Result = TypeVar("Result")

TRIAL_SECONDS = 8.0
"""After so long no further site is tried; the others are taken to run at the rate of the nearest ones tried."""

_RANKED = 128
"""The profiler's own number of images whose maps' ranks are taken."""

_TRIAL_UNITS = 64
"""The statistics are tried on a site of at most so many units."""

_SCATTERED = 1.5
"""Batch after batch, freed memory is scattered, and a run takes more than a trial of one batch did."""

_FLIPPED = 0.03
"""The share of pairs that flip in the trial of the statistics."""


@dataclass(frozen=True)
class Forecast:
    """What a run is expected to take.

    Attributes:
        sweep_seconds: Silencing every unit on every image.
        attribute_seconds: The attributes' own pass forward and back, and the look at the strongest images.
        statistics_seconds: The tables.
        peak_bytes: The most memory the process will hold.
        trial_seconds: How long the trial took.
    """

    sweep_seconds: float
    attribute_seconds: float
    statistics_seconds: float
    peak_bytes: int
    trial_seconds: float

    @property
    def seconds(self) -> float:
        """All together."""
        return self.sweep_seconds + self.attribute_seconds + self.statistics_seconds


def forecast(question: Question, *, device: str = "cpu") -> Forecast:
    """Try a run on its first images and estimate what the whole will take.

    A few chunks of pairs are decided at each site, as the run itself would, one batch is profiled, and the statistics
    of one site are computed on made-up flips; nothing is kept. On a machine that is otherwise idle the time is right
    within a factor of two.

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
    started, where, images, before = time.perf_counter(), device_of(device), len(question.images), _peak()
    with full_precision():
        plans = _plans(question, where)
        engine = question.engine_for(plans, where)
        reading, batch = _timed(lambda: _batch(question, where))
        share = images / len(batch)
        with torch.inference_mode():
            engine.run(batch, [])  # the checks of the first batch come once
            again = Batch(batch.inputs.clone(), batch.labels, batch.numbers)
            clean, _ = _timed(lambda: engine.run(again, []))
            deciding = sum(_site_seconds(engine, again, plans, started))
        attributes = _attribute_seconds(question, batch, where) if question.attributes else 0.0
    return Forecast(
        sweep_seconds=share * (reading + clean + question.intervention.draws * deciding),
        attribute_seconds=attributes,
        statistics_seconds=_statistics_seconds(question, plans),
        peak_bytes=before + int(_SCATTERED * (_peak() - before)) + _growing(question, plans),
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


def _batch(question: Question, device: torch.device) -> Batch:
    """Read the first batch in which an image decodes; `ask` has decoded one."""
    found = batches(question.images, question.network.preprocessing, question.batch_size, device)
    return next(batch for _, batch in found if len(batch))


def _site_seconds(engine: Engine, batch: Batch, plans: Sequence[Plan], started: float) -> Iterator[float]:
    """Time one draw of each site on a batch; the sites from both ends inwards, as long as there is time."""
    rates: dict[int, float] = {}
    last = len(plans) - 1
    for position in sorted(range(len(plans)), key=lambda place: (min(place, last - place), place)):
        plan = plans[position]
        if time.perf_counter() - started < TRIAL_SECONDS or not rates:
            pairs, seconds = _tried(engine, batch, plan)
            rates[position] = seconds / max(1.0, pairs * (plan.cost or 1))
            active = pairs
        else:
            nearest = min(rates, key=lambda place: abs(place - position))
            active, seconds = plan.count * len(batch), rates[nearest] * plan.count * len(batch) * (plan.cost or 1)
        yield seconds if active else 0.0


def _tried(engine: Engine, batch: Batch, plan: Plan) -> tuple[int, float]:
    """Decide some pairs of a site; give how many would be decided on this batch, and how long that would take."""
    total = plan.count * len(batch)
    began = time.perf_counter()
    pieces = engine.decisions(batch, plan.site.name)
    first = next(pieces, None)
    inactive = len(first.rows) if first and first.path == "inactive" else 0
    setting_up = time.perf_counter() - began
    pairs, seconds = 0, 0.0
    for _ in range(3):
        took, some = _timed(lambda: next(pieces, None))
        if some is None:
            break
        pairs, seconds = len(some.rows), took  # the last one counts: the first ones set the machine up
    active = total - inactive
    return active, setting_up + (seconds * active / pairs if pairs else 0.0)


def _attribute_seconds(question: Question, batch: Batch, device: torch.device) -> float:
    sites = [plan.site for plan in question.plans]
    found: Profiler = profiler(question.trace, sites, device)
    labels, later = batch.labels.cpu().numpy(), batch.numbers + _RANKED + len(question.images)
    few = slice(0, min(4, len(batch)))
    found.gather(batch.inputs[few], labels[few], later[few])
    plain, _ = _timed(lambda: found.gather(batch.inputs, labels, later))
    without, _ = _timed(lambda: found.gather(batch.inputs[few], labels[few], later[few]))
    ranked, _ = _timed(lambda: found.gather(batch.inputs[few], labels[few], np.arange(len(labels))[few]))
    images = len(question.images)
    ranks = max(0.0, ranked - without) / len(labels[few]) * min(_RANKED, images)
    program = question.trace.program(device)
    with torch.inference_mode():
        looking, _ = _timed(lambda: program.golden(batch.inputs, [site.name for site in sites]))
    looked_at = min(images, 9 * question.units)
    return plain * images / len(batch) + ranks + looking * looked_at / len(batch)


def _statistics_seconds(question: Question, plans: Sequence[Plan]) -> float:
    """Compute the tables of one site on made-up flips; the others take as long per unit."""
    images, classes = len(question.images), question.trace.classes
    units = min(_TRIAL_UNITS, max(plan.count for plan in plans))
    random = np.random.default_rng(0)
    labels = question.images.labels
    frame = pd.DataFrame(
        {"image": range(images), "label": labels, "prediction": labels, "half": random.choice(["A", "B"], images)}
    )
    pairs = random.choice(units * images, int(_FLIPPED * units * images) + 1, replace=False)
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
    return sum(seconds * max(0.5, plan.count / units) for plan in plans)


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
