"""Large libraries for the benchmarks, drawn by seed and written straight into the tables.

``cited`` draws works and who cites whom; ``written`` draws works with abstracts. Both write what the tables hold and
leave out the sources' records, which no query of the benchmarks reads.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

FIRST_YEAR, LAST_YEAR = 1991, 2026
HUB_YEARS = (1993, 1999, 2004, 2009, 2013)
_PORTION = 20_000
_WORDS = (
    "units", "networks", "learning", "graphs", "images", "language", "models", "fields", "spin", "galaxies", "phases",
    "lattice", "proofs", "groups", "flows", "noise", "sampling", "inference", "kernels", "attention", "vision",
)  # fmt: skip


@contextmanager
def library() -> Iterator[str]:
    """Open an empty library: in DATABASE_URL where that names a PostgreSQL, else in a file that is removed.

    Yields:
        ``PostgreSQL`` or ``SQLite``, with its version.
    """
    with tempfile.TemporaryDirectory(prefix="lenslab-benchmark-") as place:
        if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
            os.environ["DATABASE_URL"] = f"sqlite:///{place}/library.sqlite3"
        from lenslab.library import ready

        ready()
        from django.db import connection

        try:
            yield _named(connection)
        finally:
            connection.close()


def _named(connection: Any) -> str:
    with connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        cursor.execute("SHOW server_version" if postgresql else "SELECT sqlite_version()")
        return f"{'PostgreSQL' if postgresql else 'SQLite'} {cursor.fetchone()[0].split()[0]}"


@dataclass(frozen=True)
class Drawn:
    """Which works cite which, by their numbers from 0 on; a work's number grows with its year.

    Attributes:
        years: of each work.
        citing: the citing work of each citation, ascending.
        cited: the cited work of each.
        influential: whether each is.
        hubs: works that a hundred thousand works cite, or a third of all where there are fewer.
        long_lists: works with three thousand references.
    """

    years: Ints
    citing: Ints
    cited: Ints
    influential: NDArray[np.bool_]
    hubs: Ints
    long_lists: Ints


def draw(works: int, citations: int, seed: int) -> Drawn:
    """Draws who cites whom.

    Years are drawn with weights that grow by 7 % a year. A work's popularity is drawn from a Pareto distribution
    (exponent 1.1), the length of its list of references from a log-normal one. Half of all references are drawn by
    popularity among earlier works, the other half are copied from the list of a work that is cited already, which makes
    the triangles that real literatures have. Five hubs and ten very long lists are put in on purpose.
    """
    random = np.random.default_rng(seed)
    span = np.arange(FIRST_YEAR, LAST_YEAR + 1)
    growth = 1.07 ** (span - FIRST_YEAR)
    years = np.sort(random.choice(span, works, p=growth / growth.sum()))
    hubs = np.searchsorted(years, HUB_YEARS)
    most = min(100_000, works // 3)
    pairs = [np.column_stack([random.choice(np.arange(hub + 1, works), most, replace=False), np.full(most, hub)])
             for hub in hubs]  # fmt: skip
    long_lists = random.choice(np.arange(works // 2, works), 10, replace=False)
    length = min(3000, works // 10)
    pairs += [np.column_stack([np.full(length, work), random.choice(work, length, replace=False)])
              for work in long_lists]  # fmt: skip
    popularity = np.cumsum(random.pareto(1.1, works).clip(max=works / 50))
    lengths = random.lognormal(0.0, 0.9, works)
    lengths[0] = 0
    wanted = citations - sum(map(len, pairs))
    while wanted > 0:
        number = random.poisson(lengths * wanted / lengths.sum() / 2 * 1.25)
        citing = np.repeat(np.arange(works), number)
        cited = np.searchsorted(popularity, random.random(len(citing)) * popularity[citing - 1])
        copied = _copied(citing, cited.clip(max=citing - 1), works, random)
        pairs += [np.column_stack([citing, cited.clip(max=citing - 1)]), copied]
        numbered = np.unique(np.concatenate([one[:, 0] * works + one[:, 1] for one in pairs]))
        pairs = [np.column_stack(np.divmod(numbered, works))]
        wanted = citations - len(numbered)
    every = pairs[0]
    if len(every) > citations:
        every = every[np.sort(random.choice(len(every), citations, replace=False))]
    influential = random.random(len(every)) < 0.05
    return Drawn(years, every[:, 0], every[:, 1], influential, hubs, long_lists)


def _copied(citing: Ints, cited: Ints, works: int, random: np.random.Generator) -> Ints:
    """For each citation, one more of the same work: something that the cited work cites itself."""
    starts = np.searchsorted(citing, np.arange(works + 1))
    first, last = starts[cited], starts[cited + 1]
    known = last > first
    place = first[known] + (random.random(int(known.sum())) * (last[known] - first[known])).astype(np.int64)
    return np.column_stack([citing[known], cited[place]])


def cited(works: int = 300_000, citations: int = 2_800_000, seed: int = 7) -> tuple[Drawn, int]:
    """Write works and citations into the library at hand.

    Returns:
        What was drawn, and the id of the work with number 0; the others follow.
    """
    from django.db import transaction

    from lenslab.library import bulk_rows
    from lenslab.library.graph import citation_edges
    from lenslab.library.intake import field_resolution
    from lenslab.papers.paper import Paper

    drawn = draw(works, citations, seed)
    random = np.random.default_rng(seed + 1)
    words = random.integers(0, len(_WORDS), (works, 7))
    with transaction.atomic():
        first = next(bulk_rows.new_ids("library_work", works))
        columns = ("id", "key", "citation_count", "reference_count", *field_resolution.COLUMNS)
        cited_by, cites = np.bincount(drawn.cited, minlength=works), np.bincount(drawn.citing, minlength=works)
        for start in range(0, works, _PORTION):
            rows = []
            for number in range(start, min(works, start + _PORTION)):
                title = " ".join(_WORDS[word] for word in words[number])
                authors = (f"A. Author{number}", f"B. Author{number // 3}")
                paper = Paper(title=f"{title} {number}", authors=authors, year=int(drawn.years[number]))
                counts = int(cited_by[number]), int(cites[number])
                rows.append((first + number, f"w{number}", *counts, *field_resolution.row(paper)))
            bulk_rows.insert_works(columns, rows)
    columns = ("citing_id", "cited_id", "influential", "citing_year", "cited_year", "lot")
    years = drawn.years.tolist()
    for start in range(0, len(drawn.citing), 10 * _PORTION):
        some = slice(start, start + 10 * _PORTION)
        triples = zip(*(part[some].tolist() for part in (drawn.citing, drawn.cited, drawn.influential)), strict=True)
        with transaction.atomic():
            rows = [
                (first + one, first + other, flag, years[one], years[other], citation_edges.lot(f"w{one}", f"w{other}"))
                for one, other, flag in triples
            ]
            bulk_rows.insert("library_citation", columns, rows)
    settle()
    return drawn, first


def settle() -> None:
    """Lets the database gather its statistics, as a running library does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def written(records: Path, works: int = 200_000, seed: int = 7) -> list[str]:
    """Write works with titles and abstracts into the library at hand, made from real ones.

    A made work takes a real one's category, number of sentences and number of authors; each of its sentences is drawn
    from the real abstracts of the same category, and its title is the front half of one title of that category and the
    back half of another. A word thus stands in about as many abstracts of a hundred as it really does, and words of a
    field stand together; only a word that one abstract repeats spreads over several, so that rare words become a
    little more frequent.

    Args:
        records: the directory with ``arxiv-*.jsonl.gz``.
        works: how many are made.
        seed: decides the draws.

    Returns:
        The made titles and abstracts, for drawing queries.
    """
    from django.db import transaction

    from lenslab.library import bulk_rows
    from lenslab.library.intake import field_resolution
    from lenslab.papers.paper import Paper

    real = _real(records)
    sentences: dict[str, list[str]] = defaultdict(list)
    titles: dict[str, list[list[str]]] = defaultdict(list)
    people = []
    for record in real:
        field = record["categories"].split()[0]
        record["sentences"] = re.split(r"(?<=[.!?])\s+", record["abstract"].strip())
        sentences[field] += record["sentences"]
        titles[field].append(record["title"].split())
        people.append(record["authors"].split(", ")[0])
    random = Random(seed)
    growth = [1.07 ** (year - FIRST_YEAR) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    years = sorted(random.choices(range(FIRST_YEAR, LAST_YEAR + 1), growth, k=works))
    texts = []
    columns = ("id", "key", "citation_count", "reference_count", *field_resolution.COLUMNS)
    first = next(bulk_rows.new_ids("library_work", works))
    for start in range(0, works, _PORTION):
        rows = []
        for number in range(start, min(works, start + _PORTION)):
            pattern = random.choice(real)
            categories = tuple(pattern["categories"].split())
            field = categories[0]
            one, other = random.choice(titles[field]), random.choice(titles[field])
            title = " ".join([*one[: (len(one) + 1) // 2], *other[len(other) // 2 :]])
            abstract = " ".join(random.choices(sentences[field], k=len(pattern["sentences"])))
            authors = tuple(random.choices(people, k=1 + pattern["authors"].count(",")))[:30]
            paper = Paper(title=title, authors=authors, year=years[number], abstract=abstract, categories=categories)
            cited_by = min(100_000, int(random.paretovariate(0.9)) - 1)
            rows.append((first + number, f"w{number}", cited_by, 0, *field_resolution.row(paper)))
            texts.append(f"{title} {abstract}")
        with transaction.atomic():
            bulk_rows.insert_works(columns, rows)
    settle()
    return texts


def _real(records: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(records.glob("arxiv-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    if not found:
        sys.exit(f"no arxiv-*.jsonl.gz in {records}; name a directory with arXiv's metadata with --records")
    return found
