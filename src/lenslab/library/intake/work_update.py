"""Works made anew from their records, after a record came, changed or went."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from lenslab.library import bulk_rows, vocabulary
from lenslab.library.graph import citation_edges
from lenslab.library.intake import duplicate_rule, field_resolution
from lenslab.library.stored_records import parse_record
from lenslab.papers.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenslab.papers.description import Description
    from lenslab.papers.paper import Paper
    from lenslab.papers.work import Described


def update_works(works: Iterable[int]) -> list[tuple[int, int, str]]:
    """Resolve works again from their records.

    A work that becomes known by an arXiv id takes it for its key, and keeps the former one. Those without any record
    stay as they are.

    Returns:
        Pairs of works of which the second claims the arXiv id that the first one has, each with that evidence. The
        second goes without the id until somebody decides.
    """
    descriptions: dict[int, list[Description]] = defaultdict(list)
    query = "SELECT work_id, source, content FROM library_sourcerecord WHERE work_id IN {list} ORDER BY id"
    for work, source, content in bulk_rows.select(query, sorted(set(works))):
        descriptions[work].append(parse_record(source, content))
    if not descriptions:
        return []
    papers = {pk: field_resolution.resolve(records) for pk, records in descriptions.items()}
    claims = claimed_twice(papers)
    for pk in claims:
        papers[pk] = replace(papers[pk], arxiv_id=None)
    query = "SELECT id, key, year FROM library_work WHERE id IN {list}"
    before = {pk: (key, year) for pk, key, year in bulk_rows.select(query, descriptions)}
    ids = {pk: paper.arxiv_id.base for pk, paper in papers.items() if paper.arxiv_id}
    renamed = {pk: own for pk, own in ids.items() if before[pk][0] != own}
    vocabulary.uncount(descriptions)
    bulk_rows.insert("library_formerkey", ("work_id", "key"), [(pk, before[pk][0]) for pk in renamed])
    bulk_rows.update("library_work", ("key",), [(key, pk) for pk, key in renamed.items()])
    rows = [(*field_resolution.row(paper), pk) for pk, paper in papers.items()]
    bulk_rows.update("library_work", field_resolution.COLUMNS, rows)
    citation_edges.update_years({pk: paper.year for pk, paper in papers.items() if paper.year != before[pk][1]})
    return [(owner, pk, f"same arXiv id {name}") for pk, (owner, name, one) in claims.items() if one]


def claimed_twice(papers: dict[int, Paper]) -> dict[int, tuple[int, str, bool]]:
    """Find works that claim an arXiv id which another work has, or claims before them.

    Returns:
        For each the work that has it, the id, and whether the two may be one work at all.
    """
    wanted = {pk: paper.arxiv_id.base for pk, paper in papers.items() if paper.arxiv_id}
    query = "SELECT arxiv_id, id, title, authors, year FROM library_work WHERE arxiv_id IN {list}"
    owners: dict[str, tuple[int, Described]] = {}
    for name, pk, title, authors, year in bulk_rows.select(query, sorted(set(wanted.values()))):
        names = json.loads(authors) if isinstance(authors, str) else authors
        owners[name] = pk, Work(title, tuple(names), year)
    found = {}
    for pk in sorted(wanted):
        owner, said = owners.setdefault(wanted[pk], (pk, papers[pk]))
        if owner != pk:
            found[pk] = (owner, wanted[pk], duplicate_rule.may_be_one(said, papers[pk]))
    return found
