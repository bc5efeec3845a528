import pytest

from lenslab.papers.categories import categories, category, shown_once


def test_the_155_active_categories_have_names():
    known = categories()
    assert len(known) == 155
    assert all(found.name and found.name != found.id for found in known.values())
    assert known["cs.LG"].name == "Machine Learning"
    assert known["cs.AI"].name == "Artificial Intelligence"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("math.MP", "math-ph"),
        ("cs.IT", "math.IT"),
        ("math.NA", "cs.NA"),
        ("stat.TH", "math.ST"),
        ("econ.GN", "q-fin.EC"),
        ("eess.SY", "cs.SY"),
    ],
)
def test_two_ids_of_one_subject_are_shown_once_under_the_first(one, other):
    assert [found.id for found in shown_once([one, "cs.LG", other])] == [one, "cs.LG"]
    assert [found.id for found in shown_once([other, one])] == [other]


def test_different_subjects_of_near_names_stay_two():
    assert len(shown_once(["cs.CV", "math.CV", "cs.AI", "cs.LG"])) == 4


@pytest.mark.parametrize(
    ("former", "name"),
    [("cmp-lg", "Computation and Language"), ("alg-geom", "Algebraic Geometry"), ("q-bio", "Quantitative Biology")],
)
def test_former_archives_keep_a_name(former, name):
    assert category(former).name == name


def test_an_unknown_category_is_shown_by_its_id():
    assert category("cs.ZZ").name == "cs.ZZ"
