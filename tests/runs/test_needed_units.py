"""Which units a class needs: named with evidence, or not at all."""

from __future__ import annotations

import pandas as pd
import pytest

from lenslab.units import Run, ablate
from lenslab.units.errors import LabelError, UnknownSiteError
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")


@pytest.fixture(scope="module")
def planted() -> Run:
    """Class 1 is wired to unit 2 alone, and class 0 to units 0 and 1; there are enough images to tell."""
    bright = [(0, 1, 3)] * 12 + [(2, 3)] * 12
    return ablate(toys.by_hand(), (toys.quarters(*bright), [0] * 12 + [1] * 12))


def test_the_only_unit_wired_to_a_class_is_the_one_that_it_needs(planted: Run) -> None:
    found = planted.units_for(1)
    assert found[["unit", "losses", "images"]].to_numpy().tolist() == [[2, 12, 12]]
    assert found["low"].iloc[0] > 0.5
    assert planted.units_for(0).empty  # either of its two units is enough


def test_a_drop_that_chance_explains_is_not_named() -> None:
    few = ablate(toys.by_hand(), (toys.quarters((2,), (2,), (0,)), [1, 1, 0]))
    assert few.classes.query("label == 1")["drop"].max() == 1.0
    assert few.units_for(1).empty
    assert few.units_for(1, level=1.0)["unit"].tolist() == [2]


def test_classes_are_named_by_name_or_label() -> None:
    run = ablate(toys.network(toys.trained(toys.Branches())), toys.digits(60), sites=["silu"])
    assert run.label_of("7") == run.label_of(7) == 7
    with pytest.raises(LabelError, match=r"no class '11' .* It has labels 0 to 9: 0, 1, 2"):
        run.label_of("11")


def test_what_a_run_does_not_have_is_named(planted: Run) -> None:
    with pytest.raises(UnknownSiteError, match=r"has no site 'relu'\. It has 1"):
        planted.units_for(1, site="relu")
    one_class = ablate(toys.by_hand(), (toys.quarters((0,), (1,)), [0, 0]))
    with pytest.raises(LabelError, match="has no image of class 1"):
        one_class.units_for(1)


def test_the_images_that_a_unit_loses_go_where_the_hand_says() -> None:
    # logits: class 0 = quarters 0 + 1, class 1 = 1.5 * quarter 2; a tie goes to class 0
    bright = toys.quarters((0, 1, 2), (0, 1, 2), (0, 2), (2,), (1, 2))
    run = ablate(toys.by_hand(), (bright, [0, 0, 0, 1, 1]))
    found = run.destinations()
    assert found.drop(columns="site").to_numpy().tolist() == [
        [0, 0, 1, "lost", 2, 1.0],
        [1, 0, 1, "lost", 2, 1.0],
        [2, 1, 0, "lost", 2, 2 / 3],
        [2, 1, 0, "gained", 1, 1 / 3],
    ]
    pd.testing.assert_frame_equal(run.destinations(site="1", unit=2), found[2:].reset_index(drop=True))
    assert run.destinations(unit=3).empty
    with pytest.raises(UnknownSiteError, match="has no unit 4; 1 has 0 to 3"):
        run.destinations(unit=4)
    with pytest.raises(UnknownSiteError, match="has no site 'relu'"):
        run.destinations(site="relu")


def test_every_changed_prediction_is_in_one_row() -> None:
    run = ablate(toys.network(toys.trained(toys.Residual())), toys.digits(60))
    found = run.destinations()
    assert set(found["answer"]) == {"lost", "gained", "wrong"}
    assert found["images"].sum() == len(run.flips)
    assert found.groupby(["site", "unit"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert found["site"].drop_duplicates().tolist() == [site["name"] for site in run.record.document["sites"]]
