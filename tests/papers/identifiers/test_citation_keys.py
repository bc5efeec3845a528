from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.identifiers.citation_keys import citation_keys
from lenslab.papers.work import Work, citation_key


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
