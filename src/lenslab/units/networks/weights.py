"""The weights of a network: found among what a file holds, compared with the network, and copied into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from lenslab.records import sha256_of_file
from lenslab.units.errors import NotFiniteError, WeightsError, some_of
from lenslab.units.fragment import located
from lenslab.units.networks.checkpoint import Checkpoint, read_checkpoint


@dataclass(frozen=True)
class WeightsInfo:
    """Which weights a network has.

    Attributes:
        file: The name of their file, without its directory; where one of several sets in it was asked for, its key
            follows, with ``#`` before it.
        sha256: Of the file, hex.
        assumptions: What was done to find them in it, a sentence each.
    """

    file: str
    sha256: str
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """The tensors of a file that are a network's weights.

    Attributes:
        state: By the network's names.
        assumptions: What was done to find them, a sentence each.
    """

    state: dict[str, Tensor]
    assumptions: tuple[str, ...] = ()


def fit(checkpoint: Checkpoint, module: nn.Module) -> Fit:
    """Find the tensors of a file that are a network's weights.

    A set of tensors fits when, behind a prefix, it has every name of the network and no other one, so that the set of a
    deeper network does not fit. Shapes are compared by `put_weights`. The counters ``num_batches_tracked`` may be
    missing, for nothing reads them in eval mode, and so may all but one of the names that are one tensor in the
    network. A name too many that is one tensor with another one in the file does no harm.

    Raises:
        WeightsError: No set fits, or several do that differ.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> held = {"module.weight": torch.ones(1, 2), "module.bias": torch.ones(1)}
        >>> fit(Checkpoint("mine.pth", {"net": held}, {}), layer).assumptions
        ("the weights are those under 'net' in mine.pth", "the prefix 'module.' was taken off their names")
        >>> averaged = {name: tensor / 2 for name, tensor in held.items()}
        >>> fit(Checkpoint("mine.pth", {"net": held, "ema": averaged}, {}), layer)
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: mine.pth holds weights for Linear under net and ema, which differ; name ...
    """
    names = _Names(module)
    compared = {
        (key, prefix): names.compared(_behind(state, prefix))
        for key, state in checkpoint.sets.items()
        for prefix in names.prefixes(state)
    }
    whole = [place for place, (missing, unexpected) in compared.items() if not missing and not unexpected]
    # Where a second set stands between the names of a first, as an average of them may, the first fits, too.
    whole += [
        (key, prefix)
        for (key, prefix), (missing, unexpected) in compared.items()
        if unexpected
        and not missing
        and all(any(key == its and name.startswith(other) for its, other in whole) for name in unexpected)
    ]
    asked = [place for place in compared if not checkpoint.key or checkpoint.key in _spoken(*place)]
    if not asked:
        held = list(filter(None, checkpoint.sets))
        raise WeightsError(
            f"{checkpoint.file} has no weights under {checkpoint.key!r}"
            + (f"; it has some under {some_of(held, 6)}" if held else f"; leave #{checkpoint.key}")
        )
    places = [place for place in whole if place in asked]
    if not places:
        # A prefix that only some names have may be part of another network's names.
        plain = {key: "" for key, _ in asked}
        plain |= {key: prefix for key, prefix in asked if all(name.startswith(prefix) for name in checkpoint.sets[key])}
        refusals = [
            names.refusal(checkpoint.file, key, prefix, _behind(checkpoint.sets[key], prefix))
            for key, prefix in plain.items()
        ]
        raise min(refusals, key=lambda each: each[0])[1]
    found = [names.taken(_behind(checkpoint.sets[key], prefix)) for key, prefix in places]
    differing = [place for place, state in zip(places[1:], found[1:], strict=True) if not _equal(found[0], state)]
    if differing:
        known = _told_apart([places[0], *differing])
        raise WeightsError(
            f"{checkpoint.file} holds weights for {names.kind} under {' and '.join(known)}, which differ; name one: "
            f"{checkpoint.file}#{known[0]}"
        )
    return Fit(found[0], tuple(_assumptions(checkpoint, *places[0], names)))


def put_weights(module: nn.Module, fitted: Fit, *, source: str) -> None:
    """Copy weights into a module, all of them or none; ``source`` is what messages call them.

    Raises:
        WeightsError: A tensor has another shape, or those that are one in the network differ.
        NotFiniteError: A tensor holds NaN or infinity.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> put_weights(layer, Fit({"weight": torch.zeros(1, 3), "bias": torch.zeros(1)}), source="mine.pth")
        Traceback (most recent call last):
        lenslab.units.errors.WeightsError: mine.pth does not fit Linear: 1 of another shape (weight is [1, 3] and ...
    """
    names, state = _Names(module), fitted.state
    if names.shapes(state):
        raise names.refusal(source, "", "", state)[1]
    for name, tensor in state.items():
        first = next((other for other in names.tied.get(name, ()) if other in state), name)
        if first != name and not torch.equal(tensor, state[first]):
            raise WeightsError(
                f"{source} does not fit {names.kind}: {first} and {name} are one tensor in the network, and two that "
                "differ in the file"
            )
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise NotFiniteError(
            f"{source} holds NaN or infinity in {some_of(broken, 4)}; these weights cannot be measured"
        )
    module.load_state_dict(state, strict=False)


def weights_from(path: str | Path, module: nn.Module) -> WeightsInfo:
    """Copy the weights in a file into a module.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     torch.save({"net": nn.Linear(2, 1).state_dict()}, f"{directory}/mine.pth")
        ...     weights_from(f"{directory}/mine.pth", nn.Linear(2, 1)).assumptions
        ("the weights are those under 'net' in mine.pth",)
    """
    checkpoint = read_checkpoint(path)
    fitted = fit(checkpoint, module)
    put_weights(module, fitted, source=checkpoint.file)
    return describe_weights(path, fitted.assumptions)


def describe_weights(path: str | Path, assumptions: tuple[str, ...] = ()) -> WeightsInfo:
    """Name a weights file and hash it.

    Example:
        >>> describe_weights(__file__).file
        'weights.py'
    """
    path, key = located(path)
    return WeightsInfo(f"{path.name}#{key}" if key else path.name, sha256_of_file(path), assumptions)


@dataclass(frozen=True)
class _Names:
    """The names of a network's tensors."""

    module: nn.Module

    @property
    def kind(self) -> str:
        return type(self.module).__name__

    @cached_property
    def expected(self) -> dict[str, Tensor]:
        return dict(self.module.state_dict())

    @cached_property
    def tied(self) -> dict[str, tuple[str, ...]]:
        """All names of each tensor that has several, by each of them."""
        same: dict[int, list[str]] = {}
        for name, tensor in self.module.named_parameters(remove_duplicate=False):
            same.setdefault(id(tensor), []).append(name)
        return {name: tuple(names) for names in same.values() if len(names) > 1 for name in names}

    def compared(self, state: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
        """Tell which names a set lacks, and which it has too many."""
        missing = [
            name
            for name in self.expected
            if name not in state
            and not name.endswith("num_batches_tracked")
            and not any(other in state for other in self.tied.get(name, ()))
        ]
        shared = {_place(tensor) for tensor in self.taken(state).values()}
        others = ((name, tensor) for name, tensor in state.items() if name not in self.expected)
        return missing, [name for name, tensor in others if _place(tensor) not in shared]

    def shapes(self, state: Mapping[str, Tensor]) -> list[str]:
        """Say which tensors have another shape."""
        return [
            f"{name} is {list(tensor.shape)} and should be {list(self.expected[name].shape)}"
            for name, tensor in self.taken(state).items()
            if tensor.shape != self.expected[name].shape
        ]

    def refusal(self, file: str, key: str, prefix: str, state: Mapping[str, Tensor]) -> tuple[int, WeightsError]:
        """Say all that does not fit, and count it."""
        own = [name for name, value in self.expected.items() if not isinstance(value, Tensor)]
        if own:
            return 0, WeightsError(
                f"{self.kind} keeps more than tensors in its state ({some_of(own, 3)}), which files of weights are not "
                "read for; load it into the network yourself and give the module from Python"
            )
        missing, unexpected = self.compared(state)
        told = (("missing", missing), ("unexpected", unexpected), ("of another shape", self.shapes(state)))
        problems = "; ".join(f"{len(these)} {what} ({some_of(these, 4)})" for what, these in told if these)
        where = "".join(f", {word} {name!r}" for word, name in (("under", key), ("behind", prefix)) if name)
        message = f"{file}{where} does not fit {self.kind}: {problems}. Are they of another network?"
        return sum(len(these) for _, these in told), WeightsError(message)

    def prefixes(self, state: Mapping[str, Tensor]) -> list[str]:
        """Tell what may stand before the network's names in a set; nothing where none of them is there."""
        found: dict[str, None] = {}
        for name in state:
            parts = name.split(".")
            for start in range(len(parts)):
                if ".".join(parts[start:]) in self.expected:
                    found["".join(f"{part}." for part in parts[:start])] = None
        return list(found) or [""]

    def taken(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in state.items() if name in self.expected}


def _assumptions(checkpoint: Checkpoint, key: str, prefix: str, names: _Names) -> Iterator[str]:
    state = checkpoint.sets[key]
    if key:
        yield f"the weights are those under {key!r} in {checkpoint.file}"
    if prefix:
        yield f"the prefix {prefix!r} was taken off their names"
    others = [*(name for name in state if not name.startswith(prefix)), *checkpoint.beside.get(key, ())]
    if others:
        yield f"{some_of(others, 4)} beside the weights in {checkpoint.file} left out"
    changed = {
        (str(tensor.dtype).removeprefix("torch."), str(names.expected[name].dtype).removeprefix("torch."))
        for name, tensor in names.taken(_behind(state, prefix)).items()
        if tensor.dtype != names.expected[name].dtype
    }
    yield from (f"weights in {given} were converted to {taken}" for given, taken in sorted(changed))


def _behind(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _spoken(key: str, prefix: str) -> tuple[str, ...]:
    """Name a set behind a prefix: by both, or by either; ``.`` where it has neither."""
    bare = prefix.rstrip(".")
    return tuple(dict.fromkeys(filter(None, (".".join(filter(None, (key, bare))), key, bare)))) or (".",)


def _told_apart(places: list[tuple[str, str]]) -> list[str]:
    """Name each place by the shortest name that no other one has."""
    spoken = [_spoken(*place) for place in places]
    every = [name for names in spoken for name in names]
    return [min((name for name in names if every.count(name) == 1), key=len) for names in spoken]


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _place(tensor: Tensor) -> tuple[int, torch.Size]:
    """Tell where a tensor's numbers lie; those of a sparse one lie in no single place."""
    return (tensor.data_ptr() if tensor.layout == torch.strided else id(tensor)), tensor.shape
