"""Peak memory against the number of images: it must not grow with them.

Textures are drawn into an ``.npz`` file, or a directory with a directory for each class, and the command line silences
units of a network on 1,000, 10,000 and 60,000 of them, each time in a process of its own whose largest resident set is
read (``ru_maxrss``). The exit code is 1 where the largest run takes more than 1.25 times the memory of the smallest.

    python -m benchmarks.memory --counts 1000 10000 60000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import write
from benchmarks.textures import CLASSES, textures

ALLOWED = 1.25
DRAWN = 1000
"""So many textures are drawn; more images are these with other noise in their last bits, so that no two are equal."""

CHILD = "from lenslab.cli.main import main; main()"


def as_npz(path: Path, count: int, size: int) -> Path:
    """Write images to an ``.npz`` file that can be mapped into memory, without holding them all."""
    array = np.lib.format.open_memmap(
        path.with_suffix(".images.npy"), mode="w+", dtype=np.uint8, shape=(count, size, size)
    )
    labels = np.empty(count, np.int64)
    for start, pixels, some in _pieces(count, size):
        array[start : start + len(pixels)], labels[start : start + len(pixels)] = pixels, some
    array.flush()
    np.savez(path, images=array, labels=labels)
    path.with_suffix(".images.npy").unlink()
    return path


def as_folders(path: Path, count: int, size: int) -> Path:
    """Write images as PNG files, in a directory for each class."""
    from PIL import Image

    for label in range(CLASSES):
        (path / str(label)).mkdir(parents=True)
    for start, pixels, labels in _pieces(count, size):
        for at, (image, label) in enumerate(zip(pixels, labels, strict=True), start=start):
            Image.fromarray(image).save(path / str(label) / f"{at:06d}.png", compress_level=1)
    return path


def _pieces(count: int, size: int) -> Any:
    drawn, labels = textures(min(count, DRAWN), size=(size, size), channels=1)
    for start in range(0, count, DRAWN):
        some = min(DRAWN, count - start)
        noise = np.random.default_rng(start).integers(0, 4, (some, size, size), np.uint8)
        yield start, drawn[:some, :, :, 0] ^ noise, labels[:some]


def measured(arguments: list[str]) -> dict[str, float]:
    """Run the command line in a process of its own.

    Returns:
        Its largest resident set in MiB, and its seconds by the wall clock and by the processor.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"lenslab {' '.join(arguments)} failed; run it by itself to see why")
    return {
        "peak_mib": round(usage.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10)), 1),
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
    }


def main() -> None:
    """Measure, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 60_000])
    parser.add_argument("--form", choices=("npz", "folders"), default="npz")
    parser.add_argument("--size", type=int, default=8, help="pixels a side")
    parser.add_argument("--network", default="small")
    parser.add_argument("--weights", help="default for small: digits")
    parser.add_argument("--sites", action="append", help="globs; repeatable; default: the default sites")
    parser.add_argument("--out", type=Path, help="where images and runs are made; default: a temporary directory")
    options = parser.parse_args()
    weights = options.weights or ("digits" if options.network == "small" else None)
    rows = []
    print(f"{'images':>8}{'peak MiB':>10}{'ratio':>8}{'seconds':>9}{'record MiB':>12}")
    with tempfile.TemporaryDirectory(prefix="lenslab-memory-", dir=options.out) as temporary:
        for count in options.counts:
            place = Path(temporary)
            if options.form == "npz":
                source = as_npz(place / f"{count}.npz", count, options.size)
            else:
                source = as_folders(place / f"{count}", count, options.size)
            out = place / f"run-{count}"
            asked = ["ablate", options.network, "--images", str(source), "--out", str(out)]
            asked += ["--weights", weights] if weights else []
            asked += [part for site in options.sites or () for part in ("--sites", site)]
            row: dict[str, Any] = {"images": count, **measured(asked)}
            document = json.loads((out / "record.json").read_text(encoding="utf-8"))
            row["record_mib"] = round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 2**20, 1)
            row["units"] = sum(site["units"] for site in document["sites"])
            rows.append(row)
            row["ratio"] = round(row["peak_mib"] / rows[0]["peak_mib"], 3)
            print(
                f"{count:8,}{row['peak_mib']:10,.0f}{row['ratio']:8.2f}{row['seconds']:9,.0f}{row['record_mib']:12,.1f}",
                flush=True,
            )
    flat = rows[-1]["ratio"] < ALLOWED
    write(
        f"memory-{Path(options.network).name}-{options.form}",
        {"network": options.network, "size": options.size, "allowed": ALLOWED, "flat": flat, "rows": rows},
    )
    if not flat:
        sys.exit(f"peak memory grows with the images: {rows[-1]['ratio']:.2f} times from {rows[0]['images']:,} images")


if __name__ == "__main__":
    main()
