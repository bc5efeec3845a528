import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.report.data_packing import DataPack, typed_numbers, unpacked


@given(
    st.lists(st.floats(allow_nan=True, width=64), max_size=20),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20),
    st.lists(st.text(), max_size=20),
)
def test_what_is_packed_comes_back_bit_for_bit(floats, integers, texts):
    pack = DataPack()
    pack.table("floats", pd.DataFrame({"value": np.array(floats, np.float64)}))
    pack.table("integers", pd.DataFrame({"value": np.array(integers, np.int64)}))
    pack.table("texts", pd.DataFrame({"value": pd.Series(texts, dtype=object)}))
    header, tables = unpacked(pack.text())
    assert tables["floats"]["value"].tobytes() == np.array(floats, np.float64).tobytes()
    assert tables["integers"]["value"].tolist() == integers
    if texts:
        values = header["tables"]["texts"]["columns"]["value"]["values"]
        assert [values[code] for code in tables["texts"]["value"]] == texts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([True, False]), "u1"),
        (np.array([0, -(2**31)], np.int64), "i4"),
        (np.array([2**31], np.int64), "f8"),
        (np.array([255], np.uint8), "i4"),
        (np.array([], np.int64), "i4"),
        (np.array([0.1], np.float32), "f4"),
        (np.array([0.1]), "f8"),
    ],
)
def test_every_number_takes_a_form_that_loses_nothing(values, kind):
    brought = typed_numbers(values)
    assert brought.dtype.str[1:] == kind
    assert np.array_equal(brought.astype(values.dtype), values)


def test_every_column_begins_where_typed_arrays_may():
    pack = DataPack()
    pack.raw("maps", b"abc")
    pack.table("units", pd.DataFrame({"dead": [True], "drop": [0.5]}))
    header, tables = unpacked(pack.text())
    places = [place["offset"] for table in header["tables"].values() for place in table["columns"].values()]
    assert len(places) == 3
    assert all(offset % 8 == 0 for offset in places)
    assert tables["maps"]["bytes"].tobytes() == b"abc"
    assert tables["units"]["drop"].tolist() == [0.5]


def test_equal_contents_give_equal_texts_and_no_text_can_be_read_as_html():
    frames = [pd.DataFrame({"site": ["</script><img src=x onerror=alert(1)>"], "unit": [0]}) for _ in range(2)]
    packs = [DataPack(), DataPack()]
    for pack, frame in zip(packs, frames, strict=True):
        pack.table("units", frame)
    assert packs[0].text() == packs[1].text()
    assert "<" not in packs[0].text()


def test_columns_that_are_neither_numbers_nor_text_are_left_out():
    pack = DataPack()
    pack.table("exemplars", pd.DataFrame({"unit": [0], "map": [b"\x00"]}))
    header, _ = unpacked(pack.text())
    assert list(header["tables"]["exemplars"]["columns"]) == ["unit"]
