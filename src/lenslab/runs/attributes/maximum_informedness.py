"""Informedness: how well a unit, read as a yes or no by one threshold, detects one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lenslab.runs.attributes.activation_statistics import dead_units, unit_blocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Informedness:
    """Each unit as a detector of the class that it detects best; every array has shape ``[units]``.

    Attributes:
        value: Sensitivity + specificity - 1.
        threshold: The unit says yes where its activation is this or more.
        label: The class; -1 where there is none.
        sensitivity: The share of the class's images that it says yes to (hit rate).
        specificity: The share of the other images that it says no to (1 - false-alarm rate).
    """

    value: Floats
    threshold: Floats
    label: NDArray[np.int64]
    sensitivity: Floats
    specificity: Floats


def maximum_informedness(activations: NDArray[np.floating[Any]], labels: ArrayLike) -> Informedness:
    r"""Find how well one threshold on a unit can tell one class from all other images, at best.

    .. math:: \max_{k, t} \left( TPR_k(t) + TNR_k(t) - 1 \right)

    where a unit says yes if its spatial mean :math:`a_u(x) \geq t` (``[images, units]``): 0 for chance, 1 for a perfect
    detector. Of equal maxima the highest threshold is taken. Source: Gale, Martin, Blything, Nguyen and Bowers 2020
    (arXiv 2007.01062), after Powers 2011. Traps: unlike precision it counts misses and false alarms alike, and so says
    little about the precision at its threshold where a class is rare. Being a maximum over thresholds and classes it is
    above 0 for noise: it is about 1/sqrt(images of a class) there.

    Returns:
        Constant units have value 0, and no threshold (NaN) and class (-1); with a single class every value is NaN.

    Example:
        >>> found = maximum_informedness(np.array([[9.0], [7.0], [8.0], [1.0]]), [0, 0, 1, 1])
        >>> found.value.tolist(), found.threshold.tolist(), found.label.tolist()
        ([0.5], [9.0], [0])
    """
    labels = np.asarray(labels, dtype=np.int64)
    present, numbers, images = np.unique(labels, return_inverse=True, return_counts=True)
    units = activations.shape[1]
    found = np.full((4, units), np.nan)
    label = np.full(units, -1, dtype=np.int64)
    if len(present) < 2:
        return Informedness(found[0], found[1], label, found[2], found[3])
    constant = dead_units(activations)
    found[0, constant] = 0
    # Integers of 16 bits or less are sorted in linear time.
    small = numbers.astype(np.min_scalar_type(len(present)))
    for block, rows in unit_blocks(activations):
        for unit in block.start + np.flatnonzero(~constant[block]):
            best, figures = _best(rows[unit - block.start], small, images)
            found[:, unit], label[unit] = figures, present[best]
    return Informedness(found[0], found[1], label, found[2], found[3])


def _best(
    activations: NDArray[np.floating[Any]], labels: NDArray[np.unsignedinteger[Any]], images: NDArray[np.intp]
) -> tuple[int, tuple[float, float, float, float]]:
    """Try every image's own activation and class: a threshold pays only where it takes in one more of its class."""
    order = np.argsort(-activations)
    values = activations[order]
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)  # the last of each run of equals
    run = np.diff(ends, prepend=-1)
    # Images that tie come in their order; so sorting twice is faster than one stable sort.
    tied = np.repeat(np.arange(len(run)) * len(order), run)
    own = labels[np.sort(tied + order) - tied]
    taken_in = np.repeat(ends + 1, run)
    by_class = np.argsort(own, kind="stable")
    hits = np.empty(len(own), dtype=np.int64)
    # Of several of a class that tie, the last one counts them all, and so has the largest value.
    hits[by_class] = np.arange(1, len(own) + 1) - np.repeat(np.cumsum(images) - images, images)
    sensitivity = hits / images[own]
    alarms = (taken_in - hits) / (len(own) - images[own])
    best = int(np.argmax(sensitivity - alarms))
    value = float(sensitivity[best] - alarms[best])
    return int(own[best]), (value, float(values[best]), float(sensitivity[best]), float(1 - alarms[best]))
