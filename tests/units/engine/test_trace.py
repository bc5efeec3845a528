"""Programs of a network: whole, cut and resumed, by graph and by hooks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lenslab.units import trace
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.hook_program import HookProgram
from lenslab.units.errors import UnsupportedNetworkError
from tests.units import toys

CPU = torch.device("cpu")


def inputs(count: int = 12) -> torch.Tensor:
    (block,) = toys.digits(count).blocks(count)
    return toys.PLAIN(block.pixels)


@pytest.mark.parametrize("module", [toys.Residual, toys.Branches, toys.Shared])
@pytest.mark.parametrize("fast", [False, True])
def test_resuming_from_any_site_gives_what_the_whole_network_gives(module: type[nn.Module], fast: bool) -> None:
    made = toys.trained(module())
    traced = trace(made, (1, 8, 8))
    whole, cut = traced.program(CPU), traced.program(CPU, fast=fast)
    assert isinstance(cut, FxProgram)
    rows, units = torch.tensor([3, 3, 0, 11]), torch.tensor([0, 1, 2, 3])
    with torch.inference_mode():
        golden = cut.golden(inputs(), list(traced.sites))
        assert len(traced.sites) > 5
        for name in traced.sites:
            expected = whole.ablated_logits(inputs()[rows], name, units)
            torch.testing.assert_close(cut.resumed_logits(golden, name, rows, units), expected, rtol=1e-4, atol=1e-4)
        assert (expected - golden.logits[rows]).abs().max() > 1e-3, "the ablations must change something"


def test_what_was_recorded_is_not_overwritten_by_operations_in_place() -> None:
    made = toys.trained(toys.Residual())
    traced = trace(made, (1, 8, 8))
    with torch.inference_mode():
        golden = traced.program(CPU).golden(inputs(), ["bn1", "relu:2"])
    assert golden.values["bn1"].min() < 0 <= golden.values["relu:2"].min()
    torch.testing.assert_close(golden.values["bn1"].relu(), golden.values["relu:2"])


def test_a_linear_tail_is_seen_through_pooling_flattening_and_dropout() -> None:
    def tail(*layers: nn.Module) -> set[str]:
        return set(trace(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), *layers).eval(), (1, 8, 8)).tails)

    assert "1" in tail(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(4, 3))
    assert "1" in tail(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    assert "1" in tail(nn.Flatten(), nn.Linear(144, 3))
    assert not tail(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)) & {"0", "1"}
    assert not tail(nn.Flatten(), nn.Linear(144, 3), nn.ReLU(), nn.Linear(3, 3)) & {"0", "1"}
    assert not tail(nn.Flatten(start_dim=2), nn.AdaptiveAvgPool2d((1, 4)), nn.Flatten(), nn.Linear(4, 3)) & {"1"}


def test_a_network_that_cannot_be_traced_runs_through_hooks_and_says_why() -> None:
    traced = trace(toys.trained(toys.Untraceable()), (1, 8, 8))
    assert isinstance(traced.program(CPU), HookProgram)
    assert "control flow" in traced.obstacle
    assert [name for name, site in traced.sites.items() if site.default] == ["relu1", "relu2"]


@pytest.mark.parametrize("name", ["bn1", "conv2", "bn2"])
def test_hooks_and_graph_agree_on_the_sites_that_both_have(name: str) -> None:
    made = toys.trained(toys.Residual())
    traced = trace(made, (1, 8, 8))
    found = {"bn1": "bn1", "conv2": "conv2", "bn2": "bn2"}
    from lenslab.units.engine.hook_program import sites_of

    with torch.inference_mode():
        hooked_sites, _ = sites_of(traced.module, torch.zeros(2, 1, 8, 8))
        calls = {site: call for site, (_, call) in hooked_sites.items()}
        hooked = HookProgram(traced.module, calls, device=CPU, precision=torch.float32)
        units = torch.arange(12) % 6
        ours = hooked.ablated_logits(inputs(), found[name], units)
        torch.testing.assert_close(ours, traced.program(CPU).ablated_logits(inputs(), name, units))
        assert not torch.equal(ours, traced.program(CPU).logits(inputs()))


class HasTwoNames(nn.Module):
    """Adds in place to a value that it uses again under its old name; torch.fx takes it for a new value."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1)
        self.relu = nn.ReLU()
        self.last = nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = x = self.relu(self.conv(x))
        x += 1.0
        return self.last((x * kept).mean(dim=(2, 3)))


def test_a_graph_that_gives_another_answer_is_not_believed() -> None:
    traced = trace(toys.trained(HasTwoNames()), (1, 8, 8))
    assert traced.graph is None
    assert "another answer than the network itself" in traced.obstacle
    units = torch.arange(12) % 6
    with torch.inference_mode():
        made = traced.module
        handle = made.relu.register_forward_hook(
            lambda _m, _i, out: out.index_put((torch.arange(12), units), out.new_zeros(()))
        )
        expected = made(inputs())
        handle.remove()
        torch.testing.assert_close(traced.program(CPU).ablated_logits(inputs(), "relu", units), expected)


def test_hooks_are_taken_off_after_an_exception() -> None:
    made = toys.trained(toys.Untraceable())
    program = trace(made, (1, 8, 8)).program(CPU)
    with pytest.raises(IndexError):
        program.ablated_logits(inputs(), "relu1", torch.full((12,), 99))
    assert all(not part._forward_hooks for part in program._module.modules())


def test_a_network_on_the_meta_device_is_refused_with_what_to_do() -> None:
    with torch.device("meta"):
        made = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()
    with pytest.raises(UnsupportedNetworkError, match=r"0\.weight, 0\.bias, 3\.weight and 1 more .* meta .*to_empty"):
        trace(made, (1, 8, 8))


def test_a_network_made_in_inference_mode_is_traced_as_well() -> None:
    with torch.inference_mode():
        made = toys.trained(toys.Branches())
        traced = trace(made, (1, 8, 8))
        assert traced.graph
        torch.testing.assert_close(traced.program(CPU, fast=True).logits(inputs()), made(inputs()))


def test_a_network_that_squeezes_the_batch_away_is_refused_before_anything_runs() -> None:
    class Squeezes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 4, 8), nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.conv(x).squeeze())

    with pytest.raises(UnsupportedNetworkError, match=r"one image alone with shape \(3,\): it squeezes the batch"):
        trace(Squeezes().eval(), (1, 8, 8))
