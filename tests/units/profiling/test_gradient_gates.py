"""Gates: value times gradient in one backward pass, on networks that other tools trip over."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import UnitsError, trace
from lenslab.units.profiling.gradient_gates import GradientGates
from tests.units import toys

CPU = torch.device("cpu")
NETWORKS = [toys.Residual, toys.Branches, toys.Shared, toys.Untraceable]


def golden_of(traced, inputs):
    with torch.inference_mode():
        return traced.program(CPU).golden(inputs, list(traced.sites))


def batch(count: int = 5) -> tuple[Tensor, np.ndarray]:
    images = toys.digits(count)
    return toys.PLAIN(next(images.blocks(count)).pixels), images.labels


def test_products_are_what_the_chain_rule_gives_by_hand():
    """One white quarter: unit 0 is 16 at its first position, and its logit is 16; p = softmax([16, 0])."""
    network = toys.by_hand()
    network.module[3].weight.data /= 16
    inputs = toys.PLAIN([image[:, :, None] for image in toys.quarters((0,), (2,))])
    traced = trace(network.module, (1, 8, 8))
    found = GradientGates(traced, ["1"], CPU).products(golden_of(traced, inputs), np.array([0, 0]))["1"]
    # Image 0: logits [1, 0]; C = -log p0, dC/dlogit0 = p0 - 1, and unit 0 alone makes logit 0.
    # Image 1: logits [0, 1.5]; dC/dlogit1 = p1, and unit 2 alone makes logit 1.
    first, second = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-1.5))
    expected = [[first - 1, 0, 0, 0], [0, 0, 1.5 * second, 0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("kind", NETWORKS)
def test_products_are_the_slope_of_the_loss_along_each_unit(kind):
    traced = trace(toys.trained(kind()), (1, 8, 8))
    inputs, labels = batch()
    found = GradientGates(traced, list(traced.sites), CPU).products(golden_of(traced, inputs), labels)
    program = traced.program(CPU, precision=torch.float64)
    for name, site in traced.sites.items():
        slopes = np.zeros((len(labels), site.units))
        for unit in range(site.units):
            losses = [_loss(traced, program, name, unit, factor, inputs, labels) for factor in (1 - 1e-5, 1 + 1e-5)]
            slopes[:, unit] = (losses[1] - losses[0]) / 2e-5
        assert np.abs(slopes).max() > 1e-3, name
        assert found[name] == pytest.approx(slopes, abs=2e-4 * np.abs(slopes).max()), name


def _loss(traced, program, name, unit, factor, inputs, labels):
    """The loss of each image with one unit scaled, in float64, by the engine's own means."""
    with torch.inference_mode():
        golden = program.golden(inputs, [name])
        if traced.graph is None:
            return _hooked_loss(traced, name, unit, factor, inputs, labels)
        golden.values[name][:, unit] *= factor
        logits = program.resumed_logits(golden, name, torch.arange(len(labels)), None)
        return F.cross_entropy(logits, torch.tensor(labels), reduction="none").numpy()


def _hooked_loss(traced, name, unit, factor, inputs, labels):
    module = copy.deepcopy(traced.module).double()

    def scale(_layer, _inputs, output):
        output = output.clone()
        output[:, unit] *= factor
        return output

    module.get_submodule(name).register_forward_hook(scale)
    return F.cross_entropy(module(inputs.double()), torch.tensor(labels), reduction="none").numpy()


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_image_has_the_same_products_in_any_batch(kind):
    traced = trace(toys.trained(kind()), (1, 8, 8))
    inputs, labels = batch(6)
    gates = GradientGates(traced, list(traced.sites), CPU)
    together = gates.products(golden_of(traced, inputs), labels)
    for image in range(6):
        alone = gates.products(golden_of(traced, inputs[image : image + 1]), labels[image : image + 1])
        for name, products in alone.items():
            assert products[0] == pytest.approx(together[name][image], abs=1e-4 * np.abs(together[name]).max())


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_callers_network_and_the_mode_around_it_are_left_as_they_were(kind):
    module = toys.trained(kind())
    before = copy.deepcopy(module.state_dict())
    traced = trace(module, (1, 8, 8))
    inputs, labels = batch()
    with torch.inference_mode():
        GradientGates(traced, list(traced.sites), CPU).products(golden_of(traced, inputs), labels)
        assert torch.is_inference_mode_enabled()
    for part in (*module.modules(), *traced.module.modules()):
        assert not part._forward_hooks
        assert not part.training
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(parameter.requires_grad and parameter.grad is None for parameter in module.parameters())


class WithConstant(nn.Module):
    """A constant that is made while the network is traced, in inference mode, and that takes part in the product."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.last = nn.Linear(3, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last((self.conv(x) * torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)).relu().mean((2, 3)))


def test_constants_made_in_inference_mode_do_not_stop_the_backward_pass():
    inputs, labels = batch()
    with torch.inference_mode():
        traced = trace(toys.trained(WithConstant()), (1, 8, 8))
        found = GradientGates(traced, ["conv"], CPU).products(golden_of(traced, inputs), labels)["conv"]
    assert np.abs(found).max() > 0


class Rounded(nn.Module):
    """Cuts the gradient off behind its first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.mix = nn.Conv2d(3, 3, 3)
        self.last = nn.Linear(3, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.mix(self.conv(x).detach()).mean((2, 3)))


def test_a_site_without_a_gradient_path_is_unknown_and_not_zero():
    traced = trace(toys.trained(Rounded()), (1, 8, 8))
    inputs, labels = batch()
    found = GradientGates(traced, ["conv", "mix"], CPU).products(golden_of(traced, inputs), labels)
    assert np.isnan(found["conv"]).all()
    assert np.isfinite(found["mix"]).all()


def test_a_network_without_any_gradient_path_is_refused():
    traced = trace(toys.trained(Rounded()), (1, 8, 8))
    inputs, labels = batch()
    with pytest.raises(UnitsError, match="no gradients for this network"):
        GradientGates(traced, ["conv"], CPU).products(golden_of(traced, inputs), labels)


def test_an_answer_that_the_gates_change_is_refused():
    traced = trace(toys.trained(toys.Branches()), (1, 8, 8))
    inputs, labels = batch()
    golden, gates = golden_of(traced, inputs), GradientGates(traced, list(traced.sites), CPU)
    assert gates.products(golden, labels)
    other = dataclasses.replace(golden, logits=golden.logits + 0.01 * golden.logits.abs().max())
    with pytest.raises(UnitsError, match="gives another answer"):
        gates.products(other, labels)


def test_only_what_follows_from_the_first_sites_is_run_again():
    traced = trace(toys.trained(toys.Residual()), (1, 8, 8))
    gates = GradientGates(traced, ["relu:2", "bn2"], CPU)
    called = [str(node.target) for node in gates._module.graph.nodes if node.op == "call_module"]
    assert called == ["conv2", "bn2", "relu", "last"]
