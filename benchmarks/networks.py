"""Networks to measure: those of the catalogue and some of shapes that it lacks, alive and with real margins."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab import units
from lenslab.units.images import Images
from lenslab.units.networks import Network, entry, networks

_BATCH = 32


class Concatenation(nn.Module):
    """Blocks whose convolutions of three sizes are concatenated, each with what came in (Inception, DenseNet)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList(self._block(width) for width in (16, 40))
        self.mix = nn.Conv2d(64, 32, 1)
        self.head = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, 3, H, W] to [n, classes]."""
        x = self.stem(x)
        for block in self.blocks:
            x = F.max_pool2d(torch.cat([x, *(branch(x) for branch in block)], dim=1), 2)
        return self.head(F.relu(self.mix(x)).mean(dim=(2, 3)))

    @staticmethod
    def _block(width: int) -> nn.ModuleList:
        return nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, 8, size, padding=size // 2), nn.BatchNorm2d(8), nn.ReLU())
            for size in (1, 3, 5)
        )


class InvertedBottlenecks(nn.Module):
    """Blocks that widen, convolve each channel alone, and narrow again, with a sum around some (MobileNetV2)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        widths = ((16, 24, 2), (24, 24, 1), (24, 40, 2), (40, 40, 1), (40, 80, 2), (80, 80, 1))
        self.stem = self._convolution(3, 16, 3, stride=2)
        self.blocks = nn.ModuleList(self._block(*each) for each in widths)
        self.adds = [taken == given and stride == 1 for taken, given, stride in widths]
        self.head = nn.Linear(80, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, 3, H, W] to [n, classes]."""
        x = self.stem(x)
        for block, adds in zip(self.blocks, self.adds, strict=True):
            x = x + block(x) if adds else block(x)
        return self.head(x.mean(dim=(2, 3)))

    @classmethod
    def _block(cls, taken: int, given: int, stride: int) -> nn.Sequential:
        wide = 4 * taken
        return nn.Sequential(
            cls._convolution(taken, wide, 1),
            cls._convolution(wide, wide, 3, stride=stride, groups=wide),
            *(nn.Conv2d(wide, given, 1, bias=False), nn.BatchNorm2d(given)),
        )

    @staticmethod
    def _convolution(taken: int, given: int, size: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
        layer = nn.Conv2d(taken, given, size, stride, size // 2, groups=groups, bias=False)
        return nn.Sequential(layer, nn.BatchNorm2d(given), nn.ReLU6(inplace=True))


class Leaky(nn.Module):
    """Leaky ReLU, SiLU and GELU, whose units are never quite silent, and two linear layers at the end."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU(0.1, inplace=True), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24), nn.SiLU(), nn.AvgPool2d(2)),
            *(nn.Conv2d(24, 32, 3, padding=1, groups=4), nn.GELU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()),
        )
        self.hidden = nn.Linear(128, 48)
        self.head = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, 3, H, W] to [n, classes]."""
        return self.head(F.leaky_relu(self.hidden(self.features(x)), 0.2))


class Questioning(nn.Module):
    """A residual network that asks its values a question, which torch.fx cannot follow; or does not ask.

    Args:
        classes: how many logits.
        asks: whether it does.
    """

    def __init__(self, classes: int = 10, *, asks: bool = True) -> None:
        super().__init__()
        self.asks = asks
        self.conv1, self.bn1, self.relu1 = nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.conv3, self.relu3 = nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(inplace=True)
        self.head = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, 3, H, W] to [n, classes]."""
        x = self.relu1(self.bn1(self.conv1(x)))
        if not self.asks or bool(x.isfinite().all()):
            x = F.relu(x + self.bn2(self.conv2(x)))
        return self.head(self.relu3(self.conv3(x)).mean(dim=(2, 3)))


OWN: dict[str, Callable[[], nn.Module]] = {
    "concatenation": Concatenation,
    "depthwise": InvertedBottlenecks,
    "leaky": Leaky,
    "untraceable": Questioning,
    "untraceable, unasked": lambda: Questioning(asks=False),
    "twins": Concatenation,
}
"""Networks that the catalogue has no like of."""

TRAINED = ("concatenation", "depthwise")
"""Those of them that are trained, so that they have the margins of trained networks."""

SIDES = {"depthwise": (64, 64)}
"""(height, width) of what they take, where it is not (32, 32)."""


def make(name: str, images: Images, *, size: tuple[int, int] | None = None, weights: str | None = None) -> Network:
    """Make a network that is worth measuring: with its own weights where they are at hand, or alive and fitted.

    Args:
        name: of `OWN`, or whatever `lenslab.units.load` takes.
        images: what batch norms are calibrated and the last layer is fitted on, where the weights are random.
        size: (height, width) of the input, in place of the network's own.
        weights: a file.
    """
    if name in OWN:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = OWN[name]().eval()
        preprocessing = units.Preprocessing(3, size or SIDES.get(name, (32, 32)), (0.5,) * 3, (0.25,) * 3)
        network = fitted(Network(name, module, preprocessing, classes=10), images)
        if name in TRAINED:
            return trained(network, images)
        return twinned(network) if name == "twins" else network
    known = name in {each.name for each in networks()}
    at_hand = weights or (known and (entry(name).weights or (entry(name).packaged and entry(name).packaged.installed)))
    network = units.load(name, weights=weights, untrained=not at_hand, size=size)
    return network if at_hand else fitted(network, images)


def fitted(network: Network, images: Images) -> Network:
    """Give a network of random weights live features and a last layer that classifies.

    The weights are He's (Kaiming normal, arXiv 1502.01852), batch norms scale and shift at random and have the means
    and variances of these images, and the last layer is `fit_last_layer`'s.

    Args:
        network: its module is changed.
        images: labelled images.
    """
    batches = [network.preprocessing(block.pixels) for block in images.blocks(_BATCH)]
    random = torch.Generator().manual_seed(0)
    norms = [layer for layer in network.module.modules() if isinstance(layer, nn.BatchNorm2d)]
    with torch.no_grad():
        for layer in network.module.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=random)
                if layer.bias is not None:
                    layer.bias.normal_(0, 0.05, generator=random)
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5, generator=random)
            norm.bias.normal_(0, 0.2, generator=random)
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        for batch in batches if norms else ():
            network.module(batch)
        for norm in norms:
            norm.momentum = 0.1
            norm.eval()
        fit_last_layer(network.module, batches, torch.as_tensor(images.labels))
    return network


def trained(network: Network, images: Images, *, epochs: int = 4) -> Network:
    """Train a network for a short while: Adam, cross-entropy, batches in an order that a seed draws.

    Args:
        network: its module is changed.
        images: labelled images.
        epochs: how often each is seen.
    """
    pixels = torch.cat([network.preprocessing(block.pixels) for block in images.blocks(_BATCH)])
    labels, module = torch.as_tensor(images.labels), network.module
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    module.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(pixels), generator=random).split(_BATCH):
            optimizer.zero_grad()
            F.cross_entropy(module(pixels[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    module.eval()
    return network


def twinned(network: Network) -> Network:
    """Make every other class nearly the twin of the one before it, so that most decisions are near ties."""
    last = [layer for layer in network.module.modules() if isinstance(layer, nn.Linear)][-1]
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for numbers in (last.weight, last.bias):
            twins = numbers[::2]
            numbers[1::2] = twins + 1e-6 * torch.randn(twins.shape, generator=random) * twins.abs().mean()
    return network


def fit_last_layer(module: nn.Module, batches: list[Tensor], labels: Tensor, *, penalty: float = 1e-2) -> float:
    """Fit the last linear layer to labels: ridge regression of one-hot labels on what it takes, in closed form.

    With ``X`` the features and a column of ones, ``W = (X'X + penalty * mean(diag X'X) * I)^-1 X'Y`` in float64.

    Args:
        module: a classifier in evaluation mode whose last linear layer gives the logits; that layer is changed.
        batches: preprocessed images.
        labels: their labels, int64 ``[images]``.
        penalty: on the squared weights, as a share of the features' mean square.

    Returns:
        The share of these images that are classified correctly afterwards.
    """
    last = [layer for layer in module.modules() if isinstance(layer, nn.Linear)][-1]
    features: list[Tensor] = []
    handle = last.register_forward_pre_hook(lambda _layer, inputs: features.append(inputs[0].detach().double()))
    with torch.inference_mode():
        for batch in batches:
            module(batch)
    handle.remove()
    x = torch.cat([torch.cat(features), torch.ones(len(labels), 1, dtype=torch.float64)], dim=1)
    y = F.one_hot(labels, last.out_features).double()
    if x.shape[1] <= len(x):
        gram = x.T @ x
        solution = torch.linalg.solve(gram + penalty * gram.diagonal().mean() * torch.eye(len(gram)), x.T @ y)
    else:  # the same by way of the smaller matrix
        gram = x @ x.T
        share = penalty * gram.diagonal().sum() / x.shape[1]
        solution = x.T @ torch.linalg.solve(gram + share * torch.eye(len(gram)), y)
    with torch.no_grad():
        last.weight.copy_(solution[:-1].T)
        last.bias.copy_(solution[-1])
    return float(((x @ solution).argmax(dim=1) == labels).double().mean())
