"""From a network's name to a classifier that can be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import torch
from torch import nn

from lenslab.units.errors import PreprocessingError, WeightsError
from lenslab.units.networks.catalogue import Entry, entry, making_of
from lenslab.units.networks.importing import import_network
from lenslab.units.networks.network import Network, network_of
from lenslab.units.networks.resnet20 import ResNet20
from lenslab.units.networks.small import Small
from lenslab.units.preprocessing import Preprocessing
from lenslab.units.weights import WeightsInfo, describe_weights, put_weights, read_weights

_BUILDERS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType({"small": Small, "resnet20": ResNet20})


def load(
    name: str,
    *,
    weights: str | Path | None = None,
    untrained: bool = False,
    preprocessing: Preprocessing | None = None,
    mean: Sequence[float] | None = None,
    sd: Sequence[float] | None = None,
    size: tuple[int, int] | None = None,
) -> Network:
    """Load a network in eval mode, on the CPU. The global random state is left as it was.

    Args:
        name: of the catalogue, or ``package.module:callable`` for your own.
        weights: the name of shipped weights (`small` has ``fashion-mnist``, its default, and ``digits``) or a file.
        untrained: allow random weights (always the same) where none are given, to look at the network's sites.
        preprocessing: in place of the network's own.
        mean: in place of the preprocessing's, one value per channel or one for all.
        sd: as ``mean``.
        size: (height, width), in place of the preprocessing's.

    Raises:
        UnknownNetworkError: there is none of that name.
        UnsupportedNetworkError: your callable does not make a classifier of images.
        WeightsError: weights are needed, cannot be read or do not fit.
        NotFiniteError: weights hold NaN or infinity.
        PreprocessingError: it is incomplete or does not fit the network.

    Example:
        >>> network = load("small", weights="digits")
        >>> network.classes, network.weights.file
        (10, 'small-digits.safetensors')
        >>> load("resnet20")
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: resnet20 comes without weights; give a file with --weights FILE
    """
    if ":" in name:
        own = _own_preprocessing(name, preprocessing, mean, sd)
        return _load_own(name, weights, own.override(mean=mean, sd=sd, size=size))
    known = entry(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = _BUILDERS[name]().eval()
    if weights is None and not known.weights:
        if not untrained:
            raise WeightsError(f"{name} comes without weights; give a file with --weights FILE")
        info, own, class_names = None, known.preprocessing, known.class_names
    else:
        info, own, class_names = _weigh(module, known, known.weights[0].name if weights is None else weights)
    chosen = (preprocessing or own).override(mean=mean, sd=sd, size=size)
    if chosen.channels != known.preprocessing.channels:
        raise PreprocessingError(
            f"{name} takes images of {known.preprocessing.channels} channel(s), and the preprocessing has "
            f"{chosen.channels}"
        )
    return Network(name, module, chosen, known.classes, class_names, info)


def _weigh(module: nn.Module, known: Entry, weights: str | Path) -> tuple[WeightsInfo, Preprocessing, tuple[str, ...]]:
    shipped = known.shipped(str(weights))
    path = shipped.path if shipped else Path(weights).expanduser()
    if not path.is_file():
        names = ", ".join(weights.name for weights in known.weights)
        raise WeightsError(
            f"no weights {str(weights)!r}: no such file"
            + (f", and {known.name} is shipped with {names}" if names else "")
        )
    put_weights(module, read_weights(path), source=path.name)
    if shipped:
        return WeightsInfo(path.name, shipped.sha256), shipped.preprocessing, shipped.class_names
    making = making_of(path) if path.suffix.lower() == ".safetensors" else {}
    if making.get("network") == known.name:  # written by our own training script
        own = Preprocessing.from_json(making.get("preprocessing", {}))
        return describe_weights(path), own, tuple(making.get("class_names") or known.class_names)
    return describe_weights(path), known.preprocessing, known.class_names


def _load_own(name: str, weights: str | Path | None, preprocessing: Preprocessing) -> Network:
    with torch.random.fork_rng(devices=[]):
        module = import_network(name)
    if weights is None:
        return network_of(module, preprocessing, name=name)
    put_weights(module, read_weights(weights), source=Path(weights).name)
    return network_of(module, preprocessing, name=name, weights=describe_weights(weights))


def _own_preprocessing(
    name: str, preprocessing: Preprocessing | None, mean: Sequence[float] | None, sd: Sequence[float] | None
) -> Preprocessing:
    if preprocessing is not None:
        return preprocessing
    if mean is None or sd is None:
        raise PreprocessingError(
            f"how images are prepared for {name} is unknown; give --mean and --sd, one value per channel, in units of "
            "the full scale (0 to 1), and --size"
        )
    channels = max(len(mean), len(sd))
    return Preprocessing(channels, None, (0.0,) * channels, (1.0,) * channels)
