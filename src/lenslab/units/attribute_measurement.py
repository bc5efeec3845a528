"""Measuring attributes: from a network and images to one table, without silencing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from lenslab.runs.attributes.attribute_tables import attribute_table, class_table
from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.profile import Profile
from lenslab.units.engine.device import device_of
from lenslab.units.errors import UnknownSiteError
from lenslab.units.images import Source
from lenslab.units.networks import Network
from lenslab.units.profiling.filter_weights import norms_of
from lenslab.units.profiling.profiler import profile
from lenslab.units.question import Question, ask


def measure(
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
        batch_size: Images per batch; see `lenslab.units.profiling.profile` for what it changes.
        device: Where to run, in torch's words.
        gradients: Whether to measure the gradient scores, which takes a backward pass.
        rank_images: Over how many images the rank of maps is averaged; 0 leaves it out.
        bins: Of the mutual information.
        top: How many images the precision looks at.
        alignments: With concepts, for every chosen site, as `lenslab.units.profiling.align` gives them; they add two
            columns.

    Returns:
        The rows of `lenslab.units.profiling.attribute_table` for every chosen site, in the order of execution.

    Raises:
        UnitsError: Anything asked does not exist or does not fit; the message says what.

    Example:
        >>> from lenslab.units import load
        >>> found = measure(load("small", weights="digits"), "digits", sites=["relu3"], limit=50)
        >>> len(found), bool(found["class_selectivity"].between(0, 1).all())
        (64, True)
    """
    question = ask(network, images, sites=sites, limit=limit, batch_size=batch_size)
    missing = [plan.site.name for plan in question.plans if alignments is not None and plan.site.name not in alignments]
    if missing:
        raise UnknownSiteError(
            f"no alignment was given for {', '.join(missing)}; measure it with align(..., sites=...)"
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


def measure_classes(
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

    Args:
        network: As for `measure`, and so the others.
        images: Labelled images.
        sites: Globs over the names of sites.
        limit: Only the first so many images.
        batch_size: Images per batch.
        device: Where to run.
        gradients: Whether to measure the gradient scores.

    Returns:
        The rows of `lenslab.units.profiling.class_table` for every chosen site, in the order of execution.

    Raises:
        UnitsError: Anything asked does not exist or does not fit; the message says what.

    Example:
        >>> from lenslab.units import load
        >>> measure_classes(load("small", weights="digits"), "digits", sites=["relu3"], limit=50).shape
        (640, 8)
    """
    question = ask(network, images, sites=sites, limit=limit, batch_size=batch_size)
    profiles = _profiles(question, device, gradients=gradients, rank_images=0)
    return pd.concat([class_table(name, found) for name, found in profiles.items()], ignore_index=True)


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
