"""Curves: the laws that cumulative ablation obeys, and that a ranking is never read on what it was made from."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lenslab.records import RecordNotFoundError, read
from lenslab.runs import read_curve
from lenslab.units import Network, Run, ablate, load, open_images, silenced
from lenslab.units.curves import CurveAblation, measure_curve
from lenslab.units.errors import OtherThanAskedError, UnknownOrderError
from tests.units import toys
from tests.units.dividing import divide
from tests.units.images.test_parquet import ENCODED, write

SITE = "relu:2"
TABLES = ("curve", "recalls", "areas")


@pytest.fixture(scope="module")
def network() -> Network:
    return toys.network(toys.trained(toys.Residual()))


@pytest.fixture(scope="module")
def run(network: Network) -> Run:
    return ablate(network, toys.digits(150), sites=[SITE])


@pytest.fixture(scope="module")
def small() -> Run:
    return ablate(load("small", weights="digits"), "digits", sites=["relu1"])


def accuracy_without(network: Network, units: list[int], count: int = 150) -> float:
    (block,) = toys.digits(count).blocks(count)
    with torch.inference_mode():
        answers = silenced(network, SITE, units)(toys.PLAIN(block.pixels)).argmax(dim=1).numpy()
    return float((answers == block.labels).mean())


def test_a_curve_small_enough_to_solve_by_hand_is_the_hands() -> None:
    # logits: class 0 = quarter 0 + quarter 1, class 1 = 1.5 * quarter 2; units 0, 1, 2, 3 fall silent in this order
    images = (toys.quarters((0,), (0, 1), (2,), (0, 1, 2), (0, 2)), [0, 0, 1, 0, 0])
    measured = ablate(toys.by_hand(), images)
    found = measure_curve(measured, "-unit", steps=range(5), network=toys.by_hand(), images=images)
    assert found.accuracy == 0.8
    assert found.points["accuracy"].tolist() == [0.8, 0.6, 0.6, 0.8, 0.8]
    assert found.points["accuracy_drop"].tolist() == pytest.approx([0, 0.2, 0.2, 0, 0])
    assert found.points["balanced_accuracy"].tolist() == [0.875, 0.75, 0.75, 0.5, 0.5]
    recalls = found.recalls.set_index(["label", "size"])["recall"]
    assert recalls[0].tolist() == [0.75, 0.5, 0.5, 1.0, 1.0]
    assert recalls[1].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    areas = found.areas.set_index(["measure", "label"])["area"]
    assert areas["accuracy", -1] == pytest.approx(2.8 / 4)
    assert areas["recall", 0] == pytest.approx((0.375 + 0.5 + 0.5 + 1 + 0.5) / 4)
    assert areas["balanced_accuracy", -1] == pytest.approx((0.4375 + 0.75 + 0.75 + 0.5 + 0.25) / 4)


def test_no_unit_is_the_untouched_network_and_all_units_are_the_silent_one(run: Run, network: Network) -> None:
    found = measure_curve(run, ["random", "-l1_norm"], repeats=3, network=network)
    ends = found.points.set_index("size")["accuracy"]
    assert set(ends[0]) == {run.accuracy} == {found.accuracy}
    assert set(ends[6]) == {accuracy_without(network, list(range(6)))}
    assert ends.nunique() > 4
    assert set(found.points["images"]) == {150}


def test_a_random_order_of_one_unit_costs_what_that_unit_costs(run: Run, network: Network) -> None:
    asked = CurveAblation.of(run, "random", steps=[1], repeats=12, network=network)
    found = measure_curve(run, "random", steps=[1], repeats=12, network=network)
    drops = run.units.set_index("unit")["accuracy_drop"]
    seen = set()
    for point in found.points.query("size == 1").itertuples():
        (unit,) = asked.ablation.intervention.groups[SITE][point.set]
        assert point.accuracy_drop == drops[unit]
        seen.add(unit)
    assert len(seen) > 3
    assert drops.nunique() > 3


@pytest.mark.parametrize("keep", [False, True])
def test_sets_are_nested(run: Run, network: Network, keep: bool) -> None:
    asked = CurveAblation.of(run, ["random", "own-drop"], repeats=4, keep=keep, network=network)
    for _, points in asked.points.groupby(["order", "repeat"]):
        sets = [set(asked.ablation.intervention.groups[SITE][number]) for number in points["set"]]
        assert [len(each) for each in sets] == points["silenced"].tolist()
        sets = sets[::-1] if keep else sets
        assert all(one < other for one, other in itertools.pairwise(sets))
    assert len(asked.ablation.intervention.groups[SITE]) < len(
        asked.points
    )  # what several orders share is silenced once


def test_keeping_the_best_is_silencing_all_others(run: Run, network: Network) -> None:
    options = {"steps": range(7), "network": network}
    silent, kept = (CurveAblation.of(run, "class_selectivity", keep=keep, **options) for keep in (False, True))
    for one, other in zip(silent.points["set"], kept.points["set"], strict=True):
        assert list(kept.ablation.intervention.groups[SITE][other]) == [
            unit for unit in range(6) if unit not in silent.ablation.intervention.groups[SITE][one]
        ]
    keeping = measure_curve(run, "-unit", keep=True, **options).points
    silencing = measure_curve(run, "unit", **options).points
    assert keeping["accuracy"].tolist() == silencing["accuracy"].tolist()[::-1]
    assert keeping["accuracy"].nunique() > 3


def test_a_ranking_by_drops_never_sees_the_images_that_are_scored(run: Run, network: Network) -> None:
    found = measure_curve(run, ["own-drop", "class-drop:2", "random"], network=network)
    images = run.record.table("images")
    ranked = set(images[images["half"] == "A"]["content"])
    scored = set(found.record.table("images")["content"])
    assert scored == set(images[images["half"] == "B"]["content"])
    assert ranked.isdisjoint(scored)
    assert [each["ranked_on"].get("half") for each in found.metadata["orders"]] == ["A", "A", None]
    read_on = found.metadata["read_on"]
    assert (read_on["images"], read_on["of"], read_on["images_that_ranked"]) == (len(scored), 150, 0)


def test_outcomes_of_the_same_images_do_not_rank_them(run: Run, network: Network) -> None:
    with pytest.raises(UnknownOrderError, match=r"had a part in the ranking by accuracy_drop.* rank by own-drop"):
        measure_curve(run, ["random", "accuracy_drop"], network=network)
    found = measure_curve(run, "accuracy_drop", steps=[2], images="digits", limit=250, network=network)
    assert found.metadata["read_on"]["images"] == 100  # the run's 150 are left out
    assert found.metadata["read_on"]["images_of_the_run"] == 0


def test_another_run_ranks_the_units(run: Run, network: Network) -> None:
    (block,) = toys.digits(300).blocks(150, start=150)
    others = (np.stack(block.pixels), block.labels)
    other = ablate(network, others, sites=[SITE])
    found = measure_curve(run, "own-drop", steps=[1], ranked_by=other, network=network)
    assert found.metadata["ranked_by"] == other.record.key != run.record.key
    assert found.metadata["orders"][0]["ranked_on"]["half"] is None
    assert found.metadata["read_on"]["images"] == 150
    best = int(other.units["accuracy_drop"].idxmax())
    drop = run.units.set_index("unit")["accuracy_drop"][best]
    assert found.points.query("size == 1")["accuracy_drop"].tolist() == [drop]
    branches = ablate(toys.network(toys.trained(toys.Branches())), toys.digits(10), sites=["silu"])
    with pytest.raises(LookupError, match="has no site 'relu:2'"):
        measure_curve(run, "own-drop", ranked_by=branches, network=network)


def test_the_order_of_the_images_decides_nothing(network: Network) -> None:
    (block,) = toys.digits(60).blocks(60)
    pixels, labels = np.stack(block.pixels), block.labels
    turned = np.random.default_rng(1).permutation(60)
    tables = []
    for order in (np.arange(60), turned):
        images = (pixels[order], labels[order])
        measured = ablate(network, images, sites=[SITE])
        found = measure_curve(measured, ["own-drop", "random"], repeats=3, images=images, network=network)
        tables.append([found.record.table(name) for name in TABLES])
    assert tables[0][0]["accuracy"].nunique() > 4
    for one, other in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_curve_that_was_stopped_goes_on_to_the_same_bytes(
    run: Run, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    options = {"steps": 4, "repeats": 2, "network": network, "batch_size": 20}
    whole = measure_curve(run, ["own-drop", "random"], out=tmp_path / "whole", **options)

    def stop(done: float, total: float) -> None:
        if done > total / 2:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        measure_curve(run, ["own-drop", "random"], out=tmp_path / "stopped", progress=stop, **options)
    assert not (tmp_path / "stopped" / "record.json").exists()
    assert list((tmp_path / "stopped" / "shards").iterdir())
    for _ in range(2):  # the second time it is only read
        measure_curve(run, ["own-drop", "random"], out=tmp_path / "stopped", **options)
        for name in [*(f"{table}.parquet" for table in (*TABLES, "flips", "images")), "curve.json"]:
            assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    again = read_curve(read(tmp_path / "stopped"))
    assert again.metadata == whole.metadata
    pd.testing.assert_frame_equal(again.areas, whole.areas)


def test_units_become_what_they_became_in_the_run(network: Network) -> None:
    images = toys.digits(100)
    zero, mean = (
        measure_curve(
            ablate(network, images, sites=[SITE], replacement=replacement).record,
            "random",
            steps=[1],
            repeats=12,
            network=network,
        )
        for replacement in ("zero", "mean")
    )
    own = ablate(network, images, sites=[SITE], replacement="mean").units["accuracy_drop"]
    assert set(mean.points.query("size == 1")["accuracy_drop"]) <= set(own)
    assert mean.points["accuracy"].tolist() != zero.points["accuracy"].tolist()


def test_the_units_own_drops_do_more_damage_than_chance_and_a_classes_hurt_that_class(small: Run) -> None:
    found = measure_curve(small, ["own-drop", "class-drop:8", "random"])
    areas = found.areas.set_index(["order", "measure", "label"])
    own = areas.loc[("own-drop", "accuracy", -1)]
    assert own["difference"] < own["difference_high"] < 0
    assert areas.loc[("class-drop:8", "recall", 8), "area"] < areas.loc[("own-drop", "recall", 8), "area"]
    assert areas.loc[("class-drop:8", "recall", 8), "difference_high"] < 0
    assert (found.areas["low"] <= found.areas["area"]).all()
    assert (found.areas["area"] <= found.areas["high"]).all()


def test_a_record_that_holds_no_curve_is_refused(run: Run) -> None:
    with pytest.raises(RecordNotFoundError, match=r"has no file 'curve\.json'"):
        read_curve(run.record)


def test_a_network_that_is_not_the_runs_is_refused_before_anything_is_measured(run: Run) -> None:
    with pytest.raises(OtherThanAskedError, match="the weights of toy"):
        CurveAblation.of(run, network=toys.network(toys.trained(toys.Residual(), seed=3)))
    changed = toys.trained(toys.Residual(in_place=False))
    with pytest.raises(OtherThanAskedError, match="another architecture"):
        CurveAblation.of(run, network=toys.network(changed))


def test_a_network_that_hooks_look_into_has_curves_too() -> None:
    network = toys.network(toys.trained(toys.Untraceable()))
    run = ablate(network, toys.digits(60), sites=["relu1"])
    found = measure_curve(run, "random", steps=[1], repeats=8, network=network)
    drops = run.units["accuracy_drop"]
    assert set(found.points.query("size == 1")["accuracy_drop"]) <= set(drops)
    assert found.points["accuracy"].nunique() > 2


def test_means_over_other_images_are_measured_on_these_again(network: Network) -> None:
    run = ablate(network, toys.digits(80), sites=[SITE], replacement="mean-map", reference="digits-train")
    with pytest.raises(OtherThanAskedError, match="--reference SOURCE"):
        measure_curve(run, "random", network=network)
    found = measure_curve(run, "random", steps=[1], repeats=12, network=network, reference="digits-train")
    assert set(found.points.query("size == 1")["accuracy_drop"]) <= set(run.units["accuracy_drop"])
    own = ablate(network, toys.digits(80), sites=[SITE], replacement="mean-map")
    short = measure_curve(own, "random", steps=[1], repeats=12, network=network, limit=40)
    request = short.record.document["request"]
    assert (request["count"], request["reference_count"]) == (40, 80)


def test_images_of_the_runs_own_source_are_as_many_as_the_run_had_unless_said_otherwise(
    run: Run, network: Network
) -> None:
    counts = [
        CurveAblation.of(run, "random", network=network, images="digits", limit=limit).metadata["read_on"]["images"]
        for limit in (None, 40, 170)
    ]
    assert counts == [150, 40, 170]
    half = CurveAblation.of(run, "own-drop", network=network, images="digits", limit=170).metadata["read_on"]
    assert half["images"] - half["images_of_the_run"] == 20


def test_without_an_order_none_is_guessed(run: Run, network: Network) -> None:
    with pytest.raises(UnknownOrderError, match="no order is given"):
        CurveAblation.of(run, [], network=network)


def test_the_site_of_a_run_is_its_last_default_one(network: Network) -> None:
    run = ablate(network, toys.digits(20), sites=["relu:2", "relu:3", "max_pool2d"])
    assert CurveAblation.of(run, network=network).metadata["site"] == "relu:3"


def test_images_that_do_not_decode_are_left_out_as_in_the_run(tmp_path: Path) -> None:
    damaged = [content[:40] if number in (0, 6, 7) else content for number, content in enumerate(ENCODED)]
    images = open_images(write(tmp_path / "mine.parquet", damaged), on_error="skip")
    network = toys.network(toys.trained(toys.Branches()))
    run = ablate(network, images, sites=["silu"], replacement="mean")
    found = measure_curve(run, "random", steps=[1], repeats=6, network=network)
    assert found.metadata["read_on"]["images"] == len(ENCODED) - 3
    assert found.accuracy == run.accuracy
    assert set(found.points.query("size == 1")["accuracy_drop"]) <= set(run.units["accuracy_drop"])
    assert measure_curve(run, "own-drop", steps=[1], network=network).metadata["read_on"]["images_that_ranked"] == 0
