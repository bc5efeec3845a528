"""Two hundred faults, and kills, while a paper with 1,243 citations is added: the same library as without them.

A local server speaks as arXiv, Semantic Scholar and OpenAlex do, about a literature made for it. ``lenslab paper add``
runs against it in a process of its own: once without a fault, then while the server injects faults at random (429 with
and without Retry-After, plain-text errors, 406, 500 to 504, truncated and malformed bodies, connections cut, empty
pages in the middle, web pages with 200, slow bodies) and the process is killed (SIGKILL) at random moments. A run that
ends by itself has to be done or to say in one message that the same command goes on; then it is started again. All
tables of the library are compared, but for times, answers and row numbers. The exit code is 1 where anything differs.

    python -m benchmarks.faults --faults 200 --kills 10
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.reporting import write
from tests.upstream.corpus import corpus
from tests.upstream.faults import Faults
from tests.upstream.server import Upstream

_STATE = """
import json
from lenslab.library import ready
ready()
from lenslab.library.models import Assertion, Citation, Identifier, Listing, PossibleTwin, SourceRecord, Work
ends = ("citing_record__source", "citing_record__locator", "cited_record__source", "cited_record__locator")
columns = {
    Work: ("key", "arxiv_id", "doi", "title", "byline", "year", "authors", "categories", "submitted", "updated",
           "license_uri", "journal_reference", "author_comments", "versions", "abstract", "plain", "facets",
           "citation_count", "reference_count", "title_mark", "people_mark", "name_mark", "counted",
           "merged_into__key"),
    SourceRecord: ("source", "locator", "sha256", "content", "work__key"),
    Identifier: ("name", "record__source", "record__locator"),
    Citation: ("citing__key", "cited__key", "influential", "citing_year", "cited_year", "lot"),
    Assertion: ("source", *ends, "citation__citing__key", "citation__cited__key", "influential", "intents"),
    Listing: ("record__source", "record__locator", "direction", "reported", "received", "complete", "note"),
    PossibleTwin: ("work__key", "other__key", "evidence"),
}
print(json.dumps({
    model.__name__: sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row])
                           for row in model.objects.values_list(*names))
    for model, names in columns.items()
}))
"""


def child(code: list[str], environment: dict[str, str], seconds: float | None = None) -> tuple[int, str, str]:
    """Run Python in a process of its own, and kill it after so many seconds; -9 says that it was killed."""
    process = subprocess.Popen(
        [sys.executable, *code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
    return process.returncode, output, errors


def added(upstream: Upstream, database: Path, kills: int, chance: random.Random) -> dict[str, Any]:
    """Add the paper until it is done.

    Returns:
        How often the command was started, killed and stopped by itself, and how long all that took.
    """
    environment = {**os.environ, **upstream.environment, "DATABASE_URL": f"sqlite:///{database}"}
    command = ["-m", "lenslab", "paper", "add", upstream.corpus.paper.arxiv or "", "--json"]
    started, runs, killed, stops = time.perf_counter(), 0, 0, []
    while True:
        runs += 1
        seconds = chance.uniform(1.5, 8.0) if killed < kills else None
        code, _, errors = child(command, environment, seconds)
        if code == 0:
            break
        if code == -9:
            killed += 1
        elif code == 2 and "Traceback" not in errors and "lenslab: " in errors:
            stops.append(errors.rpartition("lenslab: ")[2].strip())
        else:
            sys.exit(f"the command ended with {code}:\n{errors}")
    return {"runs": runs, "killed": killed, "stops": stops, "seconds": round(time.perf_counter() - started, 1)}


def state(database: Path) -> dict[str, list[str]]:
    """Every row of the library, without times and row numbers."""
    code, output, errors = child(["-c", _STATE], {**os.environ, "DATABASE_URL": f"sqlite:///{database}"})
    if code:
        sys.exit(errors)
    return dict(json.loads(output))


def main() -> None:
    """Measure, print a table, write a record; leave with 1 where libraries differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--citations", type=int, default=1243)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    literature = corpus(citations=options.citations, references=40, seed=options.seed)
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="lenslab-faults-") as temporary:
        place = Path(temporary)
        with Upstream(literature) as upstream:
            plain = added(upstream, place / "plain.sqlite3", 0, chance)
            requests = len(upstream.log)
        expected = state(place / "plain.sqlite3")
        # Lists that are complete are not read twice within a day, so later faults need later papers: the neighbours.
        done, rounds, faults = [], 0, Faults.random(options.seed, options.faults)
        differing: dict[str, int] = {}
        asked = 0
        while len(faults.injected) < options.faults or len(done) == 0:
            rounds += 1
            database = place / f"faulty-{rounds}.sqlite3"
            with Upstream(literature, faults=faults) as upstream:
                left = options.kills - sum(run["killed"] for run in done)
                done.append(added(upstream, database, min(left, 3), chance))
                asked += len(upstream.log)
            found = state(database)
            for table, rows in expected.items():
                one, other = Counter(rows), Counter(found[table])
                differing[table] = differing.get(table, 0) + sum(((one - other) + (other - one)).values())
            last = done[-1]
            print(
                f"round {rounds}: {len(faults.injected)} faults so far, {last['runs']} runs, {last['killed']} killed, "
                f"{len(last['stops'])} stopped, {last['seconds']:.0f} s, {sum(differing.values())} rows differ"
            )
    kinds = Counter(fault.name for _, _, fault in faults.injected)
    differ = sum(differing.values())
    print(f"{len(faults.injected)} faults of {len(kinds)} kinds in {asked} requests, {differ} rows differ")
    write(
        "faults",
        {
            "what": f"adding a paper with {options.citations} citations while sources fail and the process is killed",
            "target": {"rows_that_differ": 0},
            "faults": len(faults.injected),
            "kinds": dict(sorted(kinds.items())),
            "seed": options.seed,
            "rounds": rounds,
            "runs": sum(run["runs"] for run in done),
            "kills": sum(run["killed"] for run in done),
            "stops": [stop for run in done for stop in run["stops"]],
            "requests": asked,
            "requests_without_faults": requests,
            "seconds_without_faults": plain["seconds"],
            "seconds": round(sum(run["seconds"] for run in done), 1),
            "rows": {table: len(rows) for table, rows in expected.items()},
            "rows_that_differ": differing,
        },
    )
    if any(differing.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
