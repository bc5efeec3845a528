import operator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lenslab.units.networks.resnet20 import Block, ResNet20
from lenslab.units.networks.small import Small


@pytest.mark.parametrize(("network", "channels", "side"), [(Small(), 1, 28), (ResNet20(), 3, 32)])
def test_tracing_gives_a_graph_with_the_same_answers(network, channels, side):
    network.eval()
    traced = torch.fx.symbolic_trace(network)
    images = torch.randn(3, channels, side, side, generator=torch.Generator().manual_seed(0))
    assert torch.equal(traced(images), network(images))


def test_the_convolutions_of_small_are_as_described():
    convolutions = [part for part in Small().modules() if isinstance(part, nn.Conv2d)]
    assert [part.out_channels for part in convolutions] == [32, 64, 64]
    assert all(part.kernel_size == (3, 3) for part in convolutions)


def test_resnet20_has_nineteen_convolutions_with_688_units_and_nine_visible_sums():
    graph = torch.fx.symbolic_trace(ResNet20()).graph
    sums = [node for node in graph.nodes if node.target is operator.add]
    assert len(sums) == 9
    assert all(user.target.endswith(".relu2") for node in sums for user in node.users)
    convolutions = [part for part in ResNet20().modules() if isinstance(part, nn.Conv2d)]
    assert (len(convolutions), sum(part.out_channels for part in convolutions)) == (19, 688)
    targets = [node.target for node in graph.nodes if node.op == "call_module"]
    assert len(targets) == len(set(targets)), "every module is called once, so its name is one site"


def test_resnet20_has_the_names_of_published_weights():
    names = {name.rsplit(".", 1)[0] for name in ResNet20().state_dict()}
    blocks = {f"layer{layer}.{block}.{part}" for layer in (1, 2, 3) for block in (0, 1, 2) for part in
              ("conv1", "bn1", "conv2", "bn2")}  # fmt: skip
    assert names == blocks | {"conv1", "bn1", "linear"}


def test_a_widening_block_adds_every_second_pixel_between_zero_channels():
    block = Block(2, 6, 2).eval()
    nn.init.zeros_(block.conv2.weight)
    images = torch.rand(1, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    answer = block(images)
    assert torch.equal(answer[:, 2:4], images[:, :, ::2, ::2])
    assert answer[:, :2].abs().sum() == answer[:, 4:].abs().sum() == 0


def test_a_block_of_equal_width_adds_its_input_and_then_rectifies():
    block = Block(2, 2, 1).eval()
    images = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(2))
    branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(images)))))
    assert torch.equal(block(images), F.relu(branch + images))
    assert block(images).min() == 0
