import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.text.author_list import author_names, tidy_name


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("Ileana Streinu and Louis Theran", ["Ileana Streinu", "Louis Theran"]),
        ("A. Adams, B. Brown, and C. Clark", ["A. Adams", "B. Brown", "C. Clark"]),
        ("A. Adams; B. Brown & C. Clark", ["A. Adams", "B. Brown", "C. Clark"]),
        ("A. Adams,\n  B. Brown", ["A. Adams", "B. Brown"]),
        ("Anders Anderson and Andy Sand", ["Anders Anderson", "Andy Sand"]),
        (r"Bal\'azs, Ula{\c{s}} Ba\u{g}c{\i}", ["Balázs", "Ulaş Bağcı"]),
        ("A. Adams (1), B. Brown (2) ((1) Univ. X, Y and Z, (2) CERN)", ["A. Adams", "B. Brown"]),
        ("A. Adams (Univ. X, Y) B. Brown (2) and C. Clark (never closed, B", ["A. Adams", "B. Brown", "C. Clark"]),
        ("William (Bill) Smith", ["William Smith"]),
        ("A. Adams$^{1,2}$, B. Brown [3], C. Clark*", ["A. Adams", "B. Brown", "C. Clark"]),
        (
            "Waldyr A. Rodrigues, Jr., Sammy Davis, III and B. Brown",
            ["Waldyr A. Rodrigues Jr.", "Sammy Davis III", "B. Brown"],
        ),
        ("The ATLAS Collaboration: G. Aad, B. Abbott", ["The ATLAS Collaboration", "G. Aad", "B. Abbott"]),
        ("G. Aad, for the ATLAS Collaboration", ["G. Aad", "ATLAS Collaboration"]),
        ("G. Aad, B. Abbott et al.", ["G. Aad", "B. Abbott"]),
        (
            "F.R. Ferraro, Yu.N. Khaidukov, J.-M. Caillol, P.Yu.Boyko",
            ["F. R. Ferraro", "Yu. N. Khaidukov", "J.-M. Caillol", "P. Yu. Boyko"],
        ),
        ("", []),
        (" , and ; 1 ", []),
        ("北京 大学, محمد علي", ["北京 大学", "محمد علي"]),
    ],
)
def test_a_list_as_people_type_it_becomes_names(listed, names):
    assert author_names(listed) == tuple(names)


words = st.text(alphabet="abcdefgé", min_size=1, max_size=6).filter(lambda word: word not in ("and",)).map(str.title)
names = st.lists(words, min_size=1, max_size=3).map(" ".join).filter(lambda name: name.lower() not in ("jr", "sr"))


@given(st.lists(names, min_size=1, max_size=6), st.sampled_from([", ", " and ", "; ", ",\n ", " (1,2), ", ", and "]))
def test_names_that_were_joined_come_apart_again(authors, separator):
    assert author_names(separator.join(authors)) == tuple(authors)


@given(st.text(alphabet=st.sampled_from(list("aB.,;:()[]{}\\$&'1- \n")) | st.characters(), max_size=60))
def test_whatever_is_typed_no_name_is_empty_or_untidy(listed):
    for name in author_names(listed):
        assert name == tidy_name(name).strip()
        assert any(character.isalpha() for character in name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "listed", ["(" * 300_000, "a " * 150_000, r"\a[" * 1_000_000, "A.," * 100_000, "1" * 190_000 + "a"]
)
def test_a_list_made_to_take_long_does_not(listed):
    started = time.process_time()
    assert all(name == tidy_name(name).strip() for name in author_names(listed))
    assert time.process_time() - started < 20, "seconds on any machine, and minutes where time grows with the square"
