"""What each site of a run cost: the pairs by the path that decided them, the work, and the time expected and taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenslab.runs.metadata import SiteMetadata, count, number, part


@dataclass(frozen=True)
class SiteWork:
    """What one site cost.

    Attributes:
        site: Its name.
        path: How most of its pairs were to be decided; None where it was not recorded.
        pairs: How many pairs of unit and image were decided by which path.
        multiply_accumulates: What they take at most; None where that is not known.
        predicted_seconds: What was to be expected once the first batch was through; None where that was the only one.
        seconds: What it took, summed over the pieces of the run, whenever and wherever each was made.
        processor_seconds: The same of all processors.
    """

    site: str
    path: str | None
    pairs: Mapping[str, int]
    multiply_accumulates: int | None
    predicted_seconds: float | None
    seconds: float | None
    processor_seconds: float | None

    @classmethod
    def recorded(cls, document: Mapping[str, Any], sites: tuple[SiteMetadata, ...]) -> tuple[SiteWork, ...]:
        """Read all of them off a run's document; what an older version did not write is None."""
        return tuple(
            cls._of(site, part(part(document, "paths"), site.name), part(part(document, "site_seconds"), site.name))
            for site in sites
        )

    @classmethod
    def _of(cls, site: SiteMetadata, paths: Mapping[str, Any], seconds: Mapping[str, Any]) -> SiteWork:
        return cls(
            site=site.name,
            path=site.path,
            pairs={str(path): pairs for path in paths if (pairs := count(paths, path))},
            multiply_accumulates=site.multiply_accumulates,
            predicted_seconds=number(seconds, "predicted"),
            seconds=number(seconds, "measured"),
            processor_seconds=number(seconds, "processor"),
        )
