"""Ablating a network: a question is swept over the images, and the answer is a record."""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import torch

from lenslab.records import Draft, Record, timestamp
from lenslab.runs.intervention import RESAMPLE
from lenslab.units.engine.device import device_of
from lenslab.units.engine.engines import ENGINES
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.site_plan import Plan
from lenslab.units.images import Source
from lenslab.units.networks import Network
from lenslab.units.question import Question, ask
from lenslab.units.run_record import write_tables
from lenslab.units.silencing.replacements import with_replacements
from lenslab.units.silencing.resampling import Resampling
from lenslab.units.sweep import verification
from lenslab.units.sweep.exemplars import profiler
from lenslab.units.sweep.schedule import schedule
from lenslab.units.sweep.shards import Shards
from lenslab.units.sweep.sweep import Progress, Sweep


@dataclass(frozen=True)
class Run:
    """A finished ablation.

    Attributes:
        record: What it left behind; `Record.table` gives its tables.
        reused: Whether the same question had been answered in this directory before.
        verified: How many pairs were done again the plain way now, by the path that had decided them.
    """

    record: Record
    reused: bool = False
    verified: Mapping[str, int] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The fraction of images that the network classifies correctly with every unit in place."""
        return float(self.record.document["accuracy"])

    @property
    def units(self) -> pd.DataFrame:
        """One row per unit: its drops with intervals and tests, and its attributes. Fractions."""
        return self.record.table("units")

    @property
    def classes(self) -> pd.DataFrame:
        """One row per unit and class: the drop with its interval and test. Fractions."""
        return self.record.table("classes")

    @property
    def flips(self) -> pd.DataFrame:
        """One row per pair of unit and image whose predicted class changed."""
        return self.record.table("flips")

    @property
    def correlations(self) -> pd.DataFrame:
        """One row per site, attribute, measure and method: a correlation over the site's live units."""
        return self.record.table("correlations")


def ablate(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    engine: str = "exact",
    limit: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    replacement: str | float = "zero",
    reference: Source | None = None,
    basis: str = "units",
    groups: Mapping[str, Sequence[Sequence[int]]] = MappingProxyType({}),
    draws: int | None = None,
    top: int | None = None,
    attributes: bool = True,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Silence every unit of a network, one at a time, and measure what each one costs.

    The output of a unit (a channel of a site's value) becomes 0, or another replacement, and every image is classified
    again: overall and per class, ``drop = before - after``, so bigger means that the unit mattered more (Zhou et al.
    2018, arXiv 1806.02891). Every engine gives the same integers, see `lenslab.units.engine.near_ties`. The network
    itself is copied, never changed.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`).
        images: Labelled images, or where they are (see `lenslab.units.open_images`).
        sites: Globs over the names of sites; by default the value that each convolution hands on.
        engine: ``"exact"``, or ``"plain"`` for the reference that runs the whole network for every unit.
        limit: Only the first so many images.
        seed: Decides the halves, the bootstrap and which pairs are verified.
        batch_size: Images per batch; it decides no integer.
        replacement: What a silenced unit becomes: ``"zero"``, ``"mean"``, ``"mean-map"``, ``"resample"``, ``"filter"``
            or a number, see `lenslab.units.ask`.
        reference: The images that means are measured on and maps are taken from; by default the images themselves.
        basis: ``"units"``, or ``"haar"`` or ``"energy"`` for random directions, see `lenslab.units.ask`.
        groups: Sets of units to silence together, by the name of their site, see `lenslab.units.ask`.
        draws: How often every unit is resampled, see `lenslab.units.ask`.
        top: Among how many of the largest logits the true class is looked for, see `lenslab.units.ask`.
        attributes: Whether the units' attributes are measured as well, see `lenslab.units.ask`.
        device: Where to run, in torch's words.
        verify: So many pairs are done again the plain way, see `lenslab.units.sweep.verification`.
        out: The directory for the record; a temporary one that goes with the result by default. A sweep that was
            stopped there goes on; one that was finished there is only read.
        progress: Is told how far it has come.

    Returns:
        The finished run with its tables.

    Raises:
        UnitsError: Anything asked does not exist or does not fit, the network answers NaN, or a verified pair differs.
        RecordsError: ``out`` holds something else.

    Example:
        >>> from lenslab.units import load
        >>> run = ablate(load("small", weights="digits"), "digits", limit=60, sites=["relu3"])
        >>> len(run.units), run.accuracy > 0.9
        (64, True)
    """
    question = ask(
        network,
        images,
        sites=sites,
        engine=engine,
        limit=limit,
        seed=seed,
        batch_size=batch_size,
        replacement=replacement,
        reference=reference,
        basis=basis,
        groups=groups,
        draws=draws,
        top=top,
        attributes=attributes,
    )
    return answer(question, device=device, verify=verify, out=out, progress=progress)


def answer(
    question: Question,
    *,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run what was asked; see `ablate` for the arguments.

    Example:
        >>> from lenslab.units import load
        >>> question = ask(load("small", weights="digits"), "digits", limit=60, sites=["relu3"])
        >>> question.pairs, len(answer(question).units)
        (3840, 64)
    """
    where = device_of(device)
    if out is not None:
        return _answer(question, Path(out), where, verify, progress)
    place = Path(tempfile.mkdtemp(prefix="lenslab-"))
    try:
        run = _answer(question, place, where, verify, progress)
    except BaseException:
        shutil.rmtree(place)
        raise
    weakref.finalize(run.record, shutil.rmtree, place, ignore_errors=True)
    return run


def _answer(question: Question, out: Path, device: torch.device, verify: int, progress: Progress | None) -> Run:
    draft = Draft.open(out, kind="run", request=question.request)
    record = draft.finished()
    if record is not None and not verify:
        return Run(record, reused=True)
    started, clock = timestamp(), time.monotonic()
    images, preprocessing = question.images, question.network.preprocessing
    with full_precision():
        plans = with_replacements(
            question.plans,
            question.intervention,
            question.trace,
            question.reference,
            preprocessing,
            device,
            seed=question.seed,
        )
        resampling = _resampling(question, device) if question.intervention.replacement == RESAMPLE else None
        if record is None:
            shards = Shards(draft)
            blocks = sweep_of(question, plans, resampling, device, verify).run(shards, progress)
            candidates = shards.collected("candidates", blocks).to_pandas()
        else:
            candidates = verification.draw_recorded(record, verify, question.seed)
        checked = verification.verify(
            question.trace,
            plans,
            candidates,
            images,
            preprocessing,
            pairs=verify,
            batch_size=question.batch_size,
            device=device,
            resampling=resampling,
        )
    if record is not None:
        return Run(record, reused=True, verified=checked)
    document = write_tables(question, shards, blocks, device)
    times = {"started": started, "finished": timestamp(), "seconds": round(time.monotonic() - clock, 1)}
    return Run(draft.finish({**document, "verification": checked, **times}), verified=checked)


def sweep_of(
    question: Question, plans: Sequence[Plan], resampling: Resampling | None, device: torch.device, candidates: int
) -> Sweep:
    """Set up the sweep that answers a question.

    Args:
        question: What is asked.
        plans: Its plans, with what the units become.
        resampling: Gives the maps that they take from other images, where they are resampled.
        device: Where to run.
        candidates: How many pairs are to be checked.
    """
    trace = question.trace
    chosen = [plan.site for plan in plans]
    return Sweep(
        engine=ENGINES[question.engine](trace, plans, device, question.top),
        images=question.images,
        preprocessing=question.network.preprocessing,
        classes=trace.classes,
        units={plan.site.name: plan.count for plan in plans},
        schedule=schedule(
            plans, trace.costs.get(""), batch_size=question.batch_size, draws=question.intervention.draws
        ),
        device=device,
        profiler=profiler(trace, chosen, device) if question.attributes else None,
        resampling=resampling,
        draws=question.intervention.draws,
        top=question.top,
        candidates=candidates,
        seed=question.seed,
    )


def _resampling(question: Question, device: torch.device) -> Resampling:
    reference = question.reference
    return Resampling(
        question.trace,
        question.plans,
        reference,
        question.network.preprocessing,
        seed=question.seed,
        same=reference.sha256 == question.images.sha256,
        device=device,
    )
