"""Weights from files: plain tensors by name, checked against the network; nothing in a file is ever run."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lenslab.records import sha256_of_file
from lenslab.units.errors import NotFiniteError, WeightsError, some_of

WRAPPINGS = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts store the state dict."""

PREFIXES = ("module.", "_orig_mod.")
"""What ``DataParallel`` and ``torch.compile`` put in front of every name."""

PICKLED = (".pt", ".pth", ".th", ".bin", ".ckpt")
"""Endings of files that ``torch.save`` wrote."""


@dataclass(frozen=True)
class WeightsInfo:
    """Which weights a network has: the name of their file, without its directory, and its SHA-256 (hex)."""

    file: str
    sha256: str


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a ``.safetensors`` file, or from what ``torch.save`` wrote.

    A pickle is read with ``weights_only=True``: tensors and containers, and no code. A state dict under one of
    `WRAPPINGS` is taken out, and one of `PREFIXES` before every name is taken off.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "mine.pth"
        ...     torch.save({"state_dict": {"module.weight": torch.ones(2, 3)}}, path)
        ...     read_weights(path)["weight"].shape
        torch.Size([2, 3])
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"no weights file {path}")
    if path.suffix.lower() == ".safetensors":
        return _without_prefix(_read_safetensors(path))
    if path.suffix.lower() in PICKLED:
        return _without_prefix(_state_dict(_read_pickle(path), path))
    raise WeightsError(
        f"{path.name} is not a kind of weights file that is read here; give .safetensors (best) or {', '.join(PICKLED)}"
    )


def describe_weights(path: str | Path) -> WeightsInfo:
    """Name a weights file and hash it.

    Example:
        >>> describe_weights(__file__).file
        'weight_files.py'
    """
    path = Path(path).expanduser()
    return WeightsInfo(path.name, sha256_of_file(path))


def put_weights(module: nn.Module, state: Mapping[str, Tensor], *, source: str) -> None:
    """Copy weights into a module, all of them or none; ``source`` is what messages call them.

    The counters ``num_batches_tracked`` may be missing: nothing reads them in eval mode.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> put_weights(layer, {"weight": torch.zeros(1, 2)}, source="mine.pth")
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: mine.pth does not fit Linear: 1 missing (bias). Are they of another network?
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in expected]
    shapes = [
        f"{name} is {list(tensor.shape)} and should be {list(expected[name].shape)}"
        for name, tensor in state.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    problems = [
        f"{len(names)} {what} ({some_of(names, 4)})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise WeightsError(
            f"{source} does not fit {type(module).__name__}: {'; '.join(problems)}. Are they of another network?"
        )
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise NotFiniteError(
            f"{source} holds NaN or infinity in {some_of(broken, 4)}; these weights cannot be measured"
        )
    module.load_state_dict(dict(state), strict=False)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path, device="cpu"))
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path.name} cannot be read as a safetensors file: {error}") from error


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} is not a plain state dict, and unpickling anything else could run code: nothing of it was "
            "run. Where you trust it, load it yourself and save module.state_dict(), best as .safetensors"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{path.name} cannot be read as weights: {reason}") from error


def _state_dict(loaded: Any, path: Path) -> dict[str, Tensor]:
    for key in WRAPPINGS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    if not isinstance(loaded, Mapping):
        raise WeightsError(f"{path.name} holds a {type(loaded).__name__}; expected a state dict: tensors by name")
    others = [str(name) for name, value in loaded.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if others or not loaded:
        raise WeightsError(
            f"{path.name} is not a state dict, that is tensors by name: "
            + (f"{some_of(others, 4)} are not tensors" if others else "it is empty")
        )
    return dict(loaded)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state
