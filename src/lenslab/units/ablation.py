"""Ablating a network: a question is swept over the images, and the answer is a run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import torch
from torch import nn

from lenslab.records import Draft, timestamp
from lenslab.runs.arguments import flag, progress_function, whole_number
from lenslab.runs.intervention import FILTER, RESAMPLE, Intervention
from lenslab.runs.run import Run
from lenslab.units.cluster.crew import Crew
from lenslab.units.engine.device import device_of
from lenslab.units.engine.engines import ENGINES
from lenslab.units.engine.execution import (
    AUTO,
    FLOAT32,
    MIXED,
    OPENVINO,
    PLAIN,
    execution_of,
    precision_of,
    refuse_executor,
)
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.site_plan import plan
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import LabelError, UnitsError, UnknownSiteError, UnsupportedNetworkError
from lenslab.units.forecast import Forecast, forecast
from lenslab.units.images import Images, Source, open_images
from lenslab.units.images.concept_masks import ConceptImages, open_concept_images
from lenslab.units.networks import Network, load, shipped_weights_for
from lenslab.units.question import Question
from lenslab.units.record_place import recorded
from lenslab.units.run_inputs import refuse_other_answers
from lenslab.units.run_writer import alignments_of, write_tables
from lenslab.units.silencing.replacements import site_interventions, with_replacements
from lenslab.units.site_times import site_times
from lenslab.units.sweep import verification
from lenslab.units.sweep.shards import Shards
from lenslab.units.sweep.sweep import Progress

_RECORDING = 300
"""As many multiply-accumulates fewer a compiled clean pass saves for each number that it has to hand over."""

_RECORDED_BYTES = 1 << 28
"""What the values recorded in one golden pass may take; it decides the batch size."""

_TOP, _MANY_CLASSES = 5, 20
"""With so many classes the five largest logits are looked at, too."""


class Options(TypedDict, total=False):
    """What can be asked, see `Ablation.of`."""

    sites: Sequence[str | Site] | str | Site | None
    replacement: str | float
    basis: str
    groups: Mapping[str, Sequence[Sequence[int]]] | None
    draws: int | None
    reference: Source | None
    limit: int | None
    top: int | None
    attributes: bool
    concepts: ConceptImages | str | Path | None
    engine: str
    seed: int
    batch_size: int | None
    executor: str
    arithmetic: str


@dataclass(frozen=True)
class Ablation(Question):
    """An ablation before it runs: what is asked, what it would cost, and how it is run."""

    @classmethod
    def of(
        cls,
        network: Network | nn.Module | str,
        images: Source,
        *,
        sites: Sequence[str | Site] | str | Site | None = None,
        replacement: str | float = "zero",
        basis: str = "units",
        groups: Mapping[str, Sequence[Sequence[int]]] | None = None,
        draws: int | None = None,
        reference: Source | None = None,
        limit: int | None = None,
        top: int | None = None,
        attributes: bool = True,
        concepts: ConceptImages | str | Path | None = None,
        engine: str = "exact",
        seed: int = 0,
        batch_size: int | None = None,
        executor: str = AUTO,
        arithmetic: str = FLOAT32,
    ) -> Ablation:
        """Put an ablation together without running it.

        Args:
            network: A network, or the name of one (see `lenslab.units.load`), with the weights that are shipped for
                these images, where there are some.
            images: Labelled images, or where they are (see `lenslab.units.open_images`).
            sites: Globs over the names of sites, or sites of `lenslab.units.trace`; by default the value that each
                convolution hands on.
            replacement: What a silenced unit becomes: ``"zero"``, ``"mean"`` (its mean over the reference images),
                ``"mean-map"`` (at each position), ``"resample"`` (its map on another image, see
                `lenslab.units.silencing.resampling`), a number, or ``"filter"`` (its weights and bias are 0; where
                batch norm follows, that is not the same as silencing the unit's output).
            basis: ``"units"``, or random directions of each site's space in place of its axes, drawn by the seed:
                ``"haar"``, uniformly over all rotations, or ``"energy"``, each with the activation energy of a unit
                (see `lenslab.units.engine.random_directions.matched`). The network computes the same; only what is
                taken out of it differs.
            groups: Sets of units to silence together, by the name of their site; the tables' ``unit`` is then the set's
                number. Only the sites that are named are measured. For keep-only sets see ``all_but`` of a site.
            draws: How many other images each image's maps are taken from in turn, with ``"resample"``; 3 by default.
            reference: The images that means and energies are measured on, and that maps are taken from; by default the
                images themselves.
            limit: Only the first so many images.
            top: Among how many of the largest logits the true class is looked for as well; by default 5 where the
                network tells 20 classes or more apart, else not at all; 0 does not look.
            attributes: Whether the units' attributes are measured and their strongest images kept, which takes a pass
                forward and back over the images. Sets and directions have none.
            concepts: Images with a pixel mask for each of some concepts, or where they are (see
                `lenslab.units.images.concept_masks`): each unit's overlap with the concept that it aligns with best
                becomes an attribute.
            engine: ``"exact"``, or ``"plain"`` for the reference that runs the whole network for every unit.
            seed: Decides the halves, the bootstrap and which pairs are verified.
            batch_size: Images per batch, which decides no integer; by default what fits a quarter of a GiB of recorded
                values.
            executor: What runs the network on a processor, which decides no integer: ``"auto"`` has OpenVINO compile
                what has much to do, where it is installed (``pip install 'lenslab[fast]'``), ``"openvino"`` whatever
                it can; ``"eager"`` is torch alone.
            arithmetic: ``"float32"``; ``"mixed"``, which decides in bfloat16 what that can decide and all else in
                float32, with the same integers, and measures no continuous figures (``loss_rise`` and the like); or
                ``"auto"``, mixed where the processor is fast at it. See `lenslab.units.engine.audit`.

        Raises:
            UnitsError: Anything asked does not exist or does not fit; the message says what.

        Example:
            >>> ablation = Ablation.of(load("small", weights="digits"), "digits", limit=50)
            >>> [(plan.site.name, plan.path) for plan in ablation.plans]
            [('relu1', 'low-rank update'), ('relu2', 'low-rank update'), ('relu3', 'linear tail')]
        """
        if engine not in ENGINES:
            raise UnitsError(f"no engine named {engine!r}; there are {', '.join(ENGINES)}")
        refuse_executor(executor)
        precision = precision_of(arithmetic) if engine == "exact" else torch.float32
        if engine == "plain" and (arithmetic == MIXED or executor == OPENVINO):
            raise UnitsError(
                "the plain engine is torch in float32 throughout; leave the executor and the arithmetic, or the engine"
            )
        seed = whole_number("seed", seed)
        limit = None if limit is None else whole_number("limit", limit)
        top = None if top is None else whole_number("top", top)
        if not flag("attributes", attributes) and concepts is not None:
            raise UnitsError("alignment with concepts is an attribute, and attributes are left out; measure them, too")
        if batch_size is not None:
            batch_size = whole_number("batch_size", batch_size, least=1)
        if groups and sites is not None:
            raise UnitsError("groups name their sites, and sites are given as well; leave sites")
        intervention = Intervention.of(replacement, basis=basis, groups=groups, draws=draws)
        whole = open_images(images)
        loaded = _loaded(network, whole)
        opened = _reconciled(whole, loaded).limited(limit)
        _refuse_labels(opened, loaded)
        traced = trace(loaded.module, tuple(loaded.preprocessing([opened.first()]).shape[1:]))
        chosen = _of_groups(traced, intervention) if intervention.groups else traced.select(_patterns(sites))
        recorded = sum(int(np.prod(site.shape)) for site in chosen)
        if batch_size is None:
            batch_size = int(np.clip(_RECORDED_BYTES // (4 * recorded), 16, 256))
        if traced.classes != loaded.classes:
            raise UnsupportedNetworkError(
                f"{loaded.name} is said to tell {loaded.classes} classes apart, but answers with {traced.classes} "
                "logits"
            )
        plans = plan(
            traced,
            chosen,
            engine=engine,
            at_filters=intervention.replacement == FILTER,
            interventions=site_interventions(chosen, intervention, seed),
            images=intervention.draws * len(opened),
            executor=executor,
            precision=precision,
        )
        single = all(each.intervention.single for each in plans)
        if concepts is not None and not single:
            raise UnitsError("units are aligned with concepts, and this silences sets of units or directions")
        return cls(
            network=loaded,
            images=opened,
            trace=traced,
            plans=plans,
            engine=engine,
            seed=seed,
            batch_size=batch_size,
            intervention=intervention,
            reference=opened
            if reference is None
            else open_images(reference, on_error=opened.on_error, exif=opened.exif),
            top=_top(top, traced.classes),
            clean=PLAIN
            if engine == "plain"
            else execution_of(executor, len(opened) * (traced.costs.get("", 0) - _RECORDING * recorded)),
            wanted_executor=executor,
            wanted_arithmetic=arithmetic if engine == "exact" else FLOAT32,
            attributes=attributes and single,
            concepts=None
            if concepts is None
            else open_concept_images(concepts, on_error=opened.on_error, exif=opened.exif),
        )

    def run(
        self,
        *,
        device: str = "cpu",
        verify: int = 0,
        out: str | Path | None = None,
        progress: Progress | None = None,
        on: str | None = None,
        workers: int | None = None,
    ) -> Run:
        """Run it; see `ablate` for the arguments.

        Example:
            >>> ablation = Ablation.of(load("small", weights="digits"), "digits", limit=60, sites=["relu3"])
            >>> ablation.pairs, len(ablation.run().units)
            (3840, 64)
        """
        crew = Crew.of(on, workers, device)
        where = device_of(device) if crew is None else crew.device_here()
        verify = min(whole_number("verify", verify), self.pairs)
        progress_function(progress)
        asked = self.on_device(device)
        return recorded(out, lambda place: asked._run(place, where, verify, progress, crew))

    def forecast(self, *, device: str = "cpu") -> Forecast:
        """Try it on a few images and say what time and memory the whole will take."""
        return forecast(self, device=device)

    def _run(self, out: Path, device: torch.device, verify: int, progress: Progress | None, crew: Crew | None) -> Run:
        draft = Draft.open(out, kind="run", request=self.request)
        record = draft.finished()
        inputs = {"network": self.network, "images": self.images, "reference": self.reference}
        if record is not None:
            refuse_other_answers(Run(record), self.trace, self.images, self.network.preprocessing, device)
        if record is not None and not verify:
            return Run(record, reused=True, inputs=inputs)
        started, clock = timestamp(), time.monotonic()
        preprocessing = self.network.preprocessing
        with full_precision():
            plans = with_replacements(
                self.plans, self.intervention, self.trace, self.reference, preprocessing, device, seed=self.seed
            )
            resampling = self.resampling(device) if self.intervention.replacement == RESAMPLE else None
            if record is None:
                shards = Shards(draft)
                try:
                    alignments = alignments_of(self, device)
                    sweep = self.sweep(plans, resampling, device, verify)
                    elsewhere = crew.making(self, plans, sweep.schedule, verify) if crew else None
                    blocks = sweep.run(shards, progress, elsewhere)
                except UnitsError:
                    draft.abandon()
                    raise
                candidates = shards.collected("candidates", blocks).to_pandas()
            else:
                candidates = verification.draw_recorded(Run(record), verify)
            checked = verification.verify(
                self.trace,
                plans,
                candidates,
                self.images,
                preprocessing,
                pairs=verify,
                batch_size=self.batch_size,
                device=device,
                resampling=resampling,
            )
        if record is not None:
            # A record says what was ever checked of it: of each path the largest check.
            known = dict(Run(record).verification)
            most = {path: max(pairs, known.get(path, 0)) for path, pairs in {**known, **checked}.items()}
            return Run(draft.amend({"verification": most}), reused=True, verified=checked, inputs=inputs)
        document = write_tables(self, shards, blocks, device, alignments)
        names = [planned.site.name for planned in plans]
        spent = site_times(names, shards.collected("times", blocks).to_pandas())
        times = {"started": started, "finished": timestamp(), "seconds": round(time.monotonic() - clock, 1)}
        every = {**document, "verification": checked, **times, "site_seconds": spent}
        return Run(draft.finish(every), verified=checked, inputs=inputs)


def ablate(
    network: Network | nn.Module | str,
    images: Source,
    *,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
    on: str | None = None,
    workers: int | None = None,
    **options: Unpack[Options],
) -> Run:
    """Silence every unit of a network, one at a time, and measure what each one costs.

    The output of a unit (a channel of a site's value) becomes 0, or another replacement, and every image is classified
    again: overall and per class, ``drop = before - after``, so bigger means that the unit mattered more (Zhou et al.
    2018, arXiv 1806.02891). Every engine gives the same integers, see `lenslab.units.engine.near_ties`. The network
    itself is copied, never changed.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`).
        images: Labelled images, or where they are (see `lenslab.units.open_images`).
        device: Where to run, in torch's words.
        verify: So many pairs are decided again the plain way, see `lenslab.units.sweep.verification`.
        out: The directory for the record; a temporary one that goes with the result by default. A sweep that was
            stopped there goes on; one that was finished there is only read.
        progress: Is told how far it has come.
        on: Where else the pieces of the work are made: ``"ray"``, ``"HOST:PORT"`` or ``"ray://HOST"``, see
            `lenslab.units.cluster.connection.address_of`. The answer is the same.
        workers: How many processes make them there; by default as many as there is room for.
        options: What is asked: ``sites``, ``replacement``, ``basis``, ``groups``, ``draws``, ``reference``, ``limit``,
            ``top``, ``attributes``, ``concepts``, ``engine``, ``seed``, ``batch_size``, ``executor``,
            ``arithmetic``; each is described at `Ablation.of`.

    Returns:
        The finished run with its tables.

    Raises:
        UnitsError: Anything asked does not exist or does not fit, the network answers NaN, or a verified pair differs.
        RecordsError: ``out`` holds something else.

    Example:
        >>> run = ablate(load("small", weights="digits"), "digits", limit=60, sites=["relu3"])
        >>> len(run.units), run.accuracy > 0.9
        (64, True)
    """
    ablation = Ablation.of(network, images, **options)
    return ablation.run(device=device, verify=verify, out=out, progress=progress, on=on, workers=workers)


def _patterns(sites: Sequence[str | Site] | str | Site | None) -> list[str] | None:
    """Read what chooses sites: globs, or sites as `trace` gives them."""
    if sites is None:
        return None
    asked = [sites] if isinstance(sites, str | Site) or not isinstance(sites, Sequence) else list(sites)
    names = [each.name if isinstance(each, Site) else each for each in asked]
    if not names or not all(isinstance(name, str) for name in names):
        raise UnknownSiteError(f"sites are globs over names, such as ['layer1.*'], not {sites!r:.80}")
    return names


def _of_groups(traced: Trace, intervention: Intervention) -> tuple[Site, ...]:
    """Find the sites that sets of units are given for: each by its own name, for a set is of one site's units."""
    for name in intervention.groups:
        if name not in traced.sites:
            traced.select([name])  # which says what is near
            raise UnknownSiteError(f"{name!r} is no site's own name; sets of units are given for one site by its name")
    return tuple(site for site in traced.sites.values() if site.name in intervention.groups)


def _loaded(network: Network | nn.Module | str, images: Images) -> Network:
    if isinstance(network, Network):
        return network
    if isinstance(network, str):
        return load(network, weights=shipped_weights_for(network, images.name))
    if isinstance(network, nn.Module):
        raise UnitsError(
            f"a bare {type(network).__name__} does not say how its images are prepared; give "
            "units.load(module, mean=..., sd=..., size=...)"
        )
    raise UnitsError(f"a network is a name or what units.load gives, not {network!r:.80}")


def _reconciled(images: Images, network: Network) -> Images:
    try:
        return images.reconciled(network.class_names)
    except LabelError:
        if network.names_are_stated:
            raise
        return images


def _top(top: int | None, classes: int) -> int | None:
    if top is None:
        return _TOP if classes >= _MANY_CLASSES else None
    if top and not 1 < top < classes:
        raise UnitsError(f"the top {top} of {classes} classes says nothing new; give 2 to {classes - 1}, or 0 for none")
    return top or None


def _refuse_labels(images: Images, network: Network) -> None:
    wrong = np.flatnonzero(images.labels >= network.classes)
    if len(wrong):
        first = int(wrong[0])
        raise LabelError(
            f"image {first} of {images.source} has label {images.labels[first]}, but {network.name} has logits for the "
            f"classes 0 to {network.classes - 1} only ({len(wrong)} of {len(images)} images have such labels)"
        )
