"""A work among those that cite it and those it cites: nodes with places, and edges from citing to cited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db.models import Q

from lenslab.library import rings
from lenslab.library.models import Author, Citation, Work
from lenslab.papers.work import short_authors

if TYPE_CHECKING:
    from lenslab.library.rings import Ring

Role = Literal["current", "citing", "referenced"]


@dataclass(frozen=True, slots=True)
class Node:
    """A work in the picture.

    Attributes:
        key: its name in addresses.
        title: its title, with LaTeX as the source wrote it.
        authors: its authors in short; empty where no source names any.
        year: its year, where known.
        role: the current work, one that cites it, or one that it cites (also where both cite each other).
        x: where it stands, to the right of the current work.
        y: where it stands, below the current work.
    """

    key: str
    title: str
    authors: str
    year: int | None
    role: Role
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """One work of the picture cites another.

    Attributes:
        citing: key of the work that cites.
        cited: key of the work that is cited.
    """

    citing: str
    cited: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The picture of a work's citations and references.

    Attributes:
        nodes: the current work first, then those it cites and those that cite it, by year, then by title.
        edges: every citation that the library knows between two of the nodes.
        rings: the circles that the nodes stand on, from the inside out.
        citing_total: how many works cite the current one, shown or not.
        referenced_total: how many it cites, shown or not.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    rings: tuple[Ring, ...]
    citing_total: int
    referenced_total: int

    @property
    def shown(self) -> int:
        """How many neighbours are in the picture."""
        return len(self.nodes) - 1

    @property
    def total(self) -> int:
        """How many neighbours there are; works that cite and are cited count in both directions."""
        return self.citing_total + self.referenced_total

    @property
    def radius(self) -> float:
        """How far the outermost ring lies from the centre."""
        return self.rings[-1].radius if self.rings else 0.0


def neighbourhood(work: Work, limit: int = 300) -> Neighbourhood:
    """Draws a work among its neighbours, the same for everybody.

    Where there are more neighbours than the limit, references take up to half of the places (more, where citing works
    leave some free), and the newest of each kind are shown. Six queries, however many neighbours there are.

    Args:
        work: the work in the middle.
        limit: how many neighbours are shown at most.

    Returns:
        Nodes, edges, and the totals, so that a page can say what it leaves out.
    """
    referenced_total = Citation.objects.filter(citing=work).count()
    citing_total = Citation.objects.filter(cited=work).count()
    places = min(referenced_total, max(limit // 2, limit - citing_total))
    newest = Work.objects.order_by("-year", "title", "pk")
    referenced = list(newest.filter(citations__citing=work)[:places])
    known = {work.pk, *(other.pk for other in referenced)}
    citing = [
        other for other in newest.filter(references__cited=work)[: limit - len(referenced)] if other.pk not in known
    ]
    inner, outer = (sorted(works, key=_by_year) for works in (referenced, citing))
    places_of, drawn = rings.arrange([other.year for other in inner], [other.year for other in outer])
    works = [work, *inner, *outer]
    names = _author_names(works)
    roles: list[Role] = ["current", *["referenced"] * len(inner), *["citing"] * len(outer)]  # type: ignore[list-item]
    nodes = tuple(
        Node(other.key, other.title, short_authors(names.get(other.pk, [])), other.year, role, *place)
        for other, role, place in zip(works, roles, places_of, strict=True)
    )
    return Neighbourhood(nodes, _edges(works), drawn, citing_total, referenced_total)


def _by_year(work: Work) -> tuple[int, str, str]:
    return work.year or 0, work.title.casefold(), work.key


def _author_names(works: list[Work]) -> dict[int, list[str]]:
    """Names by work, three to a work: more are never shown, and some author lists run to thousands."""
    found: dict[int, list[str]] = {}
    first = Author.objects.filter(Q(work__in=works) & Q(position__lt=3)).order_by("work", "position")
    for work, name in first.values_list("work", "name"):
        found.setdefault(work, []).append(name)
    return found


def _edges(works: list[Work]) -> tuple[Edge, ...]:
    keys = {work.pk: work.key for work in works}
    between = Citation.objects.filter(citing__in=keys, cited__in=keys).order_by("pk")
    return tuple(Edge(keys[citing], keys[cited]) for citing, cited in between.values_list("citing", "cited"))
