"""Term counts: numbers of papers by group and stem, which add and subtract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """How many papers a library holds, and in how many of them each stem stands, by group.

    Numbers are never zero; they are negative in a difference that takes more away than it adds.

    Attributes:
        documents: Number of papers by group; groups are archives, categories, and ``all``.
        stems: For each group, number of papers by stem.
    """

    documents: Mapping[str, int] = field(default_factory=dict)
    stems: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)

    def __add__(self, other: Counts) -> Counts:
        return _combined(self, other, 1)

    def __sub__(self, other: Counts) -> Counts:
        return _combined(self, other, -1)

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """Give every stem with its group and its number, as a table stores them."""
        for group, numbers in self.stems.items():
            for stem, number in numbers.items():
                yield stem, group, number

    @classmethod
    def from_rows(cls, documents: Mapping[str, int], rows: Iterable[tuple[str, str, int]]) -> Counts:
        """Build the counts that a table stores, or those of them that were asked for.

        Example:
            >>> counts = Counts({"all": 2}, {"all": {"unit": 1}})
            >>> Counts.from_rows(counts.documents, counts.rows()) == counts
            True
        """
        stems: dict[str, Counter[str]] = {}
        for stem, group, number in rows:
            stems.setdefault(group, Counter())[stem] += number
        return cls(_without_zeros(documents), {group: _without_zeros(numbers) for group, numbers in stems.items()})


def _combined(one: Counts, other: Counts, sign: int) -> Counts:
    documents = _sum(one.documents, other.documents, sign)
    stems = {
        group: numbers
        for group in sorted({*one.stems, *other.stems})
        if (numbers := _sum(one.stems.get(group, {}), other.stems.get(group, {}), sign))
    }
    return Counts({group: documents[group] for group in sorted(documents)}, stems)


def _sum(one: Mapping[str, int], other: Mapping[str, int], sign: int) -> dict[str, int]:
    total = dict(one)
    for name, number in other.items():
        total[name] = total.get(name, 0) + sign * number
        if not total[name]:
            del total[name]
    return total


def _without_zeros(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number}
