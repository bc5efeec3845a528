"""How sites are named, found and chosen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lenslab.units import load, trace
from lenslab.units.engine.sites import select
from lenslab.units.errors import AmbiguousSiteError, UnknownSiteError, UnsupportedNetworkError
from tests.units import toys


def names(module: nn.Module, *, default: bool = True) -> list[str]:
    return [site.name for site in trace(module.eval(), (1, 8, 8)).sites.values() if site.default or not default]


def test_resnet20_has_19_default_sites_with_688_units() -> None:
    traced = trace(load("resnet20", untrained=True).module, (3, 32, 32))
    chosen = select(traced.sites.values(), None)
    assert (len(chosen), sum(site.units for site in chosen)) == (19, 688)
    assert [site.name for site in chosen[:3]] == ["relu", "layer1.0.relu1", "layer1.0.relu2"]


def test_a_default_site_is_the_sum_after_its_activation() -> None:
    assert names(toys.Residual()) == ["relu:1", "relu:2", "relu:3"]


def test_a_default_site_is_the_sum_itself_where_no_activation_follows() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.conv = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.last = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.stem(x)
            return self.last((self.conv(x) + x).mean(dim=(2, 3)))

    assert names(Bare()) == ["stem", "add"]


def test_branches_have_their_own_sites_and_functions_are_named_by_what_is_around_them() -> None:
    assert names(toys.Branches()) == ["left.1", "right.1", "silu"]
    assert {"cat", "mix", "mean"} <= set(names(toys.Branches(), default=False))


def test_every_call_of_a_module_that_is_called_twice_is_a_site_of_its_own() -> None:
    found = names(toys.Shared(), default=False)
    assert [name for name in found if name.startswith(("conv", "bn"))] == ["conv:1", "bn:1", "conv:2", "bn:2"]


def test_globs_choose_sites_in_the_order_of_execution() -> None:
    sites = trace(toys.Residual().eval(), (1, 8, 8)).sites.values()
    assert [site.name for site in select(sites, ["bn?", "conv*", "conv1"])] == ["conv1", "bn1", "conv2", "bn2"]


def test_an_ambiguous_name_is_refused_with_its_candidates() -> None:
    sites = trace(toys.Shared().eval(), (1, 8, 8)).sites.values()
    with pytest.raises(AmbiguousSiteError, match=r"'conv' is called 2 times; name one of 'conv:1', 'conv:2'"):
        select(sites, ["conv"])


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    sites = trace(toys.Shared().eval(), (1, 8, 8)).sites.values()
    with pytest.raises(UnknownSiteError, match=r"no site matches 'layer9.*'.*lenslab sites"):
        select(sites, ["layer9.*"])


def test_the_filters_of_a_site_are_those_that_make_its_units() -> None:
    filters = {name: site.filters for name, site in trace(toys.Residual().eval(), (1, 8, 8)).sites.items()}
    assert filters["relu:2"] == "conv1"
    assert filters["relu:3"] == "conv2"  # the first term of the sum
    assert filters["max_pool2d"] is None


def test_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(UnsupportedNetworkError, match=r"answers 3 images with shape \(3, 4, 6, 6\)"):
        trace(nn.Conv2d(1, 4, 3).eval(), (1, 8, 8))
    with pytest.raises(UnsupportedNetworkError, match=r"does not run on images of shape \(3, 8, 8\)"):
        trace(toys.Shared().eval(), (3, 8, 8))
