"""Measuring attributes and concept alignment: from a network and images to a table, without silencing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lenslab.runs.arguments import whole_number
from lenslab.runs.attributes.attribute_tables import attribute_table, class_table
from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.profile import Profile
from lenslab.units.ablation import Ablation
from lenslab.units.engine.device import device_of
from lenslab.units.errors import UnknownSiteError
from lenslab.units.images import Source
from lenslab.units.images.concept_masks import ConceptImages, open_concept_images
from lenslab.units.networks import Network
from lenslab.units.profiling.concept_alignment import align_sites
from lenslab.units.profiling.filter_weights import norms_of
from lenslab.units.profiling.profiler import profile
from lenslab.units.question import Question


def measure_attributes(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
    device: str = "cpu",
    gradients: bool = True,
    rank_images: int = 128,
    bins: int = 10,
    top: int = 100,
    alignments: Mapping[str, Alignment] | None = None,
) -> pd.DataFrame:
    """Measure every attribute of a network's units.

    Compare attributes within a site and not across sites: most scale with the layer. The network is copied, never
    changed.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`).
        images: Labelled images, or where they are (see `lenslab.units.open_images`).
        sites: Globs over the names of sites; by default the value that each convolution hands on.
        limit: Only the first so many images.
        batch_size: Images per batch; see `lenslab.units.profiling.profiler.profile` for what it changes.
        device: Where to run, in torch's words.
        gradients: Whether to measure the gradient scores, which takes a backward pass.
        rank_images: Over how many images the rank of maps is averaged; 0 leaves it out.
        bins: Of the mutual information.
        top: How many images the precision looks at.
        alignments: With concepts, for every chosen site, as `align_concepts` gives them; they add two columns.

    Returns:
        The rows of `attribute_table` for every chosen site, in the order of execution.

    Raises:
        UnitsError: Anything asked does not exist or does not fit; the message says what.

    Example:
        >>> from lenslab.units import load
        >>> found = measure_attributes(load("small", weights="digits"), "digits", sites=["relu3"], limit=50)
        >>> len(found), bool(found["class_selectivity"].between(0, 1).all())
        (64, True)
    """
    bins, top = whole_number("bins", bins, least=1), whole_number("top", top, least=1)
    rank_images = whole_number("rank_images", rank_images)
    question = Ablation.of(network, images, sites=sites, limit=limit, batch_size=batch_size)
    missing = [plan.site.name for plan in question.plans if alignments is not None and plan.site.name not in alignments]
    if missing:
        raise UnknownSiteError(
            f"no alignment was given for {', '.join(missing)}; measure it with align_concepts(..., sites=...)"
        )
    profiles = _profiles(question, device, gradients=gradients, rank_images=rank_images)
    tables = [
        attribute_table(
            plan.site.name,
            profiles[plan.site.name],
            norms=norms_of(question.trace, plan.site),
            alignment=None if alignments is None else alignments[plan.site.name],
            bins=bins,
            top=top,
        )
        for plan in question.plans
    ]
    return pd.concat(tables, ignore_index=True)


def measure_class_attributes(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
    device: str = "cpu",
    gradients: bool = True,
) -> pd.DataFrame:
    """Measure the attributes that a unit has for each class: mean, correlation and gradient scores.

    The arguments are those of `measure_attributes`, and so are the errors.

    Returns:
        The rows of `class_table` for every chosen site, in the order of execution.

    Example:
        >>> from lenslab.units import load
        >>> measure_class_attributes(load("small", weights="digits"), "digits", sites=["relu3"], limit=50).shape
        (640, 8)
    """
    question = Ablation.of(network, images, sites=sites, limit=limit, batch_size=batch_size)
    profiles = _profiles(question, device, gradients=gradients, rank_images=0)
    return pd.concat([class_table(name, found) for name, found in profiles.items()], ignore_index=True)


def align_concepts(
    network: Network | str,
    images: str | Path | ConceptImages,
    *,
    sites: Sequence[str] | None = None,
    quantile: float = 0.005,
    limit: int | None = None,
    batch_size: int | None = None,
    device: str = "cpu",
) -> dict[str, Alignment]:
    """Measure how well units overlap with concepts, see `lenslab.units.profiling.concept_alignment.align_sites`.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`).
        images: Images with a mask for each concept, or where they are (see `lenslab.units.images.concept_masks`).
        sites: Globs over the names of sites; by default the value that each convolution hands on.
        quantile: The share of positions that are lit.
        limit: Only the first so many images.
        batch_size: Images per batch.
        device: Where to run, in torch's words.

    Returns:
        For each chosen site's name its overlaps and thresholds.

    Raises:
        UnitsError: Anything asked does not exist or does not fit; the message says what.

    Example:
        >>> import numpy as np
        >>> from lenslab.units import load, open_images
        >>> digits = open_images("digits").limited(20)
        >>> bright = np.stack([pixels > 128 for pixels in digits.read(0, 20)]).transpose(0, 3, 1, 2)
        >>> images = ConceptImages.of_arrays(digits, bright, concepts=["bright"])
        >>> align_concepts(load("small", weights="digits"), images, sites=["relu1"])["relu1"].overlap.shape
        (32, 1)
    """
    opened = open_concept_images(images).limited(limit)
    question = Ablation.of(network, opened.images, sites=sites, batch_size=batch_size)
    return align_sites(
        question.trace,
        [plan.site for plan in question.plans],
        opened,
        question.network.preprocessing,
        device_of(device),
        batch_size=question.batch_size,
        quantile=quantile,
    )


def _profiles(question: Question, device: str, *, gradients: bool, rank_images: int) -> dict[str, Profile]:
    return profile(
        question.trace,
        [plan.site for plan in question.plans],
        question.images,
        question.network.preprocessing,
        batch_size=question.batch_size,
        device=device_of(device),
        gradients=gradients,
        rank_images=rank_images,
    )
