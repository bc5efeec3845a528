"""The networks that have a name, and the weights that are shipped with them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lenslab.records import sha256_of_file
from lenslab.units.errors import UnknownNetworkError, WeightsError
from lenslab.units.images.fashion_mnist import CLASS_NAMES as FASHION_MNIST
from lenslab.units.preprocessing import Preprocessing

SHIPPED = Path(__file__).parent / "shipped"
"""Where the shipped weights are; ``scripts/train_small.py`` makes them."""


@dataclass(frozen=True)
class ShippedWeights:
    """Weights that come with the package.

    Attributes:
        name: what they are asked for by, and the images that they are for.
        path: of the safetensors file.
        sha256: of the file, hex.
        preprocessing: what the network was trained with.
        class_names: a name for each logit.
        making: how they were made: script, seed, epochs, versions, accuracy (a fraction of the ``test_count`` images of
            the source ``test_images``, which took no part in training).
    """

    name: str
    path: Path
    sha256: str
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    making: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """Fraction of the held-out images that were classified correctly when the weights were made."""
        return float(self.making["accuracy"])


@dataclass(frozen=True)
class Entry:
    """A network of the catalogue.

    Attributes:
        name: what it is asked for by.
        description: one sentence.
        preprocessing: what its input is by default.
        classes: number of logits.
        class_names: a name for each logit by default.
        weights: the shipped ones, the default first; without any, weights have to be given.
    """

    name: str
    description: str
    preprocessing: Preprocessing
    classes: int
    class_names: tuple[str, ...]
    weights: tuple[ShippedWeights, ...]

    def shipped(self, name: str) -> ShippedWeights | None:
        """Find shipped weights by name."""
        return next((weights for weights in self.weights if weights.name == name), None)


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The classes of CIFAR-10 in the order of its labels."""

_ENTRIES: Mapping[str, tuple[str, Preprocessing, tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "small": (
            "three 3x3 convolutions of 32, 64 and 64 channels with batch norm, then a linear classifier",
            Preprocessing(channels=1, size=(28, 28), mean=(0.286,), sd=(0.353,)),
            FASHION_MNIST,
            ("fashion-mnist", "digits"),
        ),
        "resnet20": (
            "ResNet-20 for CIFAR-10 with parameter-free shortcuts; takes weights with --weights FILE",
            Preprocessing(channels=3, size=(32, 32), mean=(0.485, 0.456, 0.406), sd=(0.229, 0.224, 0.225)),
            CIFAR10,
            (),
        ),
    }
)


@cache
def networks() -> tuple[Entry, ...]:
    """List the networks that have a name.

    Example:
        >>> [entry.name for entry in networks()]
        ['small', 'resnet20']
        >>> networks()[0].weights[0].accuracy > 0.91
        True
    """
    return tuple(
        Entry(
            name=name,
            description=description,
            preprocessing=preprocessing,
            classes=len(class_names),
            class_names=class_names,
            weights=tuple(_shipped(name, weights) for weights in shipped),
        )
        for name, (description, preprocessing, class_names, shipped) in _ENTRIES.items()
    )


def entry(name: str) -> Entry:
    """Find a network of the catalogue.

    Raises:
        UnknownNetworkError: there is none of that name.

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
        f"no network named {name!r}{guess} There are {', '.join(known)} (list them with: lenslab networks), and your "
        "own as package.module:callable"
    )


def shipped_weights_for(network: str, images_name: str) -> str | None:
    """Name the shipped weights that were made for these images, if there are any.

    Args:
        network: name of a network; one outside the catalogue has none.
        images_name: name of images, for example ``digits`` or ``fashion-mnist-train``.

    Example:
        >>> shipped_weights_for("small", "digits"), shipped_weights_for("resnet20", "digits")
        ('digits', None)
    """
    names = _ENTRIES[network][3] if network in _ENTRIES else ()
    wanted = images_name.removesuffix("-train")
    return wanted if wanted in names else None


def making_of(path: Path) -> dict[str, Any]:
    """Read how a safetensors file of ours was made; empty for another's.

    Raises:
        WeightsError: it is not a safetensors file.

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
