"""What the packages export, written down: a name that comes or goes is a change for users."""

from __future__ import annotations

import importlib

import pytest

EXPORTS = {
    "lenslab.records": {
        *("SCHEMA", "BrokenRecordError", "Draft", "OtherRecordError", "Record", "RecordNotFoundError", "RecordsError"),
        *("UnknownSchemaError", "find", "key_of", "machine", "read", "sha256_of_file", "sha256_of_json", "timestamp"),
        *("NoSpaceError", "require_begun", "versions"),
    },
    "lenslab.report": {
        *("MissingBundleError", "NotARunError", "ReportError", "UnwritableReportError", "run_of", "write"),
    },
    "lenslab.units.profiling": {
        *("Alignment", "Profile", "align", "attribute_table", "class_table", "measure", "measure_classes", "profile"),
    },
    "lenslab.units": {
        *("Comparison", "Curve", "CurveQuestion", "Images", "Network", "Preprocessing", "Question", "Run", "Site"),
        *("Trace", "UnitsError", "ablate", "ablated", "all_but", "answer", "answer_curve", "apply_mask", "ask"),
        *("ask_curve", "compare", "curve", "destinations", "export_mask", "load", "network_of", "open_images"),
        *("read_curve", "read_mask", "select", "silenced", "trace", "units_for"),
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
