import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.errors import MalformedError
from lenslab.papers.text.strict_json import read, read_from

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(characters),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(characters), inner),
    max_leaves=8,
)


@given(values, st.booleans())
def test_what_json_writes_is_read_with_escapes_and_without(value, ascii_only):
    assert read(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(values, st.text(characters, max_size=5), st.sampled_from(["", " ", ",x", "]"]))
def test_a_value_is_read_where_it_stands_and_its_end_is_told(value, before, after):
    written = json.dumps([value])
    assert read_from(before + written + after, len(before)) == ([value], len(before) + len(written))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{} x", "not JSON: Extra data"),
        ("NaN", "NaN"),
        ("[Infinity]", "Infinity"),
        ("1" * 5_000, "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('["\\u0000"]', "character zero"),
        ('{"a\\u0000": 1}', "character zero"),
        ('{"a": [{"b": "\\uDFFF"}]}', "half of a character"),
        ('"\\ud835"', "half of a character"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(text, reason):
    with pytest.raises(MalformedError, match=reason):
        read(text)
