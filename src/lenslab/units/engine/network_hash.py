"""What a network is, as a hash: two networks that could answer differently have different ones."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lenslab.units.engine.trace import Trace

_COLLECTIONS = (tuple, list, set, frozenset, dict)
_SIMPLE = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.Size)


def hash_of_weights(module: nn.Module) -> str:
    """Hash every tensor of a network: parameters, buffers (those that are not saved as well) and plain attributes.

    Example:
        >>> one, other = nn.Linear(2, 2), nn.Linear(2, 2)
        >>> hash_of_weights(one) == hash_of_weights(other)
        False
    """
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    for path, part in module.named_modules():
        tensors |= {f"{path}.{name}": value for name, value in vars(part).items() if isinstance(value, Tensor)}
    digest = hashlib.sha256()
    for name in sorted(tensors):
        _add(digest, name, tensors[name])
    return digest.hexdigest()


def hash_of_architecture(trace: Trace) -> str:
    """Hash what a network does with its tensors: its layers with their options, its operations, its constants.

    Where torch.fx could not trace the network, the source of its classes stands in for the operations.
    """
    digest = hashlib.sha256()
    for path, part in trace.module.named_modules():
        kind = type(part)
        digest.update(f"{path} {kind.__module__}.{kind.__qualname__}\n".encode())
        for line in _options(part):
            digest.update(f"  {line}\n".encode())
        if trace.graph is None:
            digest.update(_source(kind).encode())
    if trace.graph is not None:
        digest.update(str(trace.graph.module.code).encode())
        for node in trace.graph.nodes:
            if node.op == "get_attr":
                _add(digest, str(node.target), _attribute(trace.graph.module, str(node.target)))
    return digest.hexdigest()


def _options(part: nn.Module) -> Iterator[str]:
    """List the simple values that a module carries, hooks and bookkeeping left out."""
    for name, value in sorted(vars(part).items()):
        hooks = name.endswith("_hooks") or name.startswith(("_forward", "_backward", "_state_dict", "_load_state"))
        if hooks and value:
            yield f"{name}: {len(value)}"
        elif isinstance(value, _SIMPLE) or (isinstance(value, _COLLECTIONS) and not name.startswith("_")):
            yield f"{name} = {value!r}"


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):  # made in a shell, or in C
        return ""


def _attribute(module: nn.Module, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module


def _add(digest: Any, name: str, value: object) -> None:
    if isinstance(value, Tensor):
        plain = value.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    else:
        digest.update(f"{name} {value!r}\n".encode())
