"""Findings: a claim's estimate and verdict at one site, as a study's record keeps them."""

import math
from dataclasses import dataclass
from typing import Any

from lenslab.runs.site import SiteData
from lenslab.studies.claim import Claim
from lenslab.studies.estimates import Estimate, estimate
from lenslab.studies.figure import Figure
from lenslab.studies.rulebook import Rulebook
from lenslab.studies.verdict import Verdict, conjoin, decide


@dataclass(frozen=True)
class Part:
    """A claim, or one of its parts, decided.

    Attributes:
        name: The part's name.
        verdict: What the rule says of it.
        estimate: The figures that the rule was asked about.
    """

    name: str
    verdict: Verdict
    estimate: Estimate

    @property
    def headline(self) -> Figure:
        """The figure that is shown; NaN where there is none."""
        return self.estimate.figures.get(self.estimate.headline, Figure(math.nan, math.nan, math.nan))


@dataclass(frozen=True)
class Finding:
    """A claim decided at one site.

    Attributes:
        claim: The claim.
        verdict: Over all its parts.
        parts: One, or as many as the claim has parts.
        confidence: Of the intervals behind it.
    """

    claim: Claim
    verdict: Verdict
    parts: tuple[Part, ...]
    confidence: float

    @property
    def decisive(self) -> Part:
        """The part whose figure stands for the claim: of those that made the verdict, the one with the lowest bound."""
        pool = [part for part in self.parts if part.verdict == self.verdict]
        pool = pool or [part for part in self.parts if part.verdict != Verdict.SUPPORTED]
        return min(pool, key=lambda part: part.headline.low if part.headline.known else -math.inf)

    def summary(self) -> dict[str, Any]:
        """Give the verdict and its figure as JSON."""
        return {"id": self.claim.id, "verdict": str(self.verdict), **_figure(self.decisive.headline)}

    def document(self, *, scope: tuple[str, ...], charted: bool) -> dict[str, Any]:
        """Everything about the claim as JSON."""
        claim, decisive = self.claim, self.decisive
        return {
            **self.summary(),
            "statement": claim.statement,
            "statistic": claim.statistic,
            "measure": claim.measure,
            "confidence": self.confidence,
            "scope": list(scope),
            "rule": claim.rule.sentences(claim.measure),
            "part": decisive.name if claim.parts else None,
            "detail": decisive.estimate.detail,
            "figures": _figures(decisive.estimate),
            "chart": claim.chart if charted else None,
            "parts": [_part(part) for part in self.parts] if claim.parts else [],
        }


def judge(claim: Claim, seen: SiteData, rules: Rulebook, *, seed: int) -> Finding:
    """Decide one claim at one site, by the rules and by nothing else.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> from lenslab.runs.site import site_data
        >>> from lenslab.studies.rulebook import load_rules
        >>> from lenslab.runs.statistics.observations import observe
        >>> images = pd.DataFrame({"image": range(40), "label": 0, "half": ["A", "B"] * 20})
        >>> flips = pd.DataFrame({"unit": 0, "image": range(20), "before": 0, "after": 1})
        >>> seen = site_data("relu", observe(flips, images, np.arange(40.0)[:, None], classes=2), None)
        >>> rules = load_rules("1806.02891")
        >>> judge(rules.claims[0], seen, rules, seed=0).summary()["verdict"]
        'contradicted'
    """
    estimates = estimate(claim, seen, confidence=rules.confidence, replicates=rules.replicates, seed=seed)
    parts = tuple(Part(name, decide(claim.rule, found.figures), found) for name, found in estimates.items())
    return Finding(claim, conjoin(part.verdict for part in parts), parts, rules.confidence)


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "verdict": str(part.verdict),
        **_figure(part.headline),
        "detail": part.estimate.detail,
        "figures": _figures(part.estimate),
    }


def _figures(found: Estimate) -> dict[str, dict[str, float | None]]:
    return {name: _figure(figure) for name, figure in found.figures.items()}


def _figure(figure: Figure) -> dict[str, float | None]:
    """JSON has no NaN: what is unknown is null."""
    values = {"estimate": figure.estimate, "low": figure.low, "high": figure.high}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
