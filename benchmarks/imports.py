"""How fast an arXiv snapshot comes into the library, in how much memory, and that a second import changes nothing.

The opponent, in the same run, is a bare loop: ``json.loads``, one ``INSERT`` into a table and one into an FTS5 index,
with the same journal mode, the same tokenizer and the same size of transaction; it knows no provenance, no merging, no
identifiers and no authors. Each import runs in a process of its own, whose largest resident set is read.

    python -m benchmarks.imports --counts 17000 200000
    sh scripts/postgresql.sh .venv/bin/python -m benchmarks.imports --counts 17000
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import snapshots
from benchmarks.reporting import write

TARGET_RATE, TARGET_MIB = 3000, 400

_CHILD = """
import json, resource, sys, time
from lenslab.library import ready
ready()
from pathlib import Path
from lenslab.library.intake import file_import
started = time.perf_counter(), time.process_time()
done = file_import.import_file(Path(sys.argv[1]), rejects=Path(sys.argv[2]))
print(json.dumps({
    "seconds": time.perf_counter() - started[0], "processor_seconds": time.process_time() - started[1],
    "added": done.added, "changed": done.changed, "unchanged": done.unchanged, "rejected": done.rejected,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10)),
}))
"""
_STATE = """
import hashlib, json
from lenslab.library import ready
ready()
from django.apps import apps
from django.db import connection
digest = hashlib.sha256()
rows = 0
for model in sorted(apps.get_app_config("library").get_models(), key=lambda model: model.__name__):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY id")
        for row in cursor:
            digest.update(repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)).encode())
            rows += 1
print(json.dumps({"sha256": digest.hexdigest(), "rows": rows}))
"""


def child(code: str, url: str, *arguments: str) -> dict[str, Any]:
    """Run code in a process of its own, on a library of its own, and read what it answers."""
    environment = {**os.environ, "DATABASE_URL": url, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout))


def bare(path: Path, place: Path) -> dict[str, float]:
    """Run the opponent: a loop over sqlite3 and FTS5."""
    connection = sqlite3.connect(place, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE paper (id INTEGER PRIMARY KEY, name TEXT UNIQUE, record TEXT)")
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5(title, authors, abstract, "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    started, number = (time.perf_counter(), time.process_time()), 0
    with gzip.open(path) as file:
        connection.execute("BEGIN IMMEDIATE")
        for number, line in enumerate(file, 1):
            record = json.loads(line)
            connection.execute("INSERT INTO paper VALUES (?, ?, ?)", (number, record["id"], line.decode()))
            connection.execute(
                "INSERT INTO words (rowid, title, authors, abstract) VALUES (?, ?, ?, ?)",
                (number, record["title"], record["authors"], record["abstract"]),
            )
            if number % 2000 == 0:
                connection.execute("COMMIT")
                connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    connection.close()
    seconds, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    return {"seconds": seconds, "processor_seconds": processor, "records": number}


def _size(path: Path) -> float | None:
    return round(path.stat().st_size / 2**20, 1) if path.exists() else None


def main() -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[17_000, 200_000])
    parser.add_argument("--snapshot", type=Path, action="append", help="files of records; repeatable")
    parser.add_argument("--repetitions", type=int, default=3, help="of the smallest count, of which the median counts")
    options = parser.parse_args()
    paths = snapshots.files(options.snapshot)
    given = os.environ.get("DATABASE_URL", "")
    database = "postgresql" if given.startswith("postgres") else "sqlite"
    rows = []
    print(f"{'records':>9}{'records/s':>11}{'bare loop/s':>13}{'ratio':>7}{'peak MiB':>10}{'again':>17}{'changed':>9}")
    with tempfile.TemporaryDirectory(prefix="lenslab-imports-") as temporary:
        place = Path(temporary)
        for at, number in enumerate(options.counts):
            path = snapshots.written(place / f"{number}.jsonl.gz", paths, number)
            runs, loops = [], []
            for repetition in range(options.repetitions if at == 0 and database == "sqlite" else 1):
                url = given if database == "postgresql" else f"sqlite:///{place}/library-{number}-{repetition}.sqlite3"
                runs.append(child(_CHILD, url, str(path), str(place / "rejects")))
                loops.append(bare(path, place / f"bare-{number}-{repetition}.sqlite3"))
            middle = sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]
            loop = statistics.median(run["seconds"] for run in loops)
            before = child(_STATE, url)
            again = child(_CHILD, url, str(path), str(place / "rejects"))
            after = child(_STATE, url)
            row = {
                "records": number,
                "records_per_second": round(number / middle["seconds"]),
                "bare_loop_per_second": round(number / loop),
                "ratio_to_bare_loop": round(loop / middle["seconds"], 3),
                "processor_seconds": round(middle["processor_seconds"], 2),
                "all_records_per_second": [round(number / run["seconds"]) for run in runs],
                "peak_mib": round(max(run["peak_mib"] for run in runs), 1),
                "added": middle["added"],
                "rejected": middle["rejected"],
                "again": {name: again[name] for name in ("added", "changed", "unchanged", "rejected")},
                "again_records_per_second": round(number / again["seconds"]),
                "rows": after["rows"],
                "changed_rows": 0 if before == after else "some",
                "file_mib": round((place / url.rpartition("/")[2]).stat().st_size / 2**20, 1)
                if database == "sqlite"
                else None,
            }
            rows.append(row)
            print(
                f"{number:>9,}{row['records_per_second']:>11,}{row['bare_loop_per_second']:>13,}"
                f"{row['ratio_to_bare_loop']:>7.2f}{row['peak_mib']:>10.0f}{row['again_records_per_second']:>15,}/s"
                f"{row['changed_rows']!s:>9}"
            )
            (place / path.name).unlink()
    sha = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    write(
        f"imports-{database}",
        {
            "what": "arXiv snapshot into the library: records per second, peak memory, second import",
            "database": database,
            "snapshot": [path.name for path in paths],
            "snapshot_sha256": sha,
            "target": {"records_per_second": TARGET_RATE, "peak_mib": TARGET_MIB, "changed_rows": 0},
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
