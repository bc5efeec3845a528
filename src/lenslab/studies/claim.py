"""Claims: what a paper says, and how it would be found to hold or not to hold here."""

from collections.abc import Mapping
from dataclasses import dataclass

from lenslab.studies.figure import Measure
from lenslab.studies.rule import Rule


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Attributes:
        id: A letter, within the study.
        statement: What the paper says, in our own words.
        statistic: What is estimated, in one sentence.
        measure: ``points`` (fractions of images, times 100), ``share`` or ``correlation``.
        estimator: The name of the estimate, as `lenslab.studies.estimates` knows it.
        rule: What decides.
        parts: Parts that must all hold, each estimated by itself; empty for a claim of one piece.
        settings: Numbers that the estimate itself needs.

    Example:
        >>> from lenslab.studies.rulebook import load_rules
        >>> load_rules("1806.02891").claims[0].statement
        'Ablating any single unit does not hurt the overall accuracy.'
    """

    id: str
    statement: str
    statistic: str
    measure: Measure
    estimator: str
    rule: Rule
    parts: tuple[str, ...]
    settings: Mapping[str, float]

    @property
    def chart(self) -> str:
        """The name of the claim's chart in a study's record."""
        return f"claim-{self.id}"
