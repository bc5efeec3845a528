"""The library's own vocabulary: in how many of its papers each term stands, kept up as papers come, change and go."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection, transaction

from lenslab.library import bulk_rows, works
from lenslab.library.models import TermCount, TermGroup, Work
from lenslab.papers.terms.document_frequencies import groups_of, shipped_frequencies
from lenslab.papers.terms.key_terms import candidate_stems, paper_terms
from lenslab.papers.terms.library_frequencies import count_papers, counting_rule
from lenslab.papers.terms.term_counts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.db.models import QuerySet

    from lenslab.papers.paper import Paper
    from lenslab.papers.terms.document_frequencies import Frequencies
    from lenslab.papers.terms.key_terms import Style, Term

_BATCH = 4000
# So many papers are counted in a few seconds; more wait for the command that shows its progress.
_FEW = 3000
# Longer stems are formulas or tables that somebody pasted, and no term.
_LONGEST_STEM = 200


def uncounted() -> int:
    """Count the papers with an abstract that are not in the counts yet."""
    return _to_count().count()


def count_new(*, progress: Callable[[float, float], None] | None = None) -> int:
    """Count the words of papers that came or changed since the last time; those already counted are not read.

    Each four thousand papers are one transaction: who interrupts it loses one of them.

    Returns:
        How many papers were counted; ``progress`` gets that and the papers in all.
    """
    _renew_rule()
    total, done = uncounted(), 0
    while True:
        with bulk_rows.gc_paused(), transaction.atomic():
            bulk_rows.lock_writes()
            found = list(_to_count().order_by("pk")[:_BATCH])
            _add(count_papers(map(works.paper, found)))
            Work.objects.filter(pk__in=[work.pk for work in found]).update(counted=True)
        if not found:
            return done
        done += len(found)
        if progress:
            progress(done, max(total, done))


def count_few() -> int:
    """Count new papers where they are few; give the number of those that wait."""
    waiting = uncounted()
    if waiting > _FEW:
        return waiting
    if waiting:
        count_new()
    return 0


def uncount(pks: Iterable[int]) -> None:
    """Take works out of the counts before their words change or they are merged away, until they are counted again."""
    counted = [one for part in bulk_rows.batched(pks) for one in Work.objects.filter(pk__in=part, counted=True)]
    if counted:
        _add(Counts() - count_papers(map(works.paper, counted)))
        Work.objects.filter(pk__in=[work.pk for work in counted]).update(counted=False)


def frequencies(papers: Iterable[Paper]) -> Frequencies:
    """Give the document frequencies that decide the key terms of some papers.

    Groups of which the library counted enough papers are answered for by the library, all others by the package.
    """
    known = shipped_frequencies()
    current = TermGroup.objects.filter(rule=counting_rule())
    groups = {group.pk: group for group in current if known.is_enough(group.documents)}
    if not groups:
        return known
    wanted = list(papers)
    names = {"all", *(name for paper in wanted for name in groups_of(paper.categories))}
    relevant = {pk: group.name for pk, group in groups.items() if group.name in names}
    stems = sorted({stem for paper in wanted for stem in candidate_stems(paper)})
    query = "SELECT stem, number FROM library_termcount WHERE group_id = %s AND stem IN {list}"
    rows = [(stem, name, count) for pk, name in relevant.items() for stem, count in bulk_rows.select(query, stems, pk)]
    documents = {group.name: group.documents for group in groups.values()}
    return known.with_library(Counts.from_rows(documents, rows))


def key_terms(paper: Paper, *, style: Style = "phrases", limit: int = 20) -> tuple[Term, ...]:
    """Give a paper's key terms, weighed by the library's own papers where it holds enough of them."""
    known = frequencies([paper]) if style == "phrases" and paper.abstract else None
    return paper_terms(paper, style=style, limit=limit, frequencies=known)


def key_terms_of(papers: Sequence[Paper], *, limit: int = 20) -> list[tuple[Term, ...]]:
    """Give the key terms of many papers, with the library's counts asked for once for all of them."""
    with bulk_rows.gc_paused():
        known = frequencies(papers)
        return [paper_terms(paper, limit=limit, frequencies=known) for paper in papers]


def _to_count() -> QuerySet[Work]:
    return Work.objects.filter(counted=False, merged_into=None).exclude(abstract="")


def _add(counts: Counts) -> None:
    rule = counting_rule()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO library_termgroup (name, documents, rule) VALUES (%s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET documents = library_termgroup.documents + excluded.documents",
            [(name[:40], number, rule) for name, number in counts.documents.items()],
        )
        ids = dict(TermGroup.objects.values_list("name", "pk"))
        rows: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
        for stem, name, number in counts.rows():
            if len(stem) <= _LONGEST_STEM:
                rows[ids[name[:40]]].append((ids[name[:40]], stem, number))
        for group in sorted(rows):
            cursor.executemany(
                "INSERT INTO library_termcount (group_id, stem, number) VALUES (%s, %s, %s) "
                "ON CONFLICT (group_id, stem) DO UPDATE SET number = library_termcount.number + excluded.number",
                sorted(rows[group]),
            )
        # A stem that no paper holds any more is no stem of the group.
        if any(number < 0 for number in counts.documents.values()):
            TermCount.objects.filter(number=0).delete()


def _renew_rule() -> None:
    """Start anew where the counts were made by another rule: another version of the package, or of its word lists."""
    if TermGroup.objects.exclude(rule=counting_rule()).exists():
        with transaction.atomic():
            bulk_rows.lock_writes()
            TermCount.objects.all().delete()
            TermGroup.objects.all().delete()
            Work.objects.filter(counted=True).update(counted=False)
