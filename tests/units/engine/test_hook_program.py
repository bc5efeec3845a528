"""Forward hooks, where torch.fx sees nothing: which calls they find, and what they leave behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lenslab.units import trace
from lenslab.units.engine.hook_program import HookProgram, sites_of
from tests.units import toys

CPU = torch.device("cpu")


class CalledTwice(nn.Module):
    """One activation for two convolutions, in a network that asks its values a question."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.last = nn.Linear(4 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        if bool(x.isfinite().all()):
            x = self.relu(self.pool(self.conv2(x)))
        return self.last(x.flatten(1))


def inputs(count: int = 6) -> Tensor:
    return toys.PLAIN(next(toys.digits(count).blocks(count)).pixels)


def test_every_call_is_a_site_and_a_default_site_ends_where_something_else_takes_the_value() -> None:
    sites = trace(toys.trained(CalledTwice()), (1, 8, 8)).sites
    assert list(sites) == ["conv1", "relu:1", "conv2", "pool", "relu:2"]
    assert [name for name, site in sites.items() if site.default] == ["relu:1", "conv2"]
    assert {name: site.filters for name, site in sites.items() if site.filters} == {"conv1": "conv1", "conv2": "conv2"}


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_one_call_is_silenced_and_the_other_is_left(precision: torch.dtype) -> None:
    made = toys.trained(CalledTwice())
    program = trace(made, (1, 8, 8)).program(CPU, precision=precision)
    made = made.to(precision)
    x, units = inputs().to(precision), torch.arange(6) % 4
    with torch.inference_mode():
        first = made.relu(made.conv1(x))
        second = made.relu(made.pool(made.conv2(first)))
        cut = second.clone()
        cut[torch.arange(6), units] = 0
        ours = program.ablated_logits(inputs(), "relu:2", units)
        assert ours.dtype == precision
        torch.testing.assert_close(ours, made.last(cut.flatten(1)))
        first[torch.arange(6), units] = 0
        expected = made.last(made.relu(made.pool(made.conv2(first))).flatten(1))
        torch.testing.assert_close(program.ablated_logits(inputs(), "relu:1", units), expected)
        assert not torch.allclose(expected, ours)


def test_rows_are_run_again_in_the_order_that_is_asked() -> None:
    program = trace(toys.trained(CalledTwice()), (1, 8, 8)).program(CPU)
    rows = torch.tensor([4, 0, 4])
    with torch.inference_mode():
        golden = program.golden(inputs(), ["relu:1"])
        torch.testing.assert_close(program.resumed_logits(golden, "relu:1", rows, None), golden.logits[rows])
        assert not torch.allclose(golden.logits[4], golden.logits[0])


def test_what_was_recorded_is_not_overwritten_by_an_activation_in_place() -> None:
    program = trace(toys.trained(toys.Untraceable()), (1, 8, 8)).program(CPU)
    with torch.inference_mode():
        values = program.golden(inputs(), ["conv1", "relu1"]).values
    assert values["conv1"].min() < 0
    torch.testing.assert_close(values["conv1"].relu(), values["relu1"])


def test_looking_for_sites_and_running_leave_no_hook() -> None:
    made = toys.trained(CalledTwice())
    calls = {name: call for name, (_, call) in sites_of(made, torch.zeros(2, 1, 8, 8))[0].items()}
    program = HookProgram(made, calls, device=CPU, precision=torch.float64)
    with torch.inference_mode():
        program.golden(inputs(), list(calls))
        program.ablated_logits(inputs(), "relu:1", torch.zeros(6, dtype=torch.int64))
    for module in (made, program._module):
        assert all(not part._forward_hooks for part in module.modules())
    assert made.last.weight.dtype == torch.float32, "the program runs a copy"
