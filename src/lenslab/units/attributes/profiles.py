"""Profiles: what one pass over the images gathers about the units of each site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from lenslab.units.attributes import activity
from lenslab.units.attributes.gates import Gates
from lenslab.units.attributes.moments import Moments, moments
from lenslab.units.engine.precision import full_precision
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import NotFiniteError
from lenslab.units.images import Images
from lenslab.units.preprocessing import Preprocessing

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """What was gathered about the units of one site.

    Attributes:
        labels: the class of each image, int64 ``[images]``.
        classes: number of logits.
        positions: how many positions each unit has; 1 for features.
        activations: the spatial mean of each unit on each image, float32 ``[images, units]``.
        max_activation: see `lenslab.units.attributes.activity.max_activation`, ``[units]``.
        apoz: see `lenslab.units.attributes.activity.apoz`, ``[units]``.
        feature_map_rank: see `lenslab.units.attributes.activity.feature_map_rank`, ``[units]``, over the first images;
            NaN where none were asked for.
        correlations: Pearson's r between each unit's spatial mean and each class's predicted probability,
            ``[units, classes]``; NaN where one is constant.
        products: value times gradient, see `lenslab.units.attributes.sensitivity`, summed over the images of each
            class, ``[units, classes]``; ``None`` without gradients.
        sizes: its absolute value per image, summed likewise; ``None`` without gradients.
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
        return activity.class_means(self.activations, self.labels, classes=self.classes)

    @property
    def class_images(self) -> NDArray[np.int64]:
        """How many images each class has, ``[classes]``."""
        return np.bincount(self.labels, minlength=self.classes)


def profile(
    trace: Trace,
    sites: Sequence[Site],
    images: Images,
    preprocessing: Preprocessing,
    *,
    batch_size: int,
    device: torch.device,
    gradients: bool = True,
    rank_images: int = 128,
) -> dict[str, Profile]:
    """Pass over the images once and gather what every attribute needs.

    Memory does not grow with the images, but for the matrix of spatial means. The batch size changes nothing beyond
    the rounding of float32 convolutions and float64 sums; what is read from an order (bins, top images, thresholds)
    moves by one image where rounding swaps two.

    Args:
        trace: the network seen from inside.
        sites: the chosen sites.
        images: labelled images; labels are below the number of logits.
        preprocessing: from pixels to the network's input.
        batch_size: images per batch.
        device: where to run.
        gradients: whether to run each batch backward as well.
        rank_images: of how many images, from the first, the maps' ranks are averaged; each takes a singular value
            decomposition per unit. 0 leaves them out.

    Returns:
        A profile for each site's name.

    Raises:
        NotFiniteError: the network answers NaN or infinity.
        UnsupportedNetworkError: it cannot be differentiated, see `lenslab.units.attributes.gates`.
        UndecodableImageError: an image does not decode.

    Example:
        >>> from lenslab.units import load, open_images, select, trace
        >>> network, images = load("small", weights="digits"), open_images("digits").limited(20)
        >>> traced = trace(network.module, (1, 8, 8))
        >>> sites = select(traced.sites.values(), ["relu3"])
        >>> found = profile(traced, sites, images, network.preprocessing, batch_size=8, device=torch.device("cpu"))
        >>> found["relu3"].activations.shape, found["relu3"].correlations.shape
        ((20, 64), (64, 10))
    """
    names = [site.name for site in sites]
    gathering = {site.name: _Gathering(site, len(images), trace.classes) for site in sites}
    program = trace.program(device)
    gates = Gates(trace, names, device) if gradients else None
    with full_precision():
        for block in images.blocks(batch_size):
            inputs = preprocessing(block.pixels).to(device)
            with torch.inference_mode():
                golden = program.golden(inputs, names)
                _refuse_not_finite(golden.logits, block.start)
                probabilities = torch.softmax(golden.logits.double(), dim=1).cpu().numpy()
                for name in names:
                    gathering[name].add(block.start, golden.values[name], probabilities, rank_images)
                logits = golden.logits.clone()
                del golden  # its values and the backward pass need not be in memory together
            if gates is not None:
                for name, products in gates.products(inputs, block.labels, logits=logits).items():
                    gathering[name].add_products(products, block.labels)
    return {name: gathered.profile(images.labels) for name, gathered in gathering.items()}


@dataclass
class _Gathering:
    """A profile in the making."""

    site: Site
    images: int
    classes: int
    seen: int = 0
    ranked: int = 0
    correlated: Moments | None = None
    products: Floats | None = None
    sizes: Floats | None = None
    activations: NDArray[np.float32] = field(init=False)
    maximum: Floats = field(init=False)
    zeros: Floats = field(init=False)
    ranks: Floats = field(init=False)

    def __post_init__(self) -> None:
        units = self.site.units
        self.activations = np.empty((self.images, units), dtype=np.float32)
        self.maximum = np.full(units, -np.inf)
        self.zeros, self.ranks = np.zeros(units), np.zeros(units)

    def add(self, start: int, value: torch.Tensor, probabilities: Floats, rank_images: int) -> None:
        """Take in a batch's values."""
        means, maps = _spatial_mean(value), value.cpu().numpy()
        batch = moments(means, probabilities)
        self.activations[start : start + len(means)] = means
        self.correlated = batch if self.correlated is None else self.correlated + batch
        self.maximum = np.maximum(self.maximum, activity.max_activation(maps))
        self.zeros += activity.apoz(maps) * len(maps)
        ranked = maps[: max(0, rank_images - start)]
        if len(ranked):
            self.ranks += activity.feature_map_rank(ranked) * len(ranked)
            self.ranked += len(ranked)
        self.seen += len(maps)

    def add_products(self, products: Floats, labels: NDArray[np.int64]) -> None:
        """Take in a batch's products of value and gradient."""
        if self.products is None or self.sizes is None:
            self.products, self.sizes = (np.zeros((self.site.units, self.classes)) for _ in range(2))
        member = activity.membership(labels, self.classes)
        self.products += np.asarray(member @ products).T
        self.sizes += np.asarray(member @ np.abs(products)).T

    def profile(self, labels: NDArray[np.int64]) -> Profile:
        """Finish."""
        assert self.correlated is not None  # images are never none
        return Profile(
            labels=labels,
            classes=self.classes,
            positions=int(np.prod(self.site.shape[1:])),
            activations=self.activations,
            max_activation=self.maximum,
            apoz=self.zeros / self.seen,
            feature_map_rank=self.ranks / self.ranked if self.ranked else np.full(self.site.units, np.nan),
            correlations=self.correlated.correlations(),
            products=self.products,
            sizes=self.sizes,
        )


def _spatial_mean(value: torch.Tensor) -> NDArray[np.float32]:
    means: NDArray[np.float32] = (value if value.dim() == 2 else value.flatten(2).mean(dim=2)).float().cpu().numpy()
    return means


def _refuse_not_finite(logits: torch.Tensor, first: int) -> None:
    broken = (~torch.isfinite(logits).all(dim=1)).nonzero().flatten().tolist()
    if broken:
        raise NotFiniteError(
            f"the network answers NaN or infinity to image {first + broken[0]}; check it or its weights"
        )
