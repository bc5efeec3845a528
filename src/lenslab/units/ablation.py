"""Ablating a network: the question, the sweep, the tables, the record."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import nn

from lenslab import __version__
from lenslab.records import Draft, Record, key_of, machine, timestamp, versions
from lenslab.units import verification
from lenslab.units.engine.plan import Plan, plan
from lenslab.units.engine.precision import full_precision
from lenslab.units.engine.replacement import ZERO
from lenslab.units.engine.sites import select
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import LabelError, UnitsError
from lenslab.units.images import Images, Source, open_images
from lenslab.units.networks import Network, load
from lenslab.units.statistics import attributes, tables
from lenslab.units.statistics.halves import halves
from lenslab.units.statistics.observations import Observations, observe
from lenslab.units.sweep import ENGINES, Progress, collected, sweep

_RECORDED_BYTES = 1 << 28
"""What the values recorded in one golden pass may take; it decides the batch size."""


@dataclass(frozen=True)
class Run:
    """A finished ablation.

    Attributes:
        record: what it left behind; `Record.table` gives its tables.
        reused: whether the same question had been answered in this directory before.
    """

    record: Record
    reused: bool = False

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
        """One row per site, attribute and measure: Spearman's correlation over the site's live units."""
        return self.record.table("correlations")


@dataclass(frozen=True)
class Question:
    """An ablation before it runs: what is asked, and how it would be answered.

    Attributes:
        network: the network.
        images: the images, limited as asked.
        trace: the network seen from inside.
        plans: one per chosen site.
        engine: ``"exact"`` or ``"plain"``.
        seed: decides the halves, the bootstrap and which pairs are verified.
        batch_size: images per batch; it decides no integer.
    """

    network: Network
    images: Images
    trace: Trace
    plans: tuple[Plan, ...]
    engine: str
    seed: int
    batch_size: int

    @property
    def request(self) -> dict[str, Any]:
        """Everything that decides a number; its hash is the record's key."""
        return {
            "lenslab": __version__,
            "network": self.network.name,
            "architecture_sha256": _hash_of_architecture(self.trace),
            "weights_sha256": _hash_of_weights(self.trace.module),
            "preprocessing": self.network.preprocessing.to_json(),
            "images_sha256": self.images.sha256,
            "count": len(self.images),
            "sites": [plan.site.name for plan in self.plans],
            "replacement": ZERO,
            "engine": self.engine,
            "seed": self.seed,
        }

    @property
    def key(self) -> str:
        """The key of the record that answers it."""
        return key_of("run", self.request)

    @property
    def units(self) -> int:
        """How many units are silenced, over all sites."""
        return sum(plan.site.units for plan in self.plans)

    @property
    def cost(self) -> int | None:
        """Multiply-accumulates that the plans need at most, one golden pass per image included."""
        whole = self.trace.costs.get("")
        if whole is None:
            return None
        return len(self.images) * (whole + sum(plan.site.units * (plan.cost or 0) for plan in self.plans))


def ask(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    engine: str = "exact",
    limit: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Question:
    """Put an ablation together without running it: what a dry run shows.

    Args:
        network: a network, or the name of one (see `lenslab.units.load`).
        images: labelled images, or where they are (see `lenslab.units.open_images`).
        sites: globs over the names of sites; by default the value that each convolution hands on.
        engine: ``"exact"``, or ``"plain"`` for the reference that runs the whole network for every unit.
        limit: only the first so many images.
        seed: decides the halves, the bootstrap and which pairs are verified.
        batch_size: images per batch; by default what fits a quarter of a GiB of recorded values.

    Raises:
        UnitsError: anything asked does not exist or does not fit; the message says what.

    Example:
        >>> question = ask(load("small", weights="digits"), "digits", limit=50)
        >>> [(plan.site.name, plan.site.units, plan.path) for plan in question.plans]
        [('relu1', 32, 'suffix'), ('relu2', 64, 'suffix'), ('relu3', 64, 'linear tail')]
    """
    if engine not in ENGINES:
        raise UnitsError(f"no engine named {engine!r}; there are {', '.join(ENGINES)}")
    if batch_size is not None and batch_size < 1:
        raise UnitsError(f"a batch of {batch_size} images is empty; give --batch-size 1 or more")
    network = load(network) if isinstance(network, str) else network
    opened = open_images(images).limited(limit)
    _refuse_labels(opened, network)
    traced = trace(network.module, _input_shape(network, opened))
    chosen = select(traced.sites.values(), sites)
    if batch_size is None:
        recorded = 4 * sum(int(np.prod(site.shape)) for site in chosen)
        batch_size = int(np.clip(_RECORDED_BYTES // recorded, 16, 256))
    return Question(network, opened, traced, plan(traced, chosen, engine=engine), engine, seed, batch_size)


def ablate(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    engine: str = "exact",
    limit: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Silence every unit of a network, one at a time, and measure what each one costs.

    The output of a unit (a channel of a site's value) becomes 0 and every image is classified again: overall and per
    class, ``drop = before - after``, so bigger means that the unit mattered more (Zhou et al. 2018, arXiv 1806.02891).
    Every engine gives the same integers, see `lenslab.units.engine.decision`. The network itself is copied, never
    changed.

    Args:
        network: a network, or the name of one (see `lenslab.units.load`).
        images: labelled images, or where they are (see `lenslab.units.open_images`).
        sites: globs over the names of sites; by default the value that each convolution hands on.
        engine: ``"exact"``, or ``"plain"`` for the reference that runs the whole network for every unit.
        limit: only the first so many images.
        seed: decides the halves, the bootstrap and which pairs are verified.
        batch_size: images per batch; it decides no integer.
        device: where to run, in torch's words.
        verify: so many pairs are done again the plain way, see `lenslab.units.verification`.
        out: the directory for the record; a temporary one that goes with the result by default. A sweep that was
            stopped there goes on; one that was finished there is only read.
        progress: is told how far it has come.

    Returns:
        The finished run with its tables.

    Raises:
        UnitsError: anything asked does not exist or does not fit, the network answers NaN, or a verified pair differs.
        RecordsError: ``out`` holds something else.

    Example:
        >>> run = ablate(load("small", weights="digits"), "digits", limit=60, sites=["relu3"])
        >>> len(run.units), run.accuracy > 0.9
        (64, True)
    """
    question = ask(network, images, sites=sites, engine=engine, limit=limit, seed=seed, batch_size=batch_size)
    return answer(question, device=device, verify=verify, out=out, progress=progress)


def answer(
    question: Question,
    *,
    device: str = "cpu",
    verify: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run what was asked; see `ablate` for the arguments."""
    where = _device(device)
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
    if record is not None:
        return Run(record, reused=True)
    started, clock = timestamp(), time.monotonic()
    with full_precision():
        sweep(
            question.trace,
            question.plans,
            question.images,
            question.network.preprocessing,
            draft,
            engine=question.engine,
            batch_size=question.batch_size,
            device=device,
            candidates=verify,
            seed=question.seed,
            progress=progress,
        )
        checked = verification.verify(
            question.trace,
            collected(draft, "candidates").to_pandas(),
            question.images,
            question.network.preprocessing,
            pairs=verify,
            batch_size=question.batch_size,
            device=device,
        )
    document = _write_tables(question, draft)
    times = {"started": started, "finished": timestamp(), "seconds": round(time.monotonic() - clock, 1)}
    return Run(draft.finish({**document, "verification": checked, **times}))


def _write_tables(question: Question, draft: Draft) -> dict[str, Any]:
    per_image = collected(draft, "images")
    frame = per_image.select(["image", "label", "prediction", "content"]).to_pandas()
    frame["half"] = halves(frame["label"].to_numpy(), frame["content"].tolist(), seed=question.seed)
    draft.write_table("images", frame[["image", "label", "prediction", "half", "content"]])
    draft.write_table("activations", per_image.drop_columns(["label", "prediction", "content"]))
    flips = collected(draft, "flips").to_pandas()
    by_site = dict(list(flips.groupby("site")))
    parts: dict[str, list[pd.DataFrame]] = {"flips": [], "units": [], "classes": [], "correlations": []}
    for planned in question.plans:
        site = planned.site
        ours = by_site.get(site.name, flips.iloc[:0]).sort_values(["unit", "image"], kind="stable")
        activations = per_image.column(site.name).combine_chunks().flatten().to_numpy().reshape(-1, site.units)
        seen: Observations = observe(ours, frame, activations, classes=question.trace.classes)
        norm = _l1_norm(question.trace, site.filters, site.units)
        parts["flips"].append(ours)
        parts["units"].append(tables.units_table(site.name, seen, norm))
        parts["classes"].append(tables.classes_table(site.name, seen))
        parts["correlations"].append(tables.correlations_table(site.name, seen, norm, seed=question.seed))
    for name, pieces in parts.items():
        draft.write_table(name, pa.Table.from_pandas(pd.concat(pieces, ignore_index=True), preserve_index=False))
    return _document(question, frame, collected(draft, "paths").to_pandas())


def _document(question: Question, images: pd.DataFrame, paths: pd.DataFrame) -> dict[str, Any]:
    network, trace_, opened = question.network, question.trace, question.images
    counts = paths.groupby(["site", "path"])["pairs"].sum()
    missing = trace_.classes - images["label"].nunique()
    return {
        "network": {
            "name": network.name,
            "weights": network.weights.file if network.weights else None,
            "weights_sha256": network.weights.sha256 if network.weights else None,
            "parameters": network.parameters,
            "preprocessing": network.preprocessing.to_json(),
        },
        "images": {
            "name": opened.name,
            "source": opened.source,
            "count": len(opened),
            "sha256": opened.sha256,
            "classes": trace_.classes,
            "class_names": list(opened.class_names or network.class_names or ()) or None,
        },
        "accuracy": float((images["label"] == images["prediction"]).mean()),
        "sites": [
            {
                "name": planned.site.name,
                "units": planned.site.units,
                "default": planned.site.default,
                "shape": list(planned.site.shape),
                "path": planned.path,
            }
            for planned in question.plans
        ],
        "paths": {
            planned.site.name: {str(path): int(pairs) for path, pairs in counts[planned.site.name].items()}
            for planned in question.plans
        },
        "engine": question.engine,
        "replacement": ZERO,
        "seed": question.seed,
        "warnings": [*_hook_warning(trace_), *_class_warning(missing, trace_.classes)],
        "versions": versions(),
        "machine": machine(),
    }


def _hook_warning(trace_: Trace) -> list[str]:
    if trace_.graph is not None:
        return []
    return [
        f"torch.fx cannot trace this network ({trace_.obstacle.splitlines()[0]}): hooks are used, "
        "which see what modules put out; sums and functions between modules are no sites"
    ]


def _class_warning(missing: int, classes: int) -> list[str]:
    return [f"{missing} of {classes} classes have no images and are left out"] if missing else []


def _l1_norm(trace_: Trace, filters: str | None, units: int) -> NDArray[np.float64] | None:
    if filters is None:
        return None
    weight = trace_.module.get_submodule(filters).weight
    assert isinstance(weight, torch.Tensor)  # convolutions and linear layers have one
    return attributes.l1_norm(weight.detach().cpu().numpy()) if len(weight) == units else None


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        reason = str(error).splitlines()[0]
        raise UnitsError(f"no device {name!r} here ({reason}); cpu is always there") from error
    return device


def _input_shape(network: Network, images: Images) -> tuple[int, ...]:
    first = next(images.blocks(1))
    return tuple(network.preprocessing(first.pixels).shape[1:])


def _refuse_labels(images: Images, network: Network) -> None:
    wrong = np.flatnonzero(images.labels >= network.classes)
    if len(wrong):
        first = int(wrong[0])
        raise LabelError(
            f"image {first} of {images.source} has label {images.labels[first]}, but {network.name} has logits for the "
            f"classes 0 to {network.classes - 1} only ({len(wrong)} of {len(images)} images have such labels)"
        )


def _hash_of_weights(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().float().numpy()).tobytes())
    return digest.hexdigest()


def _hash_of_architecture(trace_: Trace) -> str:
    code = trace_.graph.module.code if trace_.graph is not None else ""
    return hashlib.sha256(f"{trace_.module!r}\n{code}".encode()).hexdigest()
