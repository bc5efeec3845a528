import pytest

from lenslab.papers.work import Work, citation_key, first_word, short_authors, surname


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Ari S. Morcos", "Morcos"),
        ("Morcos, Ari S.", "Morcos"),
        ("Stan van Wingerden", "van Wingerden"),
        ("Lucas de Lima Nogueira", "de Lima Nogueira"),
        ("Ulaş Bağci", "Bağci"),
        ("Plato", "Plato"),
        ("John Smith Jr.", "Smith"),
        ("", ""),
    ],
)
def test_the_surname_is_found_in_either_order(name, family):
    assert surname(name) == family


def test_a_key_is_made_of_surname_year_and_first_telling_word():
    assert citation_key(Work("The Ablation of units", ("A. Nürnberger",), 2020)) == "nurnberger2020ablation"
    assert citation_key(Work("Proceedings")) == "anonymousproceedings"


def test_a_title_of_nothing_but_small_words_gives_its_first():
    assert first_word("What is the how?") == "what"
    assert first_word("") == ""


@pytest.mark.parametrize(
    ("authors", "short"),
    [
        ([], ""),
        (["A. Bau"], "Bau"),
        (["A. Bau", "B. Zhou"], "Bau and Zhou"),
        (["A. Bau", "B. Zhou", "C. Sun"], "Bau et al."),
    ],
)
def test_authors_are_named_as_readers_name_them(authors, short):
    assert short_authors(authors) == short
