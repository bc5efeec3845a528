"""The rulebook of a study: its claims and thresholds, read from one file whose hash every result carries."""

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from lenslab.studies.claim import Claim
from lenslab.studies.errors import BrokenRulesError, UnknownStudyError
from lenslab.studies.figure import MEASURES
from lenslab.studies.rule import COMPARISONS, Condition, Rule

RULES = Path(__file__).parent / "rules"


@dataclass(frozen=True)
class Scope:
    """How large the setting must be for a verdict to carry no flag.

    Attributes:
        classes: Classes that the network tells apart.
        units: Units at the site.
        images_per_class: Images of each class that has any.
    """

    classes: int
    units: int
    images_per_class: int

    def flags(self, *, classes: int, units: int, images_per_class: int, training_images: bool) -> tuple[str, ...]:
        """Say in which ways a setting is smaller than what the paper speaks of.

        Example:
            >>> scope = Scope(classes=100, units=256, images_per_class=50)
            >>> scope.flags(classes=10, units=512, images_per_class=1000, training_images=True)
            ('fewer than 100 classes', 'training images')
        """
        flags = (
            (classes < self.classes, f"fewer than {self.classes} classes"),
            (units < self.units, f"fewer than {self.units} units at the site"),
            (images_per_class < self.images_per_class, f"fewer than {self.images_per_class} images per class"),
            (training_images, "training images"),
        )
        return tuple(text for raised, text in flags if raised)


@dataclass(frozen=True)
class Rulebook:
    """A study's rules.

    Attributes:
        study: The paper's arXiv id.
        title: The paper's title.
        note: What the thresholds are.
        file: The name of the rules file.
        sha256: The hash of its bytes.
        confidence: Of the interval behind each verdict.
        replicates: How many bootstrap replicates an interval takes.
        scope: Where flags are raised.
        claims: In the order of the file.
    """

    study: str
    title: str
    note: str
    file: str
    sha256: str
    confidence: float
    replicates: int
    scope: Scope
    claims: tuple[Claim, ...]


def list_studies() -> tuple[Rulebook, ...]:
    """List the rulebooks that come with lenslab, in the order of their papers.

    Example:
        >>> [rules.study for rules in list_studies()]
        ['1806.02891']
    """
    return tuple(read_rules(path) for path in sorted(RULES.glob("*.toml")))


def load_rules(study: str) -> Rulebook:
    """Load the rulebook of one study.

    Args:
        study: An arXiv id.

    Returns:
        Its rules.

    Raises:
        UnknownStudyError: There is none for that paper.

    Example:
        >>> [claim.id for claim in load_rules("1806.02891").claims]
        ['a', 'b', 'e']
    """
    for rules in list_studies():
        if rules.study == study:
            return rules
    known = ", ".join(rules.study for rules in list_studies())
    raise UnknownStudyError(f"no study of {study!r}; there is {known}. List them with: lenslab study list")


def read_rules(path: Path) -> Rulebook:
    """Read a rules file, in TOML, with the SHA-256 of its bytes.

    Raises:
        BrokenRulesError: The file is no TOML, or a field is missing or unusable.

    Example:
        >>> read_rules(RULES / "1806.02891.toml").confidence
        0.99
    """
    content = path.read_bytes()
    try:
        document = tomllib.loads(content.decode())
        return Rulebook(
            study=document["study"],
            title=document["title"],
            note=document["note"],
            file=path.name,
            sha256=hashlib.sha256(content).hexdigest(),
            confidence=_between(document["confidence"], 0, 1),
            replicates=int(document["replicates"]),
            scope=Scope(**document["scope"]),
            claims=tuple(_claim(claim) for claim in document["claims"]),
        )
    except KeyError as error:
        raise BrokenRulesError(f"{path} lacks the field {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BrokenRulesError(f"{path} cannot be followed: {error}") from error


def _claim(claim: Mapping[str, Any]) -> Claim:
    if not re.fullmatch(r"[a-z]", claim["id"]):
        raise ValueError(f"a claim's id is one letter, not {claim['id']!r}")
    if claim["measure"] not in MEASURES:
        raise ValueError(f"claim {claim['id']} has the measure {claim['measure']!r}; take one of {', '.join(MEASURES)}")
    return Claim(
        id=claim["id"],
        statement=claim["statement"],
        statistic=claim["statistic"],
        measure=claim["measure"],
        estimator=claim["estimator"],
        rule=Rule(*(_conditions(claim, side) for side in ("supported", "contradicted"))),
        parts=tuple(claim.get("parts", ())),
        settings=MappingProxyType({name: float(value) for name, value in claim.get("settings", {}).items()}),
    )


def _conditions(claim: Mapping[str, Any], side: str) -> tuple[Condition, ...]:
    if not claim[side]:
        raise ValueError(f"claim {claim['id']} has no condition for {side}")
    return tuple(_condition(condition) for condition in claim[side])


def _condition(condition: Mapping[str, Any]) -> Condition:
    comparisons = {key.replace("_", " "): value for key, value in condition.items() if key not in ("figure", "bound")}
    if len(comparisons) != 1 or not comparisons.keys() <= COMPARISONS.keys():
        raise ValueError(f"a condition takes one of {', '.join(COMPARISONS)}, not {', '.join(comparisons) or 'none'}")
    if condition["bound"] not in ("low", "high"):
        raise ValueError(f"a condition looks at the bound low or high, not {condition['bound']!r}")
    ((comparison, threshold),) = comparisons.items()
    return Condition(condition["figure"], cast(Any, condition["bound"]), comparison, _between(threshold, -1, 1))


def _between(value: Any, low: float, high: float) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (low <= value <= high and math.isfinite(value))
    ):
        raise ValueError(f"{value!r} is not a number between {low} and {high}")
    return float(value)
