"""The picture of a citation network: what the library placed, with addresses and words for each node."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lenslab.library.graph.neighbourhood import Neighbourhood, Node
from lenslab.papers.text.latex_display import plain_text
from lenslab.web.addresses import work_address

MARGIN = 26
# A picture of few works is not blown up to the size of one of many.
LEAST_REACH = 190
# From a ring inwards to its label's line of writing, clear of the nodes on it and on the next ring inside.
LABEL_INSET = 20


@dataclass(frozen=True)
class PlacedWork:
    """A node: a work with its place in the picture and in its list.

    Attributes:
        role: ``current``, ``citing`` or ``referenced``.
        byline: Authors in short, year, and what became of it.
        place: For instance ``Citing paper 3 of 113``.
        x: To the right of the current work.
        y: Below the current work.
        standing: ``retracted`` or ``withdrawn`` where it stands no more.
    """

    key: str
    role: str
    title: str
    byline: str
    place: str
    address: str
    x: float
    y: float
    standing: str = ""


@dataclass(frozen=True)
class DrawnRing:
    """A ring of years: its radius, its label, and where the label stands."""

    radius: float
    label: str
    label_y: float


@dataclass(frozen=True)
class Line:
    """An edge as it is drawn, from the citing work to the cited one."""

    source: str
    target: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Picture:
    """Everything that the server draws as SVG and the browser makes interactive."""

    works: tuple[PlacedWork, ...]
    rings: tuple[DrawnRing, ...]
    edges: tuple[Line, ...]
    view_box: str
    caption: str

    @property
    def fallen(self) -> tuple[str, ...]:
        """What became of works that stand no more: ``retracted``, ``withdrawn``."""
        return tuple(sorted({work.standing for work in self.works} - {""}))

    def data(self) -> dict[str, Any]:
        """Give the picture as JSON for the browser."""
        return {
            "works": [asdict(work) for work in self.works],
            "rings": [{"radius": ring.radius, "label": ring.label} for ring in self.rings],
            "edges": [{"source": edge.source, "target": edge.target} for edge in self.edges],
        }


def draw(neighbourhood: Neighbourhood) -> Picture:
    """Turn a neighbourhood into a picture; its coordinates have the current work at (0, 0) and y pointing down."""
    numbers = {"citing": 0, "referenced": 0, "current": 0}
    totals = {role: sum(node.role == role for node in neighbourhood.nodes) for role in numbers}
    works = []
    for node in sorted(neighbourhood.nodes, key=lambda node: ("current", "citing", "referenced").index(node.role)):
        numbers[node.role] += 1
        works.append(_placed(node, numbers[node.role], totals[node.role]))
    at = {work.key: work for work in works}
    edges = tuple(
        Line(edge.citing, edge.cited, at[edge.citing].x, at[edge.citing].y, at[edge.cited].x, at[edge.cited].y)
        for edge in neighbourhood.edges
    )
    circles = neighbourhood.rings
    rings = tuple(DrawnRing(ring.radius, ring.label, round(LABEL_INSET - ring.radius, 1)) for ring in circles)
    reach = max(neighbourhood.radius + MARGIN, LEAST_REACH)
    caption = "Rings are years: references inside, citing works around them, the latest outermost."
    if neighbourhood.rule:
        caption += f" The picture shows {neighbourhood.rule}; the table below has them all."
    return Picture(tuple(works), rings, edges, f"{-reach:g} {-reach:g} {2 * reach:g} {2 * reach:g}", caption)


def _placed(node: Node, number: int, total: int) -> PlacedWork:
    names = {"citing": "Citing paper", "referenced": "Referenced paper"}
    return PlacedWork(
        key=node.key,
        role=node.role,
        title=plain_text(node.title),
        byline=", ".join(filter(None, (node.authors, str(node.year or ""), node.standing))),
        place=f"{names[node.role]} {number} of {total}" if node.role in names else "This paper",
        address=work_address(node.key),
        x=node.x,
        y=node.y,
        standing=node.standing,
    )
