"""The record of a run: its tables and its document, from the shards of a finished sweep."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from lenslab.records import machine, versions
from lenslab.runs.attributes.attribute_tables import attribute_table, class_table
from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.profile_sums import ProfileSums
from lenslab.runs.attributes.top_images import TopImages
from lenslab.runs.site_activations import site_activations
from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.drop_prediction import coefficients_table, predictions_table
from lenslab.runs.statistics.image_halves import halves
from lenslab.runs.statistics.observations import Observations, observe
from lenslab.runs.statistics.reliability import reliability_table
from lenslab.runs.statistics.unit_tables import classes_table, units_table
from lenslab.units.engine.execution import FLOAT32, MIXED
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.images import Images
from lenslab.units.profiling.concept_alignment import align_sites
from lenslab.units.profiling.filter_weights import norms_of
from lenslab.units.question import Question
from lenslab.units.site_times import work_of
from lenslab.units.sweep.exemplars import exemplars
from lenslab.units.sweep.schedule import Block
from lenslab.units.sweep.shards import FLIPS, TOP_FLIPS, Shards

LARGE = ("attribute_classes", "flips", "top_flips", "classes")
"""The tables that are written site by site, as those of all sites may not fit into memory together."""

_FEW_IMAGES = 20
_CHANCE = 0.05
"""The p-value above which a network is not seen to do better than naming one class."""


def write_tables(
    question: Question,
    shards: Shards,
    blocks: Sequence[Block],
    device: torch.device,
    alignments: Mapping[str, Alignment],
) -> dict[str, Any]:
    """Write a run's tables from the whole blocks of its sweep, and give what ``record.json`` says about it."""
    draft, names = shards.draft, [planned.site.name for planned in question.plans]
    frame = shards.collected("images", blocks).to_pandas()
    frame.insert(3, "half", halves(frame["label"].to_numpy(), frame["content"].tolist(), seed=question.seed))
    draft.write_table("images", frame)
    draft.write_table("activations", shards.activations(blocks, names))
    skipped = shards.collected("skipped", blocks).to_pandas()
    parts: dict[str, list[pd.DataFrame]] = {}
    strongest: dict[str, TopImages] = {}
    live: dict[str, NDArray[np.bool_]] = {}

    def large() -> Iterator[tuple[str, pd.DataFrame | pa.Table]]:
        """Give the pieces of the tables that grow with the classes or flips of each site, and keep the others."""
        for planned in question.plans:
            for kind, table in _tables(question, shards, blocks, planned, frame, alignments, strongest, live):
                if kind in LARGE:
                    yield kind, table
                else:
                    parts.setdefault(kind, []).append(table)

    draft.write_tables(large())
    for name, pieces in parts.items():
        draft.write_table(name, pd.concat(pieces, ignore_index=True))
    if strongest:
        found = exemplars(
            question.trace,
            strongest,
            live,
            question.images,
            question.network.preprocessing,
            batch_size=question.batch_size,
            device=device,
            execution=question.clean,
        )
        for name, exemplar_table in zip(("exemplars", "thumbnails"), found, strict=True):
            draft.write_table(name, exemplar_table)
    paths, audits = (shards.collected(kind, blocks).to_pandas() for kind in ("paths", "audits"))
    return document(question, frame, skipped, paths, audits)


def _tables(
    question: Question,
    shards: Shards,
    blocks: Sequence[Block],
    planned: Plan,
    images: pd.DataFrame,
    alignments: Mapping[str, Alignment],
    strongest: dict[str, TopImages],
    live: dict[str, NDArray[np.bool_]],
) -> Iterator[tuple[str, pd.DataFrame | pa.Table]]:
    """Compute the tables of one site, and note which images drive its units most and which units are alive."""
    name, classes, seed = planned.site.name, question.trace.classes, question.seed
    activations = site_activations(shards.draft.directory / "activations.parquet", name)
    attributes = _norms(question, planned)
    if question.attributes:
        rows = (row for table in shards.tables("profile", blocks, name) for row in table.to_pylist())
        gathered = functools.reduce(operator.add, map(ProfileSums.from_row, rows))
        profile = gathered.profile(activations, images["label"].to_numpy(np.int64))
        norms = norms_of(question.trace, planned.site)
        attributes = attribute_table(name, profile, norms=norms, alignment=alignments.get(name))
        yield "attribute_classes", class_table(name, profile)
        strongest[name], live[name] = gathered.top_images, ~attributes["dead"].to_numpy()
    flips, top_flips = (_flips(kind, shards, blocks, name) for kind in ("flips", "top_flips" if question.top else None))
    sums = shards.sums(blocks, name, planned.count, classes) if question.arithmetic == FLOAT32 else None
    assert flips is not None  # every run has them
    seen: Observations = observe(flips, images, activations, classes=classes, draws=question.intervention.draws)
    yield "flips", pa.Table.from_pandas(flips, FLIPS, preserve_index=False)
    if top_flips is not None:
        yield "top_flips", pa.Table.from_pandas(top_flips, TOP_FLIPS, preserve_index=False)
    yield "units", units_table(name, seen, attributes, sums=sums, top_flips=top_flips)
    yield "classes", classes_table(name, seen, sums=sums, top_flips=top_flips)
    yield "correlations", correlations_table(name, seen, attributes, seed=seed, sums=sums)
    yield "reliability", reliability_table(name, seen, seed=seed)
    if question.attributes and attributes is not None:
        yield "predictions", predictions_table(name, seen, attributes, seed=seed)
        yield "coefficients", coefficients_table(name, seen, attributes)


def _flips(kind: str | None, shards: Shards, blocks: Sequence[Block], site: str) -> pd.DataFrame | None:
    if kind is None:
        return None
    flips: pd.DataFrame = shards.collected(kind, blocks, site).to_pandas()
    return flips.sort_values(["unit", "image", "draw"], kind="stable", ignore_index=True)


def _norms(question: Question, planned: Plan) -> pd.DataFrame | None:
    """Compute the norms of a site's filters, which need no images; sets and directions have none."""
    if not planned.intervention.single:
        return None
    norms = norms_of(question.trace, planned.site)
    return pd.DataFrame({"unit": range(planned.count), "l1_norm": norms.raw, "l1_norm_folded": norms.folded})


def alignments_of(question: Question, device: torch.device) -> Mapping[str, Alignment]:
    """Align the units of every site with the concepts that were asked for, if any were."""
    if question.concepts is None:
        return {}
    sites, preprocessing = [planned.site for planned in question.plans], question.network.preprocessing
    return align_sites(question.trace, sites, question.concepts, preprocessing, device, batch_size=question.batch_size)


def _audits(audits: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Say by site how far bfloat16 was off, and within which band pairs were decided again in float32."""
    return {
        str(site): {
            "audited": int(rows["pairs"].sum()),
            "failed": int(rows["failed"].sum()),
            "batches": len(rows),
            "batches_in_float32": int(np.isinf(rows["band"]).sum()),
            "largest_error": _largest(rows["error"]),
            "widest_band": _largest(rows["band"]),
        }
        for site, rows in audits.groupby("site", sort=False)
    }


def _largest(values: pd.Series) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else None


def document(
    question: Question, images: pd.DataFrame, skipped: pd.DataFrame, paths: pd.DataFrame, audits: pd.DataFrame
) -> dict[str, Any]:
    """Give what ``record.json`` says of a question and its images.

    Args:
        question: What was asked.
        images: The record's table of images.
        skipped: Those that do not decode, columns ``image, reason``.
        paths: How many pairs of a site were decided how, columns ``site, path, pairs``.
        audits: See `lenslab.units.sweep.shards.AUDITS`.
    """
    network, trace_, opened = question.network, question.trace, question.images
    counts = paths.groupby(["site", "path"])["pairs"].sum()
    return {
        "network": {
            "name": network.name,
            "weights": network.weights.file if network.weights else None,
            "weights_sha256": network.weights.sha256 if network.weights else None,
            "parameters": network.parameters,
            "preprocessing": network.preprocessing.to_json(),
            "output": network.output,
        },
        "images": {
            "name": opened.name,
            "source": opened.source,
            "count": len(images),
            "skipped": [{"image": int(each["image"]), "reason": each["reason"]} for each in skipped.to_dict("records")],
            "sha256": opened.sha256,
            "classes": trace_.classes,
            "class_names": list(opened.class_names or network.class_names or ()) or None,
        },
        "concepts": {
            "source": question.concepts.images.source,
            "images": len(question.concepts.images),
            "names": list(question.concepts.concepts),
        }
        if question.concepts
        else None,
        "accuracy": float((images["label"] == images["prediction"]).mean()),
        "sites": [
            {
                "name": planned.site.name,
                "units": planned.site.units,
                "default": planned.site.default,
                "shape": [*planned.site.shape],
                "path": planned.path,
                "multiply_accumulates": work_of(planned, len(images), question.intervention.draws),
            }
            for planned in question.plans
        ],
        "paths": {
            planned.site.name: {str(path): int(pairs) for path, pairs in counts[planned.site.name].items()}
            for planned in question.plans
        },
        "engine": question.engine,
        "executor": question.executor,
        "arithmetic": question.arithmetic,
        "audits": _audits(audits) if question.arithmetic == MIXED else None,
        "replacement": question.intervention.replacement,
        "basis": question.intervention.basis,
        "draws": question.intervention.draws,
        "top": question.top,
        "seed": question.seed,
        "assumptions": [*question.assumptions, *_left_out(skipped, len(opened)), *_turned(images)],
        "warnings": [*_warnings(trace_, images["label"].nunique(), opened), *_of_chance(images)],
        "versions": versions(),
        "machine": machine(),
    }


def _left_out(skipped: pd.DataFrame, images: int) -> Iterator[str]:
    if len(skipped):
        first = skipped["reason"].iloc[0]
        yield f"{len(skipped)} of {images} images do not decode and are left out; the first: {first}"


def _turned(images: pd.DataFrame) -> Iterator[str]:
    turned = int(images["turned"].sum())
    if turned:
        yield (
            f"{turned} of {len(images)} pictures were turned as their EXIF orientation says; --no-exif leaves them as "
            "their pixels lie"
        )


def _of_chance(images: pd.DataFrame) -> Iterator[str]:
    """Warn where the network does not do what it was trained for: its images or labels may be another's."""
    labels = images["label"]
    right, commonest = int((labels == images["prediction"]).sum()), labels.value_counts(normalize=True).max()
    if len(images) < _FEW_IMAGES or labels.nunique() < 2:
        return
    below = binomtest(right, len(images), commonest, alternative="less").pvalue <= _CHANCE
    if below or binomtest(right, len(images), commonest, alternative="greater").pvalue > _CHANCE:
        how = "is worse than" if below else "cannot be told from"
        yield (
            f"the network is right on {right:,} of {len(images):,} images, which {how} naming the commonest class each "
            f"time ({100 * commonest:.1f} %): see that images, labels and preprocessing are those of its training"
        )


def _warnings(trace_: Trace, shown: int, images: Images) -> list[str]:
    warnings = []
    if trace_.graph is None:
        warnings.append(
            f"torch.fx cannot trace this network ({trace_.obstacle.splitlines()[0]}): hooks are used, "
            "which see what modules put out; sums and functions between modules are no sites"
        )
    if shown < trace_.classes:
        beyond = f" among the first {len(images):,} of {images.whole:,}, in source order,"
        first = beyond if images.whole > len(images) else ""
        warnings.append(f"{trace_.classes - shown} of {trace_.classes} classes have no images{first} and are left out")
    return warnings
