import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.slugs import slug
from lenslab.papers.work import Work


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (Work("BEAN: A & B", ("Yuyang Gao",), 2019), "bean-a-b-gao-2019"),
        (Work("Prêt-à-Porter", ("A. Nürnberger",), None), "pret-a-porter-nurnberger"),
        (Work("Proceedings", (), 2020), "proceedings-2020"),
        (Work("北京", ("李",), 2020), "北京-李-2020"),
        (Work("!?"), "untitled"),
    ],
)
def test_a_name_is_made_of_title_author_and_year(work, name):
    assert slug(work) == name


def test_long_titles_are_cut_between_words():
    assert slug(Work("selectivity " * 20, ("A. Bau",), 2020)) == "-".join(["selectivity"] * 6) + "-bau-2020"


@given(st.text(max_size=300), st.text(max_size=30))
def test_any_title_gives_a_name_that_an_address_can_hold(title, author):
    name = slug(Work(title, (author,), 2020))
    assert name
    assert not set(name) & set("/?#% \\<>\"'")
