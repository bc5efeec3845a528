import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from lenslab.units import trace
from lenslab.units.engine.fx_graph import Graph
from lenslab.units.engine.fx_program import FxProgram
from lenslab.units.engine.sites import Site
from lenslab.units.networks import load
from lenslab.units.networks.architectures import BUILDERS
from lenslab.units.networks.resnet import Bottleneck

PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "efficientnet_lite0": 4_652_008,
}
"""As published with the weights."""


def weightless(name: str) -> nn.Module:
    with torch.device("meta"):
        return BUILDERS[name]().eval()


def shapes(module: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]


def seeded(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def settled(module: nn.Module, *, side: int) -> nn.Module:
    """Give batch norms the statistics of some noise and shifts of their own, as training does: no signal dies away."""
    generator = torch.Generator().manual_seed(1)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the plain average of what it sees
            layer.bias.data = torch.randn(layer.num_features, generator=generator) * 0.2
    with torch.inference_mode():
        module.train()(seeded(4, 3, side, side))
    return module.eval()


def sites_at_224(name: str) -> dict[str, Site]:
    graph = Graph(weightless(name), torch.zeros(2, 3, 224, 224, device="meta"))
    return {site: found for site, (found, _) in graph.sites().items()}


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_number_of_parameters_is_the_published_one(name: str) -> None:
    assert sum(parameter.numel() for parameter in weightless(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "sites", "units"),
    [
        ("alexnet", 5, 1_152),
        ("vgg16", 13, 4_224),
        ("vgg16_bn", 13, 4_224),
        ("resnet18", 17, 3_904),
        ("resnet34", 33, 7_616),
        ("resnet50", 49, 22_720),
        ("efficientnet_lite0", 49, 21_008),
    ],
)
def test_every_convolution_hands_on_one_default_site(name: str, sites: int, units: int) -> None:
    default = [site for site in sites_at_224(name).values() if site.default]
    assert (len(default), sum(site.units for site in default)) == (sites, units)
    assert all(site.filters and ":" not in site.name for site in default)


def test_residual_sums_are_sites_after_their_relu_where_one_follows() -> None:
    resnet = [site.name for site in sites_at_224("resnet50").values() if site.default]
    assert resnet[:4] == ["relu", "layer1.0.relu1", "layer1.0.relu2", "layer1.0.relu3"]
    lite = sites_at_224("efficientnet_lite0")
    default = [name for name, site in lite.items() if site.default]
    assert default[:3] == ["relu0", "_blocks.0.relu1", "_blocks.0._bn2"]
    assert default[6:9] == ["_blocks.2.relu0", "_blocks.2.relu1", "_blocks.2.add"]
    assert lite["_blocks.2.add"].filters == "_blocks.2._project_conv"
    assert lite["_blocks.2.relu1"].filters == "_blocks.2._depthwise_conv"
    assert (lite["_blocks.2.relu1"].units, lite["_blocks.2.add"].units) == (144, 24)


def _blocks(depths: tuple[int, ...], convolutions: int, widened: tuple[int, ...]) -> Iterator[str]:
    for layer, depth in enumerate(depths, start=1):
        for block in range(depth):
            for index in range(1, convolutions + 1):
                yield f"layer{layer}.{block}.conv{index}"
                yield f"layer{layer}.{block}.bn{index}"
            if block == 0 and layer in widened:
                yield f"layer{layer}.0.downsample.0"
                yield f"layer{layer}.0.downsample.1"


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        (
            "alexnet",
            [f"features.{index}" for index in (0, 3, 6, 8, 10)] + [f"classifier.{index}" for index in (1, 4, 6)],
        ),
        (
            "vgg16",
            [f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
            + [f"classifier.{index}" for index in (0, 3, 6)],
        ),
        (
            "vgg16_bn",
            [
                f"features.{index + shift}"
                for index in (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
                for shift in (0, 1)
            ]
            + [f"classifier.{index}" for index in (0, 3, 6)],
        ),
        ("resnet18", ["conv1", "bn1", *_blocks((2, 2, 2, 2), 2, (2, 3, 4)), "fc"]),
        ("resnet34", ["conv1", "bn1", *_blocks((3, 4, 6, 3), 2, (2, 3, 4)), "fc"]),
        ("resnet50", ["conv1", "bn1", *_blocks((3, 4, 6, 3), 3, (1, 2, 3, 4)), "fc"]),
    ],
)
def test_the_layers_have_the_names_of_published_weights_in_their_order(name: str, layers: list[str]) -> None:
    found = dict.fromkeys(key.rpartition(".")[0] for key in weightless(name).state_dict())
    assert list(found) == layers


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name != "efficientnet_lite0"])
def test_where_torchvision_imports_its_networks_have_the_same_names_and_shapes(name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            models = import_module("torchvision.models")
    except (ImportError, RuntimeError):
        pytest.skip("torchvision does not import here")
    with torch.device("meta"):
        theirs = models.get_model(name, weights=None)
    assert shapes(weightless(name)) == shapes(theirs)


def test_efficientnet_lite0_answers_bit_for_bit_as_the_network_that_its_weights_were_converted_for() -> None:
    ours = load("efficientnet_lite0")
    theirs = EfficientNet.from_name("efficientnet-lite0").eval()
    assert shapes(ours.module) == shapes(theirs)
    theirs.load_state_dict(ours.module.state_dict())
    images = seeded(2, 3, 224, 224)
    with torch.inference_mode():
        answers = ours.module(images)
        assert torch.equal(answers, theirs(images))
    assert not torch.equal(answers[0], answers[1])


def test_efficientnet_lite0_comes_with_its_imagenet_weights_and_preprocessing() -> None:
    network = load("efficientnet_lite0")
    assert network.weights is not None
    assert network.weights.sha256.startswith("57934424"), "the file's own name has the start of its hash"
    assert (network.classes, network.class_names, network.parameters) == (1000, None, 4_652_008)
    pixels = torch.tensor([[0, 127, 255]], dtype=torch.uint8).reshape(1, 1, 3, 1).expand(1, 1, 3, 3).numpy()
    assert (network.preprocessing.size, network.preprocessing.shorter) == ((224, 224), 256)
    prepared = replace(network.preprocessing, size=None, shorter=None)(pixels)
    torch.testing.assert_close(prepared[0, 0, 0], (torch.tensor([0.0, 127.0, 255.0]) - 127) / 128)


def test_the_stride_of_a_bottleneck_is_that_of_its_3x3_convolution() -> None:
    strided = Bottleneck(8, 4, 2)
    assert (strided.conv1.stride, strided.conv2.stride, strided.conv3.stride) == ((1, 1), (2, 2), (1, 1))
    assert strided.eval()(seeded(1, 8, 6, 6)).shape == (1, 16, 3, 3)


def test_a_block_adds_its_input_or_its_projection_and_then_rectifies() -> None:
    network = settled(BUILDERS["resnet18"](classes=3), side=64)
    for block, shape in ((network.layer1[0], (2, 64, 8, 8)), (network.layer2[0], (2, 64, 8, 8))):
        images = seeded(*shape)
        branch = block.bn2(block.conv2(block.bn1(block.conv1(images)).relu()))
        projected = images if block is network.layer1[0] else block.downsample[1](block.downsample[0](images))
        assert torch.equal(block(images), (branch + projected).relu())
        assert block(images).min() == 0 < block(images).max()


@pytest.mark.parametrize(
    "name",
    ["resnet18", *(pytest.param(more, marks=pytest.mark.thorough) for more in ("resnet50", "efficientnet_lite0"))],
)
def test_resuming_in_the_middle_gives_what_the_whole_network_gives(name: str) -> None:
    side = 64
    torch.manual_seed(0)
    traced = trace(settled(BUILDERS[name](classes=5), side=side), (3, side, side))
    program = traced.program(torch.device("cpu"))
    assert isinstance(program, FxProgram), traced.obstacle
    default = [site.name for site in traced.sites.values() if site.default]
    sites = [default[0], default[len(default) // 2], default[-2]]
    rows, units = torch.tensor([1, 0]), torch.tensor([3, 7])
    images = seeded(2, 3, side, side)
    with torch.inference_mode():
        golden = program.golden(images, sites)
        for site in sites:
            whole = program.ablated_logits(images[rows], site, units)
            torch.testing.assert_close(program.resumed_logits(golden, site, rows, units), whole)
            assert not torch.equal(whole, golden.logits[rows]), "the ablation must change something"
