"""What the packages export, written down: a name that comes or goes is a change for users."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

EXPORTS = {
    "lenslab.records": {
        *("SCHEMA", "BrokenRecordError", "Draft", "OtherRecordError", "Record", "RecordNotFoundError", "RecordsError"),
        *("UnknownSchemaError", "find", "key_of", "machine", "read", "sha256_of_file", "sha256_of_json", "timestamp"),
        *("NoSpaceError", "NotWritableError", "require_begun", "versions"),
    },
    "lenslab.report": {
        *("MissingBundleError", "ReportError", "UnwritableReportError", "measured", "write"),
    },
    "lenslab.runs": {
        *("Comparison", "Curve", "Intervention", "Run", "Screening", "UnitsError", "newest", "read", "read_curve"),
    },
    "lenslab.units": {
        *("Ablation", "Images", "Mask", "Network", "Preprocessing", "Run", "UnitsError"),
        *("ablate", "load", "measure_attributes", "open_images", "screen", "silenced", "trace"),
    },
}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_package_exports_what_is_written_down_and_all_of_it_exists(name: str) -> None:
    package = importlib.import_module(name)
    assert set(package.__all__) == EXPORTS[name]
    assert list(package.__all__) == sorted(
        package.__all__, key=lambda each: (not each.isupper(), not each[0].isupper(), each)
    )
    for each in package.__all__:
        assert getattr(package, each).__doc__ or each.isupper(), each


def test_every_name_of_the_ablation_half_stands_where_a_newcomer_reads() -> None:
    read = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/tutorial.md"))
    assert [name for name in EXPORTS["lenslab.units"] if not re.search(rf"\b{name}\b", read)] == []
