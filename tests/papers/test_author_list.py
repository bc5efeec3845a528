import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.author_list import author_names

NAME = st.from_regex(r"[A-Z]\. [A-Z][a-z]{1,8}(-[A-Z][a-z]{1,5})?", fullmatch=True)


@settings(max_examples=40)
@given(names=st.lists(NAME, min_size=1, max_size=8), data=st.data())
def test_names_are_found_whatever_stands_between_and_behind_them(names, data):
    line = names[0]
    for name in names[1:]:
        behind = data.draw(st.sampled_from(["", " (1)", " (MIT, Cambridge)", " ((1) and (2, 3))"]))
        line += behind + data.draw(st.sampled_from([", ", " and ", ", and ", "; ", ",\n  ", " & "])) + name
    assert author_names(line) == tuple(names)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ()),
        (" , and ", ()),
        ("The BABAR Collaboration: B. Aubert, et al.", ("The BABAR Collaboration", "B. Aubert")),
        ("Roldao da Rocha, Waldyr A. Rodrigues Jr", ("Roldao da Rocha", "Waldyr A. Rodrigues Jr")),
        ("A. Anderson, Jr., B. Brandt", ("A. Anderson, Jr.", "B. Brandt")),
        ('P\\"oschl (A, R. Wolf', ("Pöschl (A", "R. Wolf")),
        ("((((((", ()),
    ],
)
def test_awkward_lines(line, names):
    assert author_names(line) == names


def test_a_line_of_brackets_takes_no_longer_than_its_length():
    assert author_names("(" * 200_000 + ")" * 200_000) == ()
