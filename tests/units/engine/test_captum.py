"""Captum as an independent oracle: the same counts from another implementation, pair by pair."""

from __future__ import annotations

import pytest
import torch
from captum.attr import LayerFeatureAblation

from lenslab.units import ablate
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
