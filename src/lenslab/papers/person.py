"""A person's name, taken apart: given names, family name, and what follows them; and the one text that keeps the parts.

Authors are kept as text in their spoken order. Where a source states which part is which, and the words alone would be
taken apart otherwise, no-break spaces bind the words of a part: ``Gabo García Márquez`` with one between the last two
has the family name *García Márquez*, and the name of an organisation is bound throughout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

TIE = "\u00a0"
"""The no-break space."""

SUFFIX = re.compile(r"(?:jr|sr|jnr|snr|esq)\.?|i{2,3}|iv|ph\.?\s?d\.?", re.IGNORECASE)
"""What follows a name, and is no part of it."""

_GROUP = re.compile(
    r"\b(?:collaborations?|consortium|team|group|working group|committee|project|organi[sz]ation|association|institute|"
    r"university|society|council|ministry|department|agency|foundation|laborator(?:y|ies)|inc|ltd|llc|gmbh)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[^\S\u00a0]+")


@dataclass(frozen=True, slots=True)
class Person:
    """An author, a person or an organisation.

    Attributes:
        family: The family name, particles included; of an organisation its whole name.
        given: The given names; empty for an organisation.
        suffix: What follows the name, such as ``Jr.``
    """

    family: str
    given: str = ""
    suffix: str = ""

    @classmethod
    def of(cls, *, family: str = "", given: str = "", suffix: str = "") -> Person:
        """Make a person of the parts that a source states, whatever white space is in them.

        Example:
            >>> Person.of(family=" García  Márquez", given="Gabo"), Person.of(given="Plato")
            (Person(family='García Márquez', given='Gabo', suffix=''), Person(family='Plato', given='', suffix=''))
        """
        family, given, suffix = (" ".join(part.split()) for part in (family, given, suffix))
        return cls(family, given, suffix) if family else cls(given, "", suffix) if given else cls(suffix)

    @classmethod
    def parse(cls, name: str) -> Person:
        """Take apart ``Given Family Jr.``, ``Family, Given``, ``Family, Jr., Given`` or ``Family, Given, Jr.``.

        Bound words stay together, see this module; a comma at the end says that all before it is one name, and two
        commas stand for one in the name of an organisation, as in EndNote's files.

        Example:
            >>> Person.parse("E. L. Berger Jr."), Person.parse("E. L. Berger Jr.") == Person.parse("Berger, Jr., E. L.")
            (Person(family='Berger', given='E. L.', suffix='Jr.'), True)
            >>> Person.parse("The ATLAS Collaboration"), Person.parse("Acme Sample,")
            (Person(family='The ATLAS Collaboration', given='', suffix=''), Person(family='Acme Sample', given='', ...))
        """
        if TIE in name:
            return cls._bound(name)
        if ",," in name:
            return cls.of(family=name.rstrip(", ").replace(",,", ","))
        first, *others = (" ".join(part.split()) for part in name.split(","))
        stated = [part for part in others if part]
        if len(others) > 1 and not others[0] and len(stated) == 1:
            return cls.of(family=first, suffix=stated[0])
        if len(stated) == 2 and not any(map(SUFFIX.fullmatch, stated)):
            return cls.of(family=first, given=stated[0], suffix=stated[1])
        suffix = next((part for part in stated if SUFFIX.fullmatch(part)), "")
        given = " ".join(part for part in stated if part != suffix)
        if given or _GROUP.search(first) or (others and not stated):
            return cls.of(family=first, given=given, suffix=suffix)
        words = first.split()
        if not suffix and len(words) > 2 and SUFFIX.fullmatch(words[-1]):
            suffix = words.pop()
        first = " ".join(words)
        family = last_words(first)
        return cls(family, first.removesuffix(family).strip(), suffix)

    @classmethod
    def _bound(cls, name: str) -> Person:
        *before, last = [word for word in _SPACE.split(name) if word] or [""]
        suffix = ""
        if (before and last.startswith(TIE)) or (len(before) > 1 and SUFFIX.fullmatch(last)):
            suffix, last = last, before.pop()
        return cls.of(family=last, given=" ".join(before), suffix=suffix)

    def __str__(self) -> str:
        r"""Write the name in its spoken order, so that `parse` gives the same parts.

        Example:
            >>> str(Person.parse("van Wingerden, Stan")), str(Person("García Márquez", "Gabo")).split(" ")
            ('Stan van Wingerden', ['Gabo', 'García\xa0Márquez'])
        """
        plain = " ".join(filter(None, (self.given, self.family, self.suffix)))
        if "," not in plain and Person.parse(plain) == self:
            return plain
        given, family, suffix = (part.replace(" ", TIE) for part in (self.given, self.family, self.suffix))
        # Of words that need not be bound, a no-break space behind the family name says that the parts are stated.
        return " ".join(filter(None, (given, family + TIE * (TIE not in family), suffix and TIE + suffix)))

    @property
    def family_first(self) -> str:
        """The name as lists sort it; a comma at the end keeps an organisation's name whole.

        Example:
            >>> Person.parse("E. L. Berger Jr.").family_first, Person("Acme Sample").family_first
            ('Berger, E. L., Jr.', 'Acme Sample,')
        """
        if not self.given and not self.suffix:
            family = self.family.replace(",", ",,")
            return family if Person.parse(family) == self else f"{family},"
        parts = (self.family, self.given, self.suffix) if self.suffix else (self.family, self.given)
        return ", ".join(parts)


@lru_cache(maxsize=65536)
def surname(name: str) -> str:
    """Give the family name of a name written in either order; of an organisation its whole name.

    Particles in lower case, such as *van* in ``Stan van Wingerden``, stay with the surname; bound words stay together.

    Example:
        >>> surname("Ari S. Morcos"), surname("Morcos, Ari S."), surname("Stan van Wingerden")
        ('Morcos', 'Morcos', 'van Wingerden')
        >>> surname("Gabo García\u00a0Márquez"), surname("World Health Organization")
        ('García Márquez', 'World Health Organization')
    """
    return Person.parse(name).family


@lru_cache(maxsize=65536)
def last_words(name: str) -> str:
    """Give what looks like the family name by the words alone, whatever a source states.

    Example:
        >>> last_words("Gabo García\u00a0Márquez"), last_words("Morcos, Ari S."), last_words("Ada King Jr.")
        ('Márquez', 'Morcos', 'King')
    """
    if "," in name:
        return name.split(",", 1)[0].strip()
    words = name.split()
    if not words:
        return ""
    if len(words) > 2 and words[-1].rstrip(".").lower() in {"jr", "sr", "ii", "iii", "iv"}:
        words = words[:-1]
    # BibTeX's rule: from the first word in lower case on, given names apart.
    start = next((place for place, word in enumerate(words[:-1]) if place and word.islower()), len(words) - 1)
    return " ".join(words[start:])
