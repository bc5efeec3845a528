"""VGG-16, configuration D (Simonyan and Zisserman, arXiv 1409.1556), with and without batch norm."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of 3x3 convolutions of each stage; 2x2 max pooling ends a stage."""


class VGG16(nn.Module):
    """Thirteen 3x3 convolutions in five stages, then three linear layers.

    The state dict has the keys and shapes of torchvision's weights; 4,224 units at the default sites.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     sum(parameter.numel() for parameter in VGG16(batch_norm=True).parameters())
        138365992
    """

    def __init__(self, classes: int = 1000, *, batch_norm: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(batch_norm))
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Classify images [n, 3, H, W] of 32 pixels or more (224 in ImageNet) into logits [n, classes]."""
        logits: Tensor = self.classifier(self.flatten(self.avgpool(self.features(x))))
        return logits


def _features(batch_norm: bool) -> Iterator[nn.Module]:
    inputs = 3
    for outputs, convolutions in STAGES:
        for _ in range(convolutions):
            yield nn.Conv2d(inputs, outputs, 3, padding=1)
            if batch_norm:
                yield nn.BatchNorm2d(outputs)
            yield nn.ReLU()
            inputs = outputs
        yield nn.MaxPool2d(2)
