"""What an ablation finds out, and the laws that it obeys whatever engine, batch or order."""

from __future__ import annotations

import copy
import gc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lenslab import __version__
from lenslab.records import OtherRecordError
from lenslab.runs import read
from lenslab.runs.statistics.image_halves import halves
from lenslab.units import Ablation, ablate, load
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.full_float32 import precisions
from lenslab.units.errors import (
    LabelError,
    NotFiniteError,
    OtherThanAskedError,
    TrainingModeError,
    UnitsError,
    UnknownSiteError,
    UnsupportedNetworkError,
    VerificationError,
)
from lenslab.units.images import open_images
from lenslab.units.sweep import shards, sweep
from tests.units import toys
from tests.units.dividing import divide

INTEGERS = ["site", "unit", "image", "label", "before", "after"]


def flips_of(module: nn.Module, count: int = 40, **options: object) -> pd.DataFrame:
    return ablate(toys.network(module), toys.digits(count), attributes=False, **options).flips[INTEGERS]


def test_a_network_small_enough_to_solve_by_hand_gives_the_hands_numbers() -> None:
    # logits: class 0 = quarter 0 + quarter 1, class 1 = 1.5 * quarter 2 (in units of 16)
    images = (toys.quarters((0,), (0, 1), (2,), (0, 1, 2), (0, 2)), [0, 0, 1, 0, 0])
    run = ablate(toys.by_hand(), images, seed=0)
    assert run.accuracy == 0.8  # the last image goes to class 1
    assert sorted(map(tuple, run.flips[["unit", "image", "before", "after"]].to_numpy())) == [
        (0, 3, 0, 1),  # 2 - 1 < 1.5
        (1, 3, 0, 1),
        (2, 2, 1, 0),  # all zero: the lowest label wins
        (2, 4, 1, 0),  # a gain: wrong before, right after
    ]
    drops = run.units.set_index("unit")
    assert drops["accuracy_drop"].tolist() == pytest.approx([0.2, 0.2, 0.0, 0.0])
    assert drops["max_class_drop"].tolist() == pytest.approx([0.25, 0.25, 1.0, 0.0])
    assert drops["max_class"].tolist() == [0, 0, 1, 0]
    assert drops.loc[2, ["losses", "gains"]].tolist() == [1, 1]
    classes = run.classes.set_index(["unit", "label"])["drop"]
    assert classes[2, 0] == pytest.approx(-0.25)


@pytest.mark.parametrize("module", [toys.Residual, toys.Branches, toys.Shared, toys.Untraceable])
def test_the_exact_engine_gives_the_integers_of_the_plain_one_at_every_site(module: type[nn.Module]) -> None:
    made = toys.trained(module())
    exact, plain = (flips_of(made, sites=["*"], engine=engine, verify=0) for engine in ("exact", "plain"))
    assert exact.groupby("site")["image"].count().max() > 20, "the values must differ among themselves"
    pd.testing.assert_frame_equal(exact, plain)


def test_batch_size_decides_no_integer() -> None:
    made = toys.trained(toys.Residual())
    runs = [flips_of(made, batch_size=size) for size in (1, 7, 40)]
    assert len(runs[0]) > 20
    for other in runs[1:]:
        pd.testing.assert_frame_equal(runs[0], other)


def test_the_order_of_the_images_decides_nothing_but_their_numbers() -> None:
    made, images = toys.network(toys.trained(toys.Branches())), toys.digits(40)
    (block,) = images.blocks(40)
    pixels = np.stack(block.pixels)
    order = np.random.default_rng(1).permutation(40)
    straight = ablate(made, (pixels, images.labels))
    shuffled = ablate(made, (pixels[order], images.labels[order]))
    numbers = ["site", "unit", "accuracy_drop", "max_class_drop", "max_class", "heldout_a_to_b", "heldout_b_to_a"]
    pd.testing.assert_frame_equal(straight.units[numbers], shuffled.units[numbers])
    assert (straight.units["heldout_a_to_b"] != straight.units["heldout_b_to_a"]).any()
    back = shuffled.flips.assign(image=order[shuffled.flips["image"]]).sort_values(["site", "unit", "image"])
    expected = straight.flips.sort_values(["site", "unit", "image"])
    assert back[INTEGERS].to_numpy().tolist() == expected[INTEGERS].to_numpy().tolist()


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(6)))
def test_permuting_the_units_permutes_the_results(order: list[int]) -> None:
    made = toys.trained(toys.Residual())
    permuted = copy.deepcopy(made)
    permuted.conv1.weight.data = made.conv1.weight.data[order]
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(permuted.bn1, name).data = getattr(made.bn1, name).data[order]
    permuted.conv2.weight.data = made.conv2.weight.data[:, order]
    before, after = (
        ablate(toys.network(module), toys.digits(25), sites=["relu:2"], attributes=False).units.set_index("unit")[
            "losses"
        ]
        for module in (made, permuted)
    )
    assert before.nunique() > 1
    assert after.tolist() == before[order].tolist()


def test_the_only_unit_wired_to_a_class_ranks_first_for_it() -> None:
    images = (toys.quarters((2,), (2,), (0, 1), (0, 1), (0, 1)), [1, 1, 0, 0, 0])
    run = ablate(toys.by_hand(), images)
    assert run.classes.query("label == 1").set_index("unit")["drop"].idxmax() == 2
    assert run.classes.query("label == 1")["drop"].max() == 1.0


def test_a_unit_that_leads_nowhere_changes_no_prediction() -> None:
    run = ablate(toys.by_hand(), (toys.quarters((0,), (2,), (0, 1, 2, 3), (3,)), [0, 1, 0, 1]))
    assert 3 not in set(run.flips["unit"])
    assert set(run.flips["unit"])


def test_inactive_units_are_counted_and_change_nothing() -> None:
    run = ablate(toys.by_hand(), (toys.quarters((0,), (0,), (0, 1)), [0, 0, 0]))
    # every unit sees every quarter, so nothing is inactive until an image is black
    assert run.record.document["paths"]["1"].get("inactive", 0) == 0
    black = ablate(toys.by_hand(), (toys.quarters((), (0,)), [0, 0]))
    assert black.record.document["paths"]["1"]["inactive"] == 4


def test_near_ties_are_decided_in_float64_by_both_engines() -> None:
    made = toys.by_hand()
    made.module[3].weight.data[1] = made.module[3].weight.data[0] * (1 + 1e-6)  # class 1 is ahead by a hair
    images = (toys.quarters((0,), (1,), (0, 1)), [1, 1, 1])
    exact, plain = (ablate(made, images, engine=engine) for engine in ("exact", "plain"))
    assert exact.record.document["paths"]["1"] == {"float64": 12}
    assert exact.accuracy == plain.accuracy == 1.0
    pd.testing.assert_frame_equal(exact.flips, plain.flips)
    assert exact.record.table("images")["prediction"].tolist() == [1, 1, 1]


def state_of(module: nn.Module) -> tuple[object, ...]:
    return (
        {name: (value.clone(), value.data_ptr()) for name, value in module.state_dict().items()},
        {name: part.training for name, part in module.named_modules()},
        {name: len(part._forward_hooks) + len(part._forward_pre_hooks) for name, part in module.named_modules()},
        {name: value.requires_grad for name, value in module.named_parameters()},
        torch.get_rng_state(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002 - the caller's own global state
        precisions(),
    )


def assert_same_state(before: tuple[object, ...], after: tuple[object, ...]) -> None:
    for name, (value, place) in before[0].items():
        assert torch.equal(value, after[0][name][0]), name
        assert place == after[0][name][1], name
    assert before[1:4] == after[1:4]
    assert torch.equal(before[4], after[4])
    assert before[5:] == after[5:]


@pytest.mark.parametrize("module", [toys.Residual, toys.Untraceable])
def test_the_callers_module_is_as_it_was_after_success_and_after_an_exception(module: type[nn.Module]) -> None:
    made = toys.trained(module())
    made.last.register_forward_hook(lambda *_: None)
    before = state_of(made)
    assert len(flips_of(made, engine="exact", verify=5)) > 0
    assert_same_state(before, state_of(made))

    def stop(done: float, total: float) -> None:
        if done > total / 2:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        flips_of(made, progress=stop, batch_size=10)
    assert_same_state(before, state_of(made))


def test_a_network_left_in_training_mode_is_refused_by_name() -> None:
    made = toys.trained(toys.Residual())
    made.bn2.train()
    with pytest.raises(TrainingModeError, match=r"bn2.*\.eval\(\)"):
        ablate(toys.network(made), toys.digits(5))


def test_nan_in_the_network_names_the_image_and_the_unit() -> None:
    made = toys.by_hand()
    made.module[3].weight.data[:] = float("nan")
    with pytest.raises(NotFiniteError, match="image 0 are not finite"):
        ablate(made, (toys.quarters((0,)), [0]))


class Normalises(nn.Module):
    """Divides by the sum over units, so silencing the only active one gives 0 / 0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 4, stride=4, bias=False)
        self.conv.weight.data = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)])
        self.last = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x).relu()
        return self.last((x / x.sum(dim=1, keepdim=True)).flatten(1))


@pytest.mark.parametrize("engine", ["exact", "plain"])
def test_nan_that_only_an_ablation_brings_names_the_unit(engine: str) -> None:
    made = toys.network(Normalises().eval(), classes=2)
    with pytest.raises(NotFiniteError, match="image 0 with unit 0 of site 'relu' silenced"):
        ablate(made, (toys.quarters((0, 1, 2, 3)), [0]), sites=["relu"], engine=engine)


def test_a_label_without_a_logit_is_named() -> None:
    with pytest.raises(LabelError, match=r"image 1 .* has label 2, but toy has logits for the classes 0 to 1"):
        ablate(toys.by_hand(), (toys.quarters((0,), (1,)), [0, 2]))


def test_classes_without_images_are_left_out_and_counted_in_one_warning() -> None:
    run = ablate(toys.network(toys.trained(toys.Branches())), toys.digits(4))
    missing = 10 - len(set(toys.digits(4).labels))
    assert run.record.document["warnings"] == [
        f"{missing} of 10 classes have no images among the first 4 of 590, in source order, and are left out"
    ]
    assert set(run.classes["label"]) == set(toys.digits(4).labels)


class MixesTheBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.last = nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x).amax(dim=(2, 3))
        return self.last(x - torch.arange(len(x)).unsqueeze(1) * x.mean(dim=0))


class OverwritesAView(nn.Module):
    """Changes some channels of a value by way of a view of it, which no graph of operations shows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.last = nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = self.conv(x)
        kept[:, :2].mul_(3.0)
        return self.last(kept.sigmoid().mean(dim=(2, 3)))


def test_a_network_that_mixes_the_images_of_a_batch_is_refused() -> None:
    with pytest.raises(UnsupportedNetworkError, match="it may mix the images of a batch"):
        ablate(toys.network(toys.trained(MixesTheBatch())), toys.digits(12))


def test_a_network_that_changes_a_view_in_place_is_measured_by_hooks_in_both_engines() -> None:
    made = toys.network(toys.trained(OverwritesAView()))
    exact, plain = (ablate(made, toys.digits(40), sites=["conv"], engine=engine) for engine in ("exact", "plain"))
    assert any("hooks are used" in warning for warning in exact.record.document["warnings"])
    assert len(exact.flips) > 10
    pd.testing.assert_frame_equal(exact.flips, plain.flips)


def test_a_run_that_was_stopped_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    made = toys.network(toys.trained(toys.Residual()))
    options = {"batch_size": 8, "verify": 9}
    ablate(made, toys.digits(40), out=tmp_path / "whole", **options)

    def stop(done: float, total: float) -> None:
        if done >= 0.55 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(made, toys.digits(40), out=tmp_path / "stopped", progress=stop, **options)
    seen: list[float] = []

    def note(done: float, total: float) -> None:
        seen.append(done / total)

    ablate(made, toys.digits(40), out=tmp_path / "stopped", progress=note, **options)
    assert seen[0] == pytest.approx(0.4)  # two of five batches were kept
    files = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "stopped").iterdir())
    for name in files:
        if name != "record.json":
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name
    documents = [read(tmp_path / name).record.document for name in ("whole", "stopped")]
    times = {"started", "finished", "seconds", "site_seconds"}
    assert [{**each, **dict.fromkeys(times)} for each in documents[:1]] == [{**documents[1], **dict.fromkeys(times)}]


def test_a_run_that_was_stopped_keeps_the_seconds_of_what_was_made_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide(monkeypatch)
    made, tick = toys.network(toys.trained(toys.Residual())), [1.0]

    class Clock:
        def lap(self, site: str, images: int) -> pa.Table:
            return shards.table(shards.TIMES, site, [images], [tick[0]], [tick[0]])

    monkeypatch.setattr(sweep, "SiteClock", Clock)

    def stop(done: float, total: float) -> None:
        if done >= 0.55 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(made, toys.digits(40), out=tmp_path, batch_size=8, progress=stop)
    kept = len(list((tmp_path / "shards").glob("times-*")))
    assert 6 <= kept < 15, "of five batches at three sites"
    tick[0] = 1000.0
    work = ablate(made, toys.digits(40), out=tmp_path, batch_size=8).work
    assert sum(each.seconds for each in work) == kept + 1000 * (15 - kept)
    assert [each.predicted_seconds for each in work] == [5.0, 5.0, 5.0], "at the rate of the first batch"
    assert all(each.multiply_accumulates > 0 for each in work)
    assert [sum(each.pairs.values()) for each in work] == [6 * 40] * 3


def test_a_finished_run_is_read_and_another_question_is_refused(tmp_path: Path) -> None:
    made = toys.network(toys.trained(toys.Residual()))
    first = ablate(made, toys.digits(10), out=tmp_path / "run")
    assert not first.reused
    again = ablate(made, toys.digits(10), out=tmp_path / "run")
    assert again.reused
    pd.testing.assert_frame_equal(first.units, again.units)
    with pytest.raises(OtherRecordError, match="seed is 0 there and 1 here"):
        ablate(made, toys.digits(10), out=tmp_path / "run", seed=1)


def test_everything_that_decides_a_number_changes_the_key() -> None:
    made = toys.trained(toys.Residual())
    base = Ablation.of(toys.network(made), toys.digits(10))
    changed = copy.deepcopy(made)
    changed.conv1.weight.data[0, 0, 0, 0] += 1e-3
    strided = copy.deepcopy(made)
    strided.conv1.padding_mode = "circular"
    other_preprocessing = toys.network(made)
    object.__setattr__(other_preprocessing, "preprocessing", toys.PLAIN.override(mean=[0.1]))
    (block,) = toys.digits(10).blocks(10)
    pixels = np.stack(block.pixels)
    pixels[0, 0, 0] += 1
    questions = [
        Ablation.of(toys.network(changed), toys.digits(10)),
        Ablation.of(toys.network(strided), toys.digits(10)),
        Ablation.of(other_preprocessing, toys.digits(10)),
        Ablation.of(toys.network(made), toys.digits(11)),
        Ablation.of(toys.network(made), (pixels, block.labels)),
        Ablation.of(toys.network(made), toys.digits(10), seed=1),
        Ablation.of(toys.network(made), toys.digits(10), sites=["relu:1"]),
    ]
    keys = [base.key, *(question.key for question in questions)]
    assert len(set(keys)) == len(keys)
    assert Ablation.of(toys.network(copy.deepcopy(made)), toys.digits(10), batch_size=3).key == base.key


def test_verification_fails_loudly_where_an_engine_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    made = load("small", weights="digits")
    right = ExactEngine._exactly

    def wrong(self: ExactEngine, *arguments: object) -> object:
        for rows, units, logits in right(self, *arguments):
            yield rows, units, logits.roll(1, dims=1)

    checked = ablate(made, toys.digits(20), verify=30).record.document["verification"]
    assert sum(checked.values()) == 30
    assert set(checked) == {"low-rank update", "inactive", "linear tail"}
    monkeypatch.setattr(ExactEngine, "_exactly", wrong)
    with pytest.raises(VerificationError, match=r"pairs checked differ from the plain way: site '.*' unit \d+ image"):
        ablate(made, toys.digits(20), verify=30)


def test_unknown_sites_are_named_with_the_nearest_one() -> None:
    with pytest.raises(UnknownSiteError, match="did you mean 'relu3'"):
        ablate(load("small", weights="digits"), "digits", sites=["relu33"], limit=2)


def test_equal_images_lie_in_the_same_half() -> None:
    images = open_images((toys.quarters((0,), (0,), (2,), (2,)), [0, 0, 1, 1]))
    run = ablate(toys.by_hand(), images)
    assert run.record.table("images").groupby("content")["half"].nunique().tolist() == [1, 1]


def test_the_first_of_several_wrong_labels_is_named_and_a_limit_may_leave_them_out() -> None:
    images = (toys.quarters((0,), (1,), (0,), (1,)), [0, 1, 2, 5])
    with pytest.raises(LabelError, match=r"image 2 .* has label 2,.*\(2 of 4 images have such labels\)"):
        ablate(toys.by_hand(), images)
    assert len(ablate(toys.by_hand(), images, limit=2).record.table("images")) == 2


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_without_images_is_refused(size: int) -> None:
    with pytest.raises(UnitsError, match=f"batch_size is a whole number of 1 or more, not {size}"):
        Ablation.of(toys.by_hand(), toys.digits(2), batch_size=size)


def test_the_request_says_everything_that_decides_a_number() -> None:
    request = Ablation.of(toys.by_hand(), (toys.quarters((0,), (1,)), [0, 1]), seed=3).request
    assert (request["count"], request["sites"], request["engine"], request["seed"]) == (2, ["1"], "exact", 3)
    assert (request["lenslab"], request["network"], request["replacement"]) == (__version__, "toy", "zero")


class Sloped(nn.Module):
    """Its slope stands in its code only, its offset in a buffer only."""

    def __init__(self, slope: float, offset: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.conv, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4, 10)
        self.register_buffer("offset", torch.tensor(offset))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(nn.functional.leaky_relu(self.conv(x) + self.offset, self.slope).amax(dim=(2, 3)))


def test_engine_code_and_buffers_change_the_key() -> None:
    def key(slope: float = 0.1, offset: float = 0.0, **options: str) -> str:
        made = Sloped(slope, offset).eval()
        for parameter in made.parameters():
            parameter.data.fill_(0.1)
        return Ablation.of(toys.network(made), toys.digits(4), **options).key

    assert key() == key()
    assert len({key(), key(slope=0.2), key(offset=0.5), key(engine="plain")}) == 4


def test_the_closed_form_gives_the_same_integers_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    made = toys.trained(toys.Branches())
    whole = flips_of(made, sites=["silu", "mean"])
    assert len(whole) > 20
    monkeypatch.setattr("lenslab.units.engine.exact_engine._ELEMENTS", 7 * 10 * 3)  # three images at a time
    pd.testing.assert_frame_equal(whole, flips_of(made, sites=["silu", "mean"]))


@pytest.mark.parametrize("module", [toys.Residual, toys.Shared, toys.Untraceable])
def test_pairs_are_counted_once_by_the_path_that_decided_them(module: type[nn.Module]) -> None:
    made = toys.network(toys.trained(module()))
    record = ablate(made, toys.digits(20), sites=["*"], batch_size=6, attributes=False).record
    units = {site["name"]: site["units"] for site in record.document["sites"]}
    assert {site: sum(paths.values()) for site, paths in record.document["paths"].items()} == {
        site: 20 * count for site, count in units.items()
    }


def test_every_call_is_silenced_on_its_own_where_only_hooks_see_the_network() -> None:
    made = toys.trained(toys.Residual())

    class Opaque(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = made

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) if bool(x.isfinite().all()) else x.flatten(1)[:, :10]

    opened = flips_of(made, sites=["relu:2", "relu:3"])
    hidden = flips_of(Opaque().eval(), sites=["inner.relu:*"])
    assert opened.groupby("site").size().min() > 5
    names = {"relu:2": "inner.relu:1", "relu:3": "inner.relu:2"}  # the first one is a function, which hooks do not see
    pd.testing.assert_frame_equal(opened.assign(site=opened["site"].map(names)), hidden)


def test_float32_is_full_while_the_engine_runs() -> None:
    seen: set[object] = set()
    before = precisions()
    ablate(toys.by_hand(), (toys.quarters((0,), (1,)), [0, 1]), progress=lambda *_: seen.update(precisions()))
    assert seen <= {"ieee", False}
    assert precisions() == before


def test_a_record_without_a_directory_goes_with_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    images = (toys.quarters((0,), (1,)), [0, 1])
    run = ablate(toys.by_hand(), images)
    assert [path.is_dir() for path in tmp_path.iterdir()] == [True]
    assert len(run.units) == 4
    del run
    gc.collect()
    assert list(tmp_path.iterdir()) == []

    def stop(_done: float, _total: float) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        ablate(toys.by_hand(), images, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_norm_of_a_unit_is_that_of_the_filters_that_make_it() -> None:
    made = toys.trained(toys.Residual())
    units = ablate(toys.network(made), toys.digits(10), sites=["relu:*", "max_pool2d"]).units
    norms = {str(site): rows["l1_norm"].to_numpy() for site, rows in units.groupby("site")}
    for site, layer in (("relu:1", made.stem), ("relu:2", made.conv1), ("relu:3", made.conv2)):
        np.testing.assert_allclose(norms[site], layer.weight.detach().abs().sum(dim=(1, 2, 3)), rtol=1e-6)
    assert np.isnan(norms["max_pool2d"]).all()
    assert len({norms[site][0] for site in ("relu:1", "relu:2", "relu:3")}) == 3


def test_activations_are_each_units_mean_over_its_positions() -> None:
    made, images = toys.trained(toys.Branches()), toys.digits(11)
    record = ablate(toys.network(made), images, sites=["right.1", "mean"], batch_size=4).record
    with torch.inference_mode():
        expected = made.right(toys.PLAIN(next(images.blocks(11)).pixels)).mean(dim=(2, 3))
    table = record.table("activations")
    assert list(table.columns) == ["image", "right.1", "mean"]
    np.testing.assert_allclose(np.stack(table["right.1"]), expected, rtol=1e-5, atol=1e-6)
    assert np.stack(table["mean"]).shape == (11, 7)


def test_selectivity_is_that_of_the_recorded_activations() -> None:
    record = ablate(toys.network(toys.trained(toys.Branches())), toys.digits(40), sites=["right.1"]).record
    activations = pd.DataFrame(np.stack(record.table("activations")["right.1"]).astype(float))
    means = activations.groupby(toys.digits(40).labels).mean()
    others = (means.sum() - means.max()) / (len(means) - 1)
    expected = (means.max() - others) / (means.max() + others)
    assert expected.nunique() == 5
    np.testing.assert_allclose(record.table("units")["class_selectivity"], expected)


def test_a_batch_is_as_large_as_its_recorded_values_allow() -> None:
    assert Ablation.of(toys.by_hand(), (toys.quarters((0,)), [0])).batch_size == 256
    question = Ablation.of(load("resnet20", untrained=True), toys.digits(2), sites=["*"])
    recorded = 4 * sum(int(np.prod(plan.site.shape)) for plan in question.plans)
    assert 16 < question.batch_size < 256
    assert question.batch_size * recorded <= 2**28 < (question.batch_size + 1) * recorded


def test_the_halves_are_those_of_the_seed() -> None:
    made = toys.network(toys.trained(toys.Branches()))
    tables = [ablate(made, toys.digits(40), sites=["mean"], seed=seed).record.table("images") for seed in (0, 1)]
    assert tables[0]["half"].tolist() != tables[1]["half"].tolist()
    for seed, table in enumerate(tables):
        assert table["half"].tolist() == list(halves(table["label"].to_numpy(), table["content"].tolist(), seed=seed))


def test_the_record_describes_network_sites_and_images() -> None:
    made = toys.network(toys.trained(toys.Untraceable()))
    document = ablate(made, toys.digits(30), sites=["relu1", "conv2"], seed=4).record.document
    sites = [(site["name"], site["units"], site["default"], site["shape"], site["path"]) for site in document["sites"]]
    assert sites == [("relu1", 6, True, [6, 8, 8], "whole network"), ("conv2", 6, False, [6, 8, 8], "whole network")]
    assert (document["images"]["count"], document["images"]["classes"]) == (30, 10)
    assert document["images"]["class_names"] == list(toys.digits(1).class_names or ()) or None
    assert (document["seed"], document["replacement"], document["engine"]) == (4, "zero", "exact")
    assert len(document["warnings"]) == 1
    assert "torch.fx cannot trace this network" in document["warnings"][0]
    assert document["network"]["parameters"] == sum(part.numel() for part in made.module.parameters())


def test_a_dry_runs_cost_is_one_golden_pass_and_every_units_rest() -> None:
    images = (toys.quarters((0,), (1,), (2,)), [0, 1, 0])
    golden = 4 * 2 * 2 * 16 + 16 * 2
    closed = 4 * (4 * 2)  # 4 units, each at 4 positions times 2 classes
    assert Ablation.of(toys.by_hand(), images).cost == 3 * (golden + closed)
    assert Ablation.of(toys.by_hand(), images, engine="plain").cost == 3 * (golden + 4 * golden)
    assert Ablation.of(toys.by_hand(), images, sites=["0"]).cost == 3 * (golden + 4 * 4 * 2), (
        "of the linear layer a channel"
    )
    assert Ablation.of(toys.network(toys.trained(toys.Untraceable())), toys.digits(3)).cost is None


@pytest.mark.parametrize("name", ["toaster", "cuda:99", ""])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UnitsError, match=f"no device '{name}' here .*; cpu is always there"):
        ablate(toys.by_hand(), (toys.quarters((0,)), [0]), device=name)


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnitsError, match="no engine named 'fast'; there are exact, plain"):
        Ablation.of(toys.by_hand(), toys.digits(2), engine="fast")


def test_a_finished_record_is_left_as_it_is_when_it_is_read_again(tmp_path: Path) -> None:
    for _ in range(2):
        ablate(toys.by_hand(), (toys.quarters((0,)), [0]), out=tmp_path)
    assert not (tmp_path / "request.json").exists()


def test_a_verification_that_is_asked_for_is_never_skipped(tmp_path: Path) -> None:
    images = (toys.quarters((0,), (1,)), [0, 1])
    ablate(toys.by_hand(), images, out=tmp_path)
    assert read(tmp_path).verification == {}
    checked = ablate(toys.by_hand(), images, out=tmp_path, verify=4)
    assert checked.verified == {"recorded": 4}
    assert read(tmp_path).verification == checked.verification == {"recorded": 4}
    ablate(toys.by_hand(), images, out=tmp_path, verify=2)
    assert read(tmp_path).verification == {"recorded": 4}, "a smaller check takes nothing back"


def test_a_network_that_is_named_takes_the_weights_that_were_made_for_the_images() -> None:
    named, loaded = (
        Ablation.of("small", "digits", limit=10),
        Ablation.of(load("small", weights="digits"), "digits", limit=10),
    )
    assert named.key == loaded.key


def test_a_record_of_a_network_that_has_other_values_than_weights_is_not_taken_for_another(tmp_path: Path) -> None:
    class Scaled(nn.Module):
        """torch.fx cannot trace it, and what it does hangs on a number that is neither parameter nor buffer."""

        def __init__(self) -> None:
            super().__init__()
            self.net, self.scale = toys.trained(toys.Residual()), np.ones(10, np.float32)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if bool(x.isnan().any()):
                raise ValueError
            return self.net(x) * torch.from_numpy(self.scale)

    module = Scaled().eval()
    measure = lambda: ablate(toys.network(module), toys.digits(30), sites=["net.conv1"], out=tmp_path / "run")  # noqa: E731
    measure()
    assert measure().reused
    module.scale = np.linspace(-1, 1, 10, dtype=np.float32)
    with pytest.raises(OtherThanAskedError, match="neither parameters nor buffers"):
        measure()
