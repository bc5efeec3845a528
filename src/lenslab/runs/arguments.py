"""Arguments of the wrong kind: each is refused with a sentence that names it, before anything is measured."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any

from lenslab.runs.errors import UnitsError


def whole_number(name: str, value: Any, *, least: int | None = 0) -> int:
    """Read a whole number, of any sign with ``least=None``.

    Raises:
        UnitsError: It is something else, or too small.

    Example:
        >>> whole_number("limit", "30")
        Traceback (most recent call last):
        ...
        lenslab.runs.errors.UnitsError: limit is a whole number of 0 or more, not '30'
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        kind = "a whole number" if least is None else f"a whole number of {least} or more"
        raise UnitsError(f"{name} is {kind}, not {value!r:.80}")
    return number


def progress_function(value: Any) -> None:
    """Refuse what cannot be told how far the work has come.

    Raises:
        UnitsError: It is no function.
    """
    if value is not None and not callable(value):
        raise UnitsError(f"progress is a function that is told how far the work has come, not {value!r:.80}")


def directory(name: str, value: Any) -> Path | None:
    """Read where something is written.

    Raises:
        UnitsError: It is no path.
    """
    if value is not None and not isinstance(value, str | os.PathLike):
        raise UnitsError(f"{name} is the path of a directory, not {value!r:.80}")
    return None if value is None else Path(value)


def fraction(name: str, value: Any) -> float:
    """Read a number from 0 to 1.

    Raises:
        UnitsError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnitsError(f"{name} is a fraction from 0 to 1, not {value!r:.80}")
    return float(value)


def flag(name: str, value: Any) -> bool:
    """Read True or False.

    Raises:
        UnitsError: It is something else.
    """
    if not isinstance(value, bool):
        raise UnitsError(f"{name} is True or False, not {value!r:.80}")
    return value
