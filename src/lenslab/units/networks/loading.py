"""From a network's name to a classifier that can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from lenslab.units.errors import PreprocessingError, UnknownNetworkError, UnsupportedNetworkError, WeightsError
from lenslab.units.fragment import located
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.images.preprocessing_files import read_preprocessing
from lenslab.units.networks.architectures import untrained as without_weights
from lenslab.units.networks.architectures import weighted
from lenslab.units.networks.catalogue import entry, making_of
from lenslab.units.networks.catalogue_entry import Entry
from lenslab.units.networks.checkpoint import read_checkpoint
from lenslab.units.networks.network import Network, network_of
from lenslab.units.networks.network_libraries import LibraryNetwork, is_of_library, library_network
from lenslab.units.networks.output import Output
from lenslab.units.networks.user_networks import import_network
from lenslab.units.networks.weights import WeightsInfo, describe_weights, weights_from


@dataclass(frozen=True)
class _Weights:
    """Weights that were found for a network of the catalogue, and what comes with them."""

    path: Path
    info: WeightsInfo
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    names_are_stated: bool = True


def load(
    network: str | nn.Module,
    *,
    weights: str | Path | None = None,
    untrained: bool = False,
    preprocessing: Preprocessing | str | Path | None = None,
    mean: Sequence[float] | float | None = None,
    sd: Sequence[float] | float | None = None,
    size: tuple[int, int] | int | None = None,
    name: str | None = None,
    class_names: Sequence[str] | None = None,
    output: Output | None = None,
) -> Network:
    """Load a network in eval mode, on the CPU. The global random state is left as it was.

    Args:
        network: A name of the catalogue, ``package.module:callable`` for your own, ``torchvision:NAME``, ``timm:NAME``,
            or ``transformers:DIRECTORY``; or a module of your own, in eval mode, which is not changed.
        weights: A file, or a name: `small` has ``fashion-mnist``, its default, and ``digits``; `efficientnet_lite0`
            has ``imagenet``; `library_network` says which names the libraries take. The network gets as many logits as
            the last layer of the weights.
        untrained: Allow random weights (always the same) where none are given, to look at the network's sites.
        preprocessing: In place of the network's own; or a JSON file with it, lenslab's, timm's or Transformers'.
        mean: In place of the preprocessing's, one value per channel or one for all.
        sd: As ``mean``.
        size: (height, width), or one number for both, in place of the preprocessing's.
        name: What a module of your own is called in records; the name of its class by default.
        class_names: A name for each logit of a network of your own.
        output: Where the logits are in what a network of your own puts out: a key or an attribute, a position, or a
            function that takes them out. By default they are what is named ``logits``, as in Transformers, or the only
            value; a softmax or sigmoid layer at the end is taken off, and one logit stands for two classes.

    Raises:
        UnknownNetworkError: There is none of that name.
        UnsupportedNetworkError: Your callable does not make a classifier of images.
        WeightsError: Weights are needed, cannot be read or do not fit.
        NotFiniteError: Weights hold NaN or infinity.
        PreprocessingError: It is incomplete or does not fit the network.

    Example:
        >>> network = load("small", weights="digits")
        >>> network.classes, network.weights.file
        (10, 'small-digits.safetensors')
        >>> load(network.module, mean=0.5, sd=0.25, size=8).classes
        10
        >>> load("resnet20")
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: resnet20 comes without weights; give a file with --weights FILE
    """
    mean, sd = ((value,) if isinstance(value, int | float) else value for value in (mean, sd))
    size = (size, size) if isinstance(size, int) else size
    if isinstance(preprocessing, str | Path):
        preprocessing = read_preprocessing(preprocessing)
    if not isinstance(preprocessing, Preprocessing | None):
        raise PreprocessingError(
            f"preprocessing is a units.Preprocessing or the path of a JSON file, not {preprocessing!r:.80}"
        )
    if not isinstance(weights, str | Path | None):
        raise WeightsError(f"weights are a name or the path of a file, not {type(weights).__name__}")
    if isinstance(network, nn.Module):
        if weights is not None or untrained:
            raise WeightsError("a module has its own weights: load them into it first, and leave weights and untrained")
        called = name or type(network).__name__
        own = _own_preprocessing(called, preprocessing, mean, sd).override(mean=mean, sd=sd, size=size)
        return network_of(network, own, name=called, class_names=class_names, output=output)
    if not isinstance(network, str):
        raise UnknownNetworkError(f"a network is loaded by its name or from a torch module, not from {network!r:.80}")
    own_name = ":" in network and not is_of_library(network)
    if name is not None or (class_names is not None and not own_name):
        raise UnsupportedNetworkError(f"name and class_names are for a module of your own; {network} says them itself")
    name = network
    if is_of_library(name):
        found = library_network(name, weights=weights, untrained=untrained)
        own = (preprocessing or _declared(name, found, mean, sd, size)).override(mean=mean, sd=sd, size=size)
        return network_of(
            found.module, own, name=name, class_names=found.class_names, weights=found.weights, output=output
        )
    if ":" in name:
        own = _own_preprocessing(name, preprocessing, mean, sd)
        return _load_own(name, weights, own.override(mean=mean, sd=sd, size=size), output, class_names)
    if output is not None:
        raise UnsupportedNetworkError(f"{name} puts out logits and nothing else; leave output away")
    known = entry(name)
    given = _given(known, weights, untrained)
    info = None
    if given is None:
        module, declared = without_weights(name), known.preprocessing
    else:
        module, assumptions = weighted(name, read_checkpoint(given.path))
        declared, info = given.preprocessing, replace(given.info, assumptions=assumptions)
    chosen = (preprocessing or declared).override(mean=mean, sd=sd, size=size)
    if chosen.channels != known.preprocessing.channels:
        raise PreprocessingError(
            f"{name} takes images of {known.preprocessing.channels} channel(s), and the preprocessing has "
            f"{chosen.channels}"
        )
    classes = list(module.parameters())[-1].numel()  # the bias of the last layer
    class_names = known.class_names if given is None else given.class_names
    named = class_names if len(class_names) == classes else None
    return Network(
        name, module, chosen, classes, named, info, names_are_stated=given is not None and given.names_are_stated
    )


def _given(known: Entry, weights: str | Path | None, untrained: bool) -> _Weights | None:
    if weights is None and known.weights:
        weights = known.weights[0].name
    if weights is None and known.packaged and not (untrained and not known.packaged.installed):
        weights = known.packaged.name
    if weights is None:
        if not untrained:
            raise WeightsError(f"{known.name} comes without weights; give a file with --weights FILE")
        return None
    shipped = known.shipped(str(weights))
    if shipped:
        info = WeightsInfo(shipped.path.name, shipped.sha256)
        return _Weights(shipped.path, info, shipped.preprocessing, shipped.class_names)
    packaged = known.packaged if known.packaged and known.packaged.name == str(weights) else None
    path = packaged.path() if packaged else Path(weights).expanduser()
    if not located(path)[0].is_file():
        names = [*(weights.name for weights in known.weights), *([known.packaged.name] if known.packaged else [])]
        raise WeightsError(
            f"no weights {str(weights)!r}: no such file"
            + (f", and {known.name} comes with {', '.join(names)}" if names else "")
        )
    making = making_of(path) if path.suffix.lower() == ".safetensors" else {}
    if making.get("network") == known.name:  # written by our own training script
        own = Preprocessing.from_json(making.get("preprocessing", {}))
        return _Weights(path, describe_weights(path), own, tuple(making.get("class_names") or known.class_names))
    # Nobody said what a stranger's weights were trained on.
    names_are_stated = packaged is not None
    return _Weights(path, describe_weights(path), known.preprocessing, known.class_names, names_are_stated)


def _declared(
    name: str,
    found: LibraryNetwork,
    mean: Sequence[float] | None,
    sd: Sequence[float] | None,
    size: tuple[int, int] | None,
) -> Preprocessing:
    try:
        return found.declared()
    except PreprocessingError as error:
        if mean is None or sd is None or size is None:
            raise PreprocessingError(f"{error}; or give --mean, --sd and --size") from error
        return _own_preprocessing(name, None, mean, sd)


def _load_own(
    name: str,
    weights: str | Path | None,
    preprocessing: Preprocessing,
    output: Output | None,
    class_names: Sequence[str] | None,
) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # so that a network without weights is the same every time
        module = import_network(name)
    found = None if weights is None else weights_from(weights, module)
    made = network_of(module, preprocessing, name=name, class_names=class_names, weights=found, output=output)
    if found is not None:
        return made
    as_made = f"no weights were given: the network is as {name} makes it"
    return replace(made, assumptions=(*made.assumptions, as_made))


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
