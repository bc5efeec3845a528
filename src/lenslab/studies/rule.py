"""Rules: the thresholds that decide a claim, as the rules file states them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lenslab.studies.figure import Figure, say_with_unit

Bound = Literal["low", "high"]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "at most": lambda value, threshold: value <= threshold,
        "at least": lambda value, threshold: value >= threshold,
        "above": lambda value, threshold: value > threshold,
        "below": lambda value, threshold: value < threshold,
    }
)


@dataclass(frozen=True)
class Condition:
    """One bound of one figure against a threshold.

    Attributes:
        figure: The figure's name.
        bound: Which bound of its interval.
        comparison: One of `COMPARISONS`.
        threshold: A fraction, or a correlation.
    """

    figure: str
    bound: Bound
    comparison: str
    threshold: float

    def holds(self, figure: Figure) -> bool:
        """Whether the figure's bound meets the threshold.

        Example:
            >>> Condition("drop", "high", "at most", 0.01).holds(Figure(0.004, 0.001, 0.01))
            True
        """
        return COMPARISONS[self.comparison](figure.low if self.bound == "low" else figure.high, self.threshold)

    def sentence(self, measure: str) -> str:
        """Write the condition as people read it.

        Example:
            >>> Condition("drop", "high", "at most", 0.01).sentence("points")
            'upper bound of the drop at most 1 point'
        """
        side = {"low": "lower", "high": "upper"}[self.bound]
        return f"{side} bound of the {self.figure} {self.comparison} {say_with_unit(self.threshold, measure)}"


@dataclass(frozen=True)
class Rule:
    """What supports a claim, and what contradicts it; all conditions of a side must hold.

    Attributes:
        supported: Conditions for ``supported``; at least one.
        contradicted: Conditions for ``contradicted``; at least one.

    Example:
        >>> rule = Rule((Condition("share", "low", "at least", 0.25),), (Condition("share", "high", "below", 0.05),))
        >>> rule.sentences("share")
        {'supported': 'lower bound of the share at least 25 %', 'contradicted': 'upper bound of the share below 5 %'}
    """

    supported: tuple[Condition, ...]
    contradicted: tuple[Condition, ...]

    @property
    def figures(self) -> frozenset[str]:
        """The names of all figures that the rule looks at."""
        return frozenset(condition.figure for condition in self.supported + self.contradicted)

    def sentences(self, measure: str) -> dict[str, str]:
        """Both sides as people read them."""
        sides = {"supported": self.supported, "contradicted": self.contradicted}
        return {
            side: " and ".join(condition.sentence(measure) for condition in conditions)
            for side, conditions in sides.items()
        }
