"""Filters: which weights and which batch norm make a site's units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.runs.attributes.weight_norms import WeightNorms
from lenslab.units import trace
from lenslab.units.profiling.filter_weights import norms_of
from tests.units import toys


def found(module: nn.Module, site: str) -> WeightNorms:
    traced = trace(module.eval(), (1, 8, 8))
    return norms_of(traced, traced.sites[site])


class Twice(nn.Module):
    """One convolution, called twice, with another batch norm behind each call."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, padding=1, bias=False)
        self.conv = nn.Conv2d(2, 2, 1, bias=False)
        self.first, self.second = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
        self.last = nn.Linear(2, 3)
        self.conv.weight.data.fill_(-1.5)
        self.first.running_var = torch.tensor([4.0, 4.0])
        self.second.running_var = torch.tensor([9.0, 9.0])

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(self.conv(self.stem(x))))
        return self.last(F.relu(self.second(self.conv(x))).mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("site", "deviation"), [("conv:1", 2), ("first", 2), ("relu:1", 2), ("conv:2", 3), ("relu:2", 3)]
)
def test_the_batch_norm_is_that_of_the_call_whether_the_site_lies_before_or_behind_it(site, deviation):
    norms = found(Twice(), site)
    assert norms.raw.tolist() == [3, 3]
    assert norms.folded == pytest.approx([3 / deviation] * 2, rel=1e-4)


def test_without_a_batch_norm_there_is_nothing_to_fold():
    norms = found(Twice(), "stem")
    assert norms.folded.tolist() == norms.raw.tolist()


def test_a_batch_norm_behind_the_activation_is_not_folded():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(128, 3))
    network[2].running_var.fill_(100)
    for site in ("0", "1"):
        norms = found(network, site)
        assert norms.folded.tolist() == norms.raw.tolist()


def test_a_residual_sum_has_the_norms_of_its_first_term():
    module = toys.trained(toys.Residual())
    norms = found(module, "relu:3")
    weights, batch_norm = module.conv2.weight, module.bn2
    expected = weights.abs().sum(dim=(1, 2, 3)) * batch_norm.weight.abs() / (batch_norm.running_var + 1e-5).sqrt()
    assert norms.folded == pytest.approx(expected.detach().numpy(), rel=1e-5)


def test_a_normalisation_that_depends_on_the_image_cannot_be_folded():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(128, 3))
    norms = found(network, "1")
    assert np.isfinite(norms.raw).all()
    assert np.isnan(norms.folded).all()


def test_folding_is_unknown_where_hooks_see_no_graph():
    norms = found(toys.trained(toys.Untraceable()), "conv1")
    assert np.isfinite(norms.raw).all()
    assert np.isnan(norms.folded).all()


def test_a_value_without_filters_of_its_own_has_no_norm():
    assert np.isnan(found(toys.trained(toys.Branches()), "cat").raw).all()
