"""Of the first dense layers behind a site one channel is computed, and the integers are those of the plain engine."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import ablate, trace
from lenslab.units.engine import site_plan
from lenslab.units.engine.dense_layers import DenseConvolution
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.linear_tail import ClosedForm
from lenslab.units.engine.low_rank_update import ways
from lenslab.units.engine.site_intervention import ZERO_REPLACEMENT
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


class Separable(nn.Module):
    """Depthwise convolutions with two channels for each unit, and batch norms, between the dense ones."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.bn1 = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.depthwise = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4)
        self.bn2, self.project = nn.BatchNorm2d(8), nn.Conv2d(8, 6, 1)
        self.flat, self.last = nn.BatchNorm1d(6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.bn1(self.expand(x)))
        x = F.relu6(self.bn2(self.depthwise(x)))
        x = F.adaptive_avg_pool2d(F.gelu(self.project(x)), 1).flatten(1)
        return self.last(self.flat(x))


class Beside(nn.Module):
    """Concatenations: of branches, of a branch with what came in, and of what came in with its own like."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3, padding=1)
        self.left, self.right = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 2, 3, padding=1)
        self.mix, self.more = nn.Conv2d(9, 5, 3, padding=1), nn.Conv2d(9, 3, 1)
        self.hidden, self.last = nn.Linear(2 * 8, 6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.max_pool2d(torch.cat([self.left(x).relu(), x, F.silu(self.right(x))], 1), 2)
        x = F.relu(torch.cat((self.mix(x), self.more(x)), dim=-3)).mean((2, 3))
        return self.last(F.relu(self.hidden(torch.cat([x, x.square()], 1))))


NETWORKS = {
    "straight": Straight,
    "down": Down,
    "residual": toys.Residual,
    "separable": Separable,
    "beside": Beside,
}
PATHS = {
    "straight": {
        "conv1": "US",
        "relu1": "UU",
        "conv2": "US",
        "leaky_relu": "UU",
        "gelu": "US",
        "pool": "UU",
        "relu": "TT",
    },
    "down": {"relu:1": "UU", "relu:2": "UU", "relu:3": "TT"},
    "residual": {"relu:1": "UU", "relu:2": "UU", "relu:3": "SS"},
    "separable": {"bn1": "US", "relu6:1": "US", "depthwise": "US", "relu6:2": "UU", "gelu": "US", "flat": "TT"},
    "beside": {"stem": "US", "relu:1": "UU", "silu": "US", "max_pool2d": "UU", "mix": "SS", "hidden": "US"},
}
"""By which path single units of a site are silenced, and directions of its space."""

LETTERS = {site_plan.LOW_RANK_UPDATE: "U", site_plan.SUFFIX: "S", site_plan.LINEAR_TAIL: "T"}


@pytest.fixture(autouse=True)
def wherever_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks are so small that nothing would be gained."""
    monkeypatch.setattr(site_plan, "_WORTH", 1.01)


def found(module: nn.Module, site: str) -> list[tuple[str, str]]:
    graph = trace(toys.trained(module), (1, 8, 8)).graph
    assert graph is not None
    behind = ways(graph, graph.sites()[site][1])
    return [(consumer.layer, consumer.norm) for consumer in behind.consumers] if behind else []


@pytest.mark.parametrize(
    ("module", "site", "layers"),
    [
        (Straight, "relu1", [("conv2", "bn2")]),
        (Straight, "leaky_relu", [("conv3", "")]),
        (Straight, "gelu", [("hidden", "")]),
        (Straight, "pool", [("hidden", "")]),
        (Straight, "relu", [("last", "")]),
        (Straight, "conv2", [("conv3", "")]),
        (Straight, "hidden", [("last", "")]),
        (Down, "relu:1", [("conv1", "bn1"), ("down", "bn2")]),
        (Down, "relu:2", [("conv2", "")]),
        (Separable, "bn1", [("project", "")]),
        (Separable, "depthwise", [("project", "")]),
        (Separable, "gelu", [("last", "")]),
        (Beside, "stem", [("left", ""), ("right", "")]),
        (Beside, "silu", [("mix", ""), ("more", "")]),
        (Beside, "max_pool2d", [("mix", ""), ("more", "")]),
        (Beside, "mix", []),
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
    images = toys.digits(40)
    exact = ablate(network, images, attributes=False, batch_size=17, **options)
    plain = ablate(network, images, attributes=False, engine="plain", **options)
    columns = ["site", "unit", "image", "before", "after", "draw"]
    pd.testing.assert_frame_equal(exact.flips[columns], plain.flips[columns])
    assert len(plain.flips) > 20
    return exact, plain


def paths(run: Any) -> dict[str, str]:
    by_site = run.record.document["paths"]
    return {site: "".join(LETTERS[path] for path in found if path in LETTERS) for site, found in by_site.items()}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("replacement", ["zero", "mean-map", "resample"])
def test_the_integers_are_those_of_the_plain_engine(name: str, replacement: str) -> None:
    exact, plain = equal(name, sites=[*PATHS[name]], replacement=replacement)
    assert paths(exact) == {site: letters[0] for site, letters in PATHS[name].items()}
    drops = ["accuracy_drop", "loss_rise", "margin_drop"]
    pd.testing.assert_frame_equal(exact.units[drops], plain.units[drops], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_directions_are_updated_where_all_units_are_treated_alike(name: str) -> None:
    exact, _ = equal(name, sites=[*PATHS[name]], basis="haar")
    assert paths(exact) == {site: letters[1] for site, letters in PATHS[name].items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_set_is_an_update_of_as_many_channels_as_it_has_members(name: str) -> None:
    asked = trace(toys.trained(NETWORKS[name]()), (1, 8, 8)).select([*PATHS[name]])
    groups = {site.name: [[0, site.units - 1], [1], [*range(site.units)]] for site in asked}
    exact, _ = equal(name, groups=groups, replacement=-2.0)
    assert paths(exact) == {site: letters[0] for site, letters in PATHS[name].items()}


@pytest.mark.parametrize("name", ["straight", "separable"])
@pytest.mark.parametrize("replacement", [-2.0, "filter"])
def test_constants_and_filters_are_updates_too(name: str, replacement: Any) -> None:
    exact, _ = equal(name, replacement=replacement)
    assert "U" in paths(exact).values()


def test_a_site_of_which_little_is_saved_is_run_from_its_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_plan, "_WORTH", 0.0)
    exact, _ = equal("straight")
    assert "U" not in paths(exact).values()


# Broken on purpose.


def halved(patch: pytest.MonkeyPatch) -> None:
    add = DenseConvolution.add
    patch.setattr(DenseConvolution, "add", lambda self, value, change, *rest: add(self, value, change / 2, *rest))


def of_another_unit(patch: pytest.MonkeyPatch) -> None:
    add = DenseConvolution.add

    def other(self: DenseConvolution, value: Tensor, change: Tensor, channels: list[int], *rest: Any) -> None:
        add(self, value, change, [(channel + 1) % len(self._weight) for channel in channels], *rest)

    patch.setattr(DenseConvolution, "add", other)


def without_padding(patch: pytest.MonkeyPatch) -> None:
    """Continue the change beyond the border, in place of the zeros that are there."""
    pad = F.pad
    patch.setattr(F, "pad", lambda value, border: pad(value, border, mode="replicate"))


def without_residual_branch(patch: pytest.MonkeyPatch) -> None:
    """Leave the value that goes around the dense layers as it was."""
    patch.setattr("lenslab.units.engine.low_rank_update._put", lambda *_: None)


def with_the_unit_in_place(patch: pytest.MonkeyPatch) -> None:
    """Run the rest behind a site with nothing silenced."""
    resumed = FxProgram.resumed_logits

    def unchanged(self: FxProgram, golden: Any, site: str, rows: Tensor, _units: Any, *rest: Any) -> Tensor:
        return resumed(self, golden, site, rows, None, *rest)

    patch.setattr(FxProgram, "resumed_logits", unchanged)


def with_half_a_share(patch: pytest.MonkeyPatch) -> None:
    shares = ClosedForm.shares
    patch.setattr(ClosedForm, "shares", lambda self, features: shares(self, features) / 2)


UPDATES = [
    ("straight", halved),
    ("straight", of_another_unit),
    ("straight", without_padding),
    ("residual", without_residual_branch),
    ("beside", without_residual_branch),
]


@pytest.mark.parametrize(("name", "broken"), UPDATES)
def test_a_wrong_update_is_seen_on_the_first_batch_and_left(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Any
) -> None:
    broken(monkeypatch)
    exact, _ = equal(name)
    assert "S" in paths(exact).values()
    assert [*paths(exact).values()].count("U") < [letters[0] for letters in PATHS[name].values()].count("U")


@pytest.mark.parametrize(
    ("name", "broken"), [*UPDATES, ("residual", with_the_unit_in_place), ("down", with_half_a_share)]
)
def test_a_path_that_goes_wrong_later_is_seen_by_the_check_of_pairs(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Any
) -> None:
    monkeypatch.setattr(ExactEngine, "_agrees", lambda *_: True)
    broken(monkeypatch)
    network = toys.network(toys.trained(NETWORKS[name]()))
    with pytest.raises(VerificationError, match="differ from the plain way"):
        ablate(network, toys.digits(60), attributes=False, verify=2000)


def test_the_cost_is_a_channels_share_and_what_follows() -> None:
    traced = trace(toys.trained(Straight()), (1, 8, 8))
    assert traced.graph is not None
    share = 4 * 6 * 9 * 64 // 4
    assert traced.updates["relu1"].of(ZERO_REPLACEMENT, 4) == traced.costs["relu1"] - 4 * 6 * 9 * 64 + share
