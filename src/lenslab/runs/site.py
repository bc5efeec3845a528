"""One site of a run: what was observed there, image by image, with its counts and its dead units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.run_record import RunRecord
from lenslab.runs.site_activations import site_activations
from lenslab.runs.statistics.flip_counts import FlipCounts, count_flips
from lenslab.runs.statistics.observations import Observations, observe

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SiteData:
    """One site of a run, ready for estimates.

    Attributes:
        site: Its name.
        observations: What was seen there.
        counts: Losses and gains.
        dead: Which units are dead; shape ``[units]``.
        l1_norm: Of each unit, or None where the site has no weights of its own.
    """

    site: str
    observations: Observations
    counts: FlipCounts
    dead: NDArray[np.bool_]
    l1_norm: Floats | None

    @property
    def live(self) -> NDArray[np.int64]:
        """The units that are not dead."""
        return np.flatnonzero(~self.dead)

    @property
    def halved(self) -> bool:
        """Whether some class has images in both halves, so that a class chosen on one can be read on the other."""
        return bool((self.counts.images > 0).all(axis=0).any())

    @property
    def described(self) -> str:
        """How many units are alive, and how many are not."""
        dead = int(self.dead.sum())
        live = len(self.live)
        return f"{live} live unit{'s' * (live != 1)}" + (f" ({dead} dead left out)" if dead else "")


def read_site(run: RunRecord, site: str) -> SiteData:
    """Read what a run measured at one site; the network is not needed.

    Raises:
        UnknownSiteError: The run has no such site.
        RecordsError: The record lacks a table, or its tables do not fit together.
    """
    run.site_named(site)
    draws = run.intervention.draws
    columns = ["site", "unit", "image", "before", "after", *["draw"] * (draws > 1)]
    flips, units = run.table("flips", columns, site=site), run.table("units", ["site", "unit", "l1_norm"], site=site)
    activations = site_activations(run.record.path("activations.parquet"), site)
    images = run.table("images", ["image", "label", "half"])
    seen = observe(flips, images, activations, classes=run.class_count, draws=draws)
    norm = units.sort_values("unit")["l1_norm"].to_numpy(np.float64)
    return site_data(site, seen, None if np.isnan(norm).all() else norm)


def site_data(site: str, observations: Observations, l1_norm: Floats | None) -> SiteData:
    """Put a site's observations into the form that estimates take.

    Example:
        >>> import pandas as pd
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [1], "image": [2], "before": [1], "after": [0]})
        >>> activations = np.array([[0, 2], [0, 1], [0, 1], [0, 3.0]])
        >>> seen = site_data("relu", observe(flips, images, activations, classes=2), None)
        >>> seen.described, seen.halved, seen.counts.losses.sum()
        ('1 live unit (1 dead left out)', True, np.int64(1))
    """
    return SiteData(site, observations, count_flips(observations), dead_units(observations.activations), l1_norm)
