"""The profiler: it gathers what every attribute needs from the clean passes over images, and from passes back."""

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
from lenslab.units.engine.program import Golden
from lenslab.units.engine.site_intervention import spatial_mean
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnsupportedNetworkError
from lenslab.units.images import Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.gradient_gates import GradientGates

Floats = NDArray[np.float64]


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
    names = [site.name for site in sites]
    program = trace.program(device, fast=True)
    profiler = Profiler(trace, sites, device, gradients=gradients, rank_images=rank_images)
    activations: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    labels: list[NDArray[np.int64]] = []
    gathered: dict[str, ProfileSums] = {}
    for block, batch in batches(images, preprocessing, batch_size, device):
        if not len(batch):
            continue
        with full_precision(), torch.inference_mode():
            golden = program.golden(batch.inputs, names)
        found = profiler.gather(golden, block.labels, block.numbers)
        gathered = add_by_site(gathered, found)
        for name in names:
            activations[name].append(spatial_mean(golden.values[name]))
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
        self._gates = GradientGates(trace, list(self._sites), device) if gradients else None
        self._rank_images = rank_images
        self._exemplars = exemplars
        self._optional_gradients = optional_gradients

    def gather(self, golden: Golden, labels: NDArray[np.int64], numbers: NDArray[np.int64]) -> dict[str, ProfileSums]:
        """Gather, by site, what the clean pass over a batch of images tells, and a pass back from its logits."""
        refuse_not_finite(golden.logits.isfinite().all(dim=1), numbers)
        with full_precision():
            with torch.inference_mode():
                probabilities = torch.softmax(golden.logits.double(), dim=1).cpu().numpy()
                found = {
                    name: self._forward(site, golden.values[name], probabilities, numbers)
                    for name, site in self._sites.items()
                }
            products = self._products(golden, labels)
        if products is None:
            return found
        member = activation_statistics.class_membership(labels, self._classes)
        for name, each in products.items():
            sums, sizes = np.asarray(member @ each).T, np.asarray(member @ np.abs(each)).T
            found[name] = replace(found[name], products=sums, sizes=sizes)
        return found

    def _products(self, golden: Golden, labels: NDArray[np.int64]) -> dict[str, Floats] | None:
        if self._gates is None:
            return None
        try:
            return self._gates.products(golden, labels)
        except UnsupportedNetworkError:
            if not self._optional_gradients:
                raise
            self._gates = None
            return None

    def _forward(self, site: Site, value: Tensor, probabilities: Floats, numbers: NDArray[np.int64]) -> ProfileSums:
        maps = value.cpu().numpy()
        ranked = maps[numbers < self._rank_images]
        ranks = activation_statistics.feature_map_rank(ranked) * len(ranked) if len(ranked) else np.zeros(site.units)
        peaks = (value if value.dim() == 2 else value.amax(dim=tuple(range(2, value.dim())))).cpu().numpy()
        return ProfileSums(
            positions=int(np.prod(site.shape[1:])),
            count=len(maps),
            maximum=activation_statistics.max_activation(peaks),
            zeros=activation_statistics.apoz(maps) * len(maps),
            ranks=ranks,
            ranked=len(ranked),
            moments=moments(spatial_mean(value), probabilities),
            top_images=TopImages.of(peaks, numbers, self._exemplars),
        )
