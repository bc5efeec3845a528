"""AlexNet with one column (Krizhevsky, arXiv 1404.5997), as its published weights have it."""

from __future__ import annotations

from torch import Tensor, nn


class AlexNet(nn.Module):
    """Five convolutions of 64, 192, 384, 256 and 256 channels, then three linear layers.

    The state dict has the keys and shapes of torchvision's weights; 1,152 units at the default sites.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     sum(parameter.numel() for parameter in AlexNet().parameters())
        61100840
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Classify images [n, 3, H, W] of 63 pixels or more (224 in ImageNet) into logits [n, classes]."""
        logits: Tensor = self.classifier(self.flatten(self.avgpool(self.features(x))))
        return logits
