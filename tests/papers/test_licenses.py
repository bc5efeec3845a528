import datetime as dt

import pytest

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import UnknownVersionError
from lenslab.papers.licenses import license_of, license_of_version
from lenslab.papers.paper import Paper, Version

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
    "uri",
    [
        "https://creativecommons.org/licenses/by/4.0",
        " HTTP://www.creativecommons.org/licenses/by/4.0/ ",
        "https://creativecommons.org/licenses/by/4.0/legalcode",
        "https://creativecommons.org/licenses/by/4.0/deed.en",
    ],
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


BY, ARXIV = "http://creativecommons.org/licenses/by/4.0/", "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
OLD = ArxivId("hep-th/0301001")


def test_each_version_has_its_own_licence_and_the_newest_is_meant_where_none_is_named():
    versions = (Version(1, dt.date(2018, 6, 7), ARXIV), Version(2, dt.date(2019, 1, 1), BY))
    paper = Paper(title="Units", arxiv_id=ArxivId("1806.02891"), license_uri=BY, versions=versions)
    assert license_of_version(paper).short == "CC BY 4.0"
    assert [license_of_version(paper, number).short for number in (1, 2)] == ["arXiv licence", "CC BY 4.0"]


def test_the_papers_licence_is_that_of_its_newest_version_only():
    versions = (Version(1, dt.date(2018, 6, 7)), Version(2, dt.date(2019, 1, 1)))
    paper = Paper(title="Units", arxiv_id=ArxivId("1806.02891"), license_uri=BY, versions=versions)
    assert [license_of_version(paper, number).short for number in (1, 2)] == ["not stated", "CC BY 4.0"]
    assert license_of_version(Paper(title="Units", license_uri=BY)).short == "CC BY 4.0"


def test_up_to_2003_a_licence_is_assumed_and_afterwards_none():
    versions = (Version(1, dt.date(2003, 12, 31)), Version(2, dt.date(2004, 1, 1)))
    paper = Paper(title="Units", arxiv_id=OLD, versions=versions)
    assert [license_of_version(paper, number).short for number in (1, 2)] == ["assumed arXiv licence", "not stated"]


def test_without_days_the_identifier_tells_of_the_first_version_and_of_no_later_one():
    assert license_of_version(Paper(title="Units", arxiv_id=OLD)).short == "assumed arXiv licence"
    paper = Paper(title="Units", arxiv_id=OLD, versions=(Version(1), Version(2)))
    assert [license_of_version(paper, number).short for number in (1, 2)] == ["assumed arXiv licence", "not stated"]
    updated = Paper(title="Units", arxiv_id=OLD, versions=(Version(1), Version(2)), updated=dt.date(2003, 5, 1))
    assert license_of_version(updated).short == "assumed arXiv licence"


def test_what_is_not_at_arxiv_has_no_licence_by_assumption():
    assert license_of_version(Paper(title="Units", year=1999)).short == "not stated"


def test_a_version_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(UnknownVersionError, match=r"no version 3; its versions: 1, 2"):
        license_of_version(Paper(title="Units", versions=(Version(1), Version(2))), 3)
