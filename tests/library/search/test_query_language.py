import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.search.query_language import MOST_TERMS, Term, parse


def words(query):
    return [[" ".join(term.words) for term in group] for group in parse(query).wanted]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("single units", [["single"], ["units"]]),
        ('"single units" cnn', [["single units"], ["cnn"]]),
        ("self-supervised", [["self supervised"]]),
        ("cats OR dogs birds", [["cats", "dogs"], ["birds"]]),
        ("cats OR dogs OR birds", [["cats", "dogs", "birds"]]),
        ("cats or dogs", [["cats"], ["or"], ["dogs"]]),
        ("OR cats OR", [["cats"]]),
        ("Poincaré", [["poincare"]]),
        (r"Poincar\'e", [["poincare"]]),
        ("“curly quotes”", [["curly quotes"]]),
        ('"never closed quote', [["never closed quote"]]),
        ("http://arxiv.org", [["http arxiv org"]]),
        ("--- * ^ ( ) : NEAR/2 {title}", [["near 2"], ["title"]]),
        ('""', []),
        ("", []),
    ],
)
def test_queries_are_read_as_people_type_them(typed, read):
    assert words(typed) == read


def test_fields_say_where():
    assert [term.field for term in parse('author:bau ti:"single units" abs:cnn x').terms] == [
        "author",
        "title",
        "abstract",
        "",
    ]


def test_exclusions_are_apart():
    asked = parse('units -dead -"frozen units" -author:bau')
    assert words("units -dead") == [["units"]]
    assert [(term.words, term.field) for term in asked.excluded] == [
        (("dead",), ""),
        (("frozen", "units"), ""),
        (("bau",), "author"),
    ]


def test_an_exclusion_is_no_alternative():
    asked = parse("cats OR -dogs")
    assert (asked.wanted, [term.words for term in asked.excluded]) == (((Term(("cats",), "", "cats"),),), [("dogs",)])


def test_a_pasted_page_is_cut_and_says_so():
    asked = parse("word " * 1000)
    assert (len(asked.terms), asked.cut) == (MOST_TERMS, True)
    assert not parse("word " * MOST_TERMS).cut


@given(st.text(max_size=60))
def test_whatever_is_typed_only_letters_and_digits_are_looked_for(typed):
    asked = parse(typed)
    for term in (*asked.terms, *asked.excluded):
        assert term.words
        assert all(word.isalnum() and word == word.lower() for word in term.words)


@given(st.lists(st.from_regex("[a-z]{1,8}", fullmatch=True).filter(lambda word: len(word) > 0), max_size=20))
def test_plain_words_are_all_wanted_in_their_order(typed):
    assert words(" ".join(typed)) == [[word] for word in typed]
