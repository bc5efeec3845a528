"""Matching hashes: hashes of a work's title and people, by which records of one work find each other among millions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from lenslab.library.intake.duplicate_rule import coined_name, person
from lenslab.papers.work import plain_letters

if TYPE_CHECKING:
    from lenslab.papers.work import Described


@dataclass(frozen=True, slots=True)
class MatchingHashes:
    """Hashes of 64 bits, as databases store them; ``None`` where there is nothing to hash.

    They are of the title's letters and digits, of the authors' surnames and initials in whatever order, and of the name
    that the title coins before its colon.
    """

    title: int | None
    people: int | None
    name: int | None


def matching_hashes(work: Described) -> MatchingHashes:
    """Hash what identifies a work.

    Example:
        >>> from lenslab.papers.work import Work
        >>> one = matching_hashes(Work("BEAN: good units", ("Ada Lovelace", "C. Babbage")))
        >>> one == matching_hashes(Work("Bean: Good Units!", ("Charles Babbage", "Lovelace, A.")))
        True
    """
    letters = re.sub(r"[\W_]+", "", plain_letters(work.title))
    people = sorted(map(person, work.authors))
    return MatchingHashes(_hash(letters), _hash("\n".join(map("\t".join, people))), _hash(coined_name(work.title)))


def _hash(text: str) -> int | None:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True) if text else None
