"""Runs with effects that are known because they were planted: records as an ablation leaves them, without a network."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lenslab.records import Draft
from lenslab.runs import Run
from lenslab.runs.statistics.image_halves import halves
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.unit_tables import units_table


@dataclass(frozen=True)
class Planted:
    """One site.

    Attributes:
        losses: The chance that unit u costs an image of class k its correct answer, shape ``[units, classes]``.
        gains: The chance that it corrects a wrong one, over the wrong ones, same shape.
        activations: The mean activation of each unit on each class, same shape.
        l1_norm: Of each unit.
    """

    losses: np.ndarray
    gains: np.ndarray
    activations: np.ndarray
    l1_norm: np.ndarray | None


def idle(units: int, classes: int, *, seed: int = 0) -> Planted:
    """Units that are alive and do nothing."""
    random = np.random.default_rng(seed)
    nothing = np.zeros((units, classes))
    return Planted(nothing, nothing, random.uniform(1, 2, (units, classes)), random.uniform(1, 2, units))


def wired(units: int, classes: int, drop: float | np.ndarray, *, seed: int = 0) -> Planted:
    """Units of which each costs one class ``drop`` of its images, and nothing else."""
    random = np.random.default_rng(seed)
    losses = np.zeros((units, classes))
    losses[np.arange(units), np.arange(units) % classes] = drop
    alive = random.uniform(1, 2, (units, classes))
    return Planted(losses, np.zeros((units, classes)), alive, random.uniform(1, 2, units))


def make_run(
    directory: Path, sites: dict[str, Planted], *, per_class: int, seed: int = 0, name: str = "planted"
) -> Run:
    """Draw images and flips, and leave a run."""
    random = np.random.default_rng(seed)
    classes = next(iter(sites.values())).losses.shape[1]
    labels = np.tile(np.arange(classes), per_class)
    count = len(labels)
    correct = random.random(count) < 0.9
    before = np.where(correct, labels, (labels + 1) % classes)
    contents = [f"image {number}" for number in range(count)]
    images = pd.DataFrame({"image": np.arange(count, dtype=np.int32), "label": labels, "prediction": before})
    images = images.assign(half=halves(labels, contents, seed=seed), content=contents)
    activations = {"image": pa.array(images["image"])}
    flips, units = [], []
    for site, planted in sites.items():
        drawn = random.random((len(planted.losses), count))
        changed = np.where(correct, drawn < planted.losses[:, labels] / 0.9, drawn < planted.gains[:, labels])
        unit, image = np.nonzero(changed)
        after = np.where(correct[image], (labels[image] + 1) % classes, labels[image])
        ours = pd.DataFrame({"site": site, "unit": unit, "image": image, "label": labels[image]})
        ours = ours.assign(before=before[image], after=after)
        values = planted.activations[:, labels].T * random.gamma(4, 0.25, (count, len(planted.losses)))
        values = values.astype(np.float32)
        flat = pa.array(values.ravel(), pa.float32())
        activations[site] = pa.FixedSizeListArray.from_arrays(flat, len(planted.losses))
        flips.append(ours)
        norm = None if planted.l1_norm is None else pd.DataFrame({"l1_norm": planted.l1_norm}).rename_axis("unit")
        units.append(
            units_table(
                site, observe(ours, images, values, classes=classes), None if norm is None else norm.reset_index()
            )
        )
    draft = Draft.open(directory, kind="run", request={"planted": name, "seed": seed, "sites": list(sites)})
    draft.write_table("images", images)
    draft.write_table("activations", pa.table(activations))
    draft.write_table("flips", pd.concat(flips, ignore_index=True))
    draft.write_table("units", pd.concat(units, ignore_index=True))
    record = draft.finish(
        {
            "network": {"name": "planted", "weights_sha256": None, "parameters": 0, "preprocessing": {}},
            "images": {
                "name": name,
                "source": name,
                "count": count,
                "sha256": "0",
                "classes": classes,
                "class_names": None,
            },
            "accuracy": float(correct.mean()),
            "sites": [
                {"name": site, "units": len(planted.losses), "default": True, "shape": [], "path": "suffix"}
                for site, planted in sites.items()
            ],
            "seed": seed,
            "replacement": "zero",
            "warnings": [],
        }
    )
    return Run(record)
