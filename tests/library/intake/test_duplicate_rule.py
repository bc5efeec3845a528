from dataclasses import replace
from itertools import combinations

import pytest

from lenslab.library.intake.duplicate_rule import compare, contradiction, same_authors
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.paper import Paper
from lenslab.papers.publication import Publication
from lenslab.papers.work import Work
from tests.library.rows import ROWS, row

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


def test_the_order_of_two_records_does_not_matter():
    for one, other in combinations(ROWS[25:100], 2):
        assert compare(one, other).verdict == compare(other, one).verdict


def test_the_same_title_by_other_people_or_much_later_is_another_work():
    one = Work("Class selectivity of deep units", ("Ada Bau", "Bo Sun"), 2018)
    assert compare(one, Work(one.title, ("Ada Bau", "Cy Sun"), 2018)).verdict == "apart"
    assert compare(one, Work(one.title, one.authors, 2022)).verdict == "apart"
    assert compare(one, Work(one.title, one.authors, 2021)).verdict == "same"
    assert compare(one, Work(one.title, one.authors, None)).verdict == "same"


def test_a_list_of_authors_that_was_cut_short_is_the_same_work_under_the_same_title():
    one = Work("Class selectivity of deep units", ("Ada Bau", "Bo Sun", "Cy Lee"), 2018)
    likeness = compare(one, Work("Class Selectivity of Deep Units.", ("A. Bau", "B. Sun"), 2019))
    assert likeness.verdict == "same"
    assert "the 2 authors of one are the first of the other's 3" in likeness.evidence
    assert compare(one, Work(one.title, ("Bo Sun",), 2018)).verdict == "apart"
    assert compare(one, Work(one.title, ("Ada Bau",), 2020)).verdict == "apart"
    assert compare(Work("On units", one.authors, 2018), Work("On units", ("Ada Bau",), 2018)).verdict == "apart"


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


def test_two_people_of_one_initial_are_told_apart_by_their_given_names():
    jane, john, j = (replace(told(ELSEWHERE), paper=Paper(title="x", authors=(name,))) for name in NAMES)
    assert contradiction(jane, john) == "authors Jane Smith and John Smith"
    assert contradiction(jane, j) == contradiction(j, john) == ""


NAMES = ("Jane Smith", "John Smith", "J. Smith")


def told(locator="refs.bib: a", *, doi="", arxiv_id=None, journal="", source="BibTeX", **place):
    paper = Paper(
        title="Letters",
        authors=("Ann Sample",),
        year=2001,
        doi=doi,
        arxiv_id=arxiv_id,
        journal_reference=journal,
        publication=Publication(container=journal, **place),
    )
    return Description(source=source, locator=locator, paper=paper)


ELSEWHERE = "other.bib: a"


@pytest.mark.parametrize(
    ("one", "other", "against"),
    [
        (told(journal="News", volume="9"), told(ELSEWHERE, journal="News", volume="10"), "volumes 9 and 10 of News"),
        (told(journal="News", number="1"), told(ELSEWHERE, journal="news", number="2"), "issues 1 and 2 of News"),
        (told(journal="News", pages="3--4"), told(ELSEWHERE, journal="News", pages="81"), "pages 3 and 81 of News"),
        (told(journal="News", pages="3--4"), told(ELSEWHERE, journal="News", pages="3-5"), ""),
        (told(journal="News", volume="9"), told(ELSEWHERE, journal="News", number="2"), ""),
        (told(journal="News", pages="3"), told(ELSEWHERE, journal="Unit News", pages="9"), "pages 3 and 9"),
        (
            told(journal="News", volume="1", pages="3"),
            told(ELSEWHERE, journal="Other", volume="2", pages="9"),
            "volumes 1 and 2",
        ),
        (told(doi="10.1/a"), told(ELSEWHERE, doi="10.1/b"), "DOIs 10.1/a and 10.1/b"),
        (told(doi="10.1/a"), told("refs.bib: b", doi="10.1/A"), ""),
        (told(doi="10.1101/a"), told("refs.bib: b", doi="10.1/b", journal="News"), ""),
        (told(arxiv_id=ArxivId("1806.02891")), told("refs.bib: b", doi="10.1/b", journal="News"), ""),
        (told(isbn="978-1"), told(ELSEWHERE, isbn="978-2"), "ISBNs 978-1 and 978-2"),
        (told(isbn="978-1"), told(ELSEWHERE, isbn="9781"), ""),
        (told(edition="2nd"), told(ELSEWHERE, edition="Third"), "editions 2nd and Third"),
        (told(edition="2nd ed."), told(ELSEWHERE, edition="Second"), ""),
        (told(kind="thesis"), told(ELSEWHERE, kind="article-journal"), "an article and a thesis"),
        (told(kind="thesis"), told(ELSEWHERE), ""),
        (told(kind="chapter"), told(ELSEWHERE, kind="article-journal"), ""),
        (
            told(journal="Vision", pages="1--10"),
            told("refs.bib: b", journal="Hearing", pages="1--12"),
            "Vision and Hearing",
        ),
        (told(journal="Vision"), told(ELSEWHERE, journal="Hearing"), "Vision and Hearing"),
        (told(journal="News", pages="1--9"), told("refs.bib: b", pages="1--9"), "two entries of refs.bib"),
        (told(kind="thesis"), told(ELSEWHERE, arxiv_id=ArxivId("1806.02891")), "a thesis and a preprint"),
        (told(), told("refs.bib: b"), "two entries of refs.bib"),
        (told(isbn="0-306-40615-2"), told(ELSEWHERE, isbn="978-0-306-40615-7"), ""),
        (told(journal="News", volume="02"), told(ELSEWHERE, journal="News", volume="Vol. 2"), ""),
        (told(journal="News", pages="e123"), told(ELSEWHERE, journal="News", pages="123"), ""),
        (told(journal="News", volume="1"), told(ELSEWHERE, journal="Other", volume="2"), "volumes 1 and 2"),
        (told(journal="News", volume="9"), told("refs.bib: b", journal="News", volume="9"), ""),
        (told(), told(), ""),
        (told(), told(ELSEWHERE), ""),
        (told("W1", source="OpenAlex"), told("S1", source="OpenAlex"), ""),
    ],
)
def test_what_speaks_against_one_work_is_told_in_either_order(one, other, against):
    said = contradiction(one, other)
    assert said == against
    assert bool(contradiction(other, one)) == bool(against)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Units in C", "Units in C++"),
        ("Units in C", "Units in C#"),
        ("Counting units of networks, part I", "Counting units of networks, part II"),
        ("Counting units of deep networks", "Counting units of deep networks 2"),
        ("Counting, volume 1", "Counting, volume 2"),
        ("深度学习", "图像识别"),
        ("कला", "कली"),
        ("パリの単位", "ハリの単位"),
        ("???", "!!!"),
        ("Counting units of networks: part A", "Counting units of networks: part B"),
        ("Counting units of deep networks", "Erratum: Counting units of deep networks"),
        ("Counting units of deep networks", "Comment on Counting units of deep networks"),
        ("Counting units of deep networks", "Data and code for: Counting units of deep networks"),
        ("Counting units of deep networks", "Response to: Counting units of deep networks"),
        ("Counts of 2.3 and 4 units", "Counts of 2 and 3.4 units"),
        ("Обучение сетей", "Теория групп"),
    ],
)
def test_titles_that_differ_in_a_sign_a_number_or_in_another_script_are_of_different_works(one, other):
    works = [Work(title, ("Ann Sample",), 2001) for title in (one, other)]
    assert compare(*works).verdict == "apart"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"Spectra of H$^+$ ions", r"Spectra of H$^-$ ions"),
        ("Units at -1 volt", "Units at 1 volt"),
        ("A count of 12² units", "A count of 122 units"),
        ("Training deep networks with labels", "Training deep networks without labels"),
        ("Networks can explain deep units well", "Networks cannot explain deep units well"),
    ],
)
def test_titles_that_differ_in_what_reverses_them_are_never_one_work(one, other):
    works = [Work(title, ("Ann Sample",), 2001) for title in (one, other)]
    assert compare(*works).verdict in ("apart", "possibly")


@pytest.mark.parametrize("title", ["深度学习", "Обучение сетей", "Units in C++"])
def test_equal_titles_in_any_script_are_of_one_work(title):
    assert compare(Work(title, ("Ann Sample",), 2001), Work(title, ("A. Sample",), 2002)).verdict == "same"


def test_works_that_name_nobody_are_possibly_the_same_by_title_and_year():
    one, later = (Work("A guide to the units of networks", (), year) for year in (2019, 2020))
    assert compare(one, one).verdict == "possibly"
    assert compare(one, later).verdict == compare(Work("News", (), 2019), Work("News", (), 2019)).verdict == "apart"
