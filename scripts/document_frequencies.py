"""Counts in how many arXiv abstracts each term stands, for the key terms that lenslab computes.

Reads files in the format of the Kaggle arXiv snapshot (JSON lines, gzipped or not; metadata of arXiv, CC0 1.0) and
writes ``src/lenslab/papers/data/document-frequencies.json.gz``::

    python scripts/document_frequencies.py arxiv-metadata-oai-snapshot.json
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.papers.terms.document_frequencies import LEAST_PHRASE, LEAST_WORD, SEED_VOCABULARY, count

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).resolve().parents[1] / "src/lenslab/papers/data/document-frequencies.json.gz"


def records(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Read the records of several files, one after the other."""
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="JSON lines, gzipped or not")
    parser.add_argument("--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    provenance = {
        "source": "arXiv metadata in the format of the Kaggle arXiv snapshot",
        "files": [path.name for path in arguments.files],
        "license": "CC0 1.0 (arXiv descriptive metadata)",
        "made_by": "scripts/document_frequencies.py",
        "least": {"word": LEAST_WORD, "phrase": LEAST_PHRASE},
        "seed_vocabulary": SEED_VOCABULARY,
    }
    frequencies = count(records(arguments.files), provenance)
    content = frequencies.to_bytes()
    arguments.out.write_bytes(content)
    print(f"{frequencies.provenance['records']} records, groups {frequencies.groups}")
    print(f"{len(frequencies.terms)} terms, {len(frequencies.seed_terms)} seed terms, {len(content)} bytes")
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
