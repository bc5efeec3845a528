"""Where a figure came from: hashes that tell apart what differs, and the versions that are really installed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab import __version__, records


def test_a_files_hash_is_the_hash_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"lens" * 100_000)
    assert records.sha256_of_file(tmp_path / "weights.bin") == hashlib.sha256(b"lens" * 100_000).hexdigest()


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_the_names_does_not_change_a_hash(document: dict[str, int]) -> None:
    backwards = dict(reversed(document.items()))
    assert records.sha256_of_json(backwards) == records.sha256_of_json(document)


def test_values_that_differ_have_hashes_that_differ() -> None:
    values = [0, "0", 0.5, None, False, [], [0], {}, {"a": 0}, {"a": 1}, {"b": 0}, "\u00e9"]
    assert len({records.sha256_of_json(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_has_no_hash(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        records.sha256_of_json({"seed": value})


def test_the_same_request_for_another_kind_has_another_key() -> None:
    keys = {records.key_of(kind, {"seed": seed}) for kind in ("run", "study") for seed in (0, 1)}
    assert len(keys) == 4


def test_versions_are_those_that_are_installed() -> None:
    found = records.versions()
    assert (found["lenslab"], found["numpy"]) == (__version__, np.__version__)
    assert {"python", "torch", "scipy"} <= set(found)


def test_the_machine_is_described_and_not_named() -> None:
    import platform

    described = records.machine()
    assert described["processors"] >= 1
    assert platform.node() not in map(str, described.values())
