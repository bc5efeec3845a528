import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.http.errors import ResponseBodyError
from lenslab.http.response_body import read_body


def pieces_of(content, sizes):
    rest = content
    for size in sizes:
        yield rest[:size]
        rest = rest[size:]
    yield rest


@given(contents=st.lists(st.binary(max_size=3000), min_size=1, max_size=3), sizes=st.lists(st.integers(0, 50)))
def test_a_body_is_the_same_however_it_is_cut_and_compressed(contents, sizes):
    whole = b"".join(contents)
    assert read_body(pieces_of(whole, sizes)) == whole
    packed = b"".join(gzip.compress(content) for content in contents)
    assert read_body(pieces_of(packed, sizes), encoding="gzip") == whole
    assert read_body(pieces_of(packed, sizes), encoding="GZIP ", largest=max(len(whole), len(packed))) == whole


@given(content=st.binary(min_size=1, max_size=3000), data=st.data())
def test_a_gzip_that_is_cut_anywhere_is_refused(content, data):
    packed = gzip.compress(content)
    end = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(ResponseBodyError, match="cut off"):
        read_body([packed[:end]], encoding="gzip")


def test_a_bomb_in_one_piece_takes_no_more_memory_than_the_body_may():
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 1 << 17
    tracemalloc.start()
    try:
        with pytest.raises(ResponseBodyError, match="longer than 1,048,576 bytes when decompressed"):
            read_body([bomb], encoding="gzip", largest=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_body_in_an_encoding_that_nobody_asked_for_is_refused():
    with pytest.raises(ResponseBodyError, match="encoded as 'br'"):
        read_body([b"x"], encoding="br")


def test_zeros_behind_the_last_member_of_a_gzip_are_dropped():
    assert read_body([gzip.compress(b"x") + bytes(9), bytes(9)], encoding="gzip") == b"x"
