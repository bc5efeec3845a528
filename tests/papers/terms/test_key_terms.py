import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from lenslab.papers.paper import Paper
from lenslab.papers.terms.document_frequencies import count, shipped_frequencies
from lenslab.papers.terms.key_terms import key_terms, paper_terms, tfidf
from tests.papers.seed import KEY_TERMS, PAPER

THE_PAPER = Paper(title=PAPER["title"], abstract=PAPER["abstract"], categories=tuple(PAPER["categories"]))


@pytest.fixture(scope="module")
def terms():
    return paper_terms(THE_PAPER)


def test_seed_style_shares_at_least_14_of_the_seeds_20_terms_and_ranks_them_alike():
    scores = {term.term: term.score for term in paper_terms(THE_PAPER, style="seed", limit=20)}
    shared = [term for term in scores if term in KEY_TERMS]
    assert len(scores) == 20
    assert len(shared) >= 14
    correlation = spearmanr([scores[term] for term in shared], [KEY_TERMS[term] for term in shared]).statistic
    assert correlation >= 0.9


def test_seed_style_gives_the_numbers_of_scikit_learns_vectorizer():
    texts = ["the units of networks", "units and classes of networks", "classes differ", "norms of networks"]
    records = [{"id": str(n), "title": "t", "abstract": text, "categories": "cs.CV"} for n, text in enumerate(texts)]
    ours = key_terms("units, classes, units", style="seed", frequencies=count(records, {}))
    reference = TfidfVectorizer(stop_words="english").fit(texts)
    expected = reference.transform(["units, classes, units"]).toarray()[0]
    assert {term.term: pytest.approx(term.score) for term in ours} == {
        word: expected[place] for word, place in reference.vocabulary_.items() if expected[place]
    }


def test_what_the_paper_is_about_comes_first(terms):
    first = [term.term for term in terms[:10]]
    assert {"unit", "individual unit", "class selectivity", "ablation"} <= set(first)
    assert any("ablation" in term for term in first)


def test_inflections_are_one_term_in_its_commonest_form(terms):
    unit = next(term for term in terms if term.term == "unit")
    assert unit.forms == ("unit", "units")
    assert unit.count == len(re.findall(r"\bunits?\b", f"{PAPER['title']} {PAPER['abstract']}", re.IGNORECASE))
    assert not {"units", "individual units", "classes"} & {term.term for term in terms}


def test_no_stop_verb_citation_key_or_command_is_a_term(terms):
    for term in terms:
        assert not re.search(r"does|show|morcos|cite|\\|revisit|conduct|hurt", term.term)


def test_no_term_stands_almost_only_inside_of_another(terms):
    for one in terms:
        for other in terms:
            if one != other and f" {one.term} " in f" {other.term} ":
                assert other.count < 0.7 * one.count
    assert "selectivity" not in {term.term for term in terms}


def test_no_term_is_written_twice(terms):
    forms = [form.lower() for term in terms for form in term.forms]
    assert len(forms) == len(set(forms))


def test_acronyms_keep_their_capitals_and_sentence_openings_lose_theirs():
    found = {term.term for term in key_terms("Ablation hurts CNNs. Gaussian CNNs need Bayesian ablation.")}
    assert {"CNNs", "ablation"} <= found
    assert any("Bayesian" in term for term in found)
    assert not any("Ablation" in term for term in found)


def test_scores_are_shares_of_a_vector_of_length_one_in_descending_order():
    every = paper_terms(THE_PAPER, limit=10_000)
    scores = np.array([term.score for term in every])
    assert np.all(np.diff(scores) <= 0)
    assert np.all((scores > 0) & (scores <= 1))
    assert np.linalg.norm(scores) == pytest.approx(1)


def test_terms_are_compared_with_the_papers_of_their_category():
    abstract = "What is a language? What are its scenes?"
    vision = {term.term: term for term in key_terms(abstract, category="cs.CV")}
    language = {term.term: term for term in key_terms(abstract, category="cs.CL")}
    assert vision["language"].group == "cs.CV"
    assert vision["language"].score / vision["scenes"].score > language["language"].score / language["scenes"].score


def test_a_category_of_few_papers_is_compared_with_its_archive_and_then_with_everything():
    assert key_terms("ablation", category="cs.GT")[0].group == "cs"
    assert key_terms("ablation", category="hep-th")[0].group == "all"
    assert key_terms("ablation")[0].group == "all"


def test_a_phrase_that_the_text_repeats_is_a_term_even_if_no_other_paper_has_it():
    terms = key_terms("The grumbling walrus sleeps. A grumbling walrus eats.", category="cs.CV")
    assert terms[0].term == "grumbling walrus"
    assert terms[0].rarer


def test_a_text_without_words_has_no_terms():
    assert key_terms("") == key_terms("$x$ of the 3") == key_terms("", style="seed") == ()
    assert paper_terms(Paper(title="Only a title")) == ()


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from(["unit", "units", "of", "class", ".", "Walrus", "$x$", "ablating", "deep"]), max_size=30)
)
def test_any_text_has_terms_with_sensible_numbers(words):
    for term in key_terms(" ".join(words), limit=5):
        assert 0 < term.score <= 1
        assert term.count >= 1
        assert term.document_frequency <= term.documents
        assert term.term == term.forms[0]


def test_scores_are_those_of_scikit_learns_transformer():
    generator = np.random.default_rng(1)
    for size in (1, 2, 40, 300):
        counts = generator.integers(1, 20, size).astype(float)
        frequencies = generator.integers(0, 17_000, size)
        transformer = TfidfTransformer()
        transformer.idf_ = np.log(17_001 / (1 + frequencies)) + 1
        expected = transformer.transform(counts[None]).toarray()[0]
        assert tfidf(counts, frequencies, 17_000) == pytest.approx(expected, abs=1e-9)


def test_every_term_gives_its_reason_in_the_numbers_that_decided_its_score(terms):
    for term in terms:
        assert re.match(rf"(once|twice|{term.count} times) here; ", term.reason)
        assert f"{term.document_frequency:,}" in term.reason
        assert "17,000 abstracts" in term.reason or term.weighed_as
    unit = next(term for term in terms if term.term == "unit")
    everywhere = shipped_frequencies().document_frequency("unit", "all")
    inside = shipped_frequencies().document_frequency("unit", "cs.CV")
    assert unit.reason == f"12 times here; in {everywhere} of 17,000 abstracts, {inside} of 7,712 in cs.CV"


def test_a_chance_meeting_says_which_word_it_is_weighed_as():
    term = next(term for term in key_terms("A grumbling language.", category="cs.CL") if " " in term.term)
    language = shipped_frequencies().document_frequency("language", "cs.CL")
    assert term.weighed_as == "language"
    assert term.reason.endswith(f"its commonest word, language: in {language:,} of 5,049 in cs.CL")


def test_hyphened_and_spaced_writings_are_one_term():
    (term, *_) = key_terms("The target-language speech. Each target language differs. A target language ends.")
    assert (term.term, term.count) == ("target language", 3)
    assert term.forms == ("target language", "target-language")


def test_a_word_that_only_qualifies_is_no_term():
    found = {term.term for term in key_terms("It is task-specific, and patch-level pruning is diffusion-based.")}
    assert not found & {"task-specific", "patch-level", "diffusion-based"}
    assert "pruning" in found


def test_a_longer_name_is_shown_by_its_last_words_once():
    text = "Grumbling walrus speech assessment begins. Grumbling walrus speech assessment ends."
    found = [term.term for term in key_terms(text)]
    assert "walrus speech assessment" in found
    assert "grumbling walrus speech" not in found


def test_a_cut_list_is_the_beginning_of_the_whole_list():
    assert paper_terms(THE_PAPER, limit=7) == paper_terms(THE_PAPER, limit=10_000)[:7]


def test_a_string_of_letters_is_no_term():
    assert [term.term for term in key_terms("a" * 100_000 + " ablation")] == ["ablation"]
