"""Images that a seed draws: gratings, spots and noise in colours, ten classes that differ in what is drawn and how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASSES = 10


def textures(
    count: int, *, size: tuple[int, int], channels: int, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw labelled images.

    A class has a direction and a wavelength of its grating, a number of spots and a tint, each with some spread, so
    that neighbouring classes are mistaken for one another now and then.

    Args:
        count: how many.
        size: (height, width) in pixels.
        channels: 1 (grey) or 3 (RGB).
        seed: decides everything.

    Returns:
        Pixels ``[count, height, width, channels]`` and labels ``[count]``.

    Example:
        >>> pixels, labels = textures(20, size=(8, 8), channels=3)
        >>> pixels.shape, sorted(set(labels.tolist()))
        ((20, 8, 8, 3), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % CLASSES)
    down, right = np.mgrid[: size[0], : size[1]] / max(size)
    pixels = np.empty((count, *size, channels), np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        angle = np.pi * (label + random.normal(0, 0.4)) / CLASSES
        wave = 2 * np.pi * (2 + label % 3 + random.normal(0, 0.2))
        light = np.sin(wave * (np.cos(angle) * right + np.sin(angle) * down) + random.uniform(0, 2 * np.pi))
        for _ in range(label % 4):
            middle, radius = random.uniform(0, 1, 2), random.uniform(0.05, 0.2)
            light[np.hypot(down - middle[0], right - middle[1]) < radius] = random.choice((-1.5, 1.5))
        tint = 1 + 0.5 * np.sin(label + 2 * np.arange(channels)) + random.normal(0, 0.1, channels)
        drawn = 128 + 50 * light[..., None] * tint + random.normal(0, 12, (*size, channels))
        image[...] = drawn.clip(0, 255)
    return pixels, labels.astype(np.int64)
