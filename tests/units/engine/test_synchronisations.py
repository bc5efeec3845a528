"""How often the engine waits for a device: for each chunk of pairs, and never for each unit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from lenslab.units import Ablation
from lenslab.units.engine import site_plan
from lenslab.units.engine.batch import batches
from lenslab.units.engine.exact_engine import ExactEngine
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")

WAITING = ("nonzero", "_local_scalar_dense", "unique_consecutive", "_unique2", "masked_select")
"""Operations of torch whose result's size, or whose number, the host has to be told."""


class Wide(nn.Module):
    """A site of so many units in front of a convolution, and one in front of a linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, width, 3, padding=1), nn.Conv2d(width, width, 3, stride=2)
        self.hidden, self.last = nn.Linear(width, 24), nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.second(F.relu(self.first(x)))).mean((2, 3))
        return self.last(F.relu(self.hidden(x)))


class Waits(TorchDispatchMode):
    """Counts them, and what reads numbers of a tensor without an operation."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.count = 0
        for name in ("tolist", "item", "__bool__", "__int__"):
            read = getattr(Tensor, name)
            monkeypatch.setattr(Tensor, name, lambda value, read=read: self._told(read, value))

    def _told(self, read: Any, value: Tensor) -> Any:
        self.count += 1
        return read(value)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        masks = [each for each in (args[1] if "aten.index.Tensor" in str(func) else ()) if each is not None]
        self.count += any(name in str(func) for name in WAITING) or any(mask.dtype == torch.bool for mask in masks)
        return func(*args, **(kwargs or {}))


def waits(monkeypatch: pytest.MonkeyPatch, width: int, **options: Any) -> dict[str, int]:
    network, images = toys.network(toys.trained(Wide(width))), toys.digits(24)
    asked = Ablation.of(network, images, attributes=False, sites=["relu:1", "relu:2", "mean"], **options)
    engine = asked.engine_for(asked.plans, torch.device("cpu"))
    assert isinstance(engine, ExactEngine)
    ((_, batch),) = batches(images, network.preprocessing, 24, torch.device("cpu"))
    found = {}
    with torch.inference_mode():
        for site in [plan.site.name for plan in asked.plans]:
            [*engine.decisions(batch, site)]  # what is prepared once is not counted
            engine._recheck.band = 0.0  # nor are near ties
            with monkeypatch.context() as patch, Waits(patch) as counted:
                [*engine.decisions(batch, site)]
            found[site] = counted.count
    return found


@pytest.mark.parametrize("options", [{}, {"basis": "haar"}])
def test_it_waits_as_often_for_eighty_units_as_for_twenty(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(site_plan, "_WORTH", 1.01)
    monkeypatch.setattr("lenslab.units.engine.fx_program._MOST_PAIRS", 1 << 20)
    monkeypatch.setattr("lenslab.units.engine.fx_program._NUMBERS", 1 << 40)
    few, many = (waits(monkeypatch, width, **options) for width in (20, 80))
    assert few == many
    assert all(0 < count < 40 for count in few.values())
