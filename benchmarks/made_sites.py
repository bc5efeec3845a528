"""Made-up sites: what a sweep leaves behind of any number of units, classes and images, without a network.

Flips are rare and lie where a sweep finds them: most of them at few units, on the images whose margin is small, and of
the classes that a unit prefers. Attributes go together with the drops and with each other. Some units are dead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.profile import Profile
from lenslab.runs.attributes.weight_norms import WeightNorms
from lenslab.runs.statistics.image_halves import halves
from lenslab.runs.statistics.score_changes import ScoreSums

POSITIONS, CONCEPTS = 49, 20
DEAD, RIGHT = 0.02, 0.76
"""The share of units that are dead, and of images that the network gets right."""


@dataclass(frozen=True)
class MadeImages:
    """Images that a network has classified.

    Attributes:
        table: As a record has it.
        classes: How many classes the network tells apart.
        margin: How far each image is from another class, ``[images]``.
        rival: That class.
    """

    table: pd.DataFrame
    classes: int
    margin: NDArray[np.float64]
    rival: NDArray[np.int64]


@dataclass(frozen=True)
class MadeSite:
    """One site: its flips, its profile, and the sums of its scores.

    Attributes:
        name: Of the site.
        flips: The changed predictions, by unit and image, as a record has them.
        top_flips: The changes among the five largest logits.
        profile: From which its attributes are computed.
        norms: Of its filters.
        alignment: With made-up concepts.
        sums: Of loss, logit and margin.
    """

    name: str
    flips: pd.DataFrame
    top_flips: pd.DataFrame
    profile: Profile
    norms: WeightNorms
    alignment: Alignment
    sums: ScoreSums


def made_images(images: int, classes: int, *, seed: int) -> MadeImages:
    """Label images evenly, and let a network be right about most."""
    random = np.random.default_rng([seed, 0])
    label = random.permutation(np.arange(images) % classes)
    rival = (label + 1 + random.integers(0, max(min(classes - 1, 5), 1), images)) % classes
    right = random.random(images) < RIGHT
    prediction = np.where(right, label, rival)
    content = [f"{number:08d}" for number in range(images)]
    table = pd.DataFrame(
        {
            "image": np.arange(images, dtype=np.int32),
            "label": label.astype(np.int32),
            "prediction": prediction.astype(np.int32),
            "half": halves(label, content, seed=seed),
            "content": content,
        }
    )
    return MadeImages(table, classes, random.exponential(1.0, images), np.where(right, rival, label))


def made_site(name: str, units: int, flips: int, images: MadeImages, *, seed: int) -> MadeSite:
    """Make up a site of so many units with about so many flips."""
    random = np.random.default_rng([seed, 1])
    harm = np.sort(random.pareto(1.2, units) + 0.02)[random.permutation(units)]
    harm = np.minimum(harm, 200 * np.median(harm))
    favourites = random.integers(0, images.classes, (units, 3))
    label = images.table["label"].to_numpy(np.int64)
    pairs = [_pairs(random, harm, favourites, label, images.margin / stretch, flips) for stretch in (1, 1.5)]
    return MadeSite(
        name=name,
        flips=_flips(random, name, pairs[0], images),
        top_flips=_top_flips(random, name, pairs[1], label),
        profile=_profile(random, harm, favourites, label, images.classes),
        norms=WeightNorms(*(np.log1p(harm) + random.gamma(4, 0.5, (2, units)))),
        alignment=Alignment(random.beta(1, 30, (units, CONCEPTS)), np.ones(units)),
        sums=_sums(random, harm, favourites, np.bincount(label, minlength=images.classes)),
    )


def _pairs(
    random: np.random.Generator,
    harm: NDArray[np.float64],
    favourites: NDArray[np.int64],
    label: NDArray[np.int64],
    margin: NDArray[np.float64],
    flips: int,
) -> NDArray[np.int64]:
    """Draw pairs of unit and image, likelier where the unit does harm and the margin is small; ``[2, flips]``."""
    chance = np.exp(-2 * margin)
    unit = random.choice(len(harm), 2 * flips, p=harm / harm.sum())
    image = random.choice(len(label), 2 * flips, p=chance / chance.sum())
    kept = random.random(2 * flips) < np.where((favourites[unit] == label[image][:, None]).any(axis=1), 1.0, 0.6)
    distinct = np.unique(unit[kept] * len(label) + image[kept])
    chosen = np.sort(random.choice(distinct, min(flips, len(distinct)), replace=False))
    return np.stack(np.divmod(chosen, len(label)))


def _flips(random: np.random.Generator, name: str, pairs: NDArray[np.int64], images: MadeImages) -> pd.DataFrame:
    unit, image = pairs
    label, before = (images.table[column].to_numpy(np.int64)[image] for column in ("label", "prediction"))
    anything = (before + 1 + random.integers(0, max(images.classes - 1, 1), len(unit))) % images.classes
    after = np.where(random.random(len(unit)) < 0.7, images.rival[image], anything)
    return _table(name, {"unit": unit, "image": image, "label": label, "before": before, "after": after, "draw": 0})


def _top_flips(
    random: np.random.Generator, name: str, pairs: NDArray[np.int64], label: NDArray[np.int64]
) -> pd.DataFrame:
    unit, image = pairs
    table = _table(name, {"unit": unit, "image": image, "label": label[image], "draw": 0})
    return table.assign(lost=random.random(len(unit)) < 0.7)


def _table(name: str, columns: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame({**columns}).astype(np.int32).assign(site=name)[["site", *columns]]


def _profile(
    random: np.random.Generator,
    harm: NDArray[np.float64],
    favourites: NDArray[np.int64],
    label: NDArray[np.int64],
    classes: int,
) -> Profile:
    units, images = len(harm), len(label)
    activations = random.standard_normal((images, units), dtype=np.float32)
    activations += (np.log1p(harm) / 2 - random.random(units)).astype(np.float32)
    members = [np.flatnonzero(label == each) for each in range(classes)]
    for favourite in favourites.T:
        strength = random.gamma(1, 1.0, units).astype(np.float32)
        for unit in range(units):
            activations[members[favourite[unit]], unit] += strength[unit]
    np.maximum(activations, 0, out=activations)
    activations[:, random.random(units) < DEAD] = 0
    return Profile(
        labels=label,
        classes=classes,
        positions=POSITIONS,
        activations=activations,
        max_activation=activations.max(axis=0).astype(np.float64) * (1 + random.random(units)),
        apoz=(activations[:1000] == 0).mean(axis=0),
        feature_map_rank=random.uniform(1, 7, units),
        correlations=np.clip(random.normal(0, 0.1, (units, classes)), -1, 1),
        products=-random.normal(harm[:, None], 1.0, (units, classes)),
        sizes=random.gamma(1 + harm[:, None], 1.0, (units, classes)),
    )


def _sums(
    random: np.random.Generator, harm: NDArray[np.float64], favourites: NDArray[np.int64], images: NDArray[np.int64]
) -> ScoreSums:
    mean = random.normal(0, 0.01, (3, len(harm), len(images))) + 0.01 * harm[None, :, None]
    for favourite in favourites.T:
        mean[:, np.arange(len(harm)), favourite] += 0.05
    return ScoreSums(mean * images, (mean**2 + random.gamma(2, 0.01, mean.shape)) * images)
