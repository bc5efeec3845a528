import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError, PapersError

GOOD = [
    ("1806.02891", "1806.02891", None),
    ("1806.02891v2", "1806.02891", 2),
    ("0704.0001", "0704.0001", None),
    ("1412.7878", "1412.7878", None),
    ("1501.00001", "1501.00001", None),
    ("9912.12345v2", "9912.12345", 2),
    ("hep-th/9901001", "hep-th/9901001", None),
    ("math.CA/0611800v2", "math/0611800", 2),
    ("cond-mat/0207270v1", "cond-mat/0207270", 1),
    ("cond-mat.mes-hall/0207270", "cond-mat/0207270", None),
    ("arXiv:quant-ph/0201082v1", "quant-ph/0201082", 1),
    ("ARXIV: 1806.02891", "1806.02891", None),
    ("hepth/9901001", "hep-th/9901001", None),
    ("https://arxiv.org/abs/1806.02891", "1806.02891", None),
    ("https://arxiv.org/pdf/astro-ph/0601001.pdf", "astro-ph/0601001", None),
    ("http://export.arxiv.org/abs/1806.02891v1?context=cs.CV", "1806.02891", 1),
    ("arxiv.org/abs/1806.02891/", "1806.02891", None),
    ("/abs/1806.02891", "1806.02891", None),
    ("oai:arXiv.org:1806.02891", "1806.02891", None),
    ("oai:arXiv.org:2203.01250v3", "2203.01250", 3),
    ("10.48550/arXiv.1806.02891", "1806.02891", None),
    ("https://doi.org/10.48550/ARXIV.1806.02891", "1806.02891", None),
    ("  1806.02891\n", "1806.02891", None),
]
BAD = [
    ("1234.1234", "month 34"),
    ("0000.0000", "month 00"),
    ("hep-th/9913001", "month 13"),
    ("1501.0001", "4 digits"),
    ("1412.00001", "5 digits"),
    ("1806.02891v0", "version 0"),
    ("1806.02891v01", "version 01"),
    ("0704.0000", "number zero"),
    ("frogs/9901001", "archive 'frogs'"),
    ("hep-th/0801001", "July 1991 to March 2007"),
    ("abc", "no arXiv identifier"),
    ("", "no arXiv identifier"),
    ("1806.02891 and more", "no arXiv identifier"),
    ("１８０６.02891", "no arXiv identifier"),
    ("https://example.org/abs/1806.02891", "no arXiv identifier"),
]


@pytest.mark.parametrize(("name", "base", "version"), GOOD)
def test_every_usual_way_to_write_an_identifier_is_read(name, base, version):
    assert ArxivId.parse(name) == ArxivId(base, version)


@pytest.mark.parametrize(("name", "reason"), BAD)
def test_a_name_that_no_paper_can_have_is_refused_with_its_reason(name, reason):
    with pytest.raises(ArxivIdError, match=reason) as caught:
        ArxivId.parse(name)
    assert repr(name)[1:-1] in str(caught.value)
    assert any(good in str(caught.value) for good in ("1806.02891", "1501.00001", "1412.7878", "0704.0001"))


def test_the_error_is_a_value_error_of_the_papers_half():
    assert issubclass(ArxivIdError, PapersError)
    assert issubclass(ArxivIdError, ValueError)


def test_a_pasted_page_is_not_repeated_in_the_message():
    with pytest.raises(ArxivIdError) as caught:
        ArxivId.parse("x" * 10_000)
    assert len(str(caught.value)) < 250


def test_an_identifier_that_is_not_canonical_cannot_be_built():
    with pytest.raises(ArxivIdError, match=r"ArxivId\.parse"):
        ArxivId("math.CA/0611800")


@pytest.mark.parametrize(
    ("name", "year"), [("hep-th/9108001", 1991), ("math/0611800", 2006), ("0704.0001", 2007), ("0612.12345", 2106)]
)
def test_the_year_follows_the_scheme(name, year):
    assert ArxivId.parse(name).year == year


versions = st.one_of(st.none(), st.integers(1, 40))
new_scheme = st.one_of(
    st.builds("{:02d}{:02d}.{:04d}".format, st.integers(8, 14), st.integers(1, 12), st.integers(1, 9999)),
    st.builds("{:02d}{:02d}.{:05d}".format, st.integers(15, 99), st.integers(1, 12), st.integers(1, 99999)),
)
old_scheme = st.builds(
    "{}/{:02d}{:02d}{:03d}".format,
    st.sampled_from(["hep-th", "astro-ph", "math", "q-bio", "cs", "acc-phys"]),
    st.integers(92, 99),
    st.integers(1, 12),
    st.integers(1, 999),
)
wrappings = st.sampled_from(
    [
        "{}",
        "arXiv:{}",
        "https://arxiv.org/abs/{}",
        "http://arxiv.org/pdf/{}.pdf",
        "oai:arXiv.org:{}",
        "10.48550/arXiv.{}",
    ]
)


@given(st.one_of(new_scheme, old_scheme), versions, wrappings)
def test_what_is_written_is_read_again_in_every_wrapping(base, version, wrapping):
    identifier = ArxivId(base, version)
    assert ArxivId.parse(wrapping.format(identifier)) == identifier
    assert str(identifier) in identifier.url


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        identifier = ArxivId.parse(text)
    except ArxivIdError:
        return
    assert ArxivId.parse(str(identifier)) == identifier
