import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.doi import Doi, first_doi
from lenslab.papers.errors import DoiError, PapersError

GOOD = [
    ("10.1109/TPAMI.2017.2723009", "10.1109/TPAMI.2017.2723009"),
    ("doi:10.1109/TPAMI.2017.2723009", "10.1109/TPAMI.2017.2723009"),
    ("DOI: 10.1109/TPAMI.2017.2723009", "10.1109/TPAMI.2017.2723009"),
    ("https://doi.org/10.1109/TPAMI.2017.2723009", "10.1109/TPAMI.2017.2723009"),
    ("http://dx.doi.org/10.1109/TPAMI.2017.2723009", "10.1109/TPAMI.2017.2723009"),
    ("www.doi.org/10.1109/TPAMI.2017.2723009?from=mail", "10.1109/TPAMI.2017.2723009"),
    ("https://doi.org/10.1016%2FS0140-6736%2818%2930001-4", "10.1016/S0140-6736(18)30001-4"),
    ("info:doi/10.1000/182", "10.1000/182"),
    ("10.1000.10/123456", "10.1000.10/123456"),
    ("10.1000/182.", "10.1000/182"),
    ("(https://doi.org/10.1000/182).", "10.1000/182"),
    ("<https://doi.org/10.1000/182>,", "10.1000/182"),
    ("10.1016/S0140-6736(18)30001-4).", "10.1016/S0140-6736(18)30001-4"),
    (
        "10.1002/(SICI)1097-4636(199823)43:4<448::AID-JBM12>3.0.CO;2-3",
        "10.1002/(SICI)1097-4636(199823)43:4<448::AID-JBM12>3.0.CO;2-3",
    ),
    ("10.1000/a(b)", "10.1000/a(b)"),
    ("10.1000/a%2Fb", "10.1000/a%2Fb"),
    ("10.1000/größe", "10.1000/größe"),
    ("  10.1000/182\n", "10.1000/182"),
]
BAD = [
    "",
    "doi",
    "10.1000",
    "10.1000/",
    "10.10/182",
    "11.1000/182",
    "10.1000/a b",
    "10.1000/a\0b",
    "10.1000/\ud800",
    "10.1000/...",
    "https://example.org/10.1000/182",
    "https://doi.org/10.1000%2F%FF",
    "１０.1000/182",
    "10.1000/" + "x" * 5_000,
]


@pytest.mark.parametrize(("written", "spelling"), GOOD)
def test_every_usual_way_to_write_a_doi_is_read(written, spelling):
    doi = Doi.parse(written)
    assert str(doi) == doi.spelling == spelling
    assert doi.name == spelling.lower()


@pytest.mark.parametrize("written", BAD)
def test_what_is_no_doi_is_refused_with_an_example(written):
    with pytest.raises(DoiError, match=r"is no DOI; write it like 10\.") as caught:
        Doi.parse(written)
    assert len(str(caught.value)) < 250


def test_the_error_is_a_value_error_of_the_papers_half():
    assert issubclass(DoiError, PapersError)
    assert issubclass(DoiError, ValueError)


def test_case_does_not_tell_two_dois_apart_and_other_letters_do():
    assert Doi.parse("10.1000/ABC") == Doi.parse("10.1000/abc")
    assert len({Doi.parse("10.1000/ABC"), Doi.parse("10.1000/Abc")}) == 1
    assert Doi.parse("10.1000/É") != Doi.parse("10.1000/é")
    assert Doi.parse("10.1000/abc") != Doi.parse("10.1000/abd")


@pytest.mark.parametrize("name", ["10.1000/ABC", "10.1000/a.", "x", ""])
def test_a_name_that_is_not_the_one_to_compare_cannot_be_built(name):
    with pytest.raises(DoiError):
        Doi(name)
    with pytest.raises(DoiError, match="lower case"):
        Doi("10.1000/a", "10.1000/b")


registrants = st.from_regex(r"10\.[0-9]{4,9}", fullmatch=True)
suffixes = st.text(
    alphabet=st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\x7f\ufffd"),
    min_size=1,
    max_size=20,
)


@given(registrants, suffixes)
def test_what_is_written_is_read_again_bare_and_as_an_address(registrant, suffix):
    try:
        doi = Doi.parse(f"{registrant}/{suffix}")
    except DoiError:
        assert not suffix.strip(".,;:!?'\"’”)]}>")
        return
    assert Doi.parse(str(doi)) == doi == Doi(doi.name)
    assert Doi.parse(doi.url) == doi
    assert Doi.parse(doi.url).spelling == doi.spelling
    assert Doi.parse(f"doi:{doi}").spelling == Doi.parse(f"{doi}.,").spelling == doi.spelling
    assert Doi.parse(doi.spelling.swapcase()) == doi or not doi.spelling.isascii()


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        doi = Doi.parse(text)
    except DoiError:
        return
    assert Doi.parse(doi.spelling).spelling == doi.spelling


@pytest.mark.parametrize("base", ["1806.02891", "0704.0001", "hep-th/9901001"])
def test_the_doi_of_arxiv_and_the_identifier_lead_to_each_other(base):
    doi = Doi.of(ArxivId(base, 2))
    assert doi.spelling == f"10.48550/arXiv.{base}"
    assert doi.arxiv_id == ArxivId.parse(doi.spelling) == ArxivId.parse(doi.url) == ArxivId(base)
    assert Doi.parse(doi.spelling.upper()).arxiv_id == ArxivId(base)


def test_a_publishers_doi_is_no_paper_at_arxiv_and_neither_is_a_broken_one():
    assert Doi.parse("10.1109/TPAMI.2017.2723009").arxiv_id is None
    assert Doi.parse("10.48550/arXiv.abc").arxiv_id is None


def test_of_several_dois_the_first_is_taken():
    assert (
        first_doi("10.1103/PhysRevC.76.024606; https://doi.org/10.1103/PhysRevC.76.039902")
        == "10.1103/PhysRevC.76.024606"
    )
    assert first_doi("none yet") == first_doi("") == ""
