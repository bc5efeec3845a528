"""Write the tables of speed in the README and the docs from the records of ``python -m benchmarks.ablation``.

python -m scripts.speed_table
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/how-to/speed.md")
BLOCK = re.compile(r"(<!-- speed -->\n).*?(<!-- /speed -->)", re.DOTALL)


def records() -> list[dict[str, Any]]:
    """Read the records, those of one site last."""
    paths = (ROOT / "benchmarks" / "records").glob("ablation-*.json")
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    found = [record for record in found if record["device"] == "cpu"]
    return sorted(found, key=lambda record: (record["sites"] == 1, record["network"]))


def table() -> str:
    """Write the table: a row for each record, how many times as fast as each loop in each arithmetic."""
    lines = [
        "| network, sites, images | plain loop | prefix-cached | slowest site | mixed: plain loop | prefix-cached "
        "| slowest site | differ |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for record in records():
        rows = {row["engine"]: row for row in record["rows"]}
        ours, mixed = rows["lenslab"], rows["lenslab, mixed"]
        sites = "last site" if record["sites"] == 1 else f"{record['sites']} sites"
        what = f"{record['network']}, {sites}, {record['count']:,} of {record['images']}, {record['size'][0]} px"
        slowest = (min(record["sites_over_prefix"][row["engine"]].values()) for row in (ours, mixed))
        figures = (
            f"{ratio:.{0 if ratio >= 100 else 1}f}x"
            for row, least in zip((ours, mixed), slowest, strict=True)
            for ratio in (row["over_plain"], row["over_prefix"], least)
        )
        differ = sum(row["mismatches"] for row in record["rows"])
        lines.append(f"| {what} | {' | '.join(figures)} | {differ} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Put the table into the pages."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(BLOCK.sub(rf"\g<1>{table()}\g<2>", page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
