"""The architectures behind the names of the catalogue, with random weights or with given ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from lenslab.units.networks.alexnet import AlexNet
from lenslab.units.networks.checkpoint import Checkpoint
from lenslab.units.networks.efficientnet_lite0 import EfficientNetLite0
from lenslab.units.networks.resnet import BasicBlock, Bottleneck, ResNet
from lenslab.units.networks.resnet20 import ResNet20
from lenslab.units.networks.small import Small
from lenslab.units.networks.vgg import VGG16
from lenslab.units.networks.weights import fit, put_weights

Builder = Callable[..., nn.Module]
"""Makes a network with random weights; ``classes`` is its number of logits."""

BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        "small": Small,
        "efficientnet_lite0": EfficientNetLite0,
        "resnet20": ResNet20,
        "alexnet": AlexNet,
        "vgg16": VGG16,
        "vgg16_bn": partial(VGG16, batch_norm=True),
        "resnet18": partial(ResNet, BasicBlock, (2, 2, 2, 2)),
        "resnet34": partial(ResNet, BasicBlock, (3, 4, 6, 3)),
        "resnet50": partial(ResNet, Bottleneck, (3, 4, 6, 3)),
    }
)
"""What makes the network of each name."""


def untrained(name: str) -> nn.Module:
    """Make a network with random weights, always the same, in eval mode. The global random state is left as it was.

    Example:
        >>> one, other = untrained("small"), untrained("small")
        >>> torch.equal(one.linear.weight, other.linear.weight)
        True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return BUILDERS[name]().eval()


def weighted(name: str, checkpoint: Checkpoint) -> tuple[nn.Module, tuple[str, ...]]:
    """Make a network with the weights of a file, in eval mode; it has as many logits as their last layer.

    Returns:
        The network, and what was done to find its weights in the file.

    Example:
        >>> weighted("small", Checkpoint("mine.pth", {"": Small(classes=3).state_dict()}, {}))[0].linear.out_features
        3
    """
    with torch.device("meta"):  # no time goes into random weights that nobody sees
        module = BUILDERS[name]()
        fitted = fit(checkpoint, module)
        classes = classes_of(module, fitted.state)
        module = BUILDERS[name]() if classes is None else BUILDERS[name](classes=classes)
    blank = {key: torch.zeros(tensor.shape, dtype=tensor.dtype) for key, tensor in module.state_dict().items()}
    module.load_state_dict(blank, assign=True)  # to_empty() would first import all of symbolic shapes
    put_weights(module, fitted, source=checkpoint.file)
    return module.eval(), fitted.assumptions


def classes_of(module: nn.Module, state: Mapping[str, Tensor]) -> int | None:
    """Read the number of logits off the outputs of the weights' last layer; ``None`` where that is another one.

    Example:
        >>> classes_of(nn.Linear(4, 10), {"weight": torch.zeros(3, 4)})
        3
    """
    layers = [(name, parameter) for name, parameter in module.named_parameters() if parameter.ndim > 1]
    if not layers:
        return None
    name, parameter = layers[-1]
    found = state.get(name)
    if found is None or found.shape[1:] != parameter.shape[1:] or len(found) < 2:
        return None
    return len(found)
