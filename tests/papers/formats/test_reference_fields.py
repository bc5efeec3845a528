import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.reference_fields import Reference, one_line, plain_line, without_duplicates
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.publication import Publication
from lenslab.papers.text.latex_display import plain_text


def described(**fields):
    return Reference(**({"title": "Units"} | fields)).description("BibTeX", b"raw")


@pytest.mark.parametrize(
    ("mention", "identifier"),
    [
        ("arXiv preprint arXiv:1806.02891", "1806.02891"),
        ("arXiv:1806.02891v2 [cs.CV]", "1806.02891v2"),
        ("CoRR abs/1806.02891", "1806.02891"),
        ("abs/1806.02891", "1806.02891"),
        ("Available at https://arxiv.org/pdf/hep-th/9901001v1.pdf.", "hep-th/9901001v1"),
        ("10.48550/ARXIV.1806.02891", "1806.02891"),
        ("arXiv: 1899.02891, then arXiv:1806.02891", "1806.02891"),
        ("arXiv", None),
        ("pages 1806.02891", None),
        ("https://example.org/1806.02891", None),
        ("arXiv:1806.028911", None),
    ],
)
def test_an_identifier_is_found_where_it_says_what_it_is(mention, identifier):
    assert described(mentions=(mention,)).paper.arxiv_id == (identifier and ArxivId.parse(identifier))
    assert (
        described(eprint=("x",), mentions=("", mention)).paper.arxiv_id == described(mentions=(mention,)).paper.arxiv_id
    )


def test_arxivs_own_doi_names_the_preprint_and_no_article():
    found = described(doi=("https://doi.org/10.48550/arXiv.1806.02891",)).paper
    assert (found.doi, found.arxiv_id) == ("", ArxivId("1806.02891"))
    both = described(doi=("10.48550/arXiv.1806.02891", "https://doi.org/10.1000/A")).paper
    assert (both.doi, both.arxiv_id) == ("10.1000/A", ArxivId("1806.02891"))


@pytest.mark.parametrize(
    "journal", ["arXiv preprint arXiv:1806.02891", "CoRR abs/1806.02891", "ArXiv", "arXiv e-prints"]
)
def test_an_archive_is_no_journal(journal):
    assert described(publication=Publication(container=journal)).paper.journal_reference == ""


def test_a_journal_is_one():
    assert (
        described(publication=Publication(container="Archiv der\n Mathematik")).paper.journal_reference
        == "Archiv der Mathematik"
    )
    assert (
        described(publication=Publication(container="Corrosion Science")).paper.journal_reference == "Corrosion Science"
    )


@pytest.mark.parametrize(
    ("years", "year"),
    [
        (("2018",), 2018),
        (("2018/06/07/",), 2018),
        (("in press", "2019-01"), 2019),
        (("c. 1905",), 1905),
        (("20180",), None),
        ((), None),
    ],
)
def test_the_year_is_the_first_number_that_can_be_one(years, year):
    assert described(year=years).paper.year == year


def test_a_work_is_named_by_its_key_else_its_doi_else_its_identifier_else_by_itself():
    assert described(key="a", doi=("10.1000/A",)).locator == "a"
    assert described(doi=("10.1000/A",), eprint=("1806.02891",)).locator == "10.1000/a"
    assert described(eprint=("1806.02891",)).locator == "1806.02891"
    assert described().locator.startswith("sha256:")
    assert (
        Reference(title="x").description("RIS", b"one").locator
        != Reference(title="x").description("RIS", b"two").locator
    )


@pytest.mark.parametrize(
    ("fields", "raw", "reason"),
    [
        ({"title": " "}, b"", "no title"),
        ({"title": "{}"}, b"", "no title"),
        ({"title": "x", "key": "k" * 600}, b"", "600 characters"),
        ({"title": "x"}, b"a\0", "character zero"),
    ],
)
def test_what_cannot_be_kept_is_refused(fields, raw, reason):
    with pytest.raises(MalformedError, match=reason):
        Reference(**fields).description("BibTeX", raw)


@given(
    st.text(
        alphabet=st.sampled_from(list("ab1 \\{}$~^'`\"-%&\n")) | st.characters(exclude_categories=["Cs"]), max_size=30
    )
)
def test_a_plain_line_shows_what_the_text_shows(text):
    line = plain_line(text)
    assert plain_text(line) == plain_text(" ".join(text.split()))
    assert line == " ".join(line.split())
    assert plain_text(plain_line(line)) == plain_text(line)


@pytest.mark.parametrize("text", [r"between \$5 and x\$ of it", r"the set \{x\}"])
def test_signs_that_would_become_markup_stay_as_they_were_typed(text):
    assert plain_line(text) == text


def test_a_text_that_is_too_long_for_tex_stays_as_it_is():
    text = r"\emph{a} " * 3_000
    assert plain_line(text) == text.strip()


@given(st.text(max_size=20))
def test_one_line_is_one_line(text):
    assert len(one_line(text).splitlines()) <= 1
    one_line(text).encode()


def test_an_entry_of_a_name_that_an_earlier_one_has_is_rejected():
    broken = Rejection(2, "no title")
    found = list(without_duplicates([described(key="a"), broken, described(key="a"), described(key="b")]))
    assert [getattr(entry, "number", None) for entry in found] == [None, 2, 3, None]
    assert found[2].reason == "the name 'a' is that of entry 1, too"
