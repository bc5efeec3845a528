"""``lenslab paper merges | merge | unmerge``: which records are one work, with the evidence, and taking it back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import AsJson, Identifier, find, open_library


def merges(
    identifier: Annotated[
        str | None,
        Argument(metavar="ID", help="An arXiv id, a DOI, or a key of the library; without one, all doubtful pairs."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List a work's records with the evidence, its merges, and what may be the same.

    Without a work: every pair of works that are possibly the same, and were left apart.
    """
    if identifier is None:
        _doubtful(as_json=as_json)
        return
    work = find(identifier)
    from lenslab.library import works
    from lenslab.library.intake import work_merging

    records = [
        {
            "number": record.pk,
            "source": record.source,
            "locator": record.locator,
            "retrieved": record.retrieved.isoformat(timespec="seconds"),
            "evidence": record.evidence or None,
        }
        for record in work.source_records.order_by("pk")
    ]
    made: list[dict[str, Any]] = [
        {
            "number": one.pk,
            "kept": one.work.key,
            "merged": one.other.key,
            "evidence": one.evidence,
            "made": one.made.isoformat(timespec="seconds"),
            "undone": one.undone.isoformat(timespec="seconds") if one.undone else None,
        }
        for one in work_merging.merges(work)
    ]
    twins = [{"key": twin.key, "title": twin.title, "evidence": twin.evidence} for twin in works.possible_twins(work)]
    if as_json:
        console.print_json({"paper": work.key, "records": records, "merges": made, "possibly_the_same": twins})
        return
    grid = console.table("record", "source", "locator", "why it is this work", numbers=("record",))
    # A locator is there to be copied, so it is broken where the line ends and never cut.
    for column in grid.columns[1:]:
        column.overflow = "fold"
    for record in records:
        words = (str(record[name] or "") for name in ("number", "source", "locator", "evidence"))
        grid.add_row(*map(console.escaped, words))
    console.answers.print(grid)
    for one in made:
        undone = f", undone {one['undone'][:10]}" if one["undone"] else ""
        console.answer(f"merge {one['number']}: {one['merged']} into {one['kept']} ({one['evidence']}){undone}")
    for twin in twins:
        console.answer(f"possibly the same: {twin['key']}, {twin['title']} ({twin['evidence']})")
    if any(one["undone"] is None for one in made) or len(records) > 1:
        console.remark(
            "\ntake apart with: lenslab paper unmerge --merge NUMBER, or --record NUMBER for a single record"
        )


def _doubtful(*, as_json: bool) -> None:
    open_library()
    from lenslab.library import works

    pairs = works.doubtful()
    if as_json:
        console.print_json({"possibly_the_same": [asdict(pair) for pair in pairs]})
        return
    if not pairs:
        console.answer("no two works are possibly the same")
        return
    for pair in pairs:
        console.answer(f"{pair.one}\n{pair.other}\n  {pair.evidence}\n")
    console.remark("join two with: lenslab paper merge WORK OTHER --because WORDS")


def merge(
    identifier: Identifier,
    other: Annotated[str, Argument(metavar="OTHER", help="The work whose records the first one gets.")],
    because: Annotated[str, Option(metavar="WORDS", help="Why they are one work.")],
    as_json: AsJson = False,
) -> None:
    """Merge a work into another; from then on both names lead to the first."""
    work, second = find(identifier), find(other)
    from lenslab.library.intake import work_merging

    made = work_merging.merge(work, second, evidence=because)
    if as_json:
        console.print_json({"merge": made.pk, "kept": work.key, "merged": second.key, "evidence": because})
        return
    console.answer(f"merge {made.pk}: {second.key} into {work.key}")


def unmerge(
    merge_: Annotated[int | None, Option("--merge", metavar="NUMBER", help="The merge to take back.")] = None,
    record: Annotated[int | None, Option(metavar="NUMBER", help="A record to take out of its work.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take a merge back, or a record out of its work; from then on the two stay apart."""
    if (merge_ is None) == (record is None):
        raise typer.BadParameter("give either --merge NUMBER or --record NUMBER; lenslab paper merges ID lists them")
    open_library()
    from lenslab.library.errors import MergeError
    from lenslab.library.intake import work_merging
    from lenslab.library.models import Merge, SourceRecord

    if merge_ is not None:
        made = Merge.objects.filter(pk=merge_).first()
        if made is None:
            raise MergeError(f"no merge {merge_}; lenslab paper merges ID lists the merges of a work")
        work_merging.undo(made)
        kept, apart = made.work.key, made.other.key
    else:
        taken = SourceRecord.objects.filter(pk=record or 0).first()
        if taken is None:
            raise MergeError(f"no record {record}; lenslab paper merges ID lists the records of a work")
        kept, apart = taken.work.key, work_merging.separate(taken).key
    if as_json:
        console.print_json({"kept": kept, "apart": apart})
        return
    console.answer(f"{kept} and {apart} are two works")
