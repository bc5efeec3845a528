"""Both engines give the same integers, whatever the network and whatever silence is."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units import ablate, trace
from tests.units import toys


class Smooth(nn.Module):
    """Leaky ReLU, GELU and SiLU, whose units are never quite silent."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.leaky = nn.Conv2d(1, 4, 3, padding=1), nn.LeakyReLU(0.1, inplace=True)
        self.conv2, self.gelu = nn.Conv2d(4, 5, 3, padding=1), nn.GELU()
        self.hidden, self.last = nn.Linear(20, 6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(self.gelu(self.conv2(self.leaky(self.conv1(x)))), 4)
        return self.last(F.silu(self.hidden(x.flatten(1))))


class Twins(toys.Branches):
    """A network whose classes are told apart in pairs only: most decisions are near ties."""


NETWORKS = {
    "concatenation": toys.Branches,
    "smooth": Smooth,
    "untraceable": toys.Untraceable,
    "residual": toys.Residual,
    "twins": Twins,
}
CASES: dict[str, dict[str, Any]] = {
    "zero": {},
    "mean": {"replacement": "mean"},
    "mean-map": {"replacement": "mean-map"},
    "filter": {"replacement": "filter"},
    "0.5": {"replacement": 0.5},
    "-2": {"replacement": -2.0},
    "resample": {"replacement": "resample", "draws": 2},
    "haar": {"basis": "haar"},
    "energy": {"basis": "energy"},
    "sets": {},
    "keep-only": {},
}
FIRST_AND_LAST = {
    "concatenation": ["left.1", "silu"],
    "smooth": ["leaky", "gelu"],
    "untraceable": ["conv1", "conv2"],
    "residual": ["bn1", "relu:2"],
    "twins": ["left.1", "silu"],
}


@cache
def made(name: str) -> nn.Module:
    module = toys.trained(NETWORKS[name]())
    if name == "twins":
        last = module.last
        noise = torch.Generator().manual_seed(0)
        last.weight.data[1::2] = last.weight[::2] + 1e-7 * torch.randn(last.weight[::2].shape, generator=noise)
        last.bias.data[1::2] = last.bias[::2]
    return module


def asked(name: str, case: str) -> dict[str, Any]:
    sites = FIRST_AND_LAST[name]
    if case not in ("sets", "keep-only"):
        return {"sites": sites, **CASES[case]}
    drawn = [[0], [1, 2], [0, 3], [0, 1, 2, 3], []]
    counts = {site: trace(made(name), (1, 8, 8)).sites[site].units for site in sites}
    chosen = {
        site: drawn if case == "sets" else [[unit for unit in range(units) if unit not in kept] for kept in drawn]
        for site, units in counts.items()
    }
    return {"groups": chosen}


def integers(table: pd.DataFrame) -> pd.DataFrame:
    """Everything but what is read off activations, which differ in their last bits."""
    rounded = ("class_correlation_class", "maximum_informedness_class")
    kept = [column for column in table.columns if not pd.api.types.is_float_dtype(table[column])]
    return table[[column for column in kept if column not in rounded]]


@pytest.mark.crossed
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("case", CASES)
def test_both_engines_give_the_same_integers(name: str, case: str) -> None:
    network, images = toys.network(made(name)), toys.digits(20)
    options = asked(name, case)
    plain = ablate(network, images, engine="plain", batch_size=20, **options)
    exact = ablate(network, images, engine="exact", batch_size=7, **options)
    for table in ("images", "flips", "units", "classes"):
        pd.testing.assert_frame_equal(integers(exact.record.table(table)), integers(plain.record.table(table)))
    assert plain.flips.duplicated(["site", "unit", "image", "draw"]).sum() == 0
    assert len(plain.flips) > 3, "where nothing changes, equality says nothing"
    assert plain.flips["after"].nunique() > 1
    if name == "twins":
        paths = [paths.get("float64", 0) for paths in exact.record.document["paths"].values()]
        assert min(paths) > 10, "the near ties must be decided in float64"


@pytest.mark.slow
def test_hooks_and_torch_fx_give_the_same_integers_on_the_sites_that_both_see() -> None:
    class Traceable(toys.Untraceable):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.relu2(self.conv2(self.relu1(self.conv1(x)))).amax(dim=(2, 3)))

    hooked, traced = made("untraceable"), Traceable().eval()
    traced.load_state_dict(hooked.state_dict())
    seen = [list(trace(module, (1, 8, 8)).sites) for module in (hooked, traced)]
    assert seen == [["conv1", "relu1", "conv2", "relu2"], ["conv1", "relu1", "conv2", "relu2", "amax"]]
    runs = [ablate(toys.network(module), toys.digits(40), sites=seen[0]).flips for module in (hooked, traced)]
    assert len(runs[0]) > 50
    pd.testing.assert_frame_equal(*runs)
