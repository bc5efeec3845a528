"""Profiles: the activations and sums of one site, from which every attribute is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import class_means

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """The activations and sums of the units of one site.

    Attributes:
        labels: The class of each image, int64 ``[images]``.
        classes: Number of logits.
        positions: How many positions each unit has; 1 for features.
        activations: The spatial mean of each unit on each image, float32 ``[images, units]``.
        max_activation: See `lenslab.runs.attributes.activation_statistics.max_activation`, ``[units]``.
        apoz: See `lenslab.runs.attributes.activation_statistics.apoz`, ``[units]``.
        feature_map_rank: See `lenslab.runs.attributes.activation_statistics.feature_map_rank`, ``[units]``, over the
            first images; NaN where it was not computed.
        correlations: Pearson's r between each unit's spatial mean and each class's predicted probability,
            ``[units, classes]``; NaN where one is constant.
        products: Value times gradient, see `lenslab.runs.attributes.gradient_scores`, summed over the images of each
            class, ``[units, classes]``; ``None`` without gradients.
        sizes: Its absolute value per image, summed likewise; ``None`` without gradients.
    """

    labels: NDArray[np.int64]
    classes: int
    positions: int
    activations: NDArray[np.float32]
    max_activation: Floats
    apoz: Floats
    feature_map_rank: Floats
    correlations: Floats
    products: Floats | None
    sizes: Floats | None

    @property
    def class_means(self) -> Floats:
        """The mean activation of each unit over the images of each class, ``[units, classes]``; NaN without images."""
        return class_means(self.activations, self.labels, classes=self.classes)

    @property
    def class_images(self) -> NDArray[np.int64]:
        """How many images each class has, ``[classes]``."""
        return np.bincount(self.labels, minlength=self.classes)
