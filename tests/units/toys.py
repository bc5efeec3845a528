"""Toy networks: some solved by hand, some with the shapes that break other tools."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units.images import Images, open_images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network

SIZE = 8
PLAIN = Preprocessing(channels=1, size=(SIZE, SIZE), mean=(0.0,), sd=(1.0,))


class Residual(nn.Module):
    """A ReLU module that is called twice, in place, an in-place sum, a view by the batch's size."""

    def __init__(self, classes: int = 10, *, in_place: bool = True) -> None:
        super().__init__()
        self.in_place = in_place
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.conv1 = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=in_place)
        self.last = nn.Linear(6 * 16, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.in_place:
            out += x
        else:
            out = out + x
        out = F.max_pool2d(self.relu(out), 2)
        return self.last(out.view(x.size(0), -1))


class Branches(nn.Module):
    """Two branches that are concatenated, a leaky ReLU, and dropout."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.left = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.LeakyReLU(0.2))
        self.right = nn.Sequential(nn.Conv2d(1, 5, 5, padding=2), nn.ReLU())
        self.mix = nn.Conv2d(9, 7, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.last = nn.Linear(7, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.left(x), self.right(x)], dim=1)
        x = self.drop(F.silu(self.mix(x)))
        return self.last(x.mean(dim=(2, 3)))


class Shared(nn.Module):
    """The same convolution and batch norm twice in a row."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 5, 3, padding=1)
        self.conv = nn.Conv2d(5, 5, 3, padding=1)
        self.bn = nn.BatchNorm2d(5)
        self.last = nn.Linear(5 * 64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(self.bn(self.conv(x)))
        x = F.relu(self.bn(self.conv(x)))
        return self.last(x.flatten(1))


class Untraceable(nn.Module):
    """Asks its values a question, which torch.fx cannot follow."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.last = nn.Linear(6, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        if bool(torch.isfinite(x).all()):
            x = self.relu2(self.conv2(x))
        return self.last(x.amax(dim=(2, 3)))


def trained(module: nn.Module, *, seed: int = 0) -> nn.Module:
    """Give a module random features and a last layer fitted to the digits, so that its margins are real."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            spread = (2 / layer.weight[0].numel()) ** 0.5
            layer.weight.data = torch.randn(layer.weight.shape, generator=generator) * spread
            if layer.bias is not None:  # torch draws it from the global generator
                layer.bias.data = torch.randn(layer.bias.shape, generator=generator) * 0.1
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean = torch.randn(layer.num_features, generator=generator) * 0.1
            layer.running_var = torch.rand(layer.num_features, generator=generator) + 0.5
            layer.weight.data = torch.rand(layer.num_features, generator=generator) + 0.5
            layer.bias.data = torch.randn(layer.num_features, generator=generator) * 0.2
    module.eval()
    images = digits(400)
    (block,) = images.blocks(400)
    features: list[Tensor] = []
    last = next(layer for layer in reversed(list(module.modules())) if isinstance(layer, nn.Linear))
    handle = last.register_forward_hook(lambda _layer, inputs, _output: features.append(inputs[0]))
    with torch.inference_mode():
        module(PLAIN(block.pixels))
    handle.remove()
    x = torch.cat([features[0].clone(), torch.ones(400, 1)], dim=1).double()
    y = F.one_hot(torch.tensor(images.labels), last.out_features).double()
    solution = torch.linalg.solve(x.T @ x + 1e-3 * torch.eye(x.shape[1]), x.T @ y).float()
    last.weight.data, last.bias.data = solution[:-1].T.contiguous(), solution[-1].contiguous()
    return module


def network(module: nn.Module, *, classes: int = 10) -> Network:
    return Network("toy", module, PLAIN, classes)


def digits(count: int) -> Images:
    return open_images("digits").limited(count)


def dark_beginning() -> tuple[Network, tuple[np.ndarray, np.ndarray]]:
    """A network no unit of which is active on the first eight of 40 images: a path has nothing to be compared on."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3, bias=False), nn.ReLU(), nn.Conv2d(8, 8, 3, bias=False), nn.ReLU(), nn.Flatten()]
    (block,) = digits(32).blocks(32)
    pixels = np.stack([np.zeros((SIZE, SIZE, 1), np.uint8)] * 8 + [*block.pixels])
    return network(nn.Sequential(*layers, nn.Linear(128, 10)).eval()), (pixels, np.arange(40) % 10)


def by_hand() -> Network:
    """Four units that sum one quarter of the image each; logits that add them with round weights.

    Class 0 is wired to units 0 and 1, class 1 to unit 2; unit 3 leads nowhere.
    """
    module = nn.Sequential(
        nn.Conv2d(1, 4, 4, stride=4, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2, bias=False)
    )
    module[0].weight.data = torch.ones(4, 1, 4, 4)
    weight = torch.zeros(2, 4, 4)
    weight[0, 0, 0] = weight[0, 1, 1] = 1.0
    weight[1, 2, 2] = 1.5
    module[3].weight.data = weight.reshape(2, 16)
    return network(module.eval(), classes=2)


def quarters(*bright: tuple[int, ...]) -> np.ndarray:
    """Images whose quarters (0 top left, 1 top right, 2 bottom left, 3 bottom right) are white where named."""
    images = np.zeros((len(bright), SIZE, SIZE), np.uint8)
    for image, places in zip(images, bright, strict=True):
        for place in places:
            row, column = divmod(place, 2)
            image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 255
    return images
