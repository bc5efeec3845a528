"""Of the first dense layers behind a site one channel is computed, and the integers are those of the plain engine."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import ablate, trace
from lenslab.units.engine import one_channel_delta, site_plan
from lenslab.units.engine.one_channel_delta import DenseLayer, consumers
from lenslab.units.errors import VerificationError
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")


class Straight(nn.Module):
    """Convolutions one behind the other, with strides, holes and padding, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, padding=2, dilation=2, bias=False), nn.BatchNorm2d(6)
        self.conv3 = nn.Conv2d(6, 5, (3, 2), stride=(1, 2), padding=(1, 0))
        self.pool = nn.MaxPool2d(2)
        self.hidden, self.last = nn.Linear(5 * 4 * 2, 7), nn.Linear(7, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        x = F.leaky_relu(self.bn2(self.conv2(x)))
        x = self.pool(F.gelu(self.conv3(x)))
        return self.last(F.relu(self.hidden(x.flatten(1))))


class Down(nn.Module):
    """A residual block whose other branch is a convolution, too, and one whose other branch is none."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.conv1, self.bn1 = nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6)
        self.down, self.bn2 = nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.last = nn.Conv2d(6, 6, 3, padding=1), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(self.bn1(self.conv1(x)) + self.bn2(self.down(x)))
        return self.last(F.relu(self.conv2(x) + x).mean((2, 3)))


class Grouped(nn.Module):
    """Layers behind which a channel is not known to be what the weight says: groups, circular padding, hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.conv3 = nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")
        self.conv4, self.last = nn.Conv2d(4, 4, 3), nn.Linear(4, 10)
        self.conv4.register_forward_hook(lambda _layer, _inputs, output: output * 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.last(F.relu(self.conv4(F.relu(self.conv3(x)))).amax((2, 3)))


NETWORKS = {"straight": Straight, "down": Down, "residual": toys.Residual}


@pytest.fixture(autouse=True)
def wherever_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks are so small that nothing would be gained."""
    monkeypatch.setattr(site_plan, "_WORTH", 1.01)


def found(module: nn.Module, site: str) -> list[tuple[str, str]]:
    graph = trace(toys.trained(module), (1, 8, 8)).graph
    assert graph is not None
    node = graph.sites()[site][1]
    return [(consumer.layer, consumer.norm) for consumer in consumers(graph, node)]


@pytest.mark.parametrize(
    ("module", "site", "layers"),
    [
        (Straight, "relu1", [("conv2", "bn2")]),
        (Straight, "leaky_relu", [("conv3", "")]),
        (Straight, "gelu", [("hidden", "")]),
        (Straight, "pool", [("hidden", "")]),
        (Straight, "relu", [("last", "")]),
        (Straight, "conv2", []),
        (Down, "relu:1", [("conv1", "bn1"), ("down", "bn2")]),
        (Down, "relu:2", [("conv2", "")]),
        (Grouped, "relu:1", []),
        (Grouped, "relu:2", []),
        (Grouped, "relu:3", []),
    ],
)
def test_the_first_dense_layers_are_found_behind_what_works_on_units_alone(
    module: Any, site: str, layers: list[tuple[str, str]]
) -> None:
    assert found(module(), site) == layers


def equal(name: str, **options: Any) -> tuple[Any, Any]:
    network = toys.network(toys.trained(NETWORKS[name]()))
    images = toys.digits(60)
    exact = ablate(network, images, attributes=False, batch_size=17, **options)
    plain = ablate(network, images, attributes=False, engine="plain", **options)
    columns = ["site", "unit", "image", "before", "after", "draw"]
    pd.testing.assert_frame_equal(exact.flips[columns], plain.flips[columns])
    assert len(plain.flips) > 20
    return exact, plain


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"replacement": "mean"},
        {"replacement": "mean-map"},
        {"replacement": -2.0},
        {"replacement": "filter"},
        {"replacement": "resample", "draws": 2},
    ],
)
def test_the_integers_are_those_of_the_plain_engine(name: str, options: dict[str, Any]) -> None:
    exact, plain = equal(name, **options)
    by_path = [path for paths in exact.record.document["paths"].values() for path in paths]
    assert site_plan.DELTA in by_path
    drops = ["accuracy_drop", "loss_rise", "margin_drop"]
    pd.testing.assert_frame_equal(exact.units[drops], plain.units[drops], rtol=1e-3, atol=1e-5)


def test_a_site_of_which_little_is_saved_is_run_from_its_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_plan, "_WORTH", 0.0)
    exact, _ = equal("straight")
    assert site_plan.DELTA not in [path for paths in exact.record.document["paths"].values() for path in paths]


# Broken on purpose.


def halved(self: DenseLayer, change: Tensor, unit: int) -> Tensor:
    return whole(self, change, unit) / 2


def of_another_unit(self: DenseLayer, change: Tensor, unit: int) -> Tensor:
    return whole(self, change, (unit + 1) % self._weight.shape[1])


whole = DenseLayer._answer


@pytest.mark.parametrize("broken", [halved, of_another_unit])
def test_a_wrong_path_is_seen_on_the_first_batch_and_left(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    monkeypatch.setattr(DenseLayer, "_answer", broken)
    exact, _ = equal("straight")
    by_path = [path for paths in exact.record.document["paths"].values() for path in paths]
    assert site_plan.DELTA not in by_path
    assert site_plan.SUFFIX in by_path


@pytest.mark.parametrize("broken", [halved, of_another_unit])
def test_a_path_that_goes_wrong_later_is_seen_by_the_check_of_pairs(
    monkeypatch: pytest.MonkeyPatch, broken: Any
) -> None:
    from lenslab.units.engine.exact_engine import ExactEngine

    monkeypatch.setattr(DenseLayer, "_answer", broken)
    monkeypatch.setattr(ExactEngine, "_agrees", lambda *_: True)
    network = toys.network(toys.trained(Straight()))
    with pytest.raises(VerificationError, match="differ from the plain way"):
        ablate(network, toys.digits(60), attributes=False, verify=2000)


def test_the_cost_is_a_channels_share_and_what_follows() -> None:
    traced = trace(toys.trained(Straight()), (1, 8, 8))
    assert traced.graph is not None
    share = 4 * 6 * 9 * 64 // 4
    assert traced.deltas["relu1"] == traced.costs["relu1"] - 4 * 6 * 9 * 64 + share
    assert one_channel_delta.cost(traced.graph, traced.graph.sites()["conv2"][1]) is None
