"""A person's name, taken apart: given names, family name, and what follows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lenslab.papers.work import surname

_SUFFIX = re.compile(r"(?:jr|sr)\.?|i{2,3}|iv", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:collaborations?|consortium|team|group|working group|committee|project)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """An author.

    Attributes:
        family: The family name, particles in lower case included; of a group its whole name.
        given: The given names; empty for a group.
        suffix: What follows the name, such as ``Jr.``
    """

    family: str
    given: str = ""
    suffix: str = ""

    @classmethod
    def parse(cls, name: str) -> Person:
        """Take apart ``Given Family Jr.``, ``Family, Given``, ``Family, Jr., Given`` or ``Family, Given, Jr.``.

        Example:
            >>> Person.parse("E. L. Berger Jr."), Person.parse("E. L. Berger Jr.") == Person.parse("Berger, Jr., E. L.")
            (Person(family='Berger', given='E. L.', suffix='Jr.'), True)
            >>> Person.parse("The ATLAS Collaboration")
            Person(family='The ATLAS Collaboration', given='', suffix='')
        """
        first, *others = (" ".join(part.split()) for part in name.split(","))
        suffix = next((part for part in others if _SUFFIX.fullmatch(part)), "")
        given = " ".join(part for part in others if part and part != suffix)
        if given:
            return cls(first, given, suffix)
        if _GROUP.search(first):
            return cls(first, "", suffix)
        words = first.split()
        if not suffix and len(words) > 2 and _SUFFIX.fullmatch(words[-1]):
            suffix = words.pop()
        first = " ".join(words)
        family = surname(first)
        return cls(family, first.removesuffix(family).strip(), suffix)

    def __str__(self) -> str:
        """Write the name in its spoken order.

        Example:
            >>> str(Person.parse("van Wingerden, Stan"))
            'Stan van Wingerden'
        """
        return " ".join(filter(None, (self.given, self.family, self.suffix)))

    @property
    def family_first(self) -> str:
        """The name as lists sort it.

        Example:
            >>> Person.parse("E. L. Berger Jr.").family_first
            'Berger, E. L., Jr.'
        """
        return ", ".join(filter(None, (self.family, self.given, self.suffix)))
