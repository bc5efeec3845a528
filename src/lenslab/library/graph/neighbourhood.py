"""A work among those that cite it and those it cites: nodes with places, and edges from citing to cited.

Where there are more neighbours than a picture holds, they are chosen by a rule that anybody can repeat: the influential
ones first, then so many of each year, drawn by lot (``citation_edges.lot``). All of it is read from two indexes of
the citations, so that a work with a hundred thousand citations takes as long as one with a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.db import connection

from lenslab.library import bulk_rows
from lenslab.library.graph import ring_layout
from lenslab.library.graph.citation_edges import SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.library.graph.ring_layout import Ring
    from lenslab.library.models import Work

Role = Literal["current", "citing", "referenced"]

# SQLite joins at most 500 selections.
_MOST_YEARS = 400


@dataclass(frozen=True, slots=True)
class Node:
    """A work in the picture.

    Attributes:
        title: With LaTeX as the source wrote it.
        authors: In short; empty where no source names any.
        role: The current work, one that cites it, or one that it cites (also where both cite each other).
        x: Where it stands, to the right of the current work.
        y: Where it stands, below the current work.
        influential: Whether a source calls the citation between it and the current work influential.
        standing: ``retracted`` or ``withdrawn`` where it stands no more.
    """

    key: str
    title: str
    authors: str
    year: int | None
    role: Role
    x: float
    y: float
    arxiv_id: str | None = None
    doi: str = ""
    influential: bool = False
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """One work of the picture cites another, both by their keys; influential if a source calls it so."""

    citing: str
    cited: str
    influential: bool = False


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The picture of a work's citations and references.

    Attributes:
        nodes: The current work first, then those it cites and those that cite it, by year, then by title.
        edges: Every citation that the library knows between two of the nodes.
        rings: From the inside out.
        citing_total: How many works cite the current one, shown or not; ``referenced_total``, how many it cites.
        complete: Whether all of them are shown.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    rings: tuple[Ring, ...]
    citing_total: int
    referenced_total: int
    complete: bool

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

    @property
    def rule(self) -> str:
        """How the works of the picture were chosen, as a reader reads it; empty where all are shown."""
        if self.complete:
            return ""
        return (
            f"{self.shown:,} of {self.total:,} works: the influential ones first, then as many of each year as of any "
            f"other, drawn by lot (seed {SEED})"
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The works of a picture and the citations between them, before they have places.

    Attributes:
        works: Rows (id, key, title, byline, year, arXiv id, DOI, standing), the current work first.
        roles: The role of each.
        influential: Whether each is tied to the current work by an influential citation.
        edges: Triples (citing id, cited id, influential).
        complete: Whether every work is there that cites the current one or is cited by it.
    """

    works: tuple[tuple[Any, ...], ...]
    roles: tuple[Role, ...]
    influential: tuple[bool, ...]
    edges: tuple[tuple[int, int, bool], ...]
    complete: bool


def neighbourhood(work: Work, limit: int = 300) -> Neighbourhood:
    """Draw a work among its neighbours, the same for everybody.

    References take up to half of the places, and more where citing works leave some free.
    """
    chosen = choose(work, limit)
    years = {role: [row[4] for row, own in zip(chosen.works, chosen.roles, strict=True) if own == role]
             for role in ("referenced", "citing")}  # fmt: skip
    places, drawn = ring_layout.arrange(years["referenced"], years["citing"])
    nodes = tuple(
        Node(key, title, byline, year, role, *place, arxiv_id, doi, influential, standing or "")
        for (_, key, title, byline, year, arxiv_id, doi, standing), role, influential, place in zip(
            chosen.works, chosen.roles, chosen.influential, places, strict=True
        )
    )
    keys = {row[0]: row[1] for row in chosen.works}
    edges = tuple(Edge(keys[citing], keys[cited], influential) for citing, cited, influential in chosen.edges)
    return Neighbourhood(nodes, edges, drawn, work.citation_count, work.reference_count, chosen.complete)


def choose(work: Work, limit: int) -> Chosen:
    """Choose the works of a picture and read them and the citations between them: the query behind the picture."""
    places = min(work.reference_count, max(limit // 2, limit - work.citation_count))
    with connection.cursor() as cursor:
        referenced = dict(one_side(cursor, "citing", work.pk, places, work.reference_count))
        left = limit - len(referenced)
        drawn = one_side(cursor, "cited", work.pk, left, work.citation_count)
        citing = {pk: influential for pk, influential in drawn if pk not in referenced}
        query = "SELECT id, key, title, byline, year, arxiv_id, doi, standing FROM library_work WHERE id {one_of}"
        ids = sorted({work.pk, *referenced, *citing})
        rows = {row[0]: row for row in bulk_rows.select_ids(cursor, query, ids)}
        inner, outer = (
            sorted((rows[pk] for pk in side if pk in rows), key=lambda row: (row[4] or 0, row[2].casefold(), row[1]))
            for side in (referenced, citing)
        )
        works = (rows[work.pk], *inner, *outer)
        edges = _between(cursor, [row[0] for row in works])
    roles: list[Role] = ["current"]
    roles += ["referenced" for _ in inner]
    roles += ["citing" for _ in outer]
    tied = referenced | citing
    return Chosen(
        works,
        tuple(roles),
        tuple(tied.get(row[0], False) for row in works),
        tuple(sorted(edges)),
        complete=places == work.reference_count and work.citation_count <= left,
    )


def one_side(cursor: Any, own: str, pk: int, places: int, total: int) -> list[tuple[int, bool]]:
    """Choose the neighbours on one side by the rule, with whether they are influential.

    The current work stands in the column ``own``: ``cited`` for the works that cite it.
    """
    other = "citing" if own == "cited" else "cited"
    if places <= 0:
        return []
    if total <= places:
        cursor.execute(f"SELECT {other}_id, influential FROM library_citation WHERE {own}_id = %s", [pk])
        return [(neighbour, bool(influential)) for neighbour, influential in cursor.fetchall()]
    found: list[tuple[int, bool]] = []
    for influential in (True, False):
        left = places - len(found)
        years = _years(cursor, own, other, pk, influential=influential) if left else []
        drawn = _by_lot(cursor, own, other, pk, influential, years, left) if years else {}
        found += [(neighbour, influential) for neighbour in evenly(drawn, left)]
    return found


def evenly(drawn: dict[int, list[int]], places: int) -> list[int]:
    """Choose as many of each year as of any other, as far as there are; the latest years get what is left over.

    Example:
        >>> evenly({2018: [1], 2019: [2, 3, 4], 2020: [5, 6, 7]}, 6)
        [1, 2, 3, 5, 6, 7]
    """
    counts = dict.fromkeys(drawn, 0)
    left = min(places, sum(map(len, drawn.values())))
    while left:
        open_years = [year for year in sorted(drawn, reverse=True) if counts[year] < len(drawn[year])]
        share = max(1, left // len(open_years))
        for year in open_years:
            more = min(share, len(drawn[year]) - counts[year], left)
            counts[year] += more
            left -= more
    return [work for year in sorted(drawn) for work in drawn[year][: counts[year]]]


def _years(cursor: Any, own: str, other: str, pk: int, *, influential: bool) -> list[int]:
    """Find the years of one side, each by one step through the index."""
    least = f"SELECT min({other}_year) FROM library_citation WHERE {own}_id = %s AND influential = %s"
    cursor.execute(
        f"WITH RECURSIVE years(year) AS ({least} UNION ALL SELECT ({least} AND {other}_year > year) FROM years "
        "WHERE year IS NOT NULL) SELECT year FROM years WHERE year IS NOT NULL",
        [pk, influential, pk, influential],
    )
    return [row[0] for row in cursor.fetchall()]


def _by_lot(
    cursor: Any, own: str, other: str, pk: int, influential: bool, years: Sequence[int], places: int
) -> dict[int, list[int]]:
    """Draw as many works of each year as can be chosen, in the order of their lots: short walks through the index.

    Each year is asked for twice its even share. Where small years leave so many places that this does not fill them,
    the years that have more are asked again for four times as many.
    """
    of_a_year = (
        f"SELECT * FROM (SELECT {other}_year, {other}_id FROM library_citation WHERE {own}_id = %s "
        f"AND influential = %s AND {other}_year = %s ORDER BY lot, {other}_id LIMIT %s) AS drawn"
    )
    drawn: dict[int, list[int]] = {}
    waiting, most = list(years), 2 * -(-places // len(years))
    while waiting:
        most = min(most, places)
        for some in bulk_rows.batched(waiting, _MOST_YEARS):
            drawn.update((year, []) for year in some)
            values = [value for year in some for value in (pk, influential, year, most)]
            cursor.execute(" UNION ALL ".join([of_a_year] * len(some)), values)
            for year, neighbour in cursor.fetchall():
                drawn[year].append(neighbour)
        if most == places or sum(map(len, drawn.values())) >= places:
            break
        waiting = [year for year in waiting if len(drawn[year]) == most]
        most *= 4
    return drawn


def _between(cursor: Any, works: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Read every citation between two of the works.

    The database walks along the references of each work and compares: three hundred lists of some dozens are far
    quicker than ninety thousand pairs, which it would look up one by one but for the plus sign.
    """
    one_of, ids = bulk_rows.one_of(works)
    pairs = f"citing_id {one_of} AND +cited_id {one_of}"
    cursor.execute(f"SELECT citing_id, cited_id, influential FROM library_citation WHERE {pairs}", [ids, ids])
    return [(citing, cited, bool(influential)) for citing, cited, influential in cursor.fetchall()]
