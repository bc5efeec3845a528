"""Networks that other tools get wrong without a word: here both engines agree on them, or both refuse."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import ablate, ask, trace
from lenslab.units.errors import UnsupportedNetworkError
from tests.units import toys

INTEGERS = ["site", "unit", "image", "label", "before", "after"]


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.conv(x).relu().mean(dim=(2, 3)))


def both(module: nn.Module, count: int = 24, **options: object) -> list[pd.DataFrame]:
    return [
        ablate(toys.network(module), toys.digits(count), sites=["*"], engine=engine, **options).flips[INTEGERS]
        for engine in ("exact", "plain")
    ]


class BatchMean(Small):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu().amax(dim=(2, 3))
        return self.last(x - x.mean(dim=0))


def test_a_network_that_mixes_a_batch_whatever_its_order_is_refused() -> None:
    with pytest.raises(UnsupportedNetworkError):
        both(toys.trained(BatchMean()))


class AxisLength(Small):
    def forward(self, x: Tensor) -> Tensor:
        weight = torch.linspace(0.0, 2.0, x.shape[-1])
        return self.last((self.conv(x).sigmoid() * weight).amax(dim=(2, 3)))


def test_a_value_as_long_as_the_last_batch_is_not_taken_for_images() -> None:
    exact, plain = both(toys.trained(AxisLength()), 32, batch_size=24)  # the last batch has 8 images of 8 x 8
    pd.testing.assert_frame_equal(exact, plain)


class InPlace(Small):
    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        if self.in_place:
            x -= 0.3
        else:
            x = x - 0.3
        return super().forward(x)


@pytest.mark.parametrize("engine", ["plain", "exact"])
def test_a_network_that_overwrites_its_input_is_given_a_fresh_one(engine: str) -> None:
    runs = []
    for in_place in (True, False):
        made = toys.trained(InPlace(False))
        made.in_place = in_place
        runs.append(ablate(toys.network(made), toys.digits(24), sites=["conv"], engine=engine).flips[INTEGERS])
    pd.testing.assert_frame_equal(*runs)


class AlwaysDrops(Small):
    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.dropout(self.conv(x).relu().mean(dim=(2, 3)), 0.5))


@pytest.mark.parametrize("engine", ["plain", "exact"])
def test_a_network_that_answers_by_chance_is_refused_by_both_engines(engine: str) -> None:
    with pytest.raises(UnsupportedNetworkError) as refusal:
        ablate(toys.network(toys.trained(AlwaysDrops())), toys.digits(24), engine=engine)
    assert "--engine plain" not in str(refusal.value)


def test_a_hook_on_the_last_layer_is_part_of_the_network() -> None:
    made = toys.trained(Small())
    made.last.register_forward_pre_hook(lambda _layer, inputs: (inputs[0] ** 2 * 10,))
    exact, plain = both(made)
    pd.testing.assert_frame_equal(exact, plain)


class NamedView(Small):
    def __init__(self) -> None:
        super().__init__()
        self.view = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.view(self.conv(x).relu().mean(dim=(2, 3)) * 3))


def test_a_layer_whose_name_is_view_is_no_view() -> None:
    exact, plain = both(toys.trained(NamedView()))
    pd.testing.assert_frame_equal(exact, plain)


class Described(Small):
    def __init__(self, kind: str, value: float) -> None:
        super().__init__()
        self.kind, self.value = kind, value
        self.register_buffer("quiet", torch.tensor(value), persistent=False)
        self.tensor = torch.tensor(value)
        self.pool = nn.AvgPool2d(3, 2, 1, count_include_pad=value > 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        if self.kind == "buffer":
            x = x * self.quiet
        elif self.kind == "tensor":
            x = x * self.tensor
        elif self.kind == "constant":
            x = x * torch.tensor(self.value)
        elif self.kind == "option":
            x = self.pool(x)
        elif bool(x.sum() > -1):
            x = x * self.value
        return self.last(x.amax(dim=(2, 3)))


@pytest.mark.parametrize("kind", ["buffer", "tensor", "constant", "option", "code that is not traced"])
def test_what_neither_the_state_dict_nor_the_repr_shows_changes_the_key(kind: str) -> None:
    made = [Described(kind, value).eval() for value in (0.5, 3.0)]
    for parameter in (parameter for module in made for parameter in module.parameters()):
        parameter.data.fill_(0.1)
    first, second = (ask(toys.network(module), toys.digits(4)).key for module in made)
    assert first != second


class Stacks(Small):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu().mean(dim=(2, 3))
        pair = torch.stack([x.amax(dim=1), x.mean(dim=1)])
        return self.last(F.pad(pair.t(), (0, 4)))


def test_a_value_whose_first_dimension_is_not_the_images_is_no_site() -> None:
    exact, plain = both(toys.trained(Stacks()))
    pd.testing.assert_frame_equal(exact, plain)


class UsesItsWeightTwice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.last = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(self.stem(x).relu())).relu()
        return self.last(F.conv2d(x, self.conv.weight, padding=1).relu().amax(dim=(2, 3)))


def test_a_layer_whose_weight_is_used_elsewhere_is_not_folded() -> None:
    exact, plain = both(toys.trained(UsesItsWeightTwice()))
    pd.testing.assert_frame_equal(exact, plain)


class ReadsAgain(Small):
    def forward(self, x: Tensor) -> Tensor:
        kept = self.conv(x)
        changed = kept.relu_()
        return self.last((changed * 2 + kept).mean(dim=(2, 3)))


def test_a_value_that_is_read_again_after_an_operation_in_place_leaves_the_network_to_hooks() -> None:
    made = toys.trained(ReadsAgain())
    assert "read again afterwards" in trace(made, (1, 8, 8)).obstacle
    exact, plain = both(made)
    assert len(exact) > 10
    pd.testing.assert_frame_equal(exact, plain)


class ChannelsLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.mix, self.last = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6, 6), nn.Linear(6, 10)
        nn.init.eye_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(self.conv(x).permute(0, 2, 3, 1)).relu()
        return self.last(x.permute(0, 3, 1, 2).amax(dim=(2, 3)))


def test_rows_of_pixels_are_not_taken_for_units() -> None:
    sites = trace(toys.trained(ChannelsLast()), (1, 8, 8)).sites
    assert set(sites) == {"conv", "permute", "amax"}
    exact, plain = both(toys.trained(ChannelsLast()))
    assert len(exact) > 10
    pd.testing.assert_frame_equal(exact, plain)


class AddsFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        return self.last((x + self.conv(x)).mean(dim=(2, 3)))


def test_the_filters_of_a_sum_are_those_of_its_own_branch_whatever_the_order() -> None:
    sites = trace(toys.trained(AddsFirst()), (1, 8, 8)).sites
    assert (sites["add"].filters, sites["add"].default) == ("conv", True)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.last = nn.Parameter(torch.ones(4, 1, 3, 3)), nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.conv2d(x, self.weight, padding=1).relu().mean(dim=(2, 3)))


def test_a_functional_convolution_has_its_cost() -> None:
    traced = trace(Functional().eval(), (1, 8, 8))
    assert traced.costs[""] == 4 * 64 * 9 + 40
