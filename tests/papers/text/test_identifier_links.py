import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.text.identifier_links import linked


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a(b).", "https://example.org/a(b)"),
        ("(see https://example.org/a)", "https://example.org/a"),
        ("arXiv:hep-th/9901001v2, too", "https://arxiv.org/abs/hep-th/9901001v2"),
        ("doi 10.1109/TPAMI.2015.2437384.", "https://doi.org/10.1109/TPAMI.2015.2437384"),
    ],
)
def test_addresses_identifiers_and_dois_are_links_without_the_sentence_s_signs(text, address):
    assert [target for _, target in linked(text) if target] == [address]


@pytest.mark.parametrize("text", ["arXiv:1234.1234 has no such month", "ratio 10.5/3", "http://", "ftp://example.org"])
def test_what_only_looks_like_one_is_none(text):
    assert linked(text) == [(text, "")]


@given(st.text(alphabet="ahtps:/.10)(,;arXiv18 ", max_size=60))
def test_joined_the_pieces_are_the_text(text):
    assert "".join(shown for shown, _ in linked(text)) == text
