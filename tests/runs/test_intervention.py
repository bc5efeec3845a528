"""An intervention is one value: made from words, refused by its words, and read back as it was asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.errors import InterventionError
from lenslab.runs.intervention import BASES, REPLACEMENTS, Intervention

WORDS = st.sampled_from(sorted(REPLACEMENTS)) | st.floats(allow_nan=False, allow_infinity=False)
SETS = st.dictionaries(st.sampled_from(["relu1", "relu2"]), st.lists(st.lists(st.integers(0, 9)), min_size=1))


@given(WORDS, SETS, st.integers(1, 5))
def test_what_was_asked_is_read_back_from_the_request(word: str | float, groups: dict[str, Any], draws: int) -> None:
    asked = Intervention.of(word, groups=groups, draws=draws if word == "resample" else None)
    document = {"request": asked.request(), "draws": asked.draws}
    assert Intervention.recorded(document) == asked


@pytest.mark.parametrize("basis", sorted(BASES))
def test_a_basis_is_read_back(basis: str) -> None:
    asked = Intervention.of(basis=basis)
    assert Intervention.recorded({"request": asked.request()}) == asked
    assert asked.single == (basis == "units")


@pytest.mark.parametrize(
    ("options", "silenced"),
    [({}, "units"), ({"basis": "haar"}, "random directions"), ({"groups": {"relu": [[1, 2]]}}, "sets of units")],
)
def test_it_says_what_is_silenced(options: dict[str, Any], silenced: str) -> None:
    assert Intervention.of(**options).silenced == silenced


@pytest.mark.parametrize("value", [0, 0.0, "0", "-0.0", "zero"])
def test_nothing_has_one_name(value: str | float) -> None:
    assert Intervention.of(value) == Intervention()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replacement": "median"}, "no replacement 'median'; there are zero"),
        ({"replacement": None}, "no replacement None"),
        ({"replacement": "inf"}, "no replacement 'inf'"),
        ({"basis": "pca"}, "no basis 'pca'; there are units"),
        ({"basis": "haar", "replacement": "mean"}, "leave replacement and sets"),
        ({"basis": "energy", "groups": {"relu": [[1]]}}, "leave replacement and sets"),
        ({"draws": 2}, "with the replacement resample"),
        ({"replacement": "resample", "draws": 0}, "give 1 or more"),
        ({"groups": [[1, 2]]}, "by the name of their site"),
        ({"groups": {"relu": [1, 2]}}, "by the name of their site"),
        ({"groups": {"relu": [["one"]]}}, "by the name of their site"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InterventionError, match=message):
        Intervention.of(**options)


def test_a_document_of_an_older_version_says_what_it_left_unsaid() -> None:
    assert Intervention.recorded({"request": {"replacement": "zero"}, "replacement": "zero"}) == Intervention()
    assert Intervention.recorded({"replacement": "mean"}).replacement == "mean"


@pytest.mark.parametrize(
    "document",
    [{"request": None}, {"request": []}, {"draws": "x"}, {"draws": None, "request": {"draws": None}}],
)
def test_what_a_damaged_document_says_wrong_is_as_if_unsaid(document: dict[str, Any]) -> None:
    assert Intervention.recorded(document) == Intervention()
