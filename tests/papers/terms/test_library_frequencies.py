import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.paper import Paper
from lenslab.papers.terms.document_frequencies import SMALLEST_GROUP, shipped_frequencies
from lenslab.papers.terms.key_terms import candidate_stems, key_terms, paper_terms
from lenslab.papers.terms.library_frequencies import count_papers, counted, counting_rule
from lenslab.papers.terms.term_counts import Counts

WORDS = ["units", "unit", "of", "walrus", "grumbling", ".", "class", "selectivity", "language", "$x$", r"\cite{k}"]
texts = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
papers = st.builds(
    Paper,
    title=texts,
    abstract=texts,
    categories=st.lists(st.sampled_from(["cs.CV", "cs.CL", "math.AG"]), max_size=2).map(tuple),
)
collections = st.lists(papers, max_size=12)


def paper(title, abstract, *categories):
    return Paper(title=title, abstract=abstract, categories=categories)


@given(collections, st.integers(0, 12), st.randoms(use_true_random=False))
def test_counting_in_any_order_and_in_any_batches_is_counting_at_once(some, cut, generator):
    at_once = count_papers(some)
    shuffled = generator.sample(some, len(some))
    assert count_papers(shuffled[:cut]) + count_papers(shuffled[cut:]) == at_once
    assert sum((counted(one) for one in shuffled), Counts()) == at_once


@given(collections, collections)
def test_what_is_added_and_taken_away_leaves_the_same_counts(some, others):
    before = count_papers(some)
    added = count_papers(others)
    assert before + added - added == before
    assert before - added + added == before
    assert before - before == Counts()


@given(collections)
def test_a_table_gives_back_the_counts_that_it_stores(some):
    counts = count_papers(some)
    rows = list(counts.rows())
    random.Random(1).shuffle(rows)
    assert Counts.from_rows(counts.documents, rows) == counts
    assert all(number for _, _, number in rows)


def test_a_stem_counts_once_a_paper_in_each_of_its_groups():
    counts = count_papers([paper("Units", "units of a unit", "cs.CV", "cs.LG"), paper("Units", "units", "math.AG")])
    assert counts.documents == {"all": 2, "cs": 1, "cs.CV": 1, "cs.LG": 1, "math": 1, "math.AG": 1}
    assert {group: numbers["unit"] for group, numbers in counts.stems.items()} == counts.documents | {"all": 2}


def test_a_stem_that_the_package_does_not_record_counts_where_a_paper_repeats_it():
    once = paper("On seals", "A grumbling walrus of language.", "cs.CL")
    twice = paper("The grumbling walrus", "A grumbling walrus of language.", "cs.CL")
    counts = count_papers([once, twice])
    assert "grumbling walrus" not in shipped_frequencies().terms
    assert counts.stems["all"]["grumbling walrus"] == 1
    assert counts.stems["all"]["language"] == 2


def test_a_paper_without_an_abstract_is_not_counted():
    assert counted(paper("Units", " ", "cs.CV")) == Counts()


def test_the_rule_has_one_short_name():
    assert counting_rule() == counting_rule()
    assert len(counting_rule()) == 16


@pytest.fixture(scope="module")
def library():
    """A library of many papers on walruses, most of them in cs.CV, and too few in cs.CL."""
    common = [paper("A walrus study", "The walrus detector sees a walrus.", "cs.CV")] * (SMALLEST_GROUP - 1)
    special = paper("Class selectivity", "Class selectivity of a walrus: the walrus detector differs.", "cs.CV")
    return count_papers([*common, special, paper("Language", "A language.", "cs.CL")])


def test_the_library_answers_for_groups_in_which_it_holds_enough_papers_and_the_package_for_the_others(library):
    known = shipped_frequencies().with_library(library)
    assert known.groups["cs.CV"] == SMALLEST_GROUP
    assert known.groups["all"] == SMALLEST_GROUP + 1
    assert known.document_frequency("class selectivity", "cs.CV") == 1
    assert known.groups["cs.CL"] == shipped_frequencies().groups["cs.CL"]
    for term in ("language", "class"):
        shipped = shipped_frequencies().document_frequency(term, "cs.CL")
        assert known.document_frequency(term, "cs.CL") == shipped
    assert known.everywhere("language", "cs.CL") == shipped_frequencies().everywhere("language", "cs.CL")
    assert known.everywhere("language", "cs.CV") == (1, SMALLEST_GROUP + 1)


def test_a_small_library_changes_nothing():
    known = shipped_frequencies().with_library(count_papers([paper("A walrus", "The walrus.", "cs.CV")]))
    text = "The walrus detector sees a walrus."
    assert key_terms(text, category="cs.CV", frequencies=known) == key_terms(text, category="cs.CV")


def test_reasons_name_the_library_and_say_where_only_repetitions_count(library):
    known = shipped_frequencies().with_library(library)
    one = paper(
        "Class selectivity of a walrus", "Class selectivity of a walrus, and of a grumbling. The detector.", "cs.CV"
    )
    reasons = {term.term: term.reason for term in paper_terms(one, frequencies=known)}
    assert reasons["detector"] == "once here; in 1,000 of 1,001 abstracts of this library, 1,000 of 1,000 in cs.CV"
    assert reasons["walrus"] == (
        "twice here; repeated in 1,000 of 1,001 abstracts of this library, 1,000 of 1,000 in cs.CV"
    )
    assert reasons["grumbling"] == "once here; repeated in none of 1,001 abstracts of this library"


def test_a_term_that_the_library_has_everywhere_scores_less_than_with_the_packages_counts(library):
    known = shipped_frequencies().with_library(library)
    text = "The walrus and class selectivity."

    def ratio(frequencies):
        scores = {term.term: term.score for term in key_terms(text, category="cs.CV", frequencies=frequencies)}
        return scores["walrus"] / scores["class selectivity"]

    assert ratio(known) < ratio(None)


@settings(max_examples=20)
@given(papers)
def test_the_candidate_stems_of_a_paper_are_all_that_its_terms_need_of_the_counts(library_paper):
    everything = count_papers([library_paper] * SMALLEST_GROUP)
    wanted = candidate_stems(library_paper)
    part = Counts.from_rows(everything.documents, (row for row in everything.rows() if row[0] in wanted))
    shipped = shipped_frequencies()
    assert paper_terms(library_paper, frequencies=shipped.with_library(part)) == paper_terms(
        library_paper, frequencies=shipped.with_library(everything)
    )
