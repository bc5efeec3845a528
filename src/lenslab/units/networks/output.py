"""A network's output, and the logits in it: found by themselves where only one value can be meant, or named."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenslab.units.errors import UnsupportedNetworkError
from lenslab.units.networks.module_kinds import is_bare

Output: TypeAlias = str | int | Callable[[Any], Tensor]
"""Where the logits are in what a network puts out: a key or an attribute, a position, or a function that takes them."""

_ROUNDING = 1e-4
"""How far the sum of a row of probabilities may be from 1."""

_SCALES = (1e2, -1e2, 1e4, -1e4, 1e6, -1e6)
"""By what images are multiplied to see whether one number ever leaves 0 to 1, as a logit does."""


def giving_logits(
    module: nn.Module, probe: Tensor, called: str, output: Output | None = None
) -> tuple[nn.Module, tuple[str, ...]]:
    """Make a network put out logits ``[images, classes]``, also where it wraps them, or turns them into probabilities.

    Args:
        module: In eval mode; it is left as it is.
        probe: Some images that it takes, ``[images, channels, height, width]``.
        called: Its name, for messages.
        output: Where the logits are; by default where ``logits`` are, or where the only value is.

    Returns:
        The network, itself where it puts out logits already, else a copy; and what was assumed, a sentence each.

    Raises:
        UnsupportedNetworkError: It does not run, several values or none may be the logits, or they are probabilities.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(dim=1)).eval()
        >>> giving_logits(module, torch.rand(2, 1, 8, 8), "mine")[1]
        ('the softmax at its end (2) was taken off: losses are those of logits',)
    """
    found = _run(module, probe, called)
    steps, assumed = ([output], []) if output is not None else _steps(found, len(probe), called)
    value = _value(found, steps, len(probe), called)
    while ending := _ending(module, probe, steps, value):
        module, gate = _without(module, ending)
        assumed.append(f"the {gate} at its end ({ending}) was taken off: losses are those of logits")
        value = _value(_run(module, probe, called), steps, len(probe), called)
    if not callable(output) and _are_probabilities(module, probe, steps, value):
        raise UnsupportedNetworkError(
            f"{called} puts out probabilities, and losses are those of logits: return what its softmax or sigmoid "
            "takes, make that a layer (nn.Softmax), which is taken off, or give a function that undoes it as output="
        )
    binary = value.dim() == 1 or value.shape[1] == 1
    if binary:
        assumed.append("its one logit is that of class 1, and that of class 0 is 0")
    flat = value.dim() == 1
    made = _with_logits(module, steps, called, binary=binary, flat=flat) if steps or binary else module
    return made, tuple(assumed)


def _run(module: nn.Module, probe: Tensor, called: str) -> Any:
    try:
        with torch.inference_mode():
            return module(probe.clone())
    except Exception as error:  # a stranger's module may raise anything
        raise UnsupportedNetworkError(
            f"{called} does not take images {[1, *probe.shape[1:]]}: {type(error).__name__}: {error}. "
            "Are channels (as many as --mean has values) and --size right?"
        ) from error


def _steps(found: Any, images: int, called: str) -> tuple[list[Output], list[str]]:
    """Find the way from what a network puts out to its logits, and say what was assumed."""
    steps: list[Output] = []
    while not isinstance(found, Tensor):
        entries = _entries(found)
        possible = [key for key, value in entries.items() if _may_hold_logits(value, images)]
        if "logits" in possible:
            possible = ["logits"]
        if len(possible) != 1:
            listed = ", ".join(f"{key}: {_kind(value)}" for key, value in entries.items())
            raise UnsupportedNetworkError(
                f"{called} puts out {type(found).__name__}({listed}) for {images} images; say where the logits are, "
                "with --output KEY, or with output= from Python, which takes a function, too"
            )
        steps.append(possible[0])
        found = entries[possible[0]]
    return steps, [f"its logits are {'.'.join(map(str, steps))} of what it puts out"] if steps else []


def _entries(found: Any) -> dict[str | int, Any]:
    """Read the values in what a network puts out, by their names or positions."""
    if isinstance(found, Mapping):
        return {key: value for key, value in found.items() if value is not None}
    names = getattr(found, "_fields", None) or ([each.name for each in fields(found)] if is_dataclass(found) else None)
    if names is not None:
        return {name: getattr(found, name) for name in names if getattr(found, name) is not None}
    return dict(enumerate(found)) if isinstance(found, list | tuple) else {}


def _may_hold_logits(value: Any, images: int) -> bool:
    if isinstance(value, Tensor):
        maps = value.dim() == 4 and value.shape[2:] == (1, 1)  # logits that nobody has flattened
        return value.is_floating_point() and (value.dim() in (1, 2) or maps) and len(value) == images
    return any(_may_hold_logits(each, images) for each in _entries(value).values())


def _kind(value: Any) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__


def _value(found: Any, steps: list[Output], images: int, called: str) -> Tensor:
    where = "".join(f" at {step!r:.80}" for step in steps)
    try:
        value = _taken(found, steps)
    except Exception as error:  # the user's function may raise anything
        named = ", ".join(map(str, _entries(found)))
        has = f"has {named}" if named else f"is {_kind(found)}"
        raise UnsupportedNetworkError(
            f"there are no logits{where} of what {called} puts out, which {has}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(value, Tensor) or value.dim() not in (1, 2) or len(value) != images or not value.numel():
        raise UnsupportedNetworkError(
            f"{called} puts out {_kind(value)}{where} for {images} images; a classifier puts out logits [{images}, K]"
        )
    return value


def _taken(found: Any, steps: list[Output]) -> Any:
    for step in steps:
        if callable(step):
            found = step(found)
        elif isinstance(step, str) and not isinstance(found, Mapping):
            found = getattr(found, step)
        else:
            found = found[step]
    return found


def _ending(module: nn.Module, probe: Tensor, steps: list[Output], value: Tensor) -> str:
    """Name the layer at the end that makes probabilities of the logits, and does nothing else."""
    seen: list[tuple[str, Any]] = []
    gates = {path: layer for path, layer in module.named_modules() if path and _is_gate(layer)}
    with ExitStack() as stack, torch.inference_mode():
        for path, layer in gates.items():
            hook = layer.register_forward_hook(lambda _layer, _inputs, out, path=path: seen.append((path, out)))
            stack.callback(hook.remove)
        value = _taken(module(probe.clone()), steps)
    last = [path for path, out in seen if out is value]
    return last[0] if last and [path for path, _ in seen].count(last[0]) == 1 else ""


def _without(module: nn.Module, path: str) -> tuple[nn.Module, str]:
    """Copy a network without one of its layers, under whatever names it stands there."""
    made = copy.deepcopy(module)
    layer = made.get_submodule(path)
    for name, part in list(made.named_modules(remove_duplicate=False)):
        if part is layer:
            made.set_submodule(name, nn.Identity().eval())
    return made, type(layer).__name__.lower()


def _is_gate(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Sigmoid) or (isinstance(layer, nn.Softmax) and layer.dim in (None, 1, -1))


def _are_probabilities(module: nn.Module, probe: Tensor, steps: list[Output], value: Tensor) -> bool:
    """Tell whether a network puts out probabilities: rows that sum to 1, or numbers that never leave 0 to 1."""
    if value.min() < 0 or value.max() > 1:
        return False
    if value.dim() == 2 and value.shape[1] > 1 and bool((value.sum(dim=1) - 1).abs().max() < _ROUNDING):
        return True
    with torch.inference_mode():
        answers = [_taken(module(probe * scale), steps) for scale in _SCALES]
    return all(bool(((answer >= 0) & (answer <= 1)).all()) for answer in answers)


def _with_logits(module: nn.Module, steps: list[Output], called: str, *, binary: bool, flat: bool) -> nn.Module:
    """Make a copy that shares everything with a module, and gives the logits of what that puts out."""
    kind = type(module)

    def forward(self: nn.Module, images: Tensor) -> Tensor:
        logits: Tensor = _taken(kind.forward(self, images), steps)
        if not binary:
            return logits
        # Nothing here may hang on a value, which torch.fx could not follow.
        return F.pad(logits.unsqueeze(1) if flat else logits, (1, 0))

    made = copy.copy(module)
    made.__class__ = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    if not is_bare(module) or type(copy.deepcopy(made)) is not type(made):
        raise UnsupportedNetworkError(
            f"{called} puts out no logits, and carries forward hooks, or a forward that is not its class's; wrap it in "
            "a module whose forward returns the logits"
        )
    return made
