"""What a run was asked of is found again, or refused by name."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lenslab.units import Network, Preprocessing, Run, ablate, load, open_images, trace
from lenslab.units.errors import (
    LabelError,
    OtherThanAskedError,
    UnknownImagesError,
    UnknownNetworkError,
    WeightsError,
)
from lenslab.units.run_inputs import images_again, network_again, reference_again, refuse_other_architecture
from tests.units import toys


@pytest.fixture(scope="module")
def run() -> Run:
    return ablate(load("small", weights="digits"), "digits", sites=["relu3"], limit=40)


@pytest.fixture(scope="module")
def own() -> Run:
    return ablate(toys.network(toys.trained(toys.Branches())), toys.digits(20), sites=["silu"])


def test_shipped_weights_and_named_images_are_found_by_what_the_record_says(run: Run) -> None:
    again = network_again(run)
    assert again.weights == load("small", weights="digits").weights
    images = images_again(run)
    assert (len(images), images.source) == (40, "digits")


def test_other_weights_are_refused_by_name(run: Run, own: Run, tmp_path: Path) -> None:
    network = load("small", weights="digits")
    with torch.no_grad():
        network.module.linear.bias[0] += 1e-3
    torch.save(network.module.state_dict(), tmp_path / "tuned.pth")
    for given in ({"weights": tmp_path / "tuned.pth"}, {"network": network}):
        with pytest.raises(OtherThanAskedError, match=r"the weights of small .* are not those of .*small-digits"):
            network_again(run, **given)
    with pytest.raises(OtherThanAskedError, match="the weights of toy"):
        network_again(own, toys.network(toys.trained(toys.Branches(), seed=1)))


def test_a_network_without_a_name_has_to_be_given(own: Run) -> None:
    with pytest.raises(UnknownNetworkError, match=r"was measured on 'toy'.* give it as network= from Python"):
        network_again(own)
    network = toys.network(toys.trained(toys.Branches()))
    assert network_again(own, network) is network


def test_another_preprocessing_is_refused(own: Run) -> None:
    made = toys.trained(toys.Branches())
    with pytest.raises(OtherThanAskedError, match="was measured with the preprocessing"):
        network_again(own, Network("toy", made, Preprocessing(1, (8, 8), (0.5,), (1.0,)), 10))


def test_weights_in_a_file_are_asked_for_where_they_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(load("small", weights="digits").module.state_dict(), tmp_path / "mine.pth")
    grey = Preprocessing(1, (8, 8), (0.3,), (0.3,))
    measured = ablate(
        load("small", weights=tmp_path / "mine.pth", preprocessing=grey), toys.digits(10), sites=["relu3"]
    )
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(WeightsError, match=r"the weights mine\.pth of .* are not here; .* --weights FILE"):
        network_again(measured)
    assert network_again(measured, weights=tmp_path / "mine.pth").preprocessing == grey
    monkeypatch.chdir(tmp_path)
    assert network_again(measured).preprocessing == grey


def test_another_architecture_with_the_same_weights_is_refused(own: Run) -> None:
    changed = toys.trained(toys.Branches())
    changed.left[1].negative_slope = 0.3
    network = network_again(own, toys.network(changed))
    with pytest.raises(OtherThanAskedError, match="another architecture"):
        refuse_other_architecture(own, network, trace(changed, (1, 8, 8)))
    same = toys.trained(toys.Branches())
    refuse_other_architecture(own, network, trace(copy.deepcopy(same), (1, 8, 8)))


def test_other_images_are_refused_by_name(run: Run) -> None:
    (block,) = toys.digits(20).blocks(20)
    pixels = np.stack(block.pixels)
    arrays = ablate(toys.network(toys.trained(toys.Branches())), (pixels, block.labels), sites=["silu"])
    with pytest.raises(UnknownImagesError, match=r"are not here; .* images= from Python"):
        images_again(arrays)
    assert len(images_again(arrays, (pixels, block.labels))) == 20
    pixels[3, 2, 2] += 1
    with pytest.raises(OtherThanAskedError, match=r"are not those of"):
        images_again(arrays, (pixels, block.labels))
    with pytest.raises(OtherThanAskedError, match="the images digits-train"):
        images_again(run, "digits-train")


def test_a_mapping_of_classes_is_read_off_the_labels(tmp_path: Path) -> None:
    turned = {digit: 9 - digit for digit in range(10)}
    mapped = open_images("digits").mapped(10, turned)
    run = ablate(load("small", weights="digits"), mapped, sites=["relu3"])
    again = images_again(run)
    assert again.sha256 == mapped.sha256
    assert again.labels.tolist() == mapped.labels.tolist()
    few = ablate(load("small", weights="digits"), mapped, sites=["relu3"], limit=2)  # shows two of ten classes
    with pytest.raises(OtherThanAskedError, match="--classes FILE"):
        images_again(few)
    (tmp_path / "classes.json").write_text(json.dumps(turned))
    assert len(images_again(few, classes=tmp_path / "classes.json")) == 2


def test_reference_images_are_the_runs_own_or_have_to_be_named() -> None:
    network = toys.network(toys.trained(toys.Branches()))
    none, own, other = (
        ablate(network, toys.digits(20), sites=["silu"], **options)
        for options in ({}, {"replacement": "mean"}, {"replacement": "mean", "reference": "digits-train"})
    )
    assert reference_again(none) is None
    assert len(reference_again(own)) == 20
    with pytest.raises(OtherThanAskedError, match=r"measured the mean of its units on other images .* --reference"):
        reference_again(other)
    assert len(reference_again(other, reference="digits-train")) == 1207
    with pytest.raises(OtherThanAskedError, match="the reference images digits"):
        reference_again(other, reference="digits")


NAMES = [str(9 - digit) for digit in range(10)]


def test_where_images_and_network_number_the_same_names_differently_labels_go_by_name_and_are_found_again() -> None:
    usual = load("small", weights="digits")
    with torch.no_grad():
        for tensor in (usual.module.linear.weight, usual.module.linear.bias):
            tensor.copy_(tensor.flip(0).clone())
    turned = replace(usual, class_names=tuple(NAMES))
    run = ablate(turned, "digits", limit=60, sites=["relu3"])
    assert run.accuracy > 0.9
    assert [each.startswith("10 of 10 classes of digits go by name") for each in run.assumptions] == [True]
    assert images_again(run).labels.tolist() == [9 - label for label in toys.digits(60).labels]
    assert run.curve("l1_norm", steps=[8], site="relu3").points["size"].tolist() == [0, 8, 64]


def test_names_that_contradict_the_networks_are_refused_and_by_number_is_found_again() -> None:
    network = load("small", weights="fashion-mnist")
    with pytest.raises(LabelError, match=r"digits and the network name their classes differently.*--classes by-number"):
        ablate(network, "digits", limit=60, sites=["relu3"])
    run = ablate(network, open_images("digits").mapped(10, "by-number"), limit=60, sites=["relu3"])
    assert run.dataset.class_names == network.class_names
    again = images_again(run)
    assert (again.sha256, again.class_names) == (run.dataset.sha256, None)
    assert run.curve("l1_norm", steps=[8], site="relu3").points["size"].tolist() == [0, 8, 64]


def test_names_that_an_architecture_usually_has_give_way_to_those_of_the_images(tmp_path: Path) -> None:
    torch.save(load("small", weights="digits").module.state_dict(), tmp_path / "mine.pth")
    run = ablate(load("small", weights=tmp_path / "mine.pth", mean=0.3051, sd=0.3757, size=8), "digits", limit=20)
    assert run.accuracy > 0.9
    assert run.dataset.class_names == tuple(map(str, range(10)))
