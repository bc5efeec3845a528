"""Networks of torchvision, timm and transformers, and the preprocessing that these declare; imported when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from lenslab.units.errors import PreprocessingError, UnknownNetworkError, UnsupportedNetworkError, WeightsError
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.images.preprocessing_files import from_timm, read_preprocessing
from lenslab.units.networks.architectures import classes_of
from lenslab.units.networks.checkpoint import read_checkpoint
from lenslab.units.networks.weights import WeightsInfo, describe_weights, fit, put_weights, weights_from

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""What transformers calls the weights in a directory, in the order in which it looks."""


@dataclass(frozen=True, eq=False)
class LibraryNetwork:
    """A network of a library.

    Attributes:
        module: In eval mode.
        declared: Gives the preprocessing that the library declares for it.
        class_names: A name for each logit, where the library knows the weights.
        weights: The file that the weights came from; ``None`` where they are random or the library keeps them.
    """

    module: nn.Module
    declared: Callable[[], Preprocessing]
    class_names: tuple[str, ...] | None
    weights: WeightsInfo | None


class LogitsOnly(nn.Module):
    """A classifier of transformers that answers with its logits alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Classify images [n, C, H, W] into logits [n, classes]."""
        logits: Tensor = self.network(pixel_values=x).logits
        return logits


def is_of_library(name: str) -> bool:
    """Tell whether a name is that of a library's network.

    Example:
        >>> is_of_library("timm:resnet26"), is_of_library("torchvision.models:resnet18")
        (True, False)
    """
    return name.partition(":")[0] in _LIBRARIES


def library_network(name: str, *, weights: str | Path | None = None, untrained: bool = False) -> LibraryNetwork:
    """Make a network of a library, in eval mode.

    Args:
        name: ``torchvision:NAME``, ``timm:NAME`` or ``transformers:DIRECTORY``.
        weights: A file; for torchvision also the name of weights that it publishes, such as ``IMAGENET1K_V1``, and for
            timm ``pretrained``: these the library keeps, and fetches where it has to.
        untrained: Allow random weights (always the same) where none are given. A directory of transformers has its own.

    Example:
        >>> library_network("transformers:no/such/directory")
        Traceback (most recent call last):
        lenslab.units.errors.UnknownNetworkError: no directory no/such/directory with a config.json; ...
    """
    library, _, own_name = name.partition(":")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _LIBRARIES[library](own_name, None if weights is None else str(weights), untrained)


def _torchvision(name: str, weights: str | None, untrained: bool) -> LibraryNetwork:
    models = _imported("torchvision", "torchvision.models", "lenslab[vision]")
    _refuse_unknown(name, models.list_models(module=models), "torchvision")
    published = models.get_model_weights(name)
    named = published.__members__.get(weights) if weights else None
    if weights is None and not untrained:
        offers = ", ".join(published.__members__)
        raise WeightsError(f"torchvision:{name} needs weights; give a file with --weights FILE, or one of {offers}")
    usual = named or next(iter(published))

    def build(**options: int) -> nn.Module:
        made: nn.Module = models.get_model(name, weights=named, **options)
        return made

    module, info = _with_weights(f"torchvision:{name}", build, None if named else weights)
    return LibraryNetwork(
        module,
        lambda: _declared_by_torchvision(usual.transforms(), f"torchvision:{name}"),
        tuple(named.meta["categories"]) if named and "categories" in named.meta else None,
        _cached(named.url) if named else info,
    )


def _timm(name: str, weights: str | None, untrained: bool) -> LibraryNetwork:
    timm = _imported("timm", "timm", "lenslab[vision]")
    _refuse_unknown(name.partition(".")[0], timm.list_models(), "timm")
    if weights is None and not untrained:
        raise WeightsError(f"timm:{name} needs weights; give a file with --weights FILE, or the word pretrained")
    pretrained = weights == "pretrained"

    def build(**options: int) -> nn.Module:
        made: nn.Module = timm.create_model(name, pretrained=pretrained, **options)
        return made

    module, info = _with_weights(f"timm:{name}", build, None if pretrained else weights)
    return LibraryNetwork(
        module,
        lambda: from_timm(timm.data.resolve_model_data_config(module), f"timm:{name}"),
        class_names=None,
        weights=info,
    )


def _transformers(directory: str, weights: str | None, _untrained: bool) -> LibraryNetwork:
    path = Path(directory).expanduser()
    if not (path / "config.json").is_file():
        raise UnknownNetworkError(
            f"no directory {directory} with a config.json; transformers:DIRECTORY names what save_pretrained wrote"
        )
    transformers = _imported("transformers", "transformers", "transformers")

    def build() -> nn.Module:
        made: nn.Module = transformers.AutoModelForImageClassification.from_pretrained(path, local_files_only=True)
        return made

    inner = _made(f"transformers:{directory}", build)
    found = None if weights is None else weights_from(weights, inner)
    labels: Mapping[Any, str] = getattr(inner.config, "id2label", None) or {}
    own = (path / file for file in WEIGHTS_FILES)
    return LibraryNetwork(
        LogitsOnly(inner).eval(),
        lambda: read_preprocessing(path / "preprocessor_config.json"),
        tuple(labels[index] for index in sorted(labels)) or None,
        found or next((describe_weights(file) for file in own if file.is_file()), None),
    )


_LIBRARIES: Mapping[str, Callable[[str, str | None, bool], LibraryNetwork]] = MappingProxyType(
    {"torchvision": _torchvision, "timm": _timm, "transformers": _transformers}
)


def _imported(library: str, module: str, install: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise _broken(library, install, error) from error
        raise UnsupportedNetworkError(
            f"{library} is not installed; install it with: pip install '{install}'"
        ) from error
    except (ImportError, RuntimeError) as error:  # torchvision raises the second where its torch is another
        raise _broken(library, install, error) from error


def _broken(library: str, install: str, error: Exception) -> UnsupportedNetworkError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return UnsupportedNetworkError(
        f"{library} is installed and cannot be imported ({type(error).__name__}: {reason}). torchvision has to be "
        f"built for torch {torch.__version__}, both for the CPU or both for the same CUDA; install them together with: "
        f"pip install '{install}'. Or name the network package.module:callable"
    )


def _refuse_unknown(name: str, known: Iterable[str], library: str) -> None:
    listed = list(known)
    if name not in listed:
        near = difflib.get_close_matches(name, listed, n=3)
        guess = f"; did you mean {' or '.join(f'{library}:{other}' for other in near)}?" if near else ""
        raise UnknownNetworkError(f"{library} has no classifier named {name!r}{guess}")


def _made(name: str, build: Callable[[], nn.Module]) -> nn.Module:
    try:
        return build().eval()
    except Exception as error:  # a library's builders raise anything at all
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UnsupportedNetworkError(f"{name} cannot be made: {type(error).__name__}: {reason}") from error


def _with_weights(name: str, build: Callable[..., nn.Module], file: str | None) -> tuple[nn.Module, WeightsInfo | None]:
    module = _made(name, build)
    if file is None:
        return module, None
    checkpoint = read_checkpoint(file)
    fitted = fit(checkpoint, module)
    classes = classes_of(module, fitted.state)
    if classes is not None and classes != classes_of(module, module.state_dict()):
        module = _made(name, lambda: build(num_classes=classes))
    put_weights(module, fitted, source=checkpoint.file)
    return module, describe_weights(file, fitted.assumptions)


def _cached(url: str) -> WeightsInfo | None:
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    return describe_weights(file) if file.is_file() else None


def _declared_by_torchvision(preset: Any, name: str) -> Preprocessing:
    fields = ("crop_size", "resize_size", "mean", "std", "interpolation")
    cut, resized, mean, sd, method = (getattr(preset, field, None) for field in fields)
    if not cut or not resized or len(cut) != 1 or len(resized) != 1 or not mean or not sd or method is None:
        raise PreprocessingError(
            f"what torchvision does with images for {name} is not resizing, cutting and normalising"
        )
    return Preprocessing(len(mean), (cut[0],) * 2, tuple(mean), tuple(sd), filter=method.value, shorter=resized[0])
