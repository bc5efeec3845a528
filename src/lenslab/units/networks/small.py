"""A small convolutional network: three 3x3 convolutions, trained in minutes on two cores."""

from __future__ import annotations

from torch import Tensor, nn


class Small(nn.Module):
    """Three 3x3 convolutions of 32, 64 and 64 channels, each with batch norm and ReLU, then a linear classifier.

    2x2 max pooling follows the first two, global average pooling the third, so 160 units can be silenced.

    Example:
        >>> import torch
        >>> Small().eval()(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(self, channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 32, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(64)
        self.relu3 = nn.ReLU()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images [n, channels, H, W] of 4x4 pixels or more into logits [n, classes]."""
        x = self.pool1(self.relu1(self.bn1(self.conv1(x))))
        x = self.pool2(self.relu2(self.bn2(self.conv2(x))))
        x = self.relu3(self.bn3(self.conv3(x)))
        logits: Tensor = self.linear(self.flatten(self.average(x)))
        return logits
