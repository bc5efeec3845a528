"""Matching hashes are equal where titles and people are, whatever case, accents, order and punctuation they come in."""

from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.intake.matching_hashes import matching_hashes
from lenslab.papers.work import Work

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
titles = st.lists(words, min_size=1, max_size=6)
PEOPLE = ("Ada Lovelace", "Charles Babbage", "Mary Somerville", "Émilie du Châtelet")


@given(titles, st.sampled_from([" ", "  ", "-", ": ", ", ", " – "]))
def test_white_space_and_punctuation_do_not_change_the_title_s_mark(parts, between):
    assert matching_hashes(Work(between.join(parts))).title == matching_hashes(Work(" ".join(parts))).title


@given(st.permutations(PEOPLE))
def test_the_order_of_people_does_not_change_their_mark(people):
    assert matching_hashes(Work("T", tuple(people))).people == matching_hashes(Work("T", PEOPLE)).people


def test_names_abbreviated_turned_and_without_accents_are_the_same_people():
    written = ("Lovelace, A.", "C. Babbage", "SOMERVILLE, Mary", "Emilie du Chatelet")
    assert matching_hashes(Work("T", written)).people == matching_hashes(Work("T", PEOPLE)).people


@given(titles, titles)
def test_other_letters_give_another_mark(one, other):
    letters = ["".join(parts).casefold() for parts in (one, other)]
    same = matching_hashes(Work(" ".join(one))).title == matching_hashes(Work(" ".join(other))).title
    assert same or letters[0] != letters[1]
    if all(text.isascii() for text in letters):
        assert same == (letters[0] == letters[1])


def test_people_are_held_apart_where_names_run_together():
    assert matching_hashes(Work("T", ("B A", "D C"))).people != matching_hashes(Work("T", ("D Abc",))).people
    assert matching_hashes(Work("T", ("D Abc",))).people != matching_hashes(Work("T", ("C, Ab", "D"))).people
    assert matching_hashes(Work("T", ("A Bau",))).people != matching_hashes(Work("T", ("A Bau", "A Bau"))).people


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=4))
def test_whatever_is_typed_has_marks_that_both_databases_hold(title, people):
    found = matching_hashes(Work(title, tuple(people)))
    assert all(mark is None or -(2**63) <= mark < 2**63 for mark in (found.title, found.people, found.name))


def test_nothing_has_no_mark():
    found = matching_hashes(Work("?!", ()))
    assert (found.title, found.people, found.name) == (None, None, None)


def test_a_coined_name_has_its_own_mark():
    assert (
        matching_hashes(Work("BEAN: good units")).name == matching_hashes(Work("Bean: something else")).name is not None
    )
    assert matching_hashes(Work("On beans: good units")).name is None
