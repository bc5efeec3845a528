"""Kinds of modules: those that are measured as the module inside them, and those that cannot be measured at all."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Iterator
from dataclasses import is_dataclass

import torch
from torch import nn

from lenslab.units.errors import UnsupportedNetworkError, some_of

_TORCHS = frozenset(vars(nn.Module()))
"""Where PyTorch keeps what it knows of a module."""

_DEEPEST = 4
"""How deep containers are looked into."""

_WRAPPERS = {"OptimizedModule": ("_orig_mod", "torch.compile"), "DataParallel": ("module", "DataParallel")}
"""Classes that only hand on to a module in them: under which name it stands, and what put it there."""


def is_bare(layer: nn.Module) -> bool:
    """Tell whether a layer does what its class says and no more: no hooks of its user's, no other ``forward``.

    Example:
        >>> layer = nn.ReLU()
        >>> before = is_bare(layer)
        >>> handle = layer.register_forward_hook(lambda _layer, _inputs, output: output * 2)
        >>> before, is_bare(layer)
        (True, False)
    """
    return not (layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer))


def unwrapped(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """Take off what only hands on to a module, and make parameters and buffers of another precision float32.

    Returns:
        The module inside, itself where there is nothing to do and else a copy, and what was done, a sentence each.

    Example:
        >>> unwrapped(nn.DataParallel(nn.Linear(2, 1)))
        (Linear(in_features=2, out_features=1, bias=True), ('DataParallel was taken off the network',))
        >>> unwrapped(nn.Linear(2, 1).half())[1]
        ('parameters and buffers in float16 were made float32',)
    """
    assumed = []
    while _only_hands_on(module):
        inside, name = _WRAPPERS[type(module).__name__]
        module = getattr(module, inside)
        assumed.append(f"{name} was taken off the network")
    others = {tensor.dtype for tensor in _tensors(module) if tensor.is_floating_point()} - {torch.float32}
    if others and not isinstance(module, torch.jit.ScriptModule):
        module = copy.deepcopy(module).float()
        names = " and ".join(sorted(str(each).removeprefix("torch.") for each in others))
        assumed.append(f"parameters and buffers in {names} were made float32")
    return module, tuple(assumed)


def _only_hands_on(module: nn.Module) -> bool:
    kind, hooks = type(module), module._forward_hooks or module._forward_pre_hooks
    torchs = kind.__module__.partition(".")[0] == "torch"
    return torchs and not hooks and kind.__name__ in _WRAPPERS


def refuse_kinds(module: nn.Module, called: str) -> None:
    """Refuse a module that cannot be measured whatever it computes.

    Raises:
        UnsupportedNetworkError: It is TorchScript, has no values (meta device), is quantised, normalises each image by
            the others of its batch, keeps layers where nothing reaches them, or has a ``forward`` that a copy of it
            would share.

    Example:
        >>> refuse_kinds(nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)), "mine")
        Traceback (most recent call last):
        lenslab.units.errors.UnsupportedNetworkError: mine mixes the images of a batch: batch norm without running ...
    """
    parts = dict(module.named_modules())
    scripted = [name for name, part in parts.items() if isinstance(part, torch.jit.ScriptModule)]
    if scripted:
        where = f" (in {some_of(filter(None, scripted), 2)})" if "" not in scripted else ""
        raise UnsupportedNetworkError(
            f"{called} is TorchScript{where}, which cannot be looked into; give the Python module that it was made of"
        )
    empty = [name for name, tensor in _named_tensors(module) if tensor.is_meta]
    if empty:
        raise UnsupportedNetworkError(
            f"{some_of(empty, 3)} of {called} are on the meta device: they have a shape and no values. Give the "
            "network memory with .to_empty(device='cpu') and load its weights first"
        )
    quantised = [
        name or type(part).__name__
        for name, part in parts.items()
        if ".quantized." in f"{type(part).__module__}." or any(tensor.is_quantized for tensor in _own(part))
    ]
    if quantised:
        raise UnsupportedNetworkError(
            f"{called} is quantised ({some_of(quantised, 2)}), and its values are no numbers of float32; give the "
            "network as it was before it was quantised"
        )
    batch_norm = [
        name or type(part).__name__
        for name, part in parts.items()
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None
    ]
    if batch_norm:
        raise UnsupportedNetworkError(
            f"{called} mixes the images of a batch: batch norm without running statistics (track_running_stats=False) "
            f"in {some_of(batch_norm, 3)} normalises each image by the others that are with it, in evaluation, too"
        )
    hidden = [each for name, part in parts.items() for each in _hidden(name, part, {*parts.values()})]
    if hidden:
        raise UnsupportedNetworkError(
            f"{called} keeps layers in Python's own containers ({some_of(hidden, 3)}), where neither .eval() nor "
            "state_dict() nor a copy reaches them; make them attributes, or put them into nn.ModuleList"
        )
    held = [
        f"{name or type(part).__name__}.{attribute}"
        for name, part in parts.items()
        for attribute, value in vars(part).items()
        if _holds_modules(value)
    ]
    if held:
        raise UnsupportedNetworkError(
            f"{some_of(held, 3)} in {called} is a function that holds on to modules: a copy of the network would still "
            "call the original ones; write it as a method of the class"
        )


def _hidden(name: str, part: nn.Module, known: set[nn.Module]) -> Iterator[str]:
    """Name the modules that a module holds in another way than PyTorch's own, and nowhere else."""
    for attribute, value in vars(part).items():
        if attribute not in _TORCHS:
            for place, found in _modules_in(value, f"{name}.{attribute}".removeprefix(".")):
                if found not in known:
                    yield place


def _modules_in(value: object, place: str, depth: int = 0) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(value, nn.Module):
        yield place, value
    elif depth < _DEEPEST and isinstance(value, dict):
        for key, each in value.items():
            yield from _modules_in(each, f"{place}[{key!r}]", depth + 1)
    elif depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        for number, each in enumerate(value):
            yield from _modules_in(each, f"{place}[{number}]", depth + 1)
    elif depth < _DEEPEST and (isinstance(value, types.SimpleNamespace) or is_dataclass(value)):
        for key, each in getattr(value, "__dict__", {}).items():
            yield from _modules_in(each, f"{place}.{key}", depth + 1)


def _holds_modules(forward: object) -> bool:
    """Tell whether a function has modules in its closure, its defaults or the names that it reads."""
    if isinstance(forward, functools.partial):
        values = [*forward.args, *forward.keywords.values()]
        return _holds_modules(forward.func) or any(isinstance(value, nn.Module) for value in values)
    if not isinstance(forward, types.FunctionType):
        return False  # a method is copied together with what it is bound to
    found = inspect.getclosurevars(forward)
    values = [*found.nonlocals.values(), *found.globals.values(), *(forward.__defaults__ or ())]
    return any(isinstance(value, nn.Module) or inspect.ismethod(value) for value in values)


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _named_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _own(part: nn.Module) -> Iterator[torch.Tensor]:
    yield from part.parameters(recurse=False)
    yield from part.buffers(recurse=False)
