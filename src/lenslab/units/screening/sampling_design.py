"""The sampling design: which pairs are run, by numbers that belong to each pair for good."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PILOT, MAIN, SECOND_PILOT, PILOT_IMAGES = 0, 1, 2, 3
"""What a number is drawn for; those of different purposes know nothing of each other."""

MOST_PILOT_IMAGES = 1500

FLOOR = 1e-3
"""Variance that every pair is taken to have beside what the model says, so that each may be drawn."""

EVERY = float(1.01 / np.sqrt(FLOOR))
"""The effort with which every pair is run."""

_LITTLE, _HALVINGS = 1e-4, 24


def permanent_numbers(seed: int, purpose: int, site: str, images: Integers, units: int) -> Floats:
    """Draw a number in [0, 1) for every pair of unit and image, ``[images, units]``.

    It depends on the seed, the purpose, the site, the unit and the image's number, and on nothing else. A pair is in
    the sample where its number is below its probability (Poisson sampling with permanent random numbers: Brewer, Early
    and Joyce 1972), so a sample with larger probabilities contains one with smaller ones.

    Example:
        >>> every = permanent_numbers(0, MAIN, "relu", np.arange(3), 2)
        >>> bool((permanent_numbers(0, MAIN, "relu", np.array([2]), 2) == every[2:]).all())
        True
    """
    generator = np.random.default_rng([seed, purpose, zlib.crc32(site.encode())])
    drawn = generator.random((int(images.max()) + 1 if len(images) else 0, units))
    return np.asarray(drawn[images])


def pilot_images(seed: int, images: Integers) -> NDArray[np.bool_]:
    """Draw the few images that a pilot is run on, each of which takes a pass: bool ``[images]``.

    Example:
        >>> pilot_images(0, np.arange(9)).all(), int(pilot_images(0, np.arange(9000)).sum()) == MOST_PILOT_IMAGES
        (np.True_, True)
    """
    order = permanent_numbers(seed, PILOT_IMAGES, "", images, 1)[:, 0].argsort(kind="stable")
    chosen = np.zeros(len(images), np.bool_)
    chosen[order[:MOST_PILOT_IMAGES]] = True
    return chosen


def spread_of(probability: Floats) -> Floats:
    """Give the standard deviation that decides how often a pair is drawn, from how likely its answer is to change.

    Example:
        >>> spread_of(np.array([0.0, 0.5])).round(3).tolist()
        [0.032, 0.501]
    """
    return np.asarray(np.sqrt(probability * (1 - probability) + FLOOR))


def inclusion(spread: Floats, effort: Floats) -> Floats:
    """Give the probability of each pair to be run: proportional to its spread, which is best for a given number.

    The rule is Neyman's, for Poisson sampling: Särndal, Swensson and Wretman 1992, Model Assisted Survey Sampling,
    section 12.2.

    Args:
        spread: Of each pair, see `spread_of`.
        effort: Of the unit of each pair.

    Example:
        >>> inclusion(np.array([0.1, 0.5]), np.array([1.0, 4.0])).tolist()
        [0.1, 1.0]
    """
    return np.minimum(spread * effort, 1.0)


def effort_for(variance: Floats, spread: Floats, unit: Integers, wanted: Floats) -> Floats:
    """Find the effort with which the sum over each unit's pairs is expected to be estimated with some variance.

    Args:
        variance: Of each pair's outcome under the model, ``[pairs]``.
        spread: Of each pair, ``[pairs]``.
        unit: Of each pair, ``[pairs]``.
        wanted: The variance of each unit's estimate, ``[units]``.

    Returns:
        The smallest effort that suffices, ``[units]``.

    Example:
        >>> pairs = np.full(100, 0.25), np.full(100, 0.5), np.zeros(100, dtype=np.int64)
        >>> effort_for(*pairs, np.array([25.0])).round(3).tolist()
        [1.0]
    """
    low, high = np.full(len(wanted), _LITTLE), np.full(len(wanted), EVERY)
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        chance = inclusion(spread, middle[unit])
        reached = np.bincount(unit, variance * (1 - chance) / chance, len(wanted)) <= wanted
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
