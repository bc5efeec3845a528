"""Snapshots of any size, made of real records: copies get ids of their own, and titles that differ."""

from __future__ import annotations

import gzip
import json
import sys
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Beside the checkout lie records in the snapshot's format, where its developers put them.
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
NAMES = ("arxiv-kaggle-0704.jsonl.gz", "arxiv-2025-sample.jsonl.gz")


def files(given: list[Path] | None = None) -> list[Path]:
    """Find the snapshot's files: those given, else those beside the checkout; without any nothing is measured."""
    found = given or [SHARED / name for name in NAMES]
    missing = [str(path) for path in found if not path.exists()]
    if missing:
        sys.exit(f"no {missing[0]}; name files in the format of Kaggle's arXiv snapshot with --snapshot FILE")
    return found


def lines(paths: list[Path]) -> Iterator[bytes]:
    """Read the records as they stand in the files."""
    for path in paths:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from file


def written(path: Path, paths: list[Path], number: int) -> Path:
    """Write a snapshot of so many records.

    The first ones are those of the files. A copy has the id of a month that the files do not have, a mark behind its
    title, and every third of its words in another order, so that no index profits from equal texts.
    """
    own = [json.loads(line) for line in lines(paths)]
    with gzip.open(path, "wb", compresslevel=1) as file:
        for at, record in islice(enumerate(_copies(own)), number):
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
            if at % 50_000 == 0 and at:
                print(f"  {at:,} records written", file=sys.stderr)
    return path


def _copies(own: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    yield from own
    # Numbers of five digits, 12 months a year from 2031 on, where no real paper can be yet.
    for number in count():
        record = own[number % len(own)]
        year, month, place = 31 + number // 1_080_000, 1 + number // 90_000 % 12, 1 + number % 90_000
        words = str(record["abstract"]).split()
        turn = 3 + number // len(own) % 7
        words[::turn] = reversed(words[::turn])
        yield {
            **record,
            "id": f"{year:02d}{month:02d}.{place:05d}",
            "title": f"{record['title']} ({number})",
            "abstract": " ".join(words),
            "doi": None,
        }
