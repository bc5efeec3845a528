"""What a site's pairs hold: solved by hand, and beside what torch allocates."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from lenslab.units import Ablation, trace
from lenslab.units.engine.batch import batches
from lenslab.units.engine.site_memory import site_bytes
from lenslab.units.engine.site_plan import plan
from tests.units import toys


class Chain(nn.Module):
    """Values of 4x4, 4x4, 3x2x2 and 2 numbers that follow each other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 2, 1), nn.ReLU()
        self.down, self.last = nn.Conv2d(2, 3, 1, stride=2), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.down(self.relu(self.conv(x)))).flatten(1))


def test_it_is_what_a_hand_counts() -> None:
    traced = trace(Chain().eval(), (1, 4, 4))
    (site,) = traced.select(["relu:1"])
    (delta,), (whole,) = (plan(traced, [site], engine=engine) for engine in ("exact", "plain"))
    assert (delta.path, whole.path) == ("low-rank update", "whole network")
    # The site's 32 numbers and the convolution's 12 of ten images; of 512 pairs the 12, and then relu and flatten.
    assert site_bytes(traced, [delta], 10) == {"relu:1": 4 * (10 * (32 + 12) + 512 * 12 + 512 * (12 + 12))}
    # The input, of which convolution and relu make 32 numbers each; two values are alive at once.
    assert site_bytes(traced, [whole], 10) == {"relu:1": 4 * 10 * (32 + 32)}


def test_a_network_without_a_graph_says_nothing() -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Untraceable())), toys.digits(20))
    assert {*site_bytes(asked.trace, asked.plans, 8).values()} == {None}


def test_it_is_about_what_torch_allocates() -> None:
    """The clean pass was made before, so that what a site holds of it is not allocated again."""
    asked = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(200), batch_size=200, executor="eager")
    engine = asked.engine_for(asked.plans, torch.device("cpu"))
    ((_, batch),) = batches(asked.images, asked.network.preprocessing, 200, torch.device("cpu"))
    expected = site_bytes(asked.trace, asked.plans, 200)
    assert len({*expected.values()}) == 3
    with torch.inference_mode():
        engine.run(batch, [])
        for site, most in expected.items():
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
                for _ in engine.decisions(batch, site):
                    pass
            assert 0.4 * most < most_allocated(seen) < most


def most_allocated(seen: profile) -> int:
    held = most = 0
    for event in seen.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most
