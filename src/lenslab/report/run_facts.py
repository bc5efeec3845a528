"""Facts about a run, from its document, as terms and text for the head of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def run_facts(document: Mapping[str, Any], units: pd.DataFrame, images: int) -> list[Fact]:
    """List what was measured, on what, how, and when.

    Args:
        document: What ``record.json`` says; what an older version did not write is given as not recorded.
        units: The table of units.
        images: How many images were classified.

    Example:
        >>> import pandas as pd
        >>> units = pd.DataFrame({"site": ["relu", "relu"], "dead": [False, True]})
        >>> facts = run_facts({"accuracy": 0.5, "images": {"name": "digits", "classes": 10}}, units, 1000)
        >>> [(fact.term, fact.text, fact.note) for fact in facts][1:3]
        [('Images', '1,000 of digits', '10 classes'), ('Accuracy before', '50.00 %', '')]
    """
    network, source = part_of(document, "network"), part_of(document, "images")
    sites, dead = units["site"].nunique(), int(units["dead"].sum()) if "dead" in units else 0
    pairs = len(units) * images * _count(document.get("draws"), 1)
    return [
        Fact("Network", _text(network.get("name")), _listed(_weights(network), _parameters(network))),
        Fact("Images", f"{images:,} of {_text(source.get('name'))}", f"{_text(source.get('classes'))} classes"),
        Fact("Accuracy before", _percent(document.get("accuracy"))),
        Fact(
            "Silenced",
            describe_silencing(document, len(units), sites),
            f"{dead:,} of them dead" if dead else "none of them dead",
        ),
        Fact("Replacement", _text(document.get("replacement")), _draws(document)),
        Fact("Engine", _text(document.get("engine")), f"{pairs:,} pairs of unit and image"),
        Fact("Verified", describe_verification(document)),
        Fact("Seed", _text(document.get("seed"))),
        Fact("Measured", _date(document), _seconds(document)),
        Fact(
            "Versions",
            ", ".join(f"{name} {number}" for name, number in part_of(document, "versions").items()) or UNKNOWN,
        ),
        Fact("Record", str(document.get("key", UNKNOWN))[:12], "the first digits of its key"),
    ]


def describe_silencing(document: Mapping[str, Any], units: int, sites: int) -> str:
    """Say what was silenced: units one at a time, sets of them, or directions.

    Example:
        >>> describe_silencing({"request": {"basis": "haar"}}, 64, 1)
        '64 random directions at 1 site, one at a time'
    """
    request = part_of(document, "request")
    where = f"{sites:,} site" + ("" if sites == 1 else "s")
    if request.get("basis", "units") != "units":
        return f"{units:,} random directions at {where}, one at a time"
    if request.get("groups"):
        return f"{units:,} units or sets of units at {where}, one at a time"
    return f"{units:,} unit{'' if units == 1 else 's'} at {where}, one at a time"


def describe_verification(document: Mapping[str, Any]) -> str:
    """Say how many pairs were verified by the plain engine.

    Example:
        >>> describe_verification({"verification": {"tail": 600, "suffix": 400}})
        '1,000 pairs done again the plain way, and equal: 600 tail, 400 suffix'
        >>> describe_verification({"verification": {}})
        'no pair was done again the plain way'
    """
    counts = {str(path): _count(pairs, 0) for path, pairs in part_of(document, "verification").items()}
    if not sum(counts.values()):
        return "no pair was done again the plain way"
    paths = ", ".join(f"{pairs:,} {path}" for path, pairs in counts.items() if pairs)
    return f"{sum(counts.values()):,} pairs done again the plain way, and equal: {paths}"


def warnings(document: Mapping[str, Any]) -> list[str]:
    """Give the run's warnings."""
    held = document.get("warnings")
    return [str(warning) for warning in held] if isinstance(held, list) else []


def class_names(document: Mapping[str, Any]) -> list[str] | None:
    """Give the names of the classes, where the record has them."""
    names = part_of(document, "images").get("class_names")
    return [str(name) for name in names] if isinstance(names, list) and names else None


def part_of(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a part of a document; empty where it is missing or no object."""
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _count(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _text(value: Any) -> str:
    if value is None or value == "":
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _weights(network: Mapping[str, Any]) -> str:
    file, digest = network.get("weights"), network.get("weights_sha256")
    return f"weights {file}" + (f" (SHA-256 {str(digest)[:12]})" if digest else "") if file else ""


def _parameters(network: Mapping[str, Any]) -> str:
    held = network.get("parameters")
    return f"{held:,} parameters" if isinstance(held, int) else ""


def _percent(fraction: Any) -> str:
    return f"{100 * fraction:.2f} %" if isinstance(fraction, (int, float)) else UNKNOWN


def _draws(document: Mapping[str, Any]) -> str:
    draws = _count(document.get("draws"), 1)
    return f"{draws} draws" if draws > 1 else ""


def _date(document: Mapping[str, Any]) -> str:
    finished = document.get("finished")
    return str(finished).replace("T", " ").replace("+00:00", " UTC") if finished else UNKNOWN


def _seconds(document: Mapping[str, Any]) -> str:
    seconds, machine = document.get("seconds"), part_of(document, "machine")
    took = f"in {seconds:,.0f} s" if isinstance(seconds, (int, float)) else ""
    where = " ".join(str(machine[name]) for name in ("system", "architecture") if name in machine)
    processors = f"{machine['processors']} processors" if "processors" in machine else ""
    return _listed(took, where, processors)
