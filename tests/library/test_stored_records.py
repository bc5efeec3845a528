"""Records come back as the bytes that went in; what cannot be read says so."""

import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lenslab.library import stored_records
from lenslab.papers.errors import MalformedError
from lenslab.papers.sources import semantic_scholar


@given(st.binary(max_size=2000))
def test_what_was_packed_is_unpacked_byte_for_byte(raw):
    assert stored_records.unpack(stored_records.pack(raw)) == raw
    assert stored_records.unpack(memoryview(stored_records.pack(raw))) == raw


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_digests_are_equal_where_the_bytes_are(one, other):
    assert (stored_records.digest(one) == stored_records.digest(other)) == (one == other)
    assert len(stored_records.digest(one)) == 32


def test_a_kept_record_says_what_the_source_said():
    raw = json.dumps({"paperId": "a" * 40, "title": "On units", "year": 2018}).encode()
    told = semantic_scholar.parse(raw)
    assert stored_records.parse_record("Semantic Scholar", stored_records.pack(told.raw)) == told


def test_a_record_of_a_list_says_what_the_list_said():
    entry = {"locator": "row 1", "title": "On units", "authors": ["A. Bau"], "year": None, "venue": "Frogs"}
    told = stored_records.parse_record("a list", stored_records.pack(json.dumps(entry).encode()))
    assert (told.source, told.locator, told.paper.journal_reference) == ("a list", "row 1", "Frogs")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x28\xb5\x2f\xfd", stored_records.pack(b"x" * 1000)[:-3]])
def test_content_that_is_damaged_is_refused_with_the_reason(content):
    with pytest.raises(MalformedError, match="damaged"):
        stored_records.unpack(content)


@pytest.mark.parametrize("size_told", [True, False])
def test_content_that_swells_beyond_what_was_ever_kept_is_refused_in_bounded_memory(monkeypatch, size_told):
    monkeypatch.setattr(stored_records, "LARGEST_CONTENT", 1 << 20)
    swollen = zstandard.ZstdCompressor(write_content_size=size_told).compress(bytes(1 << 24))
    assert len(swollen) < 5000
    with pytest.raises(MalformedError, match="larger"):
        stored_records.unpack(swollen)


def test_a_record_that_could_not_be_read_again_is_not_packed(monkeypatch):
    monkeypatch.setattr(stored_records, "LARGEST_CONTENT", 1 << 20)
    assert stored_records.unpack(stored_records.pack(bytes(1 << 20))) == bytes(1 << 20)
    with pytest.raises(MalformedError, match="1,048,577 bytes"):
        stored_records.pack(bytes((1 << 20) + 1))


@pytest.mark.parametrize("source", ["Semantic Scholar", "arXiv OAI-PMH", "BibTeX", "a list"])
def test_a_record_that_this_version_cannot_read_is_malformed(source):
    with pytest.raises(MalformedError):
        stored_records.parse_record(source, stored_records.pack(b"neither JSON nor XML"))
