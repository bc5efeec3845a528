"""Where the neighbours of a work stand: on rings, what it builds on inside, what came later further out.

Positions depend on nothing but the years and their order, so everyone sees one picture, with and without JavaScript.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import rustworkx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Places = tuple[tuple[float, float], ...]

# Distances in the picture's own unit, at which a mark is about 14 wide.
BETWEEN_RINGS = 64.0
BETWEEN_NEIGHBOURS = 40.0
CLEARANCE = 20.0


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle of works that all cite the current one or are cited by it, with the first and last year, where known."""

    radius: float
    role: str
    first: int | None
    last: int | None
    count: int

    @property
    def label(self) -> str:
        """The years as a reader reads them.

        Example:
            >>> Ring(64.0, "citing", 2017, 2018, 13).label
            '2017–2018'
        """
        if self.first is None or self.last is None:
            return "year unknown" if self.last is None else f"up to {self.last}"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def capacity(ring: int) -> int:
    """Tell how many works fit on a ring, counted from 1, the innermost, without touching.

    Example:
        >>> capacity(1), capacity(5)
        (10, 50)
    """
    return int(2 * math.pi * ring * BETWEEN_RINGS / BETWEEN_NEIGHBOURS)


def arrange(referenced: Sequence[int | None], citing: Sequence[int | None]) -> tuple[Places, tuple[Ring, ...]]:
    """Give every work a place; the last few hundred arrangements are remembered.

    Whole years share a ring where they fit; a year that does not fit goes on on the next ring. References have rings of
    their own inside of the citing works.

    Years come in ascending order, unknown ones first; places are those of the current work, the referenced and the
    citing ones.

    Example:
        >>> places, rings = arrange([2014], [2018, 2019])
        >>> [round(math.hypot(x, y)) for x, y in places], [ring.label for ring in rings]
        ([0, 64, 128, 128], ['2014', '2018–2019'])
    """
    return _arranged(tuple(referenced), tuple(citing))


# Three hundred places take some 50 kB.
@lru_cache(maxsize=256)
def _arranged(referenced: tuple[int | None, ...], citing: tuple[int | None, ...]) -> tuple[Places, tuple[Ring, ...]]:
    shells = [("referenced", shell) for shell in _shells(referenced, 1)]
    shells += [("citing", shell) for shell in _shells(citing, len(shells) + 1)]
    graph = rustworkx.PyDiGraph()
    nodes = [list(graph.add_nodes_from(shell)) for _, shell in shells]
    # rustworkx spreads each shell evenly; the shells' radii are ours, so that they are the same in every picture.
    evenly = rustworkx.shell_layout(graph, nlist=nodes)
    drawn = tuple(
        Ring(number * BETWEEN_RINGS, role, shell[0], shell[-1], len(shell))
        for number, (role, shell) in enumerate(shells, start=1)
    )
    places = [(0.0, 0.0)]
    crossed = np.empty((0, 2))
    for ring, members in zip(drawn, nodes, strict=True):
        angles = np.array([math.atan2(evenly[node][1], evenly[node][0]) for node in members])
        angles = angles + _clearest_turn(angles, crossed)
        crossed = np.vstack([crossed, np.column_stack([angles, np.full(len(members), ring.radius)])])
        places += [_place(ring.radius, float(angle)) for angle in angles]
    return tuple(places), drawn


def _clearest_turn(angles: FloatArray, crossed: FloatArray) -> float:
    """By how much a ring is turned so that its lines to the centre keep away from the works that they pass.

    ``crossed`` has a row (angle, radius) for each work further inside.
    """
    if not len(crossed):
        return -math.pi / 2
    turns = np.linspace(0.0, 2 * math.pi / len(angles), 60, endpoint=False)
    # A million gaps for three hundred works: everything is done in place, in whole turns instead of by a remainder.
    gaps = (turns[:, None, None] + angles[None, :, None] - crossed[None, None, :, 0]) / (2 * math.pi)
    gaps -= np.rint(gaps)
    np.abs(gaps, out=gaps)
    np.minimum(gaps, 0.25, out=gaps)
    # Lines that come close count by how close they come; those further away than a mark's width do not matter.
    gaps *= -2 * math.pi / CLEARANCE * crossed[:, 1]
    gaps += 1.0
    np.maximum(gaps, 0.0, out=gaps)
    return float(turns[np.argmin(np.einsum("tij,tij->t", gaps, gaps).round(9))])


def _shells(years: Sequence[int | None], first_ring: int) -> list[list[int | None]]:
    shells: list[list[int | None]] = []
    for _, group in groupby(years):
        waiting = list(group)
        if shells and len(shells[-1]) + len(waiting) <= capacity(first_ring + len(shells) - 1):
            shells[-1].extend(waiting)
            continue
        while waiting:
            room = capacity(first_ring + len(shells))
            shells.append(waiting[:room])
            del waiting[:room]
    return shells


def _place(radius: float, angle: float) -> tuple[float, float]:
    # Adding zero turns -0.0, which would show in the page's source, into 0.0.
    return round(radius * math.cos(angle), 2) + 0.0, round(radius * math.sin(angle), 2) + 0.0
