"""Figures: an estimate with its interval, and the words that people read it in."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Measure = Literal["points", "share", "correlation"]
MEASURES: tuple[str, ...] = get_args(Measure)


@dataclass(frozen=True)
class Figure:
    """An estimate between its bounds; fractions, or correlations.

    Attributes:
        estimate: The figure itself.
        low: Its lower bound.
        high: Its upper bound.

    Example:
        >>> Figure(0.016, 0.011, 0.023).known, Figure(float("nan"), 0.0, 1.0).known
        (True, False)
    """

    estimate: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether all three are numbers."""
        return all(math.isfinite(value) for value in (self.estimate, self.low, self.high))


def say(value: float, measure: str) -> str:
    """One number as people read it, without its unit.

    Example:
        >>> say(0.0163, "points"), say(0.25, "share"), say(-0.5, "correlation")
        ('1.6', '25', '−0.50')
    """
    text = f"{value:.2f}" if measure == "correlation" else f"{100 * value:.{1 if measure == 'points' else 0}f}"
    # A rounded zero has no sign, and a minus is not a hyphen.
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def say_with_unit(value: float, measure: str) -> str:
    """One number as people read it.

    Example:
        >>> say_with_unit(0.01, "points"), say_with_unit(0.25, "share"), say_with_unit(0.3, "correlation")
        ('1 point', '25 %', '0.3')
    """
    if measure == "correlation":
        return f"{value:g}".replace("-", "−")
    number = f"{100 * value:g}".replace("-", "−")
    if measure == "share":
        return f"{number} %"
    return f"{number} point" if number == "1" else f"{number} points"


def say_interval(figure: Figure, measure: str) -> str:
    """Write an estimate with its interval as people read it.

    Example:
        >>> say_interval(Figure(0.0163, 0.0105, 0.0239), "points")
        '1.6 points [1.1, 2.4]'
        >>> say_interval(Figure(0.34, 0.2, 0.5), "share")
        '34 % [20, 50]'
    """
    if not figure.known:
        return "no figure"
    unit = {"points": " points", "share": " %"}.get(measure, "")
    return f"{say(figure.estimate, measure)}{unit} [{say(figure.low, measure)}, {say(figure.high, measure)}]"
