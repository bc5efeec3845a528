"""Search over two hundred thousand abstracts: how long an answer takes, with its hits, their snippets and the total.

The abstracts are made from real ones (``benchmarks.libraries.written``), and 200 queries are drawn from them: words by
how many works hold them (*rare*: up to 1 in 4,000; *middle*: about 1 in 100; *common*: at least 1 in 10), two and three
words of one work, two words side by side, and the same with a category and with a range of years. *First* is the answer
of a fresh connection (the file may be in the system's memory), *again* that of one that has been asked before, and
*processor* what this takes of one processor in this process, whatever else the machine does.

The opponents answer the same queries in the same run, with the ids of the best twenty alone: every match scored and
sorted, and titles and abstracts compared with LIKE. Where lenslab scored every match, too, its best twenty must be the
same; the exit code is 1 where they are not.

    python -m benchmarks.searching
    sh scripts/postgresql.sh python -m benchmarks.searching
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import libraries
from benchmarks.neighbourhoods import quantiles
from benchmarks.reporting import write

TARGET = 50.0
"""Milliseconds, for the 95th percentile of every class of queries."""

Asked = tuple[str, dict[str, Any]]


def queries(texts: list[str], each: int, seed: int) -> dict[str, list[Asked]]:
    """Draws queries, by class; how often words occur is counted in every tenth work."""
    draw = Random(seed)
    sample = [re.findall(r"[a-z]{3,}", text.lower()) for text in texts[::10]]
    counts = Counter(word for words in sample for word in set(words))
    number = len(sample)
    common = [word for word, count in counts.items() if count >= number / 10]
    middle = [word for word, count in counts.items() if number / 200 <= count <= number / 50]
    rare = [word for word, count in counts.items() if count <= max(1, number / 4000)]

    def together(size: int) -> str:
        """Words of one work, none of them rare."""
        while True:
            words = sorted({word for word in draw.choice(sample) if counts[word] >= number / 100})
            if len(words) >= size:
                return " ".join(draw.sample(words, size))

    def side_by_side() -> str:
        words = draw.choice(sample)
        start = draw.randrange(len(words) - 1) if len(words) > 1 else 0
        return '"' + " ".join(words[start : start + 2]) + '"'

    found: dict[str, list[Asked]] = {
        "rare": [(draw.choice(rare), {}) for _ in range(each)],
        "middle": [(draw.choice(middle), {}) for _ in range(each)],
        "common": [(draw.choice(common), {}) for _ in range(each)],
        "two words": [(together(2), {}) for _ in range(each)],
        "three words": [(together(3), {}) for _ in range(each)],
        "phrase": [(side_by_side(), {}) for _ in range(each)],
    }
    every = [asked for name in ("middle", "common", "two words") for asked in found[name]]
    found["with category"] = [(text, {"categories": ["cs.CV"]}) for text, _ in draw.sample(every, each)]
    found["with years"] = [(text, {"since": 2012, "until": 2020}) for text, _ in draw.sample(every, each)]
    found["by citations"] = [(text, {"rank": "citations"}) for text, _ in draw.sample(every, each)]
    return found


def every_match_scored(text: str, filters: dict[str, Any]) -> list[int]:
    """Find the best twenty where all matches are scored and sorted."""
    from django.db import connection

    from lenslab.library.search import work_search

    with connection.cursor() as cursor:
        wanted = {name: value for name, value in filters.items() if name != "rank"}
        index = work_search.index_of(cursor, work_search.parse(text), **wanted)
        if "rank" in filters or not index.query.wanted:
            # A query of stop words alone looks for nothing on PostgreSQL, and what passes the filters comes by date.
            order = work_search._ORDERS["citations" if "rank" in filters else "date"]
            return [pk for pk, _ in index.sorted(order, (20, 0))]
        return [pk for pk, _ in index.scored((20, 0))]


def like(text: str) -> list[int]:
    """Twenty works whose title or abstract holds every word, by reading all of them."""
    from django.db import connection

    words = [text.strip('"')] if text.startswith('"') else text.split()
    held = " AND ".join(["(lower(title) LIKE %s OR lower(abstract) LIKE %s)"] * len(words))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM library_work WHERE {held} ORDER BY citation_count DESC LIMIT 20",
            [value for word in words for value in (f"%{word}%", f"%{word}%")],
        )
        return [row[0] for row in cursor.fetchall()]


def taken(query: Any, *arguments: Any, **options: Any) -> tuple[float, Any]:
    """Seconds, and the answer."""
    started = time.perf_counter()
    answer = query(*arguments, **options)
    return time.perf_counter() - started, answer


def measured(name: str, asked: list[Asked]) -> dict[str, Any]:
    """One class of queries."""
    from django.db import connection

    from lenslab.library.models import Work
    from lenslab.library.search.work_search import search

    first, again, processor, plain, compared = [], [], [], [], []
    differing = bounded = 0
    totals = []
    for text, filters in asked:
        connection.close()
        connection.ensure_connection()
        first.append(taken(search, text, **filters)[0])
        for _ in range(2):
            before = time.process_time()
            seconds, answer = taken(search, text, **filters)
            again.append(seconds)
            processor.append(time.process_time() - before)
        seconds, best = taken(every_match_scored, text, filters)
        plain.append(seconds)
        totals.append(answer.total)
        bounded += bool(answer.rule)
        if not answer.rule:
            keys = dict(Work.objects.filter(pk__in=best).values_list("pk", "key"))
            differing += [hit.key for hit in answer.hits] != [keys[pk] for pk in best]
    for text, _ in asked[:3]:
        compared.append(taken(like, text)[0])
    return {
        "class": name, "queries": len(asked), "matches": sorted(totals)[len(totals) // 2], "most": max(totals),
        "bounded": bounded, "differing": differing, "first": quantiles(first), "again": quantiles(again),
        "processor": quantiles(processor),
        "every match scored": quantiles(plain), "like": quantiles(compared),
    }  # fmt: skip


def sizes() -> dict[str, float]:
    """Mebibytes of the search index and of the whole library."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('library_search'), pg_database_size(current_database())")
            index, whole = cursor.fetchone()
        else:
            cursor.execute("SELECT sum(length(block)) FROM library_search_data")
            index = cursor.fetchone()[0]
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            whole = cursor.fetchone()[0]
    return {"index_mib": round(index / 2**20, 1), "library_mib": round(whole / 2**20, 1)}


def main() -> None:
    """Measure, compare, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, default=Path("../shared/data"), help="where arxiv-*.jsonl.gz lie")
    parser.add_argument("--works", type=int, default=200_000)
    parser.add_argument("--each", type=int, default=23, help="queries in each class")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with libraries.library() as database:
        seconds, texts = taken(libraries.written, options.records, options.works, options.seed)
        size = sizes()
        print(f"{database}: {options.works:,} works made in {seconds:.0f} s; index {size['index_mib']:,.0f} MiB of "
              f"{size['library_mib']:,.0f} MiB")  # fmt: skip
        columns = ("first", "again", "processor", "every match scored", "like")
        print(f"{'ms, p50 / p95 / max':16}{'matches':>9}" + "".join(f"{name:>28}" for name in columns))
        rows = []
        for name, asked in queries(texts, options.each, options.seed).items():
            row = measured(name, asked)
            rows.append(row)
            cells = "".join("{p50:12,.1f}{p95:8,.1f}{max:8,.1f}".format(**row[column]) for column in columns)
            print(f"{name:16}{row['matches']:9,}{cells}", flush=True)
    kind = database.split()[0]
    differing = sum(row["differing"] for row in rows)
    met = all(row["again"]["p95"] < TARGET for row in rows)
    print(f"answers that differ from every match scored: {differing}")
    print(f"target of {TARGET:.0f} ms {'met' if met else 'missed'}")
    write(
        f"searching-{kind.lower()}",
        {"database": database, "works": options.works, "seed": options.seed, **size, "target_ms": TARGET, "met": met,
         "differing": differing, "rows": rows},
    )  # fmt: skip
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
