"""How long the key terms of every paper of a library take, its own counts included.

A fresh library takes in the snapshot. Then, timed: the words of all papers are counted, and the key terms of all papers
are found, weighed by these counts, in one process. Beside that, in the same run: what the count of one thousand new
papers takes when the others are counted already, and scikit-learn's ``TfidfVectorizer`` over the same abstracts with
its own tokens, which knows no phrases, no categories and no inflections.

    python -m benchmarks.terms
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import snapshots
from benchmarks.reporting import write

TARGET_SECONDS = 60
NEW = 1000

_CHILD = """
import json, sys, time
from itertools import islice
from pathlib import Path
from lenslab.library import ready
ready()
from lenslab.library import vocabulary, works
from lenslab.library.intake import file_import
from lenslab.library.models import TermCount, Work

file_import.import_file(Path(sys.argv[1]), rejects=Path(sys.argv[3]))
started, processor = time.perf_counter(), time.process_time()
counted = vocabulary.count_new()
counting = time.perf_counter() - started
papers = map(works.paper, works.all_works().exclude(abstract="").iterator())
started, found, number = time.perf_counter(), 0, 0
while portion := list(islice(papers, 500)):
    for terms in vocabulary.key_terms_of(portion):
        found += len(terms)
        number += 1
terms_seconds = time.perf_counter() - started
processor = time.process_time() - processor
file_import.import_file(Path(sys.argv[2]), rejects=Path(sys.argv[3]))
started = time.perf_counter()
more = vocabulary.count_new()
incremental = time.perf_counter() - started

from sklearn.feature_extraction.text import TfidfVectorizer
abstracts = list(Work.objects.exclude(abstract="").values_list("abstract", flat=True)[:number])
started = time.perf_counter()
TfidfVectorizer(stop_words="english").fit_transform(abstracts)
sklearn_seconds = time.perf_counter() - started
print(json.dumps({
    "papers": number, "counted": counted, "terms": found, "rows_of_counts": TermCount.objects.count(),
    "counting_seconds": round(counting, 2), "terms_seconds": round(terms_seconds, 2),
    "seconds": round(counting + terms_seconds, 2), "processor_seconds": round(processor, 2),
    "milliseconds_a_paper": round(1000 * terms_seconds / number, 2),
    "new_papers": more, "counting_new_seconds": round(incremental, 2),
    "tfidf_vectorizer_seconds": round(sklearn_seconds, 2),
}))
"""


def main() -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=17_000)
    parser.add_argument("--snapshot", type=Path, action="append", help="files of records; repeatable")
    options = parser.parse_args()
    paths = snapshots.files(options.snapshot)
    with tempfile.TemporaryDirectory(prefix="lenslab-terms-") as temporary:
        place = Path(temporary)
        first = snapshots.written(place / "first.jsonl.gz", paths, options.count)
        more = snapshots.written(place / "more.jsonl.gz", paths, options.count + NEW)
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{place}/library.sqlite3", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(first), str(more), str(place / "rejects")],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    row = json.loads(done.stdout)
    print(f"{'papers':>8}{'counting':>11}{'key terms':>11}{'together':>10}{'1,000 new':>11}{'TfidfVectorizer':>17}")
    print(
        f"{row['papers']:>8,}{row['counting_seconds']:>9.1f} s{row['terms_seconds']:>9.1f} s{row['seconds']:>8.1f} s"
        f"{row['counting_new_seconds']:>9.1f} s{row['tfidf_vectorizer_seconds']:>15.1f} s"
    )
    write(
        "terms",
        {
            "what": "key terms of all papers of a library, with its own counts",
            "snapshot": [path.name for path in paths],
            "target": {"seconds": TARGET_SECONDS},
            **row,
        },
    )


if __name__ == "__main__":
    main()
