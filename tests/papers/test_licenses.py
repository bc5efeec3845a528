import pytest

from lenslab.papers.licenses import license_of

ADDRESSES = [
    ("http://creativecommons.org/licenses/by/4.0/", "CC BY 4.0"),
    ("http://creativecommons.org/licenses/by-sa/4.0/", "CC BY-SA 4.0"),
    ("http://creativecommons.org/licenses/by-nc-sa/4.0/", "CC BY-NC-SA 4.0"),
    ("http://creativecommons.org/licenses/by-nc-nd/4.0/", "CC BY-NC-ND 4.0"),
    ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
    ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "arXiv licence"),
    ("http://arxiv.org/licenses/assumed-1991-2003/", "assumed arXiv licence"),
    ("http://creativecommons.org/licenses/by/3.0/", "CC BY 3.0"),
    ("http://creativecommons.org/licenses/by-nc-sa/3.0/", "CC BY-NC-SA 3.0"),
    ("http://creativecommons.org/licenses/publicdomain/", "public domain"),
]


@pytest.mark.parametrize(("uri", "short"), ADDRESSES)
def test_every_licence_of_arxiv_has_a_name_and_says_what_it_allows(uri, short):
    assert license_of(uri).short == short
    assert license_of(uri).uri == uri
    assert license_of(uri).allows.endswith(".")


@pytest.mark.parametrize(
    "uri", ["https://creativecommons.org/licenses/by/4.0", " HTTP://www.creativecommons.org/licenses/by/4.0/ "]
)
def test_scheme_and_last_slash_do_not_matter(uri):
    assert license_of(uri).short == "CC BY 4.0"


def test_no_licence_and_an_unknown_one_are_said_honestly():
    assert license_of(None) == license_of(" ")
    assert "ask the authors" in license_of("").allows
    assert license_of("https://example.org/mine").name == "https://example.org/mine"


def test_non_commercial_licences_say_so():
    for uri, short in ADDRESSES:
        assert ("not commercially" in license_of(uri).allows) == ("NC" in short)
