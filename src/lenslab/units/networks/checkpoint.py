"""A file of weights: the sets of tensors by name that it holds; nothing in a file is ever run."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lenslab.units.errors import WeightsError, some_of
from lenslab.units.fragment import located

PICKLED = (".pt", ".pth", ".th", ".bin", ".ckpt", ".tar", ".pkl")
"""Endings of files that ``torch.save`` wrote."""

OTHERS = {
    ".onnx": "an ONNX graph, which has no modules to look into",
    ".pt2": "a program of torch.export, which has no modules to look into",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow graph",
    ".h5": "a file of HDF5 or Keras",
    ".hdf5": "a file of HDF5 or Keras",
    ".keras": "a file of Keras",
    ".gguf": "a file of llama.cpp",
    ".npz": "a file of NumPy",
    ".msgpack": "a file of Flax",
}
"""What files of other endings are."""

_DEEPEST = 4
"""Sets of tensors are looked for below so many keys."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        file: Its name, without its directory.
        sets: Tensors by name, by the keys that lead to them, with dots between; those of the file itself have ``""``.
        beside: What else stands beside the tensors of each set.
        key: Which set was asked for, by its key or by the prefix of its names; any where it is empty.
    """

    file: str
    sets: Mapping[str, dict[str, Tensor]]
    beside: Mapping[str, tuple[str, ...]]
    key: str = ""


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.safetensors`` file, or what ``torch.save`` wrote: a state dict, or a checkpoint of a training with one.

    A pickle is read with ``weights_only=True``: tensors and containers, and no code.

    Args:
        path: The file. ``FILE#KEY`` asks for one of several sets in it, by its key or by the prefix of its names.

    Raises:
        WeightsError: There is no such file, it is of another kind, or it holds no tensors by name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "mine.pth"
        ...     torch.save({"net": {"weight": torch.ones(2, 3)}, "acc": 93.1, "epoch": 7}, path)
        ...     {key: list(tensors) for key, tensors in read_checkpoint(path).sets.items()}
        {'net': ['weight']}
    """
    path, key = located(path)
    if not path.is_file():
        raise WeightsError(f"no weights file {path}")
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return Checkpoint(path.name, {"": _read_safetensors(path)}, {}, key)
    if suffix not in PICKLED:
        what = OTHERS.get(suffix, "not a kind of weights file that is read here")
        raise WeightsError(
            f"{path.name} is {what}; give the state dict of the PyTorch network as .safetensors (best) or "
            f"{', '.join(PICKLED)}"
        )
    loaded = _read_pickle(path)
    if not isinstance(loaded, Mapping):
        raise WeightsError(f"{path.name} holds a {type(loaded).__name__}; expected a state dict: tensors by name")
    sets: dict[str, dict[str, Tensor]] = {}
    beside: dict[str, tuple[str, ...]] = {}
    for where, held in _mappings(loaded):
        tensors = {name: value for name, value in held.items() if isinstance(name, str) and isinstance(value, Tensor)}
        if tensors:
            sets[where], beside[where] = tensors, tuple(str(name) for name in held if name not in tensors)
    if not sets:
        what = f"{some_of([str(name) for name in loaded], 4)} are not tensors" if loaded else "it is empty"
        raise WeightsError(f"{path.name} is not a state dict, that is tensors by name: {what}")
    return Checkpoint(path.name, sets, beside, key)


def _mappings(held: Mapping[Any, Any], key: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Walk through what stands under names; what lies in lists or under numbers is the state of optimisers."""
    yield key, held
    if depth < _DEEPEST:
        for name, value in held.items():
            if isinstance(name, str) and isinstance(value, Mapping):
                yield from _mappings(value, f"{key}.{name}" if key else name, depth + 1)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path, device="cpu"))
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path.name} cannot be read as a safetensors file: {error}") from error


def _read_pickle(path: Path) -> Any:
    if _is_torchscript(path):
        raise WeightsError(
            f"{path.name} is a TorchScript archive, which cannot be looked into; save the weights of the Python module "
            "that it was made of: torch.save(module.state_dict(), FILE)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        kinds = re.findall(r"GLOBAL ([\w.]+)", str(error))
        held = f" (it holds a {kinds[0]})" if kinds else ""
        raise WeightsError(
            f"{path.name} is not a plain state dict{held}, and unpickling anything else could run code: nothing of it "
            "was run. Where you trust it, load it yourself and save module.state_dict(), best as .safetensors"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{path.name} cannot be read as weights: {reason}") from error


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False
