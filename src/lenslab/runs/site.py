"""Evidence: what one site of a run holds for or against a claim, read from its record without the network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError, Record
from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.statistics.flip_counts import FlipCounts, count_flips
from lenslab.runs.statistics.observations import Observations, observe

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
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


def evidence(record: Record, site: str) -> Evidence:
    """Read one site's evidence from a run's record; the network is not needed.

    Args:
        record: A record of kind ``run``.
        site: The name of one of its sites.

    Returns:
        The evidence.

    Raises:
        RecordsError: The record lacks a table or the site, or its tables do not fit together.
    """
    draws = int(record.document.get("draws", 1))
    flips = record.table("flips", ["site", "unit", "image", "before", "after", *["draw"] * (draws > 1)])
    units = record.table("units", ["site", "unit", "l1_norm"])
    table = record.table("activations", [site])
    if site not in table:
        raise BrokenRecordError(f"{record.directory} holds no activations of a site {site!r}; measure it again")
    activations = np.stack(table[site].to_list())
    observations = observe(
        flips[flips["site"] == site],
        record.table("images", ["image", "label", "half"]),
        activations,
        classes=int(record.document["images"]["classes"]),
        draws=draws,
    )
    return weigh(site, observations, _norm(units[units["site"] == site]))


def weigh(site: str, observations: Observations, l1_norm: Floats | None) -> Evidence:
    """Put a site's observations into the form that estimates take.

    Example:
        >>> images = pd.DataFrame({"image": range(4), "label": [0, 0, 1, 1], "half": list("ABAB")})
        >>> flips = pd.DataFrame({"unit": [1], "image": [2], "before": [1], "after": [0]})
        >>> seen = weigh("relu", observe(flips, images, np.array([[0, 2], [0, 1], [0, 1], [0, 3.0]]), classes=2), None)
        >>> seen.described, seen.halved, seen.counts.losses.sum()
        ('1 live unit (1 dead left out)', True, np.int64(1))
    """
    return Evidence(
        site=site,
        observations=observations,
        counts=count_flips(observations),
        dead=dead_units(observations.activations),
        l1_norm=l1_norm,
    )


def _norm(units: pd.DataFrame) -> Floats | None:
    norm: NDArray[Any] = units.sort_values("unit")["l1_norm"].to_numpy(np.float64)
    return None if np.isnan(norm).all() else norm
