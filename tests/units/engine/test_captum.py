"""Captum as an independent oracle: the same counts from another implementation, pair by pair."""

from __future__ import annotations

import pytest
import torch
from captum.attr import LayerFeatureAblation

from lenslab.units import ablate
from lenslab.units.engine.near_ties import NEAR_TIE, decide
from tests.units import toys


@pytest.mark.parametrize("layer", ["bn1", "bn2", "conv2"])
def test_captum_finds_the_same_flips_on_a_residual_network(layer: str) -> None:
    # Not in place: Captum keeps a layer's output by reference, which an operation in place would overwrite.
    made, images = toys.trained(toys.Residual(in_place=False)), toys.digits(60)
    run = ablate(toys.network(made), images, sites=[layer])
    (block,) = images.blocks(60)
    inputs, labels = toys.PLAIN(block.pixels), torch.tensor(block.labels)

    def correct(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (made(x).argmax(dim=1) == y).float()

    attributions = LayerFeatureAblation(correct, made.get_submodule(layer)).attribute(
        inputs,
        layer_baselines=0.0,
        additional_forward_args=(labels,),
        layer_mask=torch.arange(6).view(1, 6, 1, 1),
        perturbations_per_eval=3,
    )
    captum = attributions[:, :, 0, 0].round().to(torch.int64)  # +1 a loss, -1 a gain; the same at every position
    ours = torch.zeros_like(captum)
    flips = run.flips
    change = (flips["before"] == flips["label"]).astype(int) - (flips["after"] == flips["label"]).astype(int)
    ours[flips["image"].to_list(), flips["unit"].to_list()] = torch.tensor(change.to_list())
    assert (captum != 0).sum() > 20
    assert torch.equal(captum, ours)


@pytest.mark.parametrize("twins", [False, True])
@pytest.mark.parametrize("layer", ["left.1", "right.1", "mix"])
def test_captum_finds_the_same_flips_on_concatenated_branches_near_ties_apart(layer: str, twins: bool) -> None:
    made = toys.trained(toys.Branches())
    if twins:  # classes 0 and 1 differ by what float32 can hardly hold
        made.last.weight.data[1] = made.last.weight[0] * (1 + 1e-7)
        made.last.bias.data[1] = made.last.bias[0]
    units = {"left.1": 4, "right.1": 5, "mix": 7}[layer]
    (block,) = toys.digits(60).blocks(60)
    inputs = toys.PLAIN(block.pixels)
    flips = ablate(toys.network(made), toys.digits(60), sites=[layer]).flips
    ours = torch.zeros(60, units, dtype=torch.bool)
    ours[flips["image"].to_list(), flips["unit"].to_list()] = True

    before = made(inputs).argmax(dim=1)
    captum = LayerFeatureAblation(
        lambda x, classes: (made(x).argmax(dim=1) == classes).float(), made.get_submodule(layer)
    ).attribute(
        inputs,
        layer_baselines=0.0,
        additional_forward_args=(before,),
        layer_mask=torch.arange(units).view(1, units, 1, 1),
        perturbations_per_eval=3,
    )
    theirs = captum[:, :, 0, 0] != 0

    near = torch.zeros_like(ours)
    for unit in range(units):
        handle = made.get_submodule(layer).register_forward_hook(
            lambda _layer, _inputs, output, unit=unit: output.index_fill(1, torch.tensor([unit]), 0.0)
        )
        with torch.inference_mode():
            silenced = decide(made(inputs)).margin
        handle.remove()
        with torch.inference_mode():
            near[:, unit] = torch.minimum(silenced, decide(made(inputs)).margin) < NEAR_TIE
    assert bool(near.any()) is twins
    assert (theirs & ~near).sum() > 10
    assert torch.equal(ours & ~near, theirs & ~near)
