"""Facets are words that a filter finds exactly where a paper is of the subject and of the year."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.search.facets import facet, facets
from lenslab.papers.categories import categories, category

CATEGORIES = sorted(categories())


def subjects(name):
    """A category's id and its other one; arXiv has one subject under two ids."""
    return {name, category(name).alias} - {""}


def test_no_two_categories_share_a_word_in_the_search_index():
    assert len(CATEGORIES) > 150
    for one, other in combinations(CATEGORIES, 2):
        assert facet(one) != facet(other), (one, other)


@given(st.lists(st.sampled_from(CATEGORIES), max_size=4), st.none() | st.integers(1, 9999), st.sampled_from(CATEGORIES))
def test_a_filter_finds_a_paper_exactly_where_it_is_of_the_subject(own, year, asked):
    found = facet(asked) in facets(own, year).split()
    archives = {name.split(".")[0] for name in own for name in subjects(name)}
    assert found == (asked in archives or any(asked in subjects(name) for name in own))


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_years_are_words_of_their_own(one, other):
    assert (f"y{one}" in facets([], other).split()) == (one == other)
    assert facets([], None) == ""
