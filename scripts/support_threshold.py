"""Measures what the check of summaries accepts, by the share of content words that it asks for.

Reads files in the format of the Kaggle arXiv snapshot (JSON lines, gzipped or not) and prints, for each share, how many
of 100 claims are accepted: titles, in lower case, by their own abstract and by that of the record before; and sentences
by the abstract that they were taken out of::

    python scripts/support_threshold.py --every 11 arxiv-kaggle-0704.jsonl.gz arxiv-2025-sample.jsonl.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path

from lenslab.papers.summary.abstract_support import coverage, spans

SHARES = (0.4, 0.5, 0.6, 0.7, 0.8)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="JSON lines, gzipped or not")
    parser.add_argument("--every", type=int, default=11, help="take every n-th record")
    arguments = parser.parse_args()
    lines = []
    for path in arguments.files:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            lines += [line for line in file if line.strip()]
    records = [json.loads(line) for line in lines[:: arguments.every]]
    abstracts = [spans(record["abstract"]) for record in records]
    generator = random.Random(1)
    own, other, removed = [], [], []
    for place, (record, abstract) in enumerate(zip(records, abstracts, strict=True)):
        if len(abstract) < 4:
            continue
        title = record["title"].lower()
        out = generator.randrange(len(abstract))
        own.append(coverage(title, abstract))
        other.append(coverage(title, abstracts[place - 1]))
        removed.append(coverage(abstract[out].text, abstract[:out] + abstract[out + 1 :]))
    print(f"{len(own)} abstracts of four sentences and more")
    for share in SHARES:
        accepted = [100 * sum(covered >= share for covered in some) / len(some) for some in (own, other, removed)]
        print(
            "share {:.1f}: own title {:.1f}, another title {:.1f}, sentence taken out {:.1f}".format(share, *accepted)
        )


if __name__ == "__main__":
    main()
