"""Two works that are one: merged with evidence, and taken apart again where that was wrong."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from lenslab.library import bulk_rows, vocabulary
from lenslab.library.errors import MergeError
from lenslab.library.graph import citation_edges
from lenslab.library.intake import work_update
from lenslab.library.models import Merge, PossibleTwin, SourceRecord, Work
from lenslab.library.slugs import free_key, slug

if TYPE_CHECKING:
    from django.db.models import QuerySet


def merge_if_allowed(one: int, other: int, evidence: str) -> bool:
    """Merge two works by evidence, unless they are one already, have two arXiv ids, or were once held apart.

    The first stays and gets the other's records, unless only the other one is at arXiv.
    """
    works = {work.pk: work for work in Work.objects.filter(pk__in=[one, other], merged_into=None)}
    if len(works) < 2 or (works[one].arxiv_id and works[other].arxiv_id):
        return False
    if Merge.objects.filter(_pair(one, other)).exclude(undone=None).exists():
        return False
    kept, gone = (other, one) if works[other].arxiv_id else (one, other)
    _merge(works[kept], works[gone], evidence)
    return True


def merge(work: Work, other: Work, *, evidence: str) -> Merge:
    """Merge the other work into the first because a person says so; its address leads to the first from then on.

    Raises:
        MergeError: They are one work already, or a work was named that is merged into another.
    """
    if work.pk == other.pk:
        raise MergeError(f"{work.key!r} and {other.key!r} are one work already")
    with transaction.atomic():
        bulk_rows.lock_writes()
        # What was read before may have changed while others wrote.
        for named in (work, other):
            named.refresh_from_db(fields=["merged_into"])
            if named.merged_into is not None:
                raise MergeError(f"{named.key!r} is merged into {named.merged_into.key!r}; name that one")
        Merge.objects.filter(_pair(work.pk, other.pk)).exclude(undone=None).delete()
        return _merge(work, other, evidence)


def undo(made: Merge) -> None:
    """Undo a merge: both works are as their own records say, and no evidence of the same kind joins them again.

    Raises:
        MergeError: It was undone before, or a later merge rests on it.
    """
    with transaction.atomic():
        bulk_rows.lock_writes()
        made.refresh_from_db()
        work, other = made.work, made.other
        if made.undone is not None:
            raise MergeError(f"the merge of {other.key!r} into {work.key!r} was undone on {made.undone:%Y-%m-%d}")
        if work.merged_into is not None:
            raise MergeError(f"{work.key!r} was itself merged into {work.merged_into.key!r}; undo that first")
        SourceRecord.objects.filter(pk__in=made.records, work=work).update(work=other)
        Work.objects.filter(pk=other.pk).update(merged_into=None)
        made.undone = dt.datetime.now(dt.UTC)
        made.save(update_fields=["undone"])
        _renew(work.pk, other.pk)


def separate(record: SourceRecord) -> Work:
    """Take one record out of its work, into a work of its own.

    Raises:
        MergeError: The record is all that its work rests on.
    """
    with transaction.atomic():
        bulk_rows.lock_writes()
        record.refresh_from_db(fields=["work"])
        work = record.work
        if work.source_records.count() < 2:
            raise MergeError(f"{record} is the only record of {work.key!r}; there is nothing to take apart")
        taken = set(Work.objects.filter(key__startswith=slug(work)).values_list("key", flat=True))
        other = Work.objects.create(key=free_key(slug(work), taken | {slug(work)}), title=work.title)
        SourceRecord.objects.filter(pk=record.pk).update(work=other, evidence="")
        now = dt.datetime.now(dt.UTC)
        Merge.objects.create(
            work=work, other=other, records=[record.pk], evidence=record.evidence, made=now, undone=now
        )
        _renew(work.pk, other.pk)
    other.refresh_from_db()
    return other


def merges(work: Work) -> QuerySet[Merge]:
    """List every merge that a work was part of, undone or not, the latest first."""
    return Merge.objects.filter(Q(work=work) | Q(other=work)).select_related("work", "other").order_by("-made", "-pk")


def _merge(work: Work, other: Work, evidence: str) -> Merge:
    records = list(other.source_records.order_by("pk").values_list("pk", flat=True))
    now = dt.datetime.now(dt.UTC)
    made = Merge.objects.create(work=work, other=other, records=records, evidence=evidence, made=now)
    SourceRecord.objects.filter(pk__in=records).update(work=work)
    # Works that were merged into the other one follow it, so that every former address leads to the work itself.
    Work.objects.filter(Q(pk=other.pk) | Q(merged_into=other)).update(merged_into=work)
    vocabulary.uncount([other.pk])
    PossibleTwin.objects.filter(_pair(work.pk, other.pk)).delete()
    _renew(work.pk, other.pk)
    return made


def _renew(*works: int) -> None:
    work_update.update_works(works)
    citation_edges.rebuild(works)


def _pair(one: int, other: int) -> Q:
    return Q(work=one, other=other) | Q(work=other, other=one)
