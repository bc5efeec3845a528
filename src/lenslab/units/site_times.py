"""The times of a run's sites: what each took, beside what was to be expected once the first batch was through."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lenslab.units.engine.site_plan import Plan


def work_of(plan: Plan, images: int, draws: int) -> int | None:
    """Count the multiply-accumulates that a site takes at most; ``None`` where the network's are not known."""
    return None if plan.cost is None else plan.count * plan.cost * images * draws


def site_times(sites: Sequence[str], times: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Say by site how many seconds it took, and how many were to be expected.

    Expected is the work of all images at the rate that the site had on the first batch, which is the plan's work per
    image, whatever the path, over the seconds. The pieces of a run may have been made at several times and in several
    processes; each brings its own seconds, so their sum may be more than the run took.

    Args:
        sites: Their names.
        times: What each took on each batch, in the order of the images, columns
            ``site, images, seconds, processor_seconds``.

    Returns:
        By site ``predicted`` (``None`` where there was one batch only), ``measured`` and ``processor``.

    Example:
        >>> times = pd.DataFrame(
        ...     {"site": ["relu3"] * 2, "images": [16, 4], "seconds": [0.5, 0.25], "processor_seconds": [1.0, 0.5]}
        ... )
        >>> site_times(["relu3"], times)
        {'relu3': {'predicted': 0.625, 'measured': 0.75, 'processor': 1.5}}
    """
    return {site: _of_site(times[times["site"] == site]) for site in sites}


def _of_site(times: pd.DataFrame) -> dict[str, float | None]:
    images, seconds, processor = (times[name] for name in ("images", "seconds", "processor_seconds"))
    predicted = seconds.iloc[0] * images.sum() / images.iloc[0] if len(times) > 1 else None
    return {
        "predicted": None if predicted is None else round(float(predicted), 3),
        "measured": round(float(seconds.sum()), 3),
        "processor": round(float(processor.sum()), 3),
    }
