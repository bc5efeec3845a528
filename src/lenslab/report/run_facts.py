"""Facts about a run, from its document, as terms and text for the head of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenslab.records import BrokenRecordError
from lenslab.runs.intervention import Intervention
from lenslab.runs.metadata import NetworkMetadata
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

DROP = (
    "A drop is before − after: how many points of accuracy the network loses when the unit is silenced; "
    "bigger means that the unit mattered more."
)
UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Fact:
    """One line of the head.

    Attributes:
        term: What it is about.
        text: What the record says.
        note: A less important addition.
    """

    term: str
    text: str
    note: str = ""


def run_facts(run: RunRecord, units: pd.DataFrame, images: int) -> list[Fact]:
    """Say what was measured, on what, how, and when; what an older version did not write is named as not recorded."""
    network, dataset, intervention = run.network, run.dataset, run.intervention
    sites, dead = units["site"].nunique(), int(units["dead"].sum()) if "dead" in units else 0
    pairs = len(units) * images * intervention.draws
    silent = f"{dead:,} of them dead" if dead else "none of them dead"
    parameters = "" if network.parameters is None else f"{network.parameters:,} parameters"
    draws = f"{intervention.draws} draws" if intervention.draws > 1 else ""
    return [
        Fact("Network", network.name, _listed(_weights(network), parameters)),
        Fact("Images", f"{images:,} of {dataset.name}", f"{_text(dataset.classes)} classes"),
        Fact("Accuracy before", _known(lambda: f"{100 * run.accuracy:.2f} %")),
        Fact("Silenced", describe_silencing(intervention, len(units), sites), silent),
        Fact("Replacement", intervention.replacement, draws),
        Fact("Engine", _text(run.engine), f"{pairs:,} pairs of unit and image"),
        Fact("Verified", describe_verification(run.verification)),
        Fact("Seed", _known(lambda: str(run.seed))),
        Fact("Measured", time_of(run.finished), _seconds(run)),
        Fact("Versions", ", ".join(f"{name} {number}" for name, number in run.versions.items()) or UNKNOWN),
        Fact("Record", run.key[:12], "the first digits of its key"),
    ]


def describe_silencing(intervention: Intervention, units: int, sites: int) -> str:
    """Say what was silenced: units one at a time, sets of them, or directions.

    Example:
        >>> from lenslab.runs import Intervention
        >>> describe_silencing(Intervention(basis="haar"), 64, 1), describe_silencing(Intervention(), 1, 2)
        ('64 random directions at 1 site, one at a time', '1 unit at 2 sites, one at a time')
    """
    what = intervention.silenced if units != 1 else intervention.silenced.replace("units", "unit", 1)
    return f"{units:,} {what} at {sites:,} site{'s' * (sites != 1)}, one at a time"


def describe_verification(pairs_by_path: Mapping[str, int]) -> str:
    """Say how many pairs were decided again the plain way.

    Example:
        >>> describe_verification({"tail": 600, "suffix": 400})
        '1,000 pairs done again the plain way, and equal: 600 tail, 400 suffix'
        >>> describe_verification({})
        'no pair was done again the plain way'
    """
    if not pairs_by_path:
        return "no pair was done again the plain way"
    paths = ", ".join(f"{pairs:,} {path}" for path, pairs in pairs_by_path.items())
    return f"{sum(pairs_by_path.values()):,} pairs done again the plain way, and equal: {paths}"


def _known(words: Callable[[], str]) -> str:
    try:
        return words()
    except BrokenRecordError:
        return UNKNOWN


def _text(value: Any) -> str:
    if value is None or value == "":
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _weights(network: NetworkMetadata) -> str:
    digest = network.weights_file_sha256
    return f"weights {network.weights}" + (f" (SHA-256 {digest[:12]})" if digest else "") if network.weights else ""


def _seconds(run: RunRecord) -> str:
    took = "" if run.seconds is None else f"in {run.seconds:,.0f} s"
    where = " ".join(str(run.machine[name]) for name in ("system", "architecture") if name in run.machine)
    processors = f"{run.machine['processors']} processors" if "processors" in run.machine else ""
    return _listed(took, where, processors)


def time_of(finished: str | None) -> str:
    """Write when a record was finished.

    Example:
        >>> time_of("2026-11-27T19:34:11+00:00"), time_of(None)
        ('2026-11-27 19:34:11 UTC', 'not recorded')
    """
    return finished.replace("T", " ").replace("+00:00", " UTC") if finished else UNKNOWN
