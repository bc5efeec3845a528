import pytest

from lenslab.papers.person import surname
from lenslab.papers.work import short_authors


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
