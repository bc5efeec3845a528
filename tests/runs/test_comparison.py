"""Two runs side by side: nothing where there is nothing, and what was planted where it was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from lenslab.records import Record
from lenslab.runs.comparison import match
from lenslab.units import Run, ablate
from lenslab.units.errors import UnitsError, UnknownSiteError
from tests.units import toys

pytestmark = pytest.mark.slow

SITES = ["relu:2", "relu:3"]


@pytest.fixture(scope="module")
def run() -> Run:
    return ablate(toys.network(toys.trained(toys.Residual())), toys.digits(150), sites=SITES)


@pytest.fixture(scope="module")
def seeded() -> Run:
    return ablate(toys.network(toys.trained(toys.Residual(), seed=5)), toys.digits(150), sites=SITES)


def test_a_run_beside_itself_differs_nowhere(run: Run) -> None:
    found = run.compare(run, paired=True)
    assert found.units["drop_one"].nunique() > 4
    assert (found.units[["difference", "differing"]] == 0).all(axis=None)
    assert (found.units[["p_value", "q_value"]] == 1).all(axis=None)
    assert (found.sites["delta"] == 0).all()
    assert found.sites["spearman"].tolist() == pytest.approx([1, 1])
    assert found.sites["changed"].tolist() == [0, 0]
    assert found.accuracy["difference"] == 0
    assert found.accuracy["images"] == 150
    assert found.notes == ("both runs have the same weights",)


def test_the_drops_on_the_images_of_both_are_those_of_the_runs(run: Run, seeded: Run) -> None:
    found = run.compare(seeded, paired=True)
    for name, each in (("one", run), ("other", seeded)):
        assert found.units[f"drop_{name}"].to_numpy() == pytest.approx(each.units["accuracy_drop"].to_numpy())
        by_site = each.units.groupby("site", sort=False)
        assert found.sites[f"mean_{name}"].tolist() == pytest.approx(by_site["accuracy_drop"].mean().tolist())
        assert found.sites[f"largest_{name}"].tolist() == by_site["accuracy_drop"].max().tolist()
        assert found.sites[f"significant_{name}"].tolist() == [(rows["q_value"] <= 0.05).mean() for _, rows in by_site]
    assert found.accuracy["difference"] == pytest.approx(run.accuracy - seeded.accuracy)
    assert found.accuracy["low"] < found.accuracy["difference"] < found.accuracy["high"]
    ranks = found.units[found.units["site"] == "relu:2"][["drop_one", "drop_other"]]
    assert found.sites["spearman"][0] == pytest.approx(ranks.corr("spearman").iloc[0, 1])
    turned = seeded.compare(run, paired=True)
    assert turned.units["difference"].to_numpy() == pytest.approx(-found.units["difference"].to_numpy())
    assert turned.sites["delta"].tolist() == pytest.approx((-found.sites["delta"]).tolist())


def test_a_change_that_was_planted_in_one_unit_is_found_in_it_alone() -> None:
    # logits: class 0 = weight * quarter 0 + quarter 1, class 1 = 1.5 * quarter 2. With the weight at 1 the images of
    # quarters 0, 1 and 2 need unit 0 (1 < 1.5 without it); with unit 0 unheard and unit 1 louder they do not.
    bright = [(0, 1, 2)] * 20 + [(2, 3)] * 20
    labels = [0] * 20 + [1] * 20
    before = ablate(toys.by_hand(), (toys.quarters(*bright), labels))
    tuned = toys.by_hand()
    with torch.no_grad():
        tuned.module[3].weight[0, 5] = 2.0  # unit 1 at quarter 1, which alone is enough now
    after = ablate(tuned, (toys.quarters(*bright), labels))
    found = before.compare(after, paired=True)
    assert found.sites["changed"].tolist() == [1]
    changed = found.units[found.units["q_value"] <= 0.05]
    assert changed[["unit", "difference", "differing"]].to_numpy().tolist() == [[0, 0.5, 20]]
    assert changed["low"].item() > 0.2
    assert changed["p_value"].item() == pytest.approx(2 * 0.5**20)


def test_images_are_matched_by_what_they_show_whatever_their_order(run: Run) -> None:
    (block,) = toys.digits(150).blocks(150)
    order = np.random.default_rng(0).permutation(150)
    turned = ablate(
        toys.network(toys.trained(toys.Residual())), (np.stack(block.pixels)[order], block.labels[order]), sites=SITES
    )
    found = run.compare(turned, paired=True)
    assert found.accuracy["images"] == 150
    assert (found.units[["difference", "differing"]] == 0).all(axis=None)
    pairs = match(run, turned)
    assert (order[pairs["image_other"]] == pairs["image_one"]).all()
    seed = ablate(toys.network(toys.trained(toys.Residual(), seed=5)), toys.digits(150), sites=SITES)
    straight, shuffled = (each.compare(seed, paired=True) for each in (run, turned))
    pd.testing.assert_frame_equal(straight.units, shuffled.units)


def test_copies_of_an_image_are_paired_in_turn() -> None:
    images = (toys.quarters((0,), (0,), (2,), (0,)), [0, 0, 1, 1])
    one = ablate(toys.by_hand(), images)
    other = ablate(toys.by_hand(), (toys.quarters((2,), (0,), (1,)), [1, 0, 0]))
    assert match(one, one)["image_one"].nunique() == 4
    assert sorted(match(one, other)[["image_one", "image_other"]].to_numpy().tolist()) == [[0, 1], [2, 0]]


def test_only_the_images_of_both_are_paired_and_their_number_is_said(run: Run) -> None:
    (block,) = toys.digits(200).blocks(100, start=100)
    others = ablate(
        toys.network(toys.trained(toys.Residual(), seed=5)), (np.stack(block.pixels), block.labels), sites=SITES
    )
    found = run.compare(others, paired=True)
    assert set(found.units["images"]) == {50}
    assert "50 images are in both runs, which have 150 and 100" in found.notes
    own = run.flips[(run.flips["site"] == "relu:2") & (run.flips["image"] >= 100)]
    change = (own["before"] == own["label"]).astype(int) - (own["after"] == own["label"])
    expected = np.bincount(own["unit"], weights=change, minlength=6) / 50
    assert found.units[found.units["site"] == "relu:2"]["drop_one"].tolist() == pytest.approx(expected.tolist())


def test_without_an_image_in_common_there_are_distributions_only(run: Run) -> None:
    (block,) = toys.digits(250).blocks(100, start=150)
    others = ablate(
        toys.network(toys.trained(toys.Residual(), seed=5)), (np.stack(block.pixels), block.labels), sites=SITES
    )
    found = run.compare(others)
    assert found.units.empty
    assert found.accuracy["p_value"] is None
    assert found.accuracy["low"] < found.accuracy["difference"] < found.accuracy["high"]
    assert "0 images are in both runs, which have 150 and 100: only distributions are compared" in found.notes
    assert np.isfinite(found.sites["delta"]).all()
    with pytest.raises(UnitsError, match="have no image in common"):
        run.compare(others, paired=True)


def test_sites_of_one_run_alone_are_named(run: Run) -> None:
    network = toys.network(toys.trained(toys.Residual()))
    less, none = (ablate(network, toys.digits(20), sites=sites) for sites in (["relu:3", "bn1"], ["bn2"]))
    found = run.compare(less)
    assert found.sites["site"].tolist() == ["relu:3"]
    assert (found.only_one, found.only_other) == (("relu:2",), ("bn1",))
    with pytest.raises(UnknownSiteError, match="no site in common: the one has relu:2, relu:3, the other bn2"):
        run.compare(none)


def test_what_is_not_the_same_thing_is_refused_or_said(run: Run) -> None:
    network = toys.network(toys.trained(toys.Residual()))
    mean = ablate(network, toys.digits(150), sites=SITES, replacement="mean")
    assert any("something else in each run (zero, mean)" in note for note in run.compare(mean).notes)
    for options in ({"sites": SITES, "basis": "haar"}, {"groups": {"relu:2": [[0, 1]]}}):
        other = ablate(network, toys.digits(20), **options)
        with pytest.raises(UnitsError, match="what is compared is a run that silenced each unit alone"):
            run.compare(other)


def test_chunks_of_units_decide_nothing(run: Run, seeded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run.compare(seeded, paired=True).units
    monkeypatch.setattr("lenslab.runs.comparison._CHUNK", 300)
    pd.testing.assert_frame_equal(run.compare(seeded, paired=True).units, whole)


def test_units_that_were_silenced_several_times_are_compared_by_their_distributions(run: Run) -> None:
    drawn = Run(Record(run.directory, {**run.record.document, "draws": 2}))
    assert np.isfinite(run.compare(drawn).sites["delta"]).all()
    with pytest.raises(UnitsError, match="units are paired where each was silenced once"):
        run.compare(drawn, paired=True)
