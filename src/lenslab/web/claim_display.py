"""A study result in words: what a page shows of each claim. The record was checked field by field when it was read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lenslab.studies.figure import Figure, say
from lenslab.studies.rulebook import Rulebook
from lenslab.studies.study_result import ClaimResult, PartResult, StudyResult

UNITS = {"points": " points", "share": " %"}
# A verdict is always about this network and these images, so no badge stands without "here".
BADGES = {
    "supported": ("supported here", "good"),
    "contradicted": ("contradicted here", "bad"),
    "undecided": ("undecided here", "open"),
    "not run": ("not run", "quiet"),
}


@dataclass(frozen=True)
class Part:
    """One part of a claim: its name, figure, interval and verdict."""

    name: str
    figure: str
    interval: str
    verdict: str


@dataclass(frozen=True)
class Claim:
    """One claim as its card shows it.

    Attributes:
        badge: The verdict, never without "here".
        tone: The badge's colour: good, bad, open or quiet.
        statistic: What is estimated.
        rule: Verdicts with what leads to them.
        figure: The estimate, in points, percent or as a correlation; empty where there is none.
        interval: Its interval with the confidence; empty where there is none.
        scope: Flags that limit what the verdict means.
        chart: The name of its chart; empty where there is none.
    """

    id: str
    statement: str
    badge: str
    tone: str
    statistic: str
    rule: tuple[tuple[str, str], ...]
    figure: str = ""
    interval: str = ""
    detail: str = ""
    scope: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    chart: str = ""


@dataclass(frozen=True)
class Result:
    """One study result as a page shows it.

    Attributes:
        name: The name of its directory, by which a reader chooses it.
        images: How many images of what, and of how many classes.
        accuracy: Before any ablation, in percent.
        site: The site that the verdicts are about, with so many ``units``.
        claims: In the order of the rules.
        provenance: Rules, dead units, time.
    """

    name: str
    network: str
    images: str
    accuracy: str
    site: str
    units: str
    claims: tuple[Claim, ...]
    warnings: tuple[str, ...]
    provenance: tuple[str, ...]


def present(result: StudyResult) -> Result:
    """Put a study result into words."""
    dead = f"{result.dead:,} dead unit{'' if result.dead == 1 else 's'} left out"
    return Result(
        name=result.directory.name,
        network=result.network,
        images=f"{result.image_count:,} images of {result.images} ({result.classes:,} classes)",
        accuracy=f"{say(result.accuracy, 'points')} %",
        site=result.site,
        units=f"{result.units:,}",
        claims=tuple(_claim(claim) for claim in result.claims),
        warnings=result.warnings,
        provenance=(
            f"rules {result.rules_file}, SHA-256 {result.rules_sha256[:12]}…",
            *([dead] if result.dead else []),
            f"finished {result.finished}",
        ),
    )


def unmeasured(rules: Rulebook) -> tuple[Claim, ...]:
    """Put the claims of a study that has not been run into words: what would be measured, and what would decide."""
    return tuple(
        Claim(one.id, one.statement, *BADGES["not run"], one.statistic, tuple(one.rule.sentences(one.measure).items()))
        for one in rules.claims
    )


def interval(figure: Figure, measure: str) -> str:
    """Put an interval into words; empty where it has no bounds.

    Example:
        >>> interval(Figure(0.0163, 0.0105, 0.0239), "points"), interval(Figure(0.5, 0.3, 0.7), "correlation")
        ('1.1 to 2.4 points', '0.30 to 0.70')
    """
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return ""
    return f"{say(figure.low, measure)} to {say(figure.high, measure)}{UNITS.get(measure, '')}"


def estimate(figure: Figure, measure: str) -> str:
    """Put an estimate into words; empty where there is none.

    Example:
        >>> estimate(Figure(0.34, 0.2, 0.5), "share"), estimate(Figure(float("nan"), 0, 1), "share")
        ('34 %', '')
    """
    return f"{say(figure.estimate, measure)}{UNITS.get(measure, '')}" if math.isfinite(figure.estimate) else ""


def _claim(claim: ClaimResult) -> Claim:
    bounds = interval(claim.figure, claim.measure)
    named = f" ({claim.part.replace('_', ' ')})" if claim.part else ""
    badge, tone = BADGES[claim.verdict]
    return Claim(
        id=claim.id,
        statement=claim.statement,
        badge=badge,
        tone=tone,
        statistic=claim.statistic,
        rule=(("supported", claim.supported), ("contradicted", claim.contradicted)),
        figure=estimate(claim.figure, claim.measure),
        interval=f"{100 * claim.confidence:g} % interval {bounds}{named}" if bounds else "",
        detail=claim.detail,
        scope=claim.scope,
        parts=tuple(map(_part, claim.parts)),
        chart=claim.chart or "",
    )


def _part(part: PartResult) -> Part:
    return Part(
        name=part.name.replace("_", " "),
        figure=estimate(part.figure, part.measure) or "no figure",
        interval=interval(part.figure, part.measure),
        verdict=BADGES[part.verdict][0],
    )
