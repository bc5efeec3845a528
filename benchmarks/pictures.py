"""The images of a benchmark: some to measure, and others to calibrate and fit networks on."""

from __future__ import annotations

import torch

from benchmarks.networks import SIDES
from benchmarks.textures import textures
from lenslab import units
from lenslab.units.engine.near_ties import decide
from lenslab.units.images import Images
from lenslab.units.networks import Network

LARGE = ("alexnet", "vgg16", "vgg16_bn", "resnet18", "resnet34", "resnet50", "efficientnet_lite0")
"""Networks for ImageNet, whose own size takes too long for a look."""


def size_of(network: str, side: int) -> tuple[int, int] | None:
    """Give the size of a network's input: ``side`` for one of `LARGE`, unless it is 0; else the network's own."""
    return (side, side) if side and network in LARGE else None


def measured_and_fit(
    network: str, source: str | None, measured: int, fit: int, size: tuple[int, int] | None
) -> tuple[Images, Images]:
    """Open or draw images.

    Args:
        network: its name; ``small`` has weights for the digits and takes those.
        source: whatever `lenslab.units.open_images` takes; ``None`` for `benchmarks.textures`.
        measured: how many to measure.
        fit: how many others to fit on.
        size: (height, width) of what is drawn; by default that of the network.
    """
    if source is None and network == "small":
        return units.open_images("digits").limited(measured), units.open_images("digits-train").limited(fit)
    if source is None:
        drawn = textures(
            measured + fit, size=size or ((224, 224) if network in LARGE else SIDES.get(network, (32, 32))), channels=3
        )
        pixels, labels = list(drawn[0]), drawn[1].tolist()
    else:
        opened = units.open_images(source).limited(measured + fit)
        pixels = [image for block in opened.blocks(64) for image in block.pixels]
        labels = opened.labels.tolist()
    pairs = list(zip(pixels, labels, strict=True))
    return units.open_images(pairs[:measured]), units.open_images(pairs[measured:] or pairs)


def hardest(network: Network, images: Images, count: int) -> Images:
    """Choose the images whose two largest logits are closest, where a unit's silence changes most predictions.

    Args:
        network: whose logits.
        images: which to choose from.
        count: how many to choose.
    """
    pixels = [image for block in images.blocks(64) for image in block.pixels]
    with torch.inference_mode():
        logits = [network.module(network.preprocessing(block.pixels)) for block in images.blocks(16)]
    order = decide(torch.cat(logits)).margin.argsort().tolist()[:count]
    return units.open_images([(pixels[at], int(images.labels[at])) for at in sorted(order)])
