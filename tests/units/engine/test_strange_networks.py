"""Networks that other tools get wrong without a word: here both engines agree on them, or both refuse."""

from __future__ import annotations

import copy

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import Ablation, ablate, trace
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
    options = {"sites": ["*"], "attributes": False, **options}
    return [
        ablate(toys.network(module), toys.digits(count), engine=engine, **options).flips[INTEGERS]
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
    first, second = (Ablation.of(toys.network(module), toys.digits(4)).key for module in made)
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


class Wide(Small):
    """Another convolution behind the first, and what a test puts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.second, self.norm = nn.ReLU(inplace=True), nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.second(self.between(self.conv(x)))).relu().mean(dim=(2, 3)))

    def between(self, x: Tensor) -> Tensor:
        return x


class AddsToSlice(Wide):
    def between(self, x: Tensor) -> Tensor:
        x[:, :3].add_(1.0)
        return x


class ActivatesView(Wide):
    def between(self, x: Tensor) -> Tensor:
        self.relu(x.view(x.size(0), -1))
        return x


class ActivatesTransposed(Wide):
    def between(self, x: Tensor) -> Tensor:
        x.transpose(1, 2)[:, ::2].neg_()
        return x


class WritesData(Wide):
    def between(self, x: Tensor) -> Tensor:
        x.data.neg_()
        return x


class ActivatesPiece(Wide):
    def between(self, x: Tensor) -> Tensor:
        x.chunk(2, dim=1)[0].relu_()
        return x


class CopiesInto(Wide):
    def between(self, x: Tensor) -> Tensor:
        made = torch.zeros_like(x)
        made[:, :3].copy_(x[:, 3:].relu())
        return made + x.relu()


class WritesOut(Wide):
    def between(self, x: Tensor) -> Tensor:
        made = torch.empty_like(x)
        torch.clamp(x, min=0, out=made)
        return made


class SharesMemoryInChannelsLast(Wide):
    def between(self, x: Tensor) -> Tensor:
        rows = x.permute(0, 2, 3, 1).contiguous().relu_()  # a copy, unless x lies with channels last already
        return x + rows.permute(0, 3, 1, 2)


ALIASES = [
    *(AddsToSlice, ActivatesView, ActivatesTransposed, WritesData, ActivatesPiece, CopiesInto, WritesOut),
    SharesMemoryInChannelsLast,
]


def flips_by_hooks(made: nn.Module, count: int, layer: str) -> set[tuple[int, int, int]]:
    """An oracle that shares no code with the engines: (unit, image, class after) of every flip, in float64."""
    (block,) = toys.digits(count).blocks(count)
    made, inputs, found = copy.deepcopy(made).double(), toys.PLAIN(block.pixels).double(), set()
    with torch.inference_mode():
        before = made(inputs.clone()).argmax(dim=1)
        for unit in range(6):

            def silence(_layer: nn.Module, _inputs: object, output: Tensor, unit: int = unit) -> Tensor:
                output = output.clone()
                output[:, unit] = 0
                return output

            handle = made.get_submodule(layer).register_forward_hook(silence)
            after = made(inputs.clone())
            handle.remove()
            found |= {
                (unit, image, int(after[image].argmax()))
                for image in (after.argmax(dim=1) != before).nonzero()[:, 0].tolist()
            }
    return found


def agree_with_hooks(made: nn.Module, count: int, *layers: str) -> None:
    exact, plain = both(made, count, sites=layers)
    assert len(plain) > 10
    pd.testing.assert_frame_equal(exact, plain)
    for layer in layers:
        expected = flips_by_hooks(made, count, layer)
        ours = plain[plain["site"] == layer]
        assert set(zip(ours["unit"], ours["image"], ours["after"], strict=True)) == expected


@pytest.mark.parametrize("module", ALIASES)
def test_a_value_that_is_changed_through_another_that_shares_its_memory_leaves_the_network_to_hooks(
    module: type[nn.Module],
) -> None:
    made = toys.trained(module())
    assert "in place, which is read again afterwards" in trace(made, (1, 8, 8)).obstacle
    agree_with_hooks(made, 24, "conv", "second")


class ActivatesOneOfTwo(Wide):
    def between(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        left = left.relu_()
        return torch.cat([right, left], dim=1)


class CarriesOn(Wide):
    def between(self, x: Tensor) -> Tensor:
        x = x.view(x.size(0), -1).clamp_(min=-0.1)
        return x.view(-1, 6, 8, 8)


@pytest.mark.parametrize("module", [ActivatesOneOfTwo, CarriesOn])
def test_an_operation_in_place_whose_input_nobody_reads_again_is_no_obstacle(module: type[nn.Module]) -> None:
    made = toys.trained(module())
    assert trace(made, (1, 8, 8)).graph
    agree_with_hooks(made, 24, "conv", "second")


class ChangesConstant(Wide):
    def between(self, x: Tensor) -> Tensor:
        weight = torch.ones(x.size(1))
        return x.relu() * weight.mul_(x.size(1) / 5).view(1, -1, 1, 1)


def test_a_constant_that_every_pass_would_change_again_leaves_the_network_to_hooks() -> None:
    made = toys.trained(ChangesConstant())
    assert "which all images share" in trace(made, (1, 8, 8)).obstacle
    agree_with_hooks(made, 24, "conv")


def test_hooks_on_the_network_itself_are_part_of_it() -> None:
    made = toys.trained(Small())
    made.register_forward_hook(lambda _layer, _inputs, out: torch.where(out.amax(1, True) > 0.9, out.roll(1, 1), out))
    assert "forward hooks" in trace(made, (1, 8, 8)).obstacle
    agree_with_hooks(made, 24, "conv")


@pytest.mark.parametrize("layer", ["second", "norm"])
def test_a_layer_with_a_hook_is_not_folded_away(layer: str) -> None:
    made = toys.trained(Wide())
    made.get_submodule(layer).register_forward_hook(lambda _layer, _inputs, out: out.abs().sqrt())
    assert trace(made, (1, 8, 8)).graph
    agree_with_hooks(made, 24, "conv", "second", "norm")


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
def test_a_weight_that_a_hook_makes_anew_is_not_folded_away() -> None:
    made = Wide()
    made.second = nn.utils.weight_norm(made.second)
    agree_with_hooks(toys.trained(made), 24, "conv", "second")


class Pools(Small):
    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.flatten(self.pool(self.conv(x).relu()), 1))


def test_a_pooling_with_a_hook_is_no_part_of_a_linear_tail() -> None:
    made = Pools()
    made.pool.register_forward_hook(lambda _layer, _inputs, output: (3 * output).softmax(dim=1))
    made = toys.trained(made)
    assert set(trace(made, (1, 8, 8)).tails) == {"pool"}
    agree_with_hooks(made, 24, "conv")


def test_a_pooling_with_a_forward_of_its_own_is_no_part_of_a_linear_tail() -> None:
    made = Pools()
    made.pool.forward = lambda x: x.amax(dim=(2, 3), keepdim=True)
    made = toys.trained(made)
    assert set(trace(made, (1, 8, 8)).tails) == {"pool"}
    agree_with_hooks(made, 24, "conv")


def test_a_last_layer_with_a_hook_that_seldom_acts_has_no_linear_tail() -> None:
    made = toys.trained(Pools())
    made.last.register_forward_hook(
        lambda _layer, _inputs, out: torch.where(out.amax(1, True) > 9, out.roll(1, 1), out)
    )
    assert not trace(made, (1, 8, 8)).tails


class Rounded(nn.Linear):
    """As layers of quantisation-aware training do, it multiplies with another weight than it shows."""

    __module__ = "torch.nn.rounded"  # torch.fx looks into layers from elsewhere

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, (self.weight * 8).round() / 8, self.bias)


def test_a_last_layer_that_does_not_multiply_with_its_weight_has_no_linear_tail() -> None:
    made = Pools()
    made.last = Rounded(6, 10)
    made = toys.trained(made)
    assert trace(made, (1, 8, 8)).graph
    assert not trace(made, (1, 8, 8)).tails
    agree_with_hooks(made, 24, "conv")


class Masks(Wide):
    def between(self, x: Tensor) -> Tensor:
        return x * (x > 0.1)


def test_a_mask_of_true_and_false_has_no_units() -> None:
    made = toys.trained(Masks())
    assert list(trace(made, (1, 8, 8)).sites) == ["conv", "mul", "second", "norm", "relu", "mean"]
    agree_with_hooks(made, 24, "conv", "second")


class Tokens(nn.Module):
    """A map as rows of positions, mixed by a linear layer, and back with the channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.mix, self.last = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6, 6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(self.conv(x).flatten(2).transpose(1, 2)).view(-1, 8, 8, 6)
        return self.last(x.relu().amax(dim=(1, 2)))


class TokensAndBack(Tokens):
    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(self.conv(x).flatten(2).transpose(1, 2)).transpose(1, 2).reshape(-1, 6, 8, 8)
        return self.last(x.relu().amax(dim=(2, 3)))


def test_rows_of_positions_are_taken_for_a_map_only_where_their_channels_come_first() -> None:
    assert list(trace(toys.trained(Tokens()), (1, 8, 8)).sites) == ["conv", "amax"]
    assert list(trace(toys.trained(TokensAndBack()), (1, 8, 8)).sites) == ["conv", "reshape", "relu", "amax"]
    agree_with_hooks(toys.trained(Tokens()), 24, "conv")


class ChannelsLastInHooks(ChannelsLast):
    def __init__(self) -> None:
        super().__init__()
        self.gelu = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        if bool(x.isfinite().all()):
            x = self.gelu(self.mix(x.permute(0, 2, 3, 1)))
        return self.last(x.amax(dim=(1, 2)))


def test_hooks_do_not_take_rows_of_pixels_for_units_either() -> None:
    assert list(trace(toys.trained(ChannelsLastInHooks()), (1, 8, 8)).sites) == ["conv"]


class Casts(Wide):
    def between(self, x: Tensor) -> Tensor:
        return x.float().to(dtype=torch.float32).relu()


@pytest.mark.parametrize("engine", ["plain", "exact"])
def test_a_network_that_asks_for_float32_has_near_ties_decided_in_float64(engine: str) -> None:
    made = toys.trained(Casts())
    made.last.weight.data[1], made.last.bias.data[1] = made.last.weight[0], made.last.bias[0]
    run = ablate(toys.network(made), toys.digits(24), sites=["conv"], engine=engine)
    assert 1 not in set(run.record.table("images")["prediction"]), "of tied classes the lowest label wins"
