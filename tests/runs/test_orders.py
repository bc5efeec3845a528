"""Orders: which unit comes first, and which images had a part in saying so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lenslab.runs.orders import order_of, sizes_for
from lenslab.units import Run, ablate
from lenslab.units.errors import LabelError, UnitsError, UnknownOrderError, UnknownSiteError
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")

SITE = "relu:2"


@pytest.fixture(scope="module")
def run() -> Run:
    return ablate(toys.network(toys.trained(toys.Residual())), toys.digits(200), sites=[SITE, "relu:3"])


def drops_on(run: Run, chosen: pd.DataFrame) -> list[float]:
    """The units' drops over some images, counted one flip at a time."""
    drops = [0] * 6
    for flip in run.flips[run.flips["site"] == SITE].itertuples():
        if flip.image in set(chosen["image"]):
            drops[flip.unit] += int(flip.before == flip.label) - int(flip.after == flip.label)
    return [drop / len(chosen) for drop in drops]


def ranked(drops: list[float]) -> tuple[int, ...]:
    return tuple(sorted(range(len(drops)), key=lambda unit: (-drops[unit], unit)))


def test_the_units_own_drop_is_measured_on_half_a_where_the_images_are_those_to_score(run: Run) -> None:
    images = run.record.table("images")
    half = images[images["half"] == "A"]
    order = order_of("own-drop", run, SITE, scoring=images["content"])
    assert order.rankings == (ranked(drops_on(run, half)),)
    assert order.saw == set(half["content"])
    assert (order.ranked_on["half"], order.ranked_on["images"]) == ("A", len(half))
    assert drops_on(run, half) != drops_on(run, images[images["half"] == "B"])
    least = order_of("-own-drop", run, SITE, scoring=images["content"])
    assert least.rankings[0][0] == min(range(6), key=lambda unit: (drops_on(run, half)[unit], unit))


def test_it_is_measured_on_all_images_where_others_are_scored(run: Run) -> None:
    images = run.record.table("images")
    order = order_of("own-drop", run, SITE, scoring={"something else"})
    assert order.rankings == (ranked(drops_on(run, images)),)
    assert order.saw == set(images["content"])
    assert order.ranked_on["half"] is None


def test_a_classes_drop_is_that_of_its_images(run: Run) -> None:
    images = run.record.table("images")
    order = order_of("class-drop:3", run, SITE, scoring=images["content"])
    assert order.rankings == (ranked(drops_on(run, images[(images["half"] == "A") & (images["label"] == 3)])),)
    assert order.label == 3
    with pytest.raises(LabelError, match="no class 'zebra'"):
        order_of("class-drop:zebra", run, SITE, scoring=[])


def test_a_column_ranks_both_ways(run: Run) -> None:
    values = run.units[run.units["site"] == SITE]["class_selectivity"]
    down, up = (order_of(f"{sign}class_selectivity", run, SITE, scoring=[]) for sign in ("", "-"))
    assert values.nunique() == 6
    assert down.rankings[0] == up.rankings[0][::-1]
    assert down.rankings[0][0] == int(np.argmax(values))
    assert down.saw == frozenset()


def test_a_column_that_ablation_made_has_seen_every_image(run: Run) -> None:
    assert order_of("max_class_drop", run, SITE, scoring=[]).saw == set(run.record.table("images")["content"])


def test_random_orders_are_permutations_that_the_seed_decides(run: Run) -> None:
    def drawn(seed: int, repeats: int) -> tuple[tuple[int, ...], ...]:
        return order_of("random", run, SITE, scoring=[], repeats=repeats, seed=seed).rankings

    assert all(sorted(ranking) == list(range(6)) for ranking in drawn(0, 20))
    assert len(set(drawn(0, 20))) > 10
    assert drawn(0, 20)[:5] == drawn(0, 5)
    assert drawn(0, 5) != drawn(1, 5)


def test_what_there_is_not_is_refused(run: Run) -> None:
    with pytest.raises(UnknownOrderError, match="no order 'class_selektivity'; did you mean 'class_selectivity'"):
        order_of("class_selektivity", run, SITE, scoring=[])
    with pytest.raises(UnknownOrderError, match="no order 'site'"):
        order_of("site", run, SITE, scoring=[])
    with pytest.raises(UnknownOrderError, match="has no direction"):
        order_of("-random", run, SITE, scoring=[])
    with pytest.raises(UnknownSiteError, match="has no site 'relu:9'; did you mean 'relu:"):
        order_of("random", run, "relu:9", scoring=[])
    unknown = ablate(toys.network(toys.trained(toys.Branches())), toys.digits(10), sites=["cat"])
    with pytest.raises(UnknownOrderError, match="knows no l1_norm of the units at 'cat'"):
        order_of("l1_norm", unknown, "cat", scoring=[])


@pytest.mark.parametrize("options", [{"groups": {SITE: [[0, 1]]}}, {"basis": "haar", "sites": [SITE]}])
def test_a_run_of_something_else_than_units_ranks_none(options: dict[str, object]) -> None:
    other = ablate(toys.network(toys.trained(toys.Residual())), toys.digits(10), **options)
    with pytest.raises(UnitsError, match="units are ranked by a run that silenced each unit alone"):
        order_of("random", other, SITE, scoring=[])


def test_a_run_that_resampled_its_units_ranks_none() -> None:
    network = toys.network(toys.trained(toys.Residual()))
    other = ablate(network, toys.digits(20), sites=[SITE], replacement="resample", draws=1)
    with pytest.raises(UnitsError, match="name a run with one replacement for all images"):
        order_of("random", other, SITE, scoring=[])


@pytest.mark.parametrize("units", [1, 2, 3, 64, 2048])
def test_sizes_begin_with_none_and_end_with_all_and_are_denser_at_the_start(units: int) -> None:
    sizes = sizes_for(units)
    assert (sizes[0], sizes[1], sizes[-1]) == (0, 1, units)
    assert len(sizes) <= 21
    gaps = np.diff(sizes)
    assert gaps[0] <= gaps[len(gaps) // 2] <= gaps[-1]


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnitsError, match="9 units cannot be silenced at a site of 8"):
        sizes_for(8, [1, 9])
    with pytest.raises(UnitsError, match="1 steps make no curve"):
        sizes_for(8, 1)
