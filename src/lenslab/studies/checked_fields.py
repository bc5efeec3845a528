"""Fields of a document that is not trusted: each is checked before it is used, and a wrong one is named."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenslab.studies.errors import BrokenStudyError
from lenslab.studies.figure import Figure

_LONGEST = 2000
_MOST = 200


@dataclass(frozen=True)
class Fields:
    """A JSON object that is not trusted.

    Attributes:
        document: What was read.
        where: What it is called in messages.

    Example:
        >>> Fields({"units": -1}, "record.json").number("units")
        Traceback (most recent call last):
        lenslab.studies.errors.BrokenStudyError: record.json has -1 as 'units', and not a number of things; ...
    """

    document: Mapping[str, Any]
    where: str

    def value(self, name: str) -> Any:
        """Read the field as it is; refused where it is missing."""
        if name not in self.document:
            raise BrokenStudyError(f"{self.where} lacks the field {name!r}; the record is damaged, run the study again")
        return self.document[name]

    def refuse(self, name: str, expected: str) -> BrokenStudyError:
        """Make the error that says what the field holds, and what was expected."""
        shown = repr(self.document.get(name))
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        return BrokenStudyError(f"{self.where} has {shown} as {name!r}, and not {expected}; the record is damaged")

    def text(self, name: str) -> str:
        """Read a text of bearable length; control characters, which a terminal would obey, are replaced."""
        value = self.value(name)
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise self.refuse(name, f"a text of at most {_LONGEST} characters")
        return _printable(value)

    def optional_text(self, name: str) -> str | None:
        """Read a text, or None where the field is missing or null."""
        return None if self.document.get(name) is None else self.text(name)

    def name(self, name: str) -> str:
        """Read a name that is safe in a file name or an address."""
        value = self.text(name)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
            raise self.refuse(name, "a name of small letters, digits and hyphens")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of some words."""
        value = self.value(name)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(name, f"one of {', '.join(choices)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts."""
        value = self.value(name)
        usable = isinstance(value, list) and len(value) <= _MOST
        if not usable or not all(isinstance(one, str) and len(one) <= _LONGEST for one in value):
            raise self.refuse(name, "a list of texts")
        return tuple(_printable(one) for one in value)

    def number(self, name: str) -> int:
        """Read a number of things: 0 or more."""
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.refuse(name, "a number of things")
        return value

    def figure(self, name: str) -> float:
        """Read a number between -1 and 1."""
        return self._between(name, -1, 1, "a fraction")

    def interval(self) -> Figure:
        """Read the fields ``estimate``, ``low`` and ``high``; NaN for null."""
        # The interval of a difference of correlations may reach beyond 1.
        names, kind = ("estimate", "low", "high"), "a figure or null"
        return Figure(*(math.nan if self.value(name) is None else self._between(name, -10, 10, kind) for name in names))

    def fields(self, name: str) -> "Fields":
        """Read an object within."""
        value = self.value(name)
        if not isinstance(value, dict):
            raise self.refuse(name, "an object")
        return Fields(value, f"{self.where} ({name})")

    def list_of_fields(self, name: str) -> list["Fields"]:
        """Read a list of objects within."""
        value = self.value(name)
        if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(one, dict) for one in value):
            raise self.refuse(name, "a list of objects")
        return [Fields(one, f"{self.where} ({name}[{place}])") for place, one in enumerate(value)]

    def _between(self, name: str, low: float, high: float, expected: str) -> float:
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.refuse(name, expected)
        return float(value)


def _printable(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", text)
