"""The query behind the picture of a work and its neighbours, in a library of millions of citations, hubs included.

A library is drawn (``benchmarks.libraries``), and pictures of up to 300 neighbours are asked for: of hubs with a
hundred thousand citations, of works with three thousand references, of the thousand most cited works, and of any.
*First* is the first time that a fresh connection asks for the work (the file may be in the system's memory), *again*
every later time.

The opponents do the same by the same rule, in the same run: networkx and rustworkx on a graph that is in memory
already, where building it and its memory are told apart, and plain SQL that sorts all citations by influence and year
and looks up every pair. The plain SQL chooses by a simpler rule, so only its edges between our works are compared; of
the others, works and edges must be equal, and the exit code is 1 where they are not.

    python -m benchmarks.neighbourhoods
    sh scripts/postgresql.sh python -m benchmarks.neighbourhoods
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import libraries
from benchmarks.reporting import write

if TYPE_CHECKING:
    from benchmarks.libraries import Drawn
    from lenslab.library.models import Work

LIMIT = 300
TARGETS = {"SQLite": 10.0, "PostgreSQL": 15.0}
"""Milliseconds, for the 95th percentile of every group."""

Answer = tuple[set[int], set[tuple[int, int]]]


def quantiles(seconds: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum in milliseconds."""
    found = np.array(list(seconds)) * 1000
    return {"p50": round(float(np.median(found)), 2), "p95": round(float(np.quantile(found, 0.95)), 2),
            "max": round(float(found.max()), 2)}  # fmt: skip


def groups(drawn: Drawn, seed: int) -> dict[str, list[int]]:
    """Choose the works that are asked for, by their numbers."""
    order = np.argsort(np.bincount(drawn.cited, minlength=len(drawn.years)))
    draw = random.Random(seed)
    return {
        "hubs": drawn.hubs.tolist(),
        "long lists": drawn.long_lists.tolist(),
        "most cited": draw.sample(order[-1000:].tolist(), 200),
        "any": draw.sample(range(len(drawn.years)), 200),
    }


def asked(query: Callable[[Any], Any], works: Iterable[Any]) -> list[float]:
    """Asks for each work and takes the time."""
    seconds = []
    for work in works:
        started = time.perf_counter()
        query(work)
        seconds.append(time.perf_counter() - started)
    return seconds


def by_the_rule(
    citing: list[tuple[int, int, bool]], referenced: list[tuple[int, int, bool]], years: list[int]
) -> set[int]:
    """Chooses from all neighbours (number, lot, influential), as lenslab's rule says."""
    from lenslab.library.graph.neighbourhood import evenly

    def chosen(rows: list[tuple[int, int, bool]], places: int) -> set[int]:
        if len(rows) <= places:
            return {number for number, _, _ in rows}
        taken: set[int] = set()
        for wanted in (True, False):
            lots: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for number, lot, influential in rows:
                if influential == wanted:
                    lots[years[number]].append((lot, number))
            drawn = {year: [number for _, number in sorted(own)] for year, own in lots.items()}
            taken.update(evenly(drawn, places - len(taken)))
        return taken

    inner = chosen(referenced, min(len(referenced), max(LIMIT // 2, LIMIT - len(citing))))
    return inner | chosen(citing, LIMIT - len(inner))


def in_memory(
    library: str, drawn: Drawn, asked_for: dict[str, list[int]], lots: np.ndarray
) -> tuple[dict[str, Any], dict[int, Answer]]:
    """Build a graph with an opponent and ask it, in a process of its own."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lenslab.web.settings")
    django.setup()
    import networkx as nx
    import rustworkx as rx

    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    years = drawn.years.tolist()
    rows = zip(drawn.citing.tolist(), drawn.cited.tolist(), lots.tolist(), drawn.influential.tolist(), strict=True)
    if library == "networkx":
        known = nx.DiGraph()
        known.add_nodes_from(range(len(years)))
        known.add_edges_from((one, other, {"lot": lot, "influential": flag}) for one, other, lot, flag in rows)

        def answer(work: int) -> Answer:
            citing = [(pk, told["lot"], told["influential"]) for pk, told in known.pred[work].items()]
            referenced = [(pk, told["lot"], told["influential"]) for pk, told in known.succ[work].items()]
            works = {work, *by_the_rule(citing, referenced, years)}
            return works, set(known.subgraph(works).edges)
    else:
        graph = rx.PyDiGraph()
        graph.add_nodes_from(range(len(years)))
        graph.add_edges_from([(one, other, (lot, flag)) for one, other, lot, flag in rows])

        def answer(work: int) -> Answer:
            citing = [(one, *told) for one, _, told in graph.in_edges(work)]
            referenced = [(other, *told) for _, other, told in graph.out_edges(work)]
            works = {work, *by_the_rule(citing, referenced, years)}
            part = graph.subgraph(list(works))
            return works, {(part[one], part[other]) for one, other in part.edge_list()}

    build = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    found = {name: quantiles(asked(answer, works)) for name, works in asked_for.items()}
    answers = {work: answer(work) for works in asked_for.values() for work in works[:25]}
    told = {"library": library, "build_seconds": round(build, 1), "memory_mib": round(memory / 1024), "ms": found}
    return told, answers


def naive(work: Work) -> list[int]:
    """Choose the works of a picture as plain SQL does: all citations sorted by influence and year."""
    from django.db import connection

    found: list[int] = []
    with connection.cursor() as cursor:
        for own, other, places in (("citing", "cited", LIMIT // 2), ("cited", "citing", LIMIT)):
            cursor.execute(
                f"SELECT c.{other}_id FROM library_citation c JOIN library_work w ON w.id = c.{other}_id "
                f"WHERE c.{own}_id = %s ORDER BY c.influential DESC, w.year DESC, w.id LIMIT %s",
                [work.pk, places - len(found)],
            )
            found += [row[0] for row in cursor.fetchall()]
    return [work.pk, *found]


def pairwise(works: list[int]) -> set[tuple[int, int]]:
    """Find the citations between works as plain SQL does: every pair looked up."""
    from django.db import connection

    listed = ", ".join(["%s"] * len(works))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT citing_id, cited_id FROM library_citation "
            f"WHERE citing_id IN ({listed}) AND cited_id IN ({listed})",
            [*works, *works],
        )
        return set(cursor.fetchall())


def measured(first: int, asked_for: dict[str, list[int]]) -> tuple[list[dict[str, Any]], dict[int, Answer]]:
    """Time lenslab's query, its layout and the plain SQL; give lenslab's answers, too, by number."""
    from django.db import connection

    from lenslab.library.graph import ring_layout
    from lenslab.library.graph.neighbourhood import choose
    from lenslab.library.models import Work

    rows, answers = [], {}
    connection.close()
    for name, numbers in asked_for.items():
        works = [Work.objects.get(pk=first + number) for number in numbers]
        row: dict[str, Any] = {"group": name, "works": len(works)}
        row["first"] = quantiles(asked(lambda work: choose(work, LIMIT), works))
        row["again"] = quantiles(asked(lambda work: choose(work, LIMIT), works * 3))
        layouts, kept = [], []
        for work, number in zip(works, numbers, strict=True):
            chosen = choose(work, LIMIT)
            edges = {(one - first, other - first) for one, other, _ in chosen.edges}
            answers[number] = ({told[0] - first for told in chosen.works}, edges)
            years = [[told[4] for told, own in zip(chosen.works, chosen.roles, strict=True) if own == role]
                     for role in ("referenced", "citing")]  # fmt: skip
            ring_layout._arranged.cache_clear()
            layouts += asked(lambda years: ring_layout.arrange(*years), [years])
            kept += asked(lambda years: ring_layout.arrange(*years), [years])
        row["layout"], row["layout_again"] = quantiles(layouts), quantiles(kept)
        row["naive"] = quantiles(asked(lambda work: pairwise(naive(work)), works[:20]))
        rows.append(row)
    return rows, answers


def main() -> None:
    """Measure, compare, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=300_000)
    parser.add_argument("--citations", type=int, default=2_800_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with libraries.library() as database:
        started = time.perf_counter()
        drawn, first = libraries.cited(options.works, options.citations, options.seed)
        print(f"{database}: {options.works:,} works and {len(drawn.citing):,} citations, made in "
              f"{time.perf_counter() - started:.0f} s")  # fmt: skip
        asked_for = groups(drawn, options.seed)
        rows, answers = measured(first, asked_for)
        differing = sum(pairwise([first + one for one in answers[number][0]])
                        != {(first + one, first + other) for one, other in answers[number][1]}
                        for works in asked_for.values() for number in works[:10])  # fmt: skip
    print(f"{'milliseconds, p50 / p95 / max':32}" + "".join(f"{row['group']:>26}" for row in rows))
    for name in ("first", "again", "naive", "layout", "layout_again"):
        print(_line(name, [row[name] for row in rows]), flush=True)
    opponents = []
    lots = _lots(drawn)
    for library in ("networkx", "rustworkx"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
            told, found = processes.submit(in_memory, library, drawn, asked_for, lots).result()
        opponents.append(told)
        differing += sum(answers[work] != answer for work, answer in found.items())
        print(_line(library, [told["ms"][row["group"]] for row in rows]), end="")
        print(f"   after {told['build_seconds']} s and {told['memory_mib']:,} MiB", flush=True)
    kind = database.split()[0]
    met = all(row["again"]["p95"] < TARGETS[kind] for row in rows) and all(row["layout"]["p95"] < 300 for row in rows)
    print(f"answers that differ from an opponent's: {differing}")
    print(f"target of {TARGETS[kind]:.0f} ms {'met' if met else 'missed'}")
    write(
        f"neighbourhoods-{kind.lower()}",
        {
            "database": database, "works": options.works, "citations": len(drawn.citing), "seed": options.seed,
            "limit": LIMIT, "target_ms": TARGETS[kind], "met": met, "differing": differing, "rows": rows,
            "opponents": opponents,
        },
    )  # fmt: skip
    sys.exit(1 if differing else 0)


def _line(name: str, cells: list[dict[str, float]]) -> str:
    return f"{name:32}" + "".join(f"{cell['p50']:10,.1f}{cell['p95']:8,.1f}{cell['max']:8,.1f}" for cell in cells)


def _lots(drawn: Drawn) -> np.ndarray:
    from lenslab.library.graph.citation_edges import lot

    pairs = zip(drawn.citing.tolist(), drawn.cited.tolist(), strict=True)
    return np.array([lot(f"w{one}", f"w{other}") for one, other in pairs])


if __name__ == "__main__":
    main()
