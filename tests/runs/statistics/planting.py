"""Observations with effects that are known because they were planted."""

import numpy as np
import pandas as pd

from lenslab.runs.statistics.observations import Observations, observe


def images_frame(labels, half=None) -> pd.DataFrame:
    """Labelled images; without halves given they alternate within each class."""
    labels = np.asarray(labels)
    if half is None:
        rank = np.zeros(len(labels), int)
        for label in np.unique(labels):
            rank[labels == label] = np.arange((labels == label).sum())
        half = np.where(rank % 2 == 0, "A", "B")
    return pd.DataFrame({"image": np.arange(len(labels), dtype=np.int32), "label": labels, "half": half})


def flips_frame(rows) -> pd.DataFrame:
    """Flips from (unit, image, before, after)."""
    return pd.DataFrame(rows, columns=["unit", "image", "before", "after"]).astype("int32")


def random_observations(random, *, units=6, images=60, classes=4, rate=0.2) -> Observations:
    """Observations in which every answer before and after is drawn by chance."""
    labels = random.integers(0, classes, images)
    before = np.where(random.random(images) < 0.7, labels, random.integers(0, classes, images))
    after = np.where(random.random((units, images)) < rate, random.integers(0, classes, (units, images)), before)
    unit, image = np.nonzero(after != before)
    flips = flips_frame(np.stack([unit, image, before[image], after[unit, image]], axis=1))
    frame = images_frame(labels).assign(prediction=before)
    return observe(flips, frame, random.random((images, units)), classes=classes)


def planted_observations(random, losses, gains, *, per_class, draws=1, alive=True) -> Observations:
    """Observations in which unit u costs a right answer of class k with chance ``losses[u, k]`` and mends a wrong one
    with chance ``gains[u, k]``; nine in ten answers are right before. Draws of one image share its label and no more.
    """
    units, classes = losses.shape
    labels = np.tile(np.arange(classes), per_class)
    right = random.random(len(labels)) < 0.9
    before = np.where(right, labels, (labels + 1) % classes)
    drawn = random.random((draws, units, len(labels)))
    draw, unit, image = np.nonzero(drawn < np.where(right, losses[:, labels], gains[:, labels]))
    after = np.where(right[image], (labels[image] + 1) % classes, labels[image])
    flips = pd.DataFrame({"unit": unit, "image": image, "draw": draw, "before": before[image], "after": after})
    activations = random.random((len(labels), units)) * alive
    return observe(flips, images_frame(labels).assign(prediction=before), activations, classes=classes, draws=draws)


def norm_frame(norm) -> pd.DataFrame:
    """Attributes of which only the L1 norm is known."""
    return pd.DataFrame({"unit": np.arange(len(norm)), "l1_norm": norm})
