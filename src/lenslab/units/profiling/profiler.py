"""The profiler: it passes over images, forward and back, and gathers what every attribute needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.runs.attributes import activation_statistics
from lenslab.runs.attributes.class_correlation import moments
from lenslab.runs.attributes.profile import Profile
from lenslab.runs.attributes.profile_sums import ProfileSums, add_by_site
from lenslab.runs.attributes.top_images import TopImages
from lenslab.units.engine.batch import batches
from lenslab.units.engine.float64_recheck import refuse_not_finite
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.site_intervention import spatial_mean
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError
from lenslab.units.images import Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.gradient_gates import GradientGates

Floats = NDArray[np.float64]

_PIECES = 4
"""A backward pass holds every value of its images, so a batch is passed back in so many pieces."""


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
    """Pass over the images once and gather what every attribute needs, by the names of the sites.

    Memory does not grow with the images, but for the matrix of spatial means. The batch size changes nothing beyond
    the rounding of float32 convolutions and float64 sums; what is read from an order (bins, top images, thresholds)
    moves by one image where rounding swaps two.
    """
    profiler = Profiler(trace, sites, device, gradients=gradients, rank_images=rank_images)
    activations: dict[str, list[NDArray[np.float32]]] = {site.name: [] for site in sites}
    labels: list[NDArray[np.int64]] = []
    gathered: dict[str, ProfileSums] = {}
    for block, batch in batches(images, preprocessing, batch_size, device):
        if not len(batch):
            continue
        found = profiler.gather(batch.inputs, block.labels, block.numbers)
        gathered = add_by_site(gathered, {name: each for name, (each, _) in found.items()})
        for name, (_, means) in found.items():
            activations[name].append(means)
        labels.append(block.labels)
    together = np.concatenate(labels)
    return {name: each.profile(np.concatenate(activations[name]), together) for name, each in gathered.items()}


class Profiler:
    """Gathers what every attribute needs, batch by batch.

    Args:
        gradients: Whether to run each batch backward as well.
        rank_images: The maps' ranks are taken of the images numbered below this.
        exemplars: Of how many images each unit's largest values are kept.
        optional_gradients: Leave the gradient scores out where the network cannot be differentiated, not refuse it.
    """

    def __init__(
        self,
        trace: Trace,
        sites: Sequence[Site],
        device: torch.device,
        *,
        gradients: bool = True,
        rank_images: int = 128,
        exemplars: int = 0,
        optional_gradients: bool = False,
    ) -> None:
        self._sites = {site.name: site for site in sites}
        self._classes = trace.classes
        self._program = trace.program(device)
        self._gates = GradientGates(trace, list(self._sites), device) if gradients else None
        self._rank_images = rank_images
        self._exemplars = exemplars
        self._optional_gradients = optional_gradients

    def gather(
        self, inputs: Tensor, labels: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> dict[str, tuple[ProfileSums, NDArray[np.float32]]]:
        """Pass over one batch; give, by site, what was gathered and the spatial means ``[images, units]``."""
        found: dict[str, tuple[ProfileSums, NDArray[np.float32]]] = {}
        with full_precision():
            with torch.inference_mode():
                golden = self._program.golden(inputs, list(self._sites))
                refuse_not_finite(golden.logits.isfinite().all(dim=1), numbers)
                probabilities = torch.softmax(golden.logits.double(), dim=1).cpu().numpy()
                for name, site in self._sites.items():
                    value = golden.values[name]
                    found[name] = self._forward(site, value, probabilities, numbers), spatial_mean(value)
                logits = golden.logits.clone()
                del golden  # its values and the backward pass need not be in memory together
            try:
                pieces = self._backward(inputs, labels, logits)
            except UnsupportedNetworkError:
                if not self._optional_gradients:
                    raise
                self._gates = pieces = None
        if pieces is None:
            return found
        member = activation_statistics.class_membership(labels, self._classes)
        for name, (gathered, means) in found.items():
            products = np.concatenate(pieces[name])
            sums, sizes = np.asarray(member @ products).T, np.asarray(member @ np.abs(products)).T
            found[name] = replace(gathered, products=sums, sizes=sizes), means
        return found

    def _backward(
        self, inputs: Tensor, labels: NDArray[np.int64], logits: Tensor
    ) -> dict[str, list[NDArray[np.float64]]] | None:
        if self._gates is None:
            return None
        pieces: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self._sites}
        size = max(1, len(inputs) // _PIECES)
        for start in range(0, len(inputs), size):
            some = slice(start, start + size)
            for name, products in self._gates.products(inputs[some], labels[some], logits=logits[some]).items():
                pieces[name].append(products)
        return pieces

    def _forward(self, site: Site, value: Tensor, probabilities: Floats, numbers: NDArray[np.int64]) -> ProfileSums:
        maps = value.cpu().numpy()
        ranked = maps[numbers < self._rank_images]
        ranks = activation_statistics.feature_map_rank(ranked) * len(ranked) if len(ranked) else np.zeros(site.units)
        peaks = maps.reshape(*maps.shape[:2], -1).max(axis=2)
        return ProfileSums(
            positions=int(np.prod(site.shape[1:])),
            count=len(maps),
            maximum=activation_statistics.max_activation(maps),
            zeros=activation_statistics.apoz(maps) * len(maps),
            ranks=ranks,
            ranked=len(ranked),
            moments=moments(spatial_mean(value), probabilities),
            top_images=TopImages.of(peaks, numbers, self._exemplars),
        )
