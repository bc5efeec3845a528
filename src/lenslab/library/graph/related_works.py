"""The works that stand near a work: what its surroundings build on, what builds on them, and what is alike.

``Surroundings`` of a work are the works of its picture (``lenslab.library.graph.neighbourhood.choose``) and itself.

- *Prior works* are those that most of the surroundings cite, *derivative works* those that cite most of them.
- *Co-cited* works are most often cited together with the work (Small, 1973): of ``n`` works that cite the one and
  ``m`` that cite the other, ``k`` cite both, and the score is Salton's cosine ``k / sqrt(n * m)``.
- *Coupled* works cite the same works as it does (Kessler, 1963), with the same score for lists of references.
- *Alike in words* are works with the same key terms: the cosine of their vectors of key terms
  (``lenslab.papers.terms.key_terms``: tf * idf, so that rare terms count for more).
- *Similar* works are ordered by ``0.4 * coupled + 0.3 * co-cited + 0.3 * alike``.

Work is bounded. Where more than ``DRAWN`` works cite a work or are cited by it, so many are drawn by lot, as for the
picture, and ``k`` is scaled up. Works that share something are looked for through the least cited works first, until
``READ`` citations are read; what shares only hubs with a work is then not found. Either is said in the answer. For the
works that are found, ``k`` is counted in full.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import connection

from lenslab.library.bulk_rows import one_of, select_ids
from lenslab.library.graph.neighbourhood import choose, one_side
from lenslab.library.search import work_search
from lenslab.library.search.query_language import Query, Term
from lenslab.papers.terms.key_terms import key_terms
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.text.plurals import singular
from lenslab.papers.work import plain_letters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lenslab.library.models import Work

    _Common = tuple[float, int]  # the cosine, and how many works two works have in common

DRAWN = 500
READ = 20_000
PICTURE = 300
_CANDIDATES = 100
# Key terms take some milliseconds for each work.
_READ_IN_WORDS = 40
_TERMS = 20
_SEARCHED_TERMS = 6
WEIGHTS = {"coupled": 0.4, "cocited": 0.3, "alike": 0.3}


@dataclass(frozen=True, slots=True)
class RelatedWork:
    """A work near another.

    Attributes:
        title: With LaTeX as the source wrote it.
        score: What it is ordered by; from 0 to 1.
        evidence: Why, in words.
        coupled: How alike the lists of references are; of similar works only, as the next two.
        cocited: How often both are cited together.
        alike: How alike the key terms are.
    """

    key: str
    title: str
    byline: str
    year: int | None
    arxiv_id: str | None
    score: float
    evidence: str
    coupled: float = 0.0
    cocited: float = 0.0
    alike: float = 0.0


@dataclass(frozen=True, slots=True)
class RelatedWorks:
    """The answer.

    Attributes:
        prior: What most of the surroundings cite.
        derivative: What cites most of the surroundings.
        cocited: What is most often cited together with the work.
        similar: What is most alike, by citations and words.
        notes: Where works were drawn by lot or left out, and how many.
    """

    prior: tuple[RelatedWork, ...]
    derivative: tuple[RelatedWork, ...]
    cocited: tuple[RelatedWork, ...]
    similar: tuple[RelatedWork, ...]
    notes: tuple[str, ...]


def related_works(work: Work, limit: int = 10) -> RelatedWorks:
    """Find the works near a work, up to a limit of each kind."""
    notes: list[str] = []
    with connection.cursor() as cursor:
        picture = choose(work, PICTURE)
        around = [row[0] for row in picture.works]
        if not picture.complete:
            notes.append(
                f"prior and derivative works are those of {len(around) - 1:,} of "
                f"{work.citation_count + work.reference_count:,} neighbours, drawn by lot"
            )
        prior = _cited_by(cursor, around, work.pk)
        derivative = _citing(cursor, around, work.pk, "derivative works", notes, least=2)
        together = _together(cursor, work, notes)
        shared = _shared(cursor, work, notes)
        top = [pk for kind in (prior, derivative, together) for pk, _ in _top(kind, limit)]
        candidates = {*(pk for kind in (together, shared) for pk, _ in _top(kind, _CANDIDATES))}
        likely = _top({pk: _part(shared, pk) + _part(together, pk) for pk in candidates}, _READ_IN_WORDS // 2)
        worded = dict.fromkeys([pk for pk, _ in likely] + _with_its_terms(work))
        worded.pop(work.pk, None)
        query = "SELECT id, key, title, byline, year, arxiv_id, abstract FROM library_work WHERE id {one_of}"
        rows = select_ids(cursor, query, {work.pk, *top, *candidates, *worded})
    about = {row[0]: row[1:-1] for row in rows}
    alike = _alike({row[0]: f"{row[2]}. {row[-1]}" for row in rows}, work.pk, worded)
    cocited = tuple(
        RelatedWork(*[*about[pk], round(cosine, 4), _cited_together(number)])
        for pk, (cosine, number) in _top(together, limit)
    )
    return RelatedWorks(
        _listed(about, prior, limit, len(around), "cited by {:,} of {:,} works around it"),
        _listed(about, derivative, limit, len(around), "cites {:,} of {:,} works around it"),
        cocited,
        _similar(about, shared, together, alike, limit),
        tuple(notes),
    )


def _cited_by(cursor: Any, around: list[int], own: int) -> dict[int, int]:
    """Tell how many of the works around cite each work."""
    query = "SELECT cited_id, count(*) FROM library_citation WHERE citing_id {one_of} GROUP BY cited_id"
    return {pk: number for pk, number in select_ids(cursor, query, around) if pk != own and number > 1}


def _citing(
    cursor: Any, cited: Collection[int], own: int, what: str, notes: list[str], *, least: int
) -> dict[int, int]:
    """Tell how many of some works each work cites, for those that cite at least so many and were found."""
    counts = dict(select_ids(cursor, "SELECT id, citation_count FROM library_work WHERE id {one_of}", cited))
    searched: list[int] = []
    read = 0
    for pk in sorted(counts, key=lambda pk: (counts[pk], pk)):
        if read + counts[pk] > READ:
            break
        read += counts[pk]
        searched.append(pk)
    if len(searched) < len(counts):
        notes.append(f"{what} were looked for through the {len(searched):,} least cited of {len(counts):,} works")
    query = "SELECT citing_id FROM library_citation WHERE cited_id {one_of}"
    found = Counter(pk for (pk,) in select_ids(cursor, query, searched) if pk != own)
    candidates = [pk for pk, _ in _top(found, _CANDIDATES)]
    citing, ids = one_of(candidates)
    among, works = one_of(counts)
    pairs = f"citing_id {citing} AND +cited_id {among}"
    cursor.execute(f"SELECT citing_id, count(*) FROM library_citation WHERE {pairs} GROUP BY citing_id", [ids, works])
    return {pk: number for pk, number in cursor.fetchall() if number >= least}


def _together(cursor: Any, work: Work, notes: list[str]) -> dict[int, _Common]:
    """Find the works that are cited together with a work."""
    citing = [pk for pk, _ in one_side(cursor, "cited", work.pk, DRAWN, work.citation_count)]
    if len(citing) < work.citation_count:
        notes.append(f"works cited together with it are counted in {len(citing):,} of {work.citation_count:,} that "
                     "cite it, drawn by lot")  # fmt: skip
    query = "SELECT cited_id, count(*) FROM library_citation WHERE citing_id {one_of} GROUP BY cited_id"
    numbers = {pk: number for pk, number in select_ids(cursor, query, citing) if pk != work.pk}
    # Of works that are cited together once, the least cited would lead; there are thousands, and once says little.
    if any(number > 1 for number in numbers.values()):
        numbers = {pk: number for pk, number in numbers.items() if number > 1}
    counts = dict(select_ids(cursor, "SELECT id, citation_count FROM library_work WHERE id {one_of}", numbers))
    drawn, total = len(citing), work.citation_count
    return {pk: (_cosine(number, drawn, total, counts[pk]), number) for pk, number in numbers.items()}


def _shared(cursor: Any, work: Work, notes: list[str]) -> dict[int, _Common]:
    """Find the works that cite the same works as a work."""
    cited = [pk for pk, _ in one_side(cursor, "citing", work.pk, DRAWN, work.reference_count)]
    if len(cited) < work.reference_count:
        notes.append(f"shared references are counted in {len(cited):,} of {work.reference_count:,}, drawn by lot")
    numbers = _citing(cursor, cited, work.pk, "works with shared references", notes, least=1)
    counts = dict(select_ids(cursor, "SELECT id, reference_count FROM library_work WHERE id {one_of}", numbers))
    drawn, total = len(cited), work.reference_count
    return {pk: (_cosine(number, drawn, total, counts[pk]), number) for pk, number in numbers.items()}


def _cosine(common: int, drawn_number: int, total: int, other: int) -> float:
    """Salton's cosine, the common works scaled up from those that were drawn."""
    return min(1.0, common * total / drawn_number / math.sqrt(total * other))


def _with_its_terms(work: Work) -> list[int]:
    """Find works that a search for the work's key terms finds."""
    terms = key_terms(f"{work.title}. {work.abstract}", limit=_SEARCHED_TERMS)
    wanted = tuple(
        Term(tuple(words))
        for term in terms
        if (words := [w for w in plain_letters(plain_text(term.term)).split() if w.isalnum()])
    )
    return work_search.best(Query((wanted,)), _READ_IN_WORDS // 2) if wanted else []


def _alike(texts: Mapping[int, str], own: int, others: Iterable[int]) -> dict[int, tuple[float, list[str]]]:
    """Give the cosine of key terms, and the terms that count most in it."""

    def vector(pk: int) -> dict[str, tuple[float, str]]:
        terms = key_terms(texts[pk], limit=_TERMS)
        return {" ".join(map(singular, term.term.lower().split())): (term.score, term.term) for term in terms}

    mine = vector(own)
    found = {}
    for pk in others:
        theirs = vector(pk)
        products = {term: mine[term][0] * theirs[term][0] for term in mine if term in theirs}
        length = math.prod(math.hypot(*(score for score, _ in terms.values())) for terms in (mine, theirs))
        if products:
            telling = sorted(products, key=lambda term: (-products[term], term))[:3]
            found[pk] = (min(1.0, sum(products.values()) / length), [mine[term][1] for term in telling])
    return found


def _listed(
    about: Mapping[int, Any], counts: Mapping[int, int], limit: int, around: int, words: str
) -> tuple[RelatedWork, ...]:
    return tuple(
        RelatedWork(*[*about[pk], round(number / around, 4), words.format(number, around)])
        for pk, number in _top(counts, limit)
    )


def _similar(
    about: Mapping[int, Any],
    shared: Mapping[int, _Common],
    together: Mapping[int, _Common],
    alike: Mapping[int, tuple[float, list[str]]],
    limit: int,
) -> tuple[RelatedWork, ...]:
    parts = {
        pk: (_part(shared, pk), _part(together, pk), alike[pk][0] if pk in alike else 0.0)
        for pk in {*shared, *together, *alike} & about.keys()
    }
    scores = {
        pk: sum(weight * part for weight, part in zip(WEIGHTS.values(), own, strict=True)) for pk, own in parts.items()
    }
    found = []
    for pk, score in _top(scores, limit):
        evidence = []
        if pk in shared:
            number = shared[pk][1]
            evidence.append(f"shares {number:,} reference{'' if number == 1 else 's'}")
        if pk in together:
            evidence.append(_cited_together(together[pk][1]))
        if pk in alike:
            evidence.append(f"both speak of {', '.join(alike[pk][1])}")
        figures = [round(score, 4), "; ".join(evidence), *(round(part, 4) for part in parts[pk])]
        found.append(RelatedWork(*[*about[pk], *figures]))
    return tuple(found)


def _cited_together(number: int) -> str:
    return f"cited together by {number:,} work{'' if number == 1 else 's'}"


def _part(common: Mapping[int, _Common], pk: int) -> float:
    return common[pk][0] if pk in common else 0.0


def _top(scores: Mapping[int, Any], limit: int) -> list[tuple[int, Any]]:
    """Give the best, ties by the order in which the library met the works."""
    return sorted(sorted(scores.items()), key=itemgetter(1), reverse=True)[:limit]
