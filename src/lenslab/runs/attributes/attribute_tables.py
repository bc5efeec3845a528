"""Tables: the attributes of a site's units, one row per unit, or one per unit and class."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.attributes import activation_statistics, gradient_scores, selectivity
from lenslab.runs.attributes.class_correlation import class_correlation
from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.maximum_informedness import maximum_informedness
from lenslab.runs.attributes.mutual_information import mutual_information
from lenslab.runs.attributes.profile import Profile
from lenslab.runs.attributes.weight_norms import WeightNorms

Floats = NDArray[np.float64]


def attribute_table(
    site: str,
    profile: Profile,
    *,
    norms: WeightNorms | None = None,
    alignment: Alignment | None = None,
    bins: int = 10,
    top: int = 100,
) -> pd.DataFrame:
    """Make one row per unit of a site.

    Without the norms of the site's filters their columns are NaN. An alignment adds the columns ``CONCEPT_ATTRIBUTES``.
    The mutual information is computed in ``bins`` bins, the precision over the ``top`` images.

    Returns:
        Columns ``site, unit`` and those of `lenslab.runs.attributes.attribute_names.ATTRIBUTES`. An attribute that is
        undefined is NaN, a class -1.

    Example:
        >>> activations, some = np.array([[3.0, 0.0], [1.0, 0.0]], np.float32), np.ones(2)
        >>> profile = Profile(np.array([0, 1]), 2, 1, activations, some, some, some, np.ones((2, 2)), None, None)
        >>> attribute_table("relu3", profile)[["site", "unit", "dead", "class_selectivity"]]
            site  unit   dead  class_selectivity
        0  relu3     0  False                0.5
        1  relu3     1   True                0.0
    """
    units = profile.activations.shape[1]
    unknown = np.full(units, np.nan)
    activations, labels = profile.activations, profile.labels
    correlation, correlated = class_correlation(profile.correlations)
    informed = maximum_informedness(activations, labels)
    products, sizes = (unknown if sums is None else sums.sum(axis=1) for sums in (profile.products, profile.sizes))
    columns = {
        "site": np.full(units, site, dtype=object),
        "unit": np.arange(units, dtype=np.int32),
        "dead": activation_statistics.dead_units(activations),
        "class_selectivity": selectivity.class_selectivity(profile.class_means),
        "l1_norm": unknown if norms is None else norms.raw,
        "l1_norm_folded": unknown if norms is None else norms.folded,
        "class_correlation": correlation,
        "class_correlation_class": correlated.astype(np.int32),
        "mutual_information": mutual_information(activations, labels, bins=bins),
        "apoz": profile.apoz,
        "mean_activation": activation_statistics.mean_activation(activations),
        "max_activation": profile.max_activation,
        "precision": selectivity.precision(activations, labels, top=top),
        "ccmas": selectivity.ccmas(activations, labels),
        "localist_selectivity": selectivity.localist_selectivity(activations, labels),
        "maximum_informedness": informed.value,
        "maximum_informedness_threshold": informed.threshold,
        "maximum_informedness_class": informed.label.astype(np.int32),
        "feature_map_rank": profile.feature_map_rank,
        "gradient_activation": gradient_scores.gradient_activation(products, len(labels)),
        "taylor": gradient_scores.taylor(sizes, len(labels), positions=profile.positions),
    }
    if alignment is not None:
        columns["concept_alignment"] = alignment.best
        columns["concept_alignment_concept"] = alignment.concept.astype(np.int32)
    return pd.DataFrame(columns)


def class_table(site: str, profile: Profile) -> pd.DataFrame:
    """Make one row per unit and class that has images, by unit, then by label.

    Returns:
        Columns ``site, unit, label, images, mean_activation, correlation, gradient_activation, taylor``: the mean, the
        forecast and the Taylor score over the images of the class; the correlation with its predicted probability over
        all images.

    Example:
        >>> activations, some = np.array([[3.0, 0.0], [1.0, 0.0]], np.float32), np.ones(2)
        >>> profile = Profile(np.array([0, 1]), 2, 1, activations, some, some, some, np.ones((2, 2)), None, None)
        >>> class_table("relu3", profile)["mean_activation"].tolist()
        [3.0, 1.0, 0.0, 0.0]
    """
    images = profile.class_images
    present = np.flatnonzero(images)
    units = profile.activations.shape[1]
    unknown = np.full((units, profile.classes), np.nan)
    products, sizes = (unknown if sums is None else sums for sums in (profile.products, profile.sizes))
    figures = {
        "mean_activation": profile.class_means,
        "correlation": profile.correlations,
        "gradient_activation": gradient_scores.gradient_activation(products, images),
        "taylor": gradient_scores.taylor(sizes, images, positions=profile.positions),
    }
    return pd.DataFrame(
        {
            "site": np.full(units * len(present), site, dtype=object),
            "unit": np.repeat(np.arange(units, dtype=np.int32), len(present)),
            "label": np.tile(present.astype(np.int32), units),
            "images": np.tile(images[present].astype(np.int32), units),
            **{name: values[:, present].ravel() for name, values in figures.items()},
        }
    )
