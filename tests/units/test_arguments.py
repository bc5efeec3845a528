"""Arguments of the wrong kind: every one is refused with a sentence that names it, and nothing is taken in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lenslab import units
from lenslab.runs import Run
from lenslab.units.errors import UnitsError

WRONG = [
    *(("limit", value) for value in ("30", 2.5, True)),
    *(("seed", value) for value in ("1", 0.5, -1, None)),
    *(("top", value) for value in ("3", 2.5, -1)),
    *(("batch_size", value) for value in ("8", 0, 2.5)),
    *(("draws", value) for value in ("3", 1.5)),
    *(("verify", value) for value in ("5", -1, True, 2.5)),
    *(("sites", value) for value in (3, [], {"relu3": [1]}, [None])),
    *(("replacement", value) for value in ([0], True, {})),
    *(("groups", value) for value in ({"relu3": []}, {"relu3": [[0.5]]}, {"relu3": [["0"]]}, {"relu*": [[0]]}, [[0]])),
    ("attributes", "no"),
    ("out", 5),
    ("progress", "yes"),
    ("device", 3.5),
    ("concepts", 7),
]


@pytest.fixture(scope="module")
def network() -> units.Network:
    return units.load("small", weights="digits")


@pytest.fixture(scope="module")
def run(network: units.Network) -> Run:
    return units.ablate(network, "digits", sites="relu3", limit=60)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value!r}" for name, value in WRONG])
def test_an_argument_of_the_wrong_kind_is_refused_with_a_sentence(
    network: units.Network, name: str, value: Any
) -> None:
    asked: dict[str, Any] = {"limit": 20, name: value}
    if name not in ("sites", "groups"):
        asked["sites"] = "relu3"
    if name == "draws":
        asked["replacement"] = "resample"
    with pytest.raises(UnitsError, match=r"\w+ \w+ \w+"):
        units.ablate(network, "digits", **asked)


def test_of_more_pairs_than_there_are_all_are_verified(network: units.Network) -> None:
    run = units.ablate(network, "digits", sites="relu3", limit=3, verify=10**9)
    again = units.ablate(network, "digits", sites="relu3", limit=3, out=run.directory, verify=10**9)
    for each in (run, again):
        assert 0 < sum(each.verified.values()) <= 64 * 3


def test_sites_are_taken_as_trace_gives_them(network: units.Network) -> None:
    relu3 = units.trace(network).sites["relu3"]
    assert [site.name for site in units.ablate(network, "digits", sites=relu3, limit=10).sites] == ["relu3"]


def test_groups_and_sites_are_not_both_given(network: units.Network) -> None:
    with pytest.raises(UnitsError, match="leave sites"):
        units.ablate(network, "digits", groups={"relu3": [[1]]}, sites="relu1", limit=10)


@pytest.mark.parametrize(
    "given", [{"weights": "digits"}, {"untrained": True}, {"preprocessing": {"mean": 0.5}}, {"weights": {"a": 1}}]
)
def test_what_a_module_says_itself_is_not_given_again(network: units.Network, given: dict[str, Any]) -> None:
    with pytest.raises(UnitsError):
        units.load(network.module, **{"mean": 0.5, "sd": 0.25, "size": 8, **given})


@pytest.mark.parametrize("given", [{"name": "mine"}, {"class_names": ["a", "b"]}])
def test_a_network_that_is_loaded_by_name_is_not_named_again(given: dict[str, Any]) -> None:
    with pytest.raises(UnitsError, match="module of your own"):
        units.load("small", weights="digits", **given)


@pytest.mark.parametrize(
    "asked",
    [
        lambda run: run.destinations(unit="3"),
        lambda run: run.units_for("8", level=2),
        lambda run: run.units_for("8", level="x"),
        lambda run: run.compare(run, level=-0.1),
        lambda run: run.compare(run, paired="yes"),
        lambda run: run.curve(steps="20"),
        lambda run: run.curve(steps=[1.5]),
        lambda run: run.curve(repeats=0),
        lambda run: run.curve(repeats="3"),
        lambda run: run.curve(keep=1),
        lambda run: run.curve([0.5, 1]),
    ],
)
def test_a_finished_run_refuses_them_as_well(run: Run, asked: Any) -> None:
    with pytest.raises(UnitsError):
        asked(run)


@pytest.mark.parametrize("silent", [0, "0", [0.5], ["0"], [True], [64], [-1]])
def test_silent_units_are_whole_numbers_of_the_site(network: units.Network, silent: Any) -> None:
    with pytest.raises(UnitsError):
        units.silenced(network, "relu3", silent)
    with pytest.raises(UnitsError):
        units.Mask.of(network, "relu3", silent)


def test_a_mask_without_units_says_what_is_missing(network: units.Network) -> None:
    with pytest.raises(UnitsError, match="a site and its units"):
        units.Mask.of(network, "relu3")
    with pytest.raises(UnitsError, match="no unit 64"):
        units.trace(network).sites["relu3"].all_but([64])


def test_sets_are_numbered_as_they_were_given(network: units.Network) -> None:
    few = units.ablate(network, "digits", groups={"relu3": [list(range(50)), [1]]}, limit=60)
    assert len(few.destinations(unit=0)) > 0
    with pytest.raises(UnitsError, match="no set 20; relu3 has 0 to 1"):
        few.destinations(unit=20)
    many = units.ablate(network, "digits", groups={"relu3": [[1]] * 69 + [list(range(64))]}, limit=60)
    assert len(many.destinations(unit=69)) > 0


def test_lists_of_units_that_begin_alike_are_told_apart(run: Run) -> None:
    one, other = list(range(10)), [*range(8), 9, 8]
    curve = run.curve([one, other], steps=[9])
    assert curve.points["order"].nunique() == 2
    assert curve.areas["order"].nunique() == 2


def test_a_seed_of_numpy_is_a_seed(network: units.Network) -> None:
    seeded = units.ablate(network, "digits", sites="relu3", limit=20, seed=np.int64(2))  # type: ignore[arg-type]
    assert seeded.seed == 2


@pytest.mark.parametrize("asked", [{"bins": 0}, {"bins": 1.5}, {"top": 0}, {"top": -1}, {"rank_images": -1}])
def test_attributes_are_measured_with_whole_numbers(network: units.Network, asked: dict[str, Any]) -> None:
    with pytest.raises(UnitsError, match="whole number"):
        units.measure_attributes(network, "digits", sites=["relu3"], limit=20, **asked)


def test_a_curve_takes_the_network_and_the_images_of_a_run_that_was_just_measured() -> None:
    loaded = units.load("small", weights="digits")
    own = units.load(loaded.module, mean=0.5, sd=0.25, size=8, name="mine")
    digits = units.open_images("digits").limited(60)
    pixels = [(image, int(label)) for image, label in zip(_pixels(digits), digits.labels, strict=True)]
    run = units.ablate(own, pixels, sites="relu3")
    curve = run.curve("own-drop", steps=[8])
    assert curve.metadata["read_on"]["images"] > 0
    with pytest.raises(UnitsError):
        Run(run.record).curve("own-drop", steps=[8])


def _pixels(images: units.Images) -> list[Any]:
    (block,) = images.blocks(len(images))
    return list(block.pixels)
