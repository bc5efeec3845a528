"""The network as a graph: which values have units, which of them a convolution hands on, what they cost."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import trace
from lenslab.units.errors import TrainingModeError, UnsupportedNetworkError
from tests.units import toys


class Made(nn.Module):
    """A convolution, a linear layer, and what a test puts between them."""

    def __init__(self, features: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.table = nn.Parameter(torch.ones(2, 4))
        self.last = nn.Linear(features, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self.conv(x)))

    def between(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def default_sites(module: nn.Module) -> list[str]:
    return [site.name for site in trace(module.eval(), (1, 8, 8)).sites.values() if site.default]


def test_a_convolution_whose_value_is_used_twice_hands_it_on_itself() -> None:
    class Twice(Made):
        def between(self, x: Tensor) -> Tensor:
            return torch.cat([F.relu(self.norm(x)), x], dim=1).mean(dim=(2, 3))

    assert default_sites(Twice(features=8)) == ["conv"]


def test_asking_for_a_values_size_is_no_use_of_it() -> None:
    class Asks(Made):
        def between(self, x: Tensor) -> Tensor:
            count = x.size(0)
            x = F.relu(x)
            return x.view(count, x.size(1) * 36)

    traced = trace(Asks(features=144).eval(), (1, 8, 8))
    assert [site.name for site in traced.sites.values() if site.default] == ["relu"]
    assert "relu" in traced.tails


def test_dropout_lies_between_a_convolution_and_its_activation_without_being_a_site_by_default() -> None:
    tail = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    assert default_sites(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout2d(), nn.ReLU(), *tail)) == ["2"]
    assert default_sites(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout2d(), *tail)) == ["1"]
    assert default_sites(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), *tail)) == ["1"]


def test_what_does_not_come_from_the_image_is_no_site() -> None:
    class Weighs(Made):
        def between(self, x: Tensor) -> Tensor:
            return x.mean(dim=(2, 3)) * self.table.exp()[0]

    assert set(trace(Weighs().eval(), (1, 8, 8)).sites) == {"conv", "mean", "mul"}


def test_what_does_not_lead_to_the_logits_is_no_site() -> None:
    class Aside(Made):
        def between(self, x: Tensor) -> Tensor:
            self.norm(x)
            return x.mean(dim=(2, 3))

    assert set(trace(Aside().eval(), (1, 8, 8)).sites) == {"conv", "mean"}


def test_a_flattened_value_is_no_site_and_a_feature_of_a_linear_layer_is() -> None:
    class Hidden(Made):
        def __init__(self) -> None:
            super().__init__(features=5)
            self.hidden = nn.Linear(144, 5)

        def between(self, x: Tensor) -> Tensor:
            return F.relu(self.hidden(x.flatten(1)))

    assert list(trace(Hidden().eval(), (1, 8, 8)).sites) == ["conv", "hidden", "relu"]


def test_a_function_is_named_by_the_innermost_module_around_it() -> None:
    class Inner(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x)

    block = nn.Sequential(nn.Sequential(nn.Conv2d(1, 4, 3), Inner()), nn.Flatten(), nn.Linear(144, 3))
    assert default_sites(block) == ["0.1.relu"]


def test_costs_are_the_multiply_accumulates_that_are_left() -> None:
    layers = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 5), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    costs = trace(nn.Sequential(*layers).eval(), (1, 8, 8)).costs
    first, second, last = 4 * 6 * 6 * 9, 2 * 2 * 2 * 100, 8 * 3
    assert costs[""] == first + second + last
    assert (costs["0"], costs["1"], costs["2"], costs["3"]) == (second + last, second + last, last, last)


def test_the_filters_of_a_pooled_value_are_unknown() -> None:
    class Pools(Made):
        def between(self, x: Tensor) -> Tensor:
            return F.relu(F.avg_pool2d(self.norm(x), 2)).mean(dim=(2, 3))

    filters = {name: site.filters for name, site in trace(Pools().eval(), (1, 8, 8)).sites.items()}
    assert filters == {"conv": "conv", "norm": "conv", "avg_pool2d": None, "relu": None, "mean": None}


class ReshapesTheUnits(Made):
    """Pools over half of a unit and half of the next, and has as many features as if it had not."""

    def between(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(F.relu(x).reshape(x.size(0), 2, 12, 6), 2).flatten(1)


class Squashes(Made):
    def between(self, x: Tensor) -> Tensor:
        return torch.sigmoid(F.relu(x).flatten(1))


class MeansOverUnits(Made):
    def between(self, x: Tensor) -> Tensor:
        return F.relu(x)[:, :, :4, :4].mean(dim=(1, 2))


@pytest.mark.parametrize("module", [ReshapesTheUnits(features=36), Squashes(features=144), MeansOverUnits()])
def test_what_mixes_units_or_is_not_linear_is_no_linear_tail(module: nn.Module) -> None:
    assert not {"conv", "relu"} & set(trace(module.eval(), (1, 8, 8)).tails)


@pytest.mark.parametrize("axes", [(2, 3), (-2, -1), (3, -2)])
def test_a_mean_over_all_positions_is_linear_however_its_axes_are_counted(axes: tuple[int, int]) -> None:
    class Means(Made):
        def between(self, x: Tensor) -> Tensor:
            return F.relu(x).mean(dim=axes)

    assert set(trace(Means().eval(), (1, 8, 8)).tails) == {"relu", "mean"}


def test_a_tail_costs_one_units_share_of_the_logits() -> None:
    tails = trace(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 3)).eval(), (1, 8, 8)).tails
    assert (tails["0"].positions, tails["0"].cost(3)) == (36, 108)


def test_a_network_needs_two_classes() -> None:
    with pytest.raises(UnsupportedNetworkError, match=r"shape \(3, 1\)"):
        trace(nn.Sequential(nn.Flatten(), nn.Linear(64, 1)).eval(), (1, 8, 8))
    with pytest.raises(UnsupportedNetworkError, match="a tuple"):
        trace(nn.Sequential(nn.Flatten(), nn.Identity(), Pair()).eval(), (1, 8, 8))


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def test_every_leaf_in_training_mode_is_counted_and_three_are_named() -> None:
    made = toys.Residual()
    with pytest.raises(TrainingModeError, match=r"the network itself, stem, conv1 and 5 more"):
        trace(made, (1, 8, 8))
