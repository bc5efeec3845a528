"""What a silenced unit becomes: each replacement against another way to say the same thing."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lenslab.units import Ablation, ablate
from lenslab.units.engine.random_directions import haar
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT
from lenslab.units.errors import UnitsError, UnsupportedNetworkError
from tests.units import toys

INTEGERS = ["site", "unit", "image", "label", "before", "after"]


@pytest.mark.crossed
@pytest.mark.parametrize("replacement", ["zero", "mean", "mean-map", "filter", 0.7])
@pytest.mark.parametrize("module", [toys.Residual, toys.Branches, toys.Shared])
def test_both_engines_agree_for_every_replacement(module: type[nn.Module], replacement: str | float) -> None:
    made = toys.network(toys.trained(module()))
    exact, plain = (
        ablate(made, toys.digits(40), replacement=replacement, engine=engine, attributes=False)
        for engine in ("exact", "plain")
    )
    assert len(exact.flips) > 20
    pd.testing.assert_frame_equal(exact.flips[INTEGERS], plain.flips[INTEGERS])


def test_replacements_are_not_the_same_thing() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    found = {
        word: ablate(made, toys.digits(40), replacement=word, sites=["relu:2"]).units["losses"].tolist()
        for word in ("zero", "mean", "mean-map", "filter", "0.7")
    }
    assert len({tuple(losses) for losses in found.values()}) == len(found)


def test_filter_is_what_zeroed_weights_and_bias_give() -> None:
    made = toys.trained(toys.Residual())
    (block,) = toys.digits(40).blocks(40)
    inputs = toys.PLAIN(block.pixels)
    with torch.inference_mode():
        before = made(inputs).argmax(dim=1).numpy()
    expected = set()
    for unit in range(6):
        zeroed = copy.deepcopy(made)
        zeroed.conv1.weight.data[unit] = 0
        with torch.inference_mode():
            after = zeroed(inputs).argmax(dim=1).numpy()
        expected |= {(unit, int(image), int(after[image])) for image in np.flatnonzero(after != before)}
    run = ablate(toys.network(made), toys.digits(40), replacement="filter", sites=["relu:2"])
    assert len(expected) > 5
    assert set(map(tuple, run.flips[["unit", "image", "after"]].to_numpy().tolist())) == expected


def test_a_mean_is_measured_over_the_reference_images_alone() -> None:
    # Every unit sums the white quarters; over the reference images the mean is 16 at quarter 0 and nothing elsewhere.
    reference = (toys.quarters((0,), (0,)), [0, 0])
    images = (toys.quarters((1, 2), (2,)), [1, 1])  # logits: class 0 = quarters 0 + 1, class 1 = 1.5 * quarter 2
    by_map = ablate(toys.by_hand(), images, replacement="mean-map", reference=reference)
    # Unit 2 becomes its map of the reference, which has nothing at quarter 2: class 1 falls to 0 and class 0 wins, on
    # the second image by the lowest label among tied ones. Unit 0 becomes 16 at quarter 0: class 0 gets 16 + 16 > 24.
    assert sorted(map(tuple, by_map.flips[["unit", "image", "after"]].to_numpy().tolist())) == [
        (0, 0, 0),
        (2, 0, 0),
        (2, 1, 0),
    ]
    request = by_map.record.document["request"]
    assert (request["replacement"], request["reference_count"]) == ("mean-map", 2)


def test_a_mean_does_not_depend_on_the_batch_size() -> None:
    made = toys.network(toys.trained(toys.Branches()))
    small, large = (ablate(made, toys.digits(40), replacement="mean", batch_size=size).flips for size in (3, 40))
    assert len(small) > 20
    pd.testing.assert_frame_equal(small, large)


def test_the_replacement_and_its_reference_are_part_of_the_question() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    questions = [
        Ablation.of(made, toys.digits(10)),
        Ablation.of(made, toys.digits(10), replacement="mean"),
        Ablation.of(made, toys.digits(10), replacement="mean-map"),
        Ablation.of(made, toys.digits(10), replacement="mean", reference=toys.digits(20)),
        Ablation.of(made, toys.digits(10), replacement="filter"),
        Ablation.of(made, toys.digits(10), replacement=0.5),
    ]
    assert len({question.key for question in questions}) == len(questions)
    assert Ablation.of(made, toys.digits(10), replacement=0).key == questions[0].key


def test_verification_checks_the_replacement_that_was_used() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    run = ablate(made, toys.digits(30), replacement="mean", verify=40)
    assert sum(run.record.document["verification"].values()) == 40


@pytest.mark.parametrize("word", ["median", "nan", "inf", ""])
def test_a_replacement_that_there_is_not_is_refused(word: str) -> None:
    with pytest.raises(UnitsError, match=r"no replacement .* there are zero \(0\), mean"):
        Ablation.of(toys.by_hand(), (toys.quarters((0,)), [0]), replacement=word)


def test_filters_that_are_not_seen_are_refused_by_the_site() -> None:
    with pytest.raises(UnsupportedNetworkError, match="make the units of site 'relu1'"):
        Ablation.of(toys.network(toys.trained(toys.Untraceable())), toys.digits(5), replacement="filter")


@pytest.mark.parametrize("module", [toys.Residual, toys.Branches, toys.Shared])
def test_both_engines_agree_for_directions_and_for_sets(module: type[nn.Module]) -> None:
    made = toys.network(toys.trained(module()))
    last = Ablation.of(made, toys.digits(5)).plans[-1].site
    groups = {last.name: [[0, 1], [], last.all_but([2]), range(last.units)]}
    for options in ({"basis": "haar"}, {"groups": groups}, {"groups": groups, "replacement": "mean"}):
        exact, plain = (
            ablate(made, toys.digits(40), engine=engine, attributes=False, **options) for engine in ("exact", "plain")
        )
        assert len(exact.flips) > 20
        pd.testing.assert_frame_equal(exact.flips[INTEGERS], plain.flips[INTEGERS])


def test_sets_of_one_are_units() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    alone = ablate(made, toys.digits(40), sites=["relu:2"])
    sets = ablate(made, toys.digits(40), groups={"relu:2": [[unit] for unit in range(6)]})
    pd.testing.assert_frame_equal(alone.flips, sets.flips)
    numbers = ["accuracy_drop", "max_class_drop", "class_selectivity"]
    pd.testing.assert_frame_equal(alone.units[numbers], sets.units[numbers])
    assert sets.units["l1_norm"].isna().all()


def test_the_empty_set_changes_nothing_and_the_whole_one_leaves_the_bias() -> None:
    made = toys.by_hand()
    images = (toys.quarters((0,), (2,), (1, 2)), [0, 1, 1])
    run = ablate(made, images, groups={"1": [[], range(4), [0, 1, 3]]})
    # Without units every logit is 0 and class 0 wins; with unit 2 alone class 1 wins wherever quarter 2 is white.
    assert sorted(map(tuple, run.flips[["unit", "image", "after"]].to_numpy().tolist())) == [(1, 1, 0), (1, 2, 0)]


def test_directions_of_the_units_themselves_are_units() -> None:
    from lenslab.units.engine.random_directions import Directions

    value = torch.randn(6, 4, 3, 3, dtype=torch.float64)
    axes = Directions(torch.eye(4, dtype=torch.float64))
    targets = torch.tensor([0, 1, 2, 3, 0, 2])
    assert torch.equal(axes.applied(value, targets), ZERO_REPLACEMENT.applied(value, targets))
    assert torch.equal(axes.target_means(value[:, :, 0, 0]), value[:, :, 0, 0])


def test_taking_every_direction_out_leaves_nothing() -> None:
    value = torch.randn(1, 5, 2, 2, dtype=torch.float64)
    directions = haar(5, seed=3)
    for thing in range(5):
        value = directions.applied(value, torch.tensor([thing]))
    torch.testing.assert_close(value, torch.zeros_like(value))
    assert not torch.equal(haar(5, seed=3).basis, haar(5, seed=4).basis)


def test_directions_and_sets_are_part_of_the_question() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    questions = [
        Ablation.of(made, toys.digits(10), sites=["relu:2"]),
        Ablation.of(made, toys.digits(10), sites=["relu:2"], basis="haar"),
        Ablation.of(made, toys.digits(10), groups={"relu:2": [[0]]}),
        Ablation.of(made, toys.digits(10), groups={"relu:2": [[0], [1]]}),
    ]
    assert len({question.key for question in questions}) == len(questions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"basis": "fourier"}, "no basis 'fourier'"),
        ({"basis": "haar", "replacement": "mean"}, "random directions are taken out"),
        ({"groups": {"relu:2": [[6]]}}, "has no unit 6; its units are 0 to 5"),
        ({"groups": {"relu:9": [[0]]}}, "no site matches 'relu:9'"),
    ],
)
def test_directions_and_sets_that_cannot_be_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UnitsError, match=message):
        Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(5), **options)
