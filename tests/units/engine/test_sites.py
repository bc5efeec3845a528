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


class Shapes(nn.Module):
    """Values of every shape, seen by torch.fx, or by hooks where asked."""

    def __init__(self, *, untraceable: bool = False) -> None:
        super().__init__()
        self.untraceable = untraceable
        self.conv, self.row, self.volume = nn.Conv2d(1, 4, 3), nn.Conv1d(1, 1, 3, padding=1), nn.Conv3d(1, 2, 1)
        self.norm, self.tokens, self.counts = nn.LayerNorm(4), nn.Linear(4, 4), Counts()
        self.aside, self.fold, self.idle = nn.Linear(4, 2), Folded(), nn.ReLU()
        self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.last = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.untraceable and x.sum() == torch.inf:
            raise ValueError
        maps = self.conv(x)
        last = self.norm(maps.permute(0, 2, 3, 1))
        tokens = self.tokens(last.flatten(1, 2))
        pooled = tokens.mean(1) + self.row(tokens.mean(1)[:, None])[:, 0] + self.counts(maps).sum() * 0
        pooled = pooled + self.volume(maps[:, None]).mean((1, 3, 4)) + self.fold(maps).mean()
        self.aside(pooled)
        return self.last(self.block(pooled))


class Counts(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0).long()


class Folded(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(0, 1)


@pytest.mark.crossed
@pytest.mark.parametrize("untraceable", [False, True])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("row", r"'row' is seen, and is no site: for one image it is \[1, 4\], and units are the channels of"),
        ("volume", r"for one image it is \[2, 4, 6, 6\], and units"),
        ("norm", r"for one image it is \[6, 6, 4\], with the channels last, and units"),
        ("tokens", r"for one image it is \[36, 4\], and units"),
        ("idle", "'idle' is seen, and is no site: it is not called"),
        ("last", "'last' is seen, and is no site: it is the logits"),
        ("[rv]o*", r"'row' \(and 1 more that match '\[rv\]o\*'\) is seen"),
        ("block", r"'block' is made of other layers; name one of its 2 sites, such as 'block.1', or all of them with"),
        ("nothing", "no site matches 'nothing'"),
    ],
)
def test_what_is_seen_and_is_no_site_is_named_with_why(name: str, words: str, untraceable: bool) -> None:
    traced = trace(Shapes(untraceable=untraceable).eval(), (1, 8, 8))
    assert (traced.graph is None) == untraceable
    with pytest.raises(UnknownSiteError, match=words):
        traced.select(name)


def test_hooks_see_what_modules_of_the_users_own_put_out() -> None:
    traced = trace(Shapes(untraceable=True).eval(), (1, 8, 8))
    assert traced.unsupported["counts"] == "it holds no floating-point numbers"
    assert traced.unsupported["fold"] == "it is [12, 6, 6] for all images together, and not one for each"


def test_a_value_that_the_logits_do_not_depend_on_is_no_site() -> None:
    with pytest.raises(UnknownSiteError, match="'aside' is seen, and is no site: the logits do not depend on it"):
        trace(Shapes().eval(), (1, 8, 8)).select("aside")


@pytest.mark.parametrize("untraceable", [False, True])
def test_every_layer_is_a_site_or_is_said_to_be_none(untraceable: bool) -> None:
    module = Shapes(untraceable=untraceable).eval()
    traced = trace(module, (1, 8, 8))
    own = {"counts", "fold"}  # torch.fx looks into these
    layers = {path for path, layer in module.named_modules() if path and not list(layer.children())}
    assert layers - own <= {*traced.sites, *traced.unsupported}
    assert not {*traced.sites} & {*traced.unsupported}


def test_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(UnsupportedNetworkError, match=r"answers 3 images with shape \(3, 4, 6, 6\)"):
        trace(nn.Conv2d(1, 4, 3).eval(), (1, 8, 8))
    with pytest.raises(UnsupportedNetworkError, match=r"does not run on images of shape \(3, 8, 8\)"):
        trace(toys.Shared().eval(), (3, 8, 8))
