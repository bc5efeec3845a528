import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.duplicates import compare, groups, possible_twins, same_authors
from lenslab.papers.work import Work

from .rows import ROWS, row

SAME = [
    ("BEAN: Interpretable and", "BEAN: Interpretable Representation", "coined name 'BEAN'"),
    ("When and how convolutional", "When and how CNNs", "same title"),
    ("Robustness to Transformations Across", "Is Robustness To", "all 6 telling words"),
    ("NormLime: A New", "NORMLIME", "names no authors"),
]
POSSIBLY = [
    ("When and how CNNs", "On the Capability of Neural"),
    ("Emergence of Implicit Filter", "Implicit Filter Sparsification"),
    ("Emergence of Implicit Filter", "On Implicit Filter Level"),
    ("Design of Efficient Deep", "Comparison of Deep Learning"),
    ("Causal importance of low-level", "Causal importance of orientation"),
    ("Understanding Neural Networks and", "Understanding Individual Neuron"),
]
APART = [
    ("Towards falsifiable", "Linking average"),
    ("Towards falsifiable", "Selectivity considered harmful"),
    ("Linking average", "Selectivity considered harmful"),
    ("Deep Learning and Spatial Statistics", "Design of Efficient Deep"),
    ("Deep Learning and Spatial Statistics", "Comparison of Deep Learning"),
    ("A Benchmark for Interpretability", "Evaluating Feature Importance"),
    ("Identifying and Controlling", "What Is One Grain"),
    ("Understanding the role of individual", "Identifying and Controlling"),
    ("Bespoke vs.", "On Iterative Neural"),
    ("CLUE: Systems", "Canoe : A System"),
    ("Ablation-CAM:", "Ablation-CAM++"),
    ("Quantifying Local", "Detecting Modularity"),
]


@pytest.mark.parametrize(("one", "other", "why"), SAME)
def test_records_of_one_work_are_the_same_with_the_reason_in_words(one, other, why):
    likeness = compare(row(one), row(other))
    assert likeness.verdict == "same"
    assert why in likeness.evidence


@pytest.mark.parametrize(("one", "other"), POSSIBLY)
def test_near_titles_of_the_same_authors_are_only_possibly_one_work(one, other):
    likeness = compare(row(one), row(other))
    assert likeness.verdict == "possibly"
    assert "telling words" in likeness.evidence


@pytest.mark.parametrize(("one", "other"), APART)
def test_different_works_of_the_same_people_stay_apart(one, other):
    assert compare(row(one), row(other)).verdict == "apart"


def test_of_the_113_rows_four_are_second_records():
    found = groups(ROWS)
    assert len(ROWS) == 113
    assert len(found) == 109
    assert sorted(len(group) for group in found)[-5:] == [1, 2, 2, 2, 2]
    merged = [{ROWS[place].title[:12] for place in group} for group in found if len(group) > 1]
    assert merged == [
        {"When and how"},
        {"Robustness t", "Is Robustnes"},
        {"BEAN: Interp"},
        {"NormLime: A ", "NORMLIME: A "},
    ]


def test_comparing_only_likely_pairs_finds_what_comparing_all_finds():
    verdicts = {pair: compare(ROWS[pair[0]], ROWS[pair[1]]).verdict for pair in combinations(range(113), 2)}
    possible = {(one, other) for one, twins in possible_twins(ROWS).items() for other, _ in twins if one < other}
    assert possible == {pair for pair, verdict in verdicts.items() if verdict == "possibly"}
    merged = {pair for group in groups(ROWS) for pair in combinations(group, 2)}
    assert merged == {pair for pair, verdict in verdicts.items() if verdict == "same"}


def test_the_order_of_two_records_does_not_matter():
    for one, other in combinations(ROWS[25:100], 2):
        assert compare(one, other).verdict == compare(other, one).verdict


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(shuffler: random.Random):
    order = list(range(113))
    shuffler.shuffle(order)
    shuffled = groups([ROWS[place] for place in order])
    assert {frozenset(order[place] for place in group) for group in shuffled} == set(map(frozenset, groups(ROWS)))
    assert sorted(place for group in shuffled for place in group) == list(range(113))


def test_the_same_title_by_other_people_or_much_later_is_another_work():
    one = Work("Class selectivity of deep units", ("Ada Bau", "Bo Sun"), 2018)
    assert compare(one, Work(one.title, ("Ada Bau", "Cy Sun"), 2018)).verdict == "apart"
    assert compare(one, Work(one.title, one.authors, 2022)).verdict == "apart"
    assert compare(one, Work(one.title, one.authors, 2021)).verdict == "same"
    assert compare(one, Work(one.title, one.authors, None)).verdict == "same"


def test_a_missing_author_list_is_no_evidence_without_a_coined_name():
    one = Work("Class selectivity of deep units", ("Ada Bau",), 2018)
    assert compare(one, Work("Class selectivity of deep units", (), 2018)).verdict == "apart"
    assert compare(Work("Proceedings", (), 2020), Work("Proceedings", (), 2020)).verdict == "apart"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["X. Boix", "P. Sinha"], ["Pawan Sinha", "Xavier Boix"], True),
        (["Ulaş Bağci"], ["U. Bagci"], True),
        (["A. Bau"], ["David Bau"], False),
        (["X. Boix"], ["X. Boix", "P. Sinha"], False),
        ([], [], True),
    ],
)
def test_names_agree_abbreviated_reordered_and_without_accents(one, other, same):
    assert same_authors(one, other) is same
