"""From a finished sweep to what the record says: its tables and its document."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import torch

from lenslab.records import Draft, machine, versions
from lenslab.units.attributes import norms
from lenslab.units.engine.trace import Trace
from lenslab.units.question import Question
from lenslab.units.statistics import tables
from lenslab.units.statistics.halves import halves
from lenslab.units.statistics.observations import Observations, observe
from lenslab.units.sweep import collected


def write_findings(question: Question, draft: Draft) -> dict[str, Any]:
    """Write a run's tables from the shards of its sweep.

    Args:
        question: what was asked.
        draft: the record in the making, its sweep finished.

    Returns:
        What ``record.json`` says about network, images, sites and paths.
    """
    per_image = collected(draft, "images")
    frame = per_image.select(["image", "label", "prediction", "content"]).to_pandas()
    frame["half"] = halves(frame["label"].to_numpy(), frame["content"].tolist(), seed=question.seed)
    draft.write_table("images", frame[["image", "label", "prediction", "half", "content"]])
    draft.write_table("activations", per_image.drop_columns(["label", "prediction", "content"]))
    flips = collected(draft, "flips").to_pandas()
    by_site = dict(list(flips.groupby("site")))
    parts: dict[str, list[pd.DataFrame]] = {"flips": [], "units": [], "classes": [], "correlations": []}
    explained: dict[str, list[pd.DataFrame]] = {"reliability": [], "predictions": [], "coefficients": []}
    for planned in question.plans:
        site = planned.site
        ours = by_site.get(site.name, flips.iloc[:0]).sort_values(["unit", "image"], kind="stable")
        activations = per_image.column(site.name).combine_chunks().flatten().to_numpy().reshape(-1, planned.count)
        seen: Observations = observe(ours, frame, activations, classes=question.trace.classes)
        attributes = _attributes(question.trace, site.filters, site.units) if planned.silencing.single else None
        parts["flips"].append(ours)
        parts["units"].append(tables.units_table(site.name, seen, attributes))
        parts["classes"].append(tables.classes_table(site.name, seen))
        parts["correlations"].append(tables.correlations_table(site.name, seen, attributes, seed=question.seed))
        if attributes is not None:
            explained["reliability"].append(tables.reliability_table(site.name, seen, seed=question.seed))
            predicted = tables.predictions_table(site.name, seen, attributes, seed=question.seed)
            explained["predictions"].append(predicted)
            explained["coefficients"].append(tables.coefficients_table(site.name, seen, attributes))
    for name, pieces in (parts | {name: pieces for name, pieces in explained.items() if pieces}).items():
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
        "replacement": question.replacement,
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


def _attributes(trace_: Trace, filters: str | None, units: int) -> pd.DataFrame | None:
    if filters is None:
        return None
    weight = trace_.module.get_submodule(filters).weight
    assert isinstance(weight, torch.Tensor)  # convolutions and linear layers have one
    if len(weight) != units:
        return None
    return pd.DataFrame({"unit": range(units), "l1_norm": norms.l1_norm(weight.detach().cpu().numpy())})
