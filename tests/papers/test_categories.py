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


MERGED = {
    "cmp-lg": "cs.CL",
    "adap-org": "nlin.AO",
    "comp-gas": "nlin.CG",
    "chao-dyn": "nlin.CD",
    "solv-int": "nlin.SI",
    "patt-sol": "nlin.PS",
    "alg-geom": "math.AG",
    "dg-ga": "math.DG",
    "funct-an": "math.FA",
    "q-alg": "math.QA",
    "mtrl-th": "cond-mat.mtrl-sci",
    "supr-con": "cond-mat.supr-con",
    "acc-phys": "physics.acc-ph",
    "ao-sci": "physics.ao-ph",
    "atom-ph": "physics.atom-ph",
    "bayes-an": "physics.data-an",
    "chem-ph": "physics.chem-ph",
    "plasm-ph": "physics.plasm-ph",
}


@pytest.mark.parametrize(("archive", "active"), MERGED.items())
def test_each_of_the_18_archives_that_were_merged_leads_to_its_category_and_is_shown_once_with_it(archive, active):
    assert category(archive).name == categories()[active].name
    assert category(archive).alias == active
    assert [found.id for found in shown_once([archive, "hep-th", active])] == [archive, "hep-th"]
    assert [found.id for found in shown_once([active, archive])] == [active]


@pytest.mark.parametrize("archive", ["astro-ph", "cond-mat", "q-bio"])
def test_an_archive_of_its_time_has_a_name_and_is_not_one_of_its_parts(archive):
    assert category(archive).name != archive
    part = next(name for name in categories() if name.startswith(archive + "."))
    assert len(shown_once([archive, part])) == 2


def test_an_unknown_category_is_shown_by_its_id():
    assert category("cs.ZZ").name == "cs.ZZ"
