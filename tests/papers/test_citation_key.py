import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.citation_key import citation_key, citation_keys, first_word, resolve_citation
from lenslab.papers.text.latex_display import segments
from lenslab.papers.work import Work

MORCOS = Work("On the importance of single directions for generalization", ("Ari S. Morcos", "David Barrett"), 2018)
LEAVITT = Work("Towards falsifiable interpretability research", ("Matthew L. Leavitt", "Ari S. Morcos"), 2020)
HARMFUL = Work("Selectivity considered harmful", ("Matthew L. Leavitt", "Ari S. Morcos"), 2020)
SUEN = Work("Über Łódź: a study", ("Jörg Nürnberger",), 2018)
WORKS = [MORCOS, LEAVITT, HARMFUL, SUEN]


@pytest.mark.parametrize(
    "key", ["morcos2018importance", "Morcos18", "Morcos:2018", "morcos_2018_importance", "morcos2018a", "Morcos2018"]
)
def test_surname_year_and_word_name_a_work_in_every_usual_spelling(key):
    assert resolve_citation(key, WORKS) is MORCOS


def test_the_word_decides_between_two_works_of_one_author_and_year():
    assert resolve_citation("leavitt2020selectivity", WORKS) is HARMFUL
    assert resolve_citation("leavitt2020towards", WORKS) is LEAVITT
    assert resolve_citation("leavitt2020", WORKS) is None


def test_a_year_that_is_one_off_needs_the_title_s_first_telling_word():
    assert resolve_citation("morcos2017importance", WORKS) is MORCOS
    assert resolve_citation("morcos2017", WORKS) is None
    assert resolve_citation("morcos2016importance", WORKS) is None
    assert resolve_citation("leavitt2019selectivity", WORKS) is HARMFUL


@pytest.mark.parametrize(
    "key", ["morcos2018insights", "barrett2018importance", "zhou2018", "morcos", "2018", "", "\\{"]
)
def test_a_key_that_fits_nothing_names_nothing(key):
    assert resolve_citation(key, WORKS) is None


def test_accents_do_not_matter():
    assert resolve_citation("nurnberger2018uber", WORKS) is SUEN


def test_each_work_is_named_by_the_key_that_bibliographies_make_for_it():
    for work in WORKS:
        assert resolve_citation(citation_key(work), WORKS) is work


def test_works_without_authors_or_year_are_no_hindrance():
    assert resolve_citation("morcos2018importance", [Work("Proceedings"), Work("x", ("A. Morcos",)), MORCOS]) is MORCOS


def test_every_key_of_one_command_finds_its_own_work():
    source = r"as found \citep[see][p. 3]{morcos2018importance, leavitt2020towards,zhou2018revisiting}"
    keys = [segment.target for segment in segments(source) if segment.kind == "citation"]
    assert [resolve_citation(key, WORKS) for key in keys] == [MORCOS, LEAVITT, None]


def test_a_key_is_made_of_surname_year_and_first_telling_word():
    assert citation_key(Work("The Ablation of units", ("A. Nürnberger",), 2020)) == "nurnberger2020ablation"
    assert citation_key(Work("Proceedings")) == "anonymousproceedings"


def test_a_title_of_nothing_but_small_words_gives_its_first():
    assert first_word("What is the how?") == "what"
    assert first_word("") == ""


def smith(title="On units"):
    return Work(title, ("Ann Smith",), 2018)


def test_a_letter_tells_works_of_one_key_apart_in_their_order():
    keys = citation_keys([smith()] * 29)
    assert keys[:3] == ("smith2018units", "smith2018unitsa", "smith2018unitsb")
    assert keys[26:] == ("smith2018unitsz", "smith2018unitsaa", "smith2018unitsab")


def test_a_letter_makes_no_key_that_another_work_has():
    keys = citation_keys([smith(), smith(), smith("Unitsa of vision"), smith("Unitsa of vision")])
    assert keys == ("smith2018units", "smith2018unitsb", "smith2018unitsa", "smith2018unitsaa")


@given(st.lists(st.builds(smith, st.sampled_from(["Unit", "Unita", "Unitb", "Unitaa", "Other"])), max_size=12))
def test_all_keys_differ_and_the_first_of_each_kind_is_plain(works):
    keys = citation_keys(works)
    assert len(set(keys)) == len(keys) == len(works)
    seen = set()
    for key, work in zip(keys, works, strict=True):
        plain = citation_key(work)
        assert key.startswith(plain)
        assert (key == plain) == (plain not in seen)
        seen.add(plain)
