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
    ("doi:10.48550/arxiv.1806.02891", "1806.02891", None),
    ("http://dx.doi.org/10.48550/arXiv.hep-th/9901001", "hep-th/9901001", None),
    ("ARXIV:1806.02891", "1806.02891", None),
    ("URL:https://arxiv.org/abs/2106.15928v1", "2106.15928", 1),
    ("journals/corr/abs-1806-02891", "1806.02891", None),
    ("DBLP:journals/corr/abs-1806-02891", "1806.02891", None),
    ("https://dblp.org/rec/journals/corr/abs-0704-0001.html", "0704.0001", None),
    ("journals/corr/cs-AI-0111007", "cs/0111007", None),
    ("journals/corr/abs-cs-0703062", "cs/0703062", None),
    ("journals/corr/cond-mat-0207270", "cond-mat/0207270", None),
    ("abs/1806.02891", "1806.02891", None),
    ("https://arxiv.org/pdf/1806.02891v2.pdf", "1806.02891", 2),
    ("https://arxiv.org/pdf/1806.02891v2.pdf#page=3", "1806.02891", 2),
    ("https://www.arxiv.org/abs/1806.02891", "1806.02891", None),
    ("https://arxiv.org/html/1806.02891v1", "1806.02891", 1),
    ("https://ar5iv.labs.arxiv.org/html/1806.02891", "1806.02891", None),
    ("https://arxiv.org/abs/arXiv:1806.02891", "1806.02891", None),
    ("https://arxiv.org/abs/hep-th%2F9901001", "hep-th/9901001", None),
    ("1806.02891.ps.gz", "1806.02891", None),
    ("1806.02891v1.PDF", "1806.02891", 1),
    ("HEP-TH/9901001", "hep-th/9901001", None),
    ("astroph/0601001", "astro-ph/0601001", None),
    ("arXiv:1806.02891v1 [cs.CV]", "1806.02891", 1),
    ("hep-th/9901001 [hep-th]", "hep-th/9901001", None),
]
BAD = [
    ("1234.1234", "month 34"),
    ("0000.0000", "month 00"),
    ("hep-th/9913001", "month 13"),
    ("1501.0001", "4 digits"),
    ("0703.0001", "4 digits"),
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
    ("https://www.alphaxiv.org/abs/1806.02891", "no arXiv identifier"),
    ("https://notarxiv.org/abs/1806.02891", "no arXiv identifier"),
    ("https://arxiv.org.example.org/abs/1806.02891", "no arXiv identifier"),
    ("https://example.org/arxiv.org/abs/1806.02891", "no arXiv identifier"),
    ("10.48550/arXiv.abc", "no arXiv identifier"),
    ("10.1109/1806.02891", "no arXiv identifier"),
    ("journals/corr/abs-1813-02891", "month 13"),
    ("1806.02891v99999", "no arXiv identifier"),
    ("1806.02891\x00", "no arXiv identifier"),
    ("1806.02891v1v2", "no arXiv identifier"),
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


@pytest.mark.parametrize(
    "name",
    [
        "1806.02891v" + "1" * 6_000,
        "arXiv:" * 100_000,
        "a-" * 200_000,
        "1806.02891" + ".pdf" * 200_000 + "x",
        "1806.02891" + ".pdf" * 90,
    ],
)
def test_a_name_made_to_break_the_reading_is_refused_like_any_other(name):
    if name.endswith(".pdf"):
        assert ArxivId.parse(name).base == "1806.02891"
        return
    with pytest.raises(ArxivIdError):
        ArxivId.parse(name)


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
        "ARXIV:{}",
        "arxiv: {}",
        "https://arxiv.org/abs/{}",
        "http://export.arxiv.org/abs/{}",
        "https://www.arxiv.org/html/{}",
        "http://arxiv.org/pdf/{}.pdf",
        "https://arxiv.org/ps/{}.ps.gz",
        "https://arxiv.org/e-print/{}",
        "arxiv.org/abs/{}?context=cs#top",
        "oai:arXiv.org:{}",
        "10.48550/arXiv.{}",
        "https://doi.org/10.48550/ARXIV.{}",
        "abs/{}",
        "URL:https://arxiv.org/abs/{}",
        "{} [math.CO]",
    ]
)


@given(st.one_of(new_scheme, old_scheme), versions, wrappings)
def test_what_is_written_is_read_again_in_every_wrapping(base, version, wrapping):
    identifier = ArxivId(base, version)
    assert ArxivId.parse(wrapping.format(identifier)) == identifier
    assert str(identifier) in identifier.url


@given(st.one_of(new_scheme, old_scheme), st.sampled_from(["journals/corr/abs-{}", "DBLP:journals/corr/abs-{}"]))
def test_the_key_of_dblp_leads_to_the_paper(base, key):
    assert ArxivId.parse(key.format(base.replace(".", "-").replace("/", "-"))) == ArxivId(base)


@given(st.from_regex(r"(0[0-9]|1[0-9]|9[0-9])[01][0-9]\.[0-9]{4,5}", fullmatch=True))
def test_the_short_cut_for_usual_identifiers_lets_nothing_pass_that_the_long_way_refuses(name):
    def outcome(identify):
        try:
            return identify()
        except ArxivIdError:
            return None

    # A version leads the long way round.
    long_way = outcome(lambda: ArxivId(name, 1))
    assert outcome(lambda: ArxivId(name)) == (long_way and ArxivId(long_way.base))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        identifier = ArxivId.parse(text)
    except ArxivIdError:
        return
    assert ArxivId.parse(str(identifier)) == identifier
