"""The shortest chain of citations between two works.

The search goes from both ends at once, a level of one end at a time, always from the end that costs fewer citations to
read (Pohl, 1971); so it does not read the hundred thousand citations of a hub that it can walk around. Where it would
read more than it may, it looks whether the two ends are one step apart, which takes references alone, then stops and
says how far it looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db import connection

from lenslab.library import bulk_rows
from lenslab.papers.text.latex_display import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lenslab.library.models import Work

    Pair = tuple[int, int]
    _Way = tuple[int, int, tuple[str, ...], tuple[int, ...]]

# So many works at a time are named in a statement.
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Stop:
    """A work on the way; its title has LaTeX as the source wrote it."""

    key: str
    title: str
    byline: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """From one work of the chain to the next: forward if the earlier one cites, influential if a source says so."""

    citing: Stop
    cited: Stop
    forward: bool
    influential: bool

    @property
    def sentence(self) -> str:
        """Who cites whom, as a reader reads it."""
        return f"“{plain_text(self.citing.title)}” cites “{plain_text(self.cited.title)}”."


@dataclass(frozen=True, slots=True)
class Chain:
    """The answer: a chain, or why there is none.

    Attributes:
        stops: The works from one end to the other; empty where no chain was found.
        shortest: How many chains are equally short.
        read: How many citations were read.
        reason: Why none was found; empty where one was.
    """

    stops: tuple[Stop, ...]
    steps: tuple[Step, ...]
    shortest: int
    read: int
    reason: str = ""


@dataclass(slots=True)
class _End:
    """One end of the search: the works that it has reached, and from where.

    Attributes:
        sides: The columns in which a work stands whose citations are followed.
        parents: The works one step nearer to the end, for each work reached.
        frontier: The works reached last, after so many steps (``depth``); going on costs so many citations (``cost``).
    """

    sides: tuple[str, ...]
    parents: dict[int, set[int]]
    frontier: set[int]
    depth: int = 0
    cost: int = 0


def chain(one: Work, other: Work, *, directed: bool = False, longest: int = 8, most: int = 60_000) -> Chain:
    """Find the shortest chain of citations between two works.

    Of several equally short ones it is the one with the most influential citations, of these the one with the newest
    works (the greatest sum of years, unknown ones counting 0), and of these the first by its works' keys.

    Args:
        one: Where the chain begins.
        other: Where it ends.
        directed: Whether each work must cite the next one; else a citation may be walked either way.
        longest: How many steps it may have at most.
        most: How many citations may be read at most.
    """
    ends = (
        _End(("citing",) if directed else ("citing", "cited"), {one.pk: set()}, {one.pk}),
        _End(("cited",) if directed else ("cited", "citing"), {other.pk: set()}, {other.pk}),
    )
    known: dict[Pair, bool] = {}
    read = 0
    met = {one.pk} & {other.pk}
    with connection.cursor() as cursor:
        for end in ends:
            end.cost = _cost(cursor, end)
        while not met:
            if ends[0].depth + ends[1].depth == longest:
                return Chain((), (), 0, read, f"there is no chain of up to {_steps(longest)}")
            end = min(ends, key=lambda own: own.cost)
            if not end.frontier:
                words = "no chain in which each work cites the next" if directed else "no chain of citations at all"
                return Chain((), (), 0, read, f"there is {words} between them in this library")
            if read + end.cost > most:
                steps = ends[0].depth + ends[1].depth
                if not directed and (more := _join(cursor, ends, known, most - read)):
                    read += more
                    steps += 1
                    met = ends[0].parents.keys() & ends[1].parents.keys()
                    if met:
                        break
                further = f"to look further, more than {most:,} citations would have to be read"
                return Chain((), (), 0, read, f"none of up to {_steps(steps)}; {further}")
            read += _advance(cursor, end, known)
            end.cost = _cost(cursor, end)
            met = ends[0].parents.keys() & ends[1].parents.keys()
        levels = _levels(ends, met)
        about = _about(cursor, {work for level in levels for work in level})
    return _best(levels, known, about, read, directed=directed)


def _steps(number: int) -> str:
    return f"{number} step{'' if number == 1 else 's'}"


def _cost(cursor: Any, end: _End) -> int:
    """Count the citations on the next level of an end."""
    counts = " + ".join(f"sum({'reference' if side == 'citing' else 'citation'}_count)" for side in end.sides)
    query = f"SELECT {counts} FROM library_work WHERE id {{one_of}}"
    return sum(int(bulk_rows.select_ids(cursor, query, part)[0][0] or 0) for part in _parts(end.frontier))


def _advance(cursor: Any, end: _End, known: dict[Pair, bool]) -> int:
    """Go one level further from an end, and tell how many citations that read."""
    reached: dict[int, set[int]] = {}
    read = 0
    for part in _parts(end.frontier):
        for side in end.sides:
            query = f"SELECT citing_id, cited_id, influential FROM library_citation WHERE {side}_id {{one_of}}"
            rows = bulk_rows.select_ids(cursor, query, part)
            read += len(rows)
            for citing, cited, influential in rows:
                known[citing, cited] = bool(influential)
                before, after = (citing, cited) if side == "citing" else (cited, citing)
                if after not in end.parents:
                    reached.setdefault(after, set()).add(before)
    end.parents.update(reached)
    end.frontier = set(reached)
    end.depth += 1
    return read


def _join(cursor: Any, ends: tuple[_End, _End], known: dict[Pair, bool], most: int) -> int:
    """Look whether works reached last from one end cite, or are cited by, those of the other.

    That takes their references, of which even a work with a hundred thousand citations has but dozens. Give how many
    citations it read; 0 where they were too many, and nothing is known.
    """
    read = sum(_cost(cursor, _End(("citing",), {}, end.frontier)) for end in ends)
    if read > most:
        return 0
    for one, other in (ends, ends[::-1]):
        query = "SELECT citing_id, cited_id, influential FROM library_citation WHERE citing_id {one_of}"
        for part in _parts(one.frontier):
            for citing, cited, influential in bulk_rows.select_ids(cursor, query, part):
                if cited in other.frontier:
                    known[citing, cited] = bool(influential)
                    near, far = (citing, cited) if one is ends[0] else (cited, citing)
                    ends[1].parents.setdefault(near, set()).add(far)
    return read or 1


def _levels(ends: tuple[_End, _End], met: set[int]) -> list[set[int]]:
    """Give the works on all shortest chains, by their distance from the first end.

    The ends met just now for the first time, so every work at which they meet is as far from either end as that end
    has come.
    """
    levels = [met]
    while before := {parent for work in levels[0] for parent in ends[0].parents[work]}:
        levels.insert(0, before)
    while after := {parent for work in levels[-1] for parent in ends[1].parents[work]}:
        levels.append(after)
    return levels


def _best(
    levels: list[set[int]], known: dict[Pair, bool], about: dict[int, Stop], read: int, *, directed: bool
) -> Chain:
    """Find the best shortest chain, level by level: what is best up to a work is best for every chain through it."""
    # For each work: influential citations and years so far (negative: less is better), keys, works, number of chains.
    (start,) = levels[0]
    state: dict[int, _Way] = {start: (0, -(about[start].year or 0), (about[start].key,), (start,))}
    number = {start: 1}
    for level in levels[1:]:
        following: dict[int, _Way] = {}
        counted: dict[int, int] = {}
        for work in level:
            stop = about[work]
            before = [
                (influential, years, keys, works)
                for own, (influential, years, keys, works) in state.items()
                if (own, work) in known or (not directed and (work, own) in known)
            ]
            following[work] = min(
                (influential - _influential(known, works[-1], work, directed=directed), years - (stop.year or 0),
                 (*keys, stop.key), (*works, work))
                for influential, years, keys, works in before
            )  # fmt: skip
            counted[work] = sum(number[works[-1]] for _, _, _, works in before)
        state, number = following, counted
    ((*_, works),) = state.values()
    stops = tuple(about[work] for work in works)
    steps = tuple(_step(one, other, known, about, directed=directed) for one, other in pairwise(works))
    return Chain(stops, steps, sum(number.values()), read)


def _influential(known: dict[Pair, bool], one: int, other: int, *, directed: bool) -> bool:
    return known.get((one, other), False) or (not directed and known.get((other, one), False))


def _step(one: int, other: int, known: dict[Pair, bool], about: dict[int, Stop], *, directed: bool) -> Step:
    """Two works may cite each other: the influential citation tells more, then the one that goes along the chain."""
    pairs = [(one, other)] if directed else [(one, other), (other, one)]
    citing, cited = max((pair for pair in pairs if pair in known), key=lambda pair: (known[pair], pair == (one, other)))
    return Step(about[citing], about[cited], citing == one, known[citing, cited])


def _about(cursor: Any, works: set[int]) -> dict[int, Stop]:
    query = "SELECT id, key, title, byline, year FROM library_work WHERE id {one_of}"
    return {row[0]: Stop(*row[1:]) for part in _parts(works) for row in bulk_rows.select_ids(cursor, query, part)}


def _parts(works: Iterable[int]) -> Iterator[list[int]]:
    return bulk_rows.batched(sorted(works), _AT_ONCE)
