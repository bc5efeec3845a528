"""From the classes of some images to the classes of a network, by name or as a person says."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImagesUnavailableError, LabelError, some_of

BY_NUMBER = "by-number"
"""In place of a mapping of classes: labels are the network's numbers."""


def mapped_labels(
    labels: NDArray[np.int64],
    class_names: Sequence[str] | None,
    network: Sequence[str] | int,
    mapping: Mapping[str, int | str] | Mapping[int, int | str] | str | Path | None = None,
    *,
    source: str = "the images",
) -> dict[int, int]:
    """Find the network's label for each label from 0 that occurs; see `Images.mapped` for the rules.

    Example:
        >>> mapped_labels(np.array([0, 1]), ["Sea_Lion", "cat"], ["dog", "sea lion", "tabby"], {"cat": "tabby"})
        {0: 1, 1: 2}
    """
    given = read_mapping(mapping) if isinstance(mapping, str | Path) else dict(mapping or {})
    present = sorted(set(labels[labels >= 0].tolist()))
    own = {label: _name(label, class_names) for label in present}
    targets = {
        label: _target(value, network)
        for key, value in given.items()
        for label in _labels_meant(key, class_names, present, source)
    }
    missing: list[str] = []
    for label, name in own.items():
        if label in targets:
            continue
        found = [] if name is None or isinstance(network, int) else _find(name, network)
        if len(found) == 1:
            targets[label] = found[0]
        elif found:
            missing.append(f"{name!r} (the network has it {len(found)} times: {', '.join(map(str, found))})")
        else:
            missing.append(f"label {label}" if name is None else f"{name!r}{_nearest(name, network)}")
    if missing:
        have = f"{network} classes without names" if isinstance(network, int) else f"{len(network)} classes"
        raise LabelError(
            f"the network ({have}) has no counterpart for {len(missing):,} of the {len(own):,} classes of {source}: "
            f"{some_of(missing)}. Say what belongs together with a JSON file such as "
            f"{json.dumps({(own[present[0]] or str(present[0])): 0})}"
        )
    return dict(sorted(targets.items()))


def labels_by_name(
    labels: NDArray[np.int64], class_names: Sequence[str], network: Sequence[str], *, source: str = "the images"
) -> dict[int, int]:
    """Find the network's label for each label that occurs, where both name their classes; see `Images.reconciled`.

    A name that the network has several times is that of the same number, where that is one of them.

    Raises:
        LabelError: A class has no counterpart or several; the message names both sides.

    Example:
        >>> labels_by_name(np.array([0, 1]), ["Sea_Lion", "crane"], ["dog", "crane", "sea lion", "crane"])
        {0: 2, 1: 1}
    """
    places: dict[str, list[int]] = {}
    for number, other in enumerate(network):
        for each in {_plain(other), *map(_plain, other.split(","))}:
            places.setdefault(each, []).append(number)
    present = sorted(set(labels[labels >= 0].tolist()))
    targets: dict[int, int] = {}
    several: dict[int, list[int]] = {}
    for label in present:
        name = _name(label, class_names)
        found = [] if name is None else places.get(_plain(name)) or places.get(_plain(name.split(",")[0]), [])
        if label in found or len(found) == 1:
            targets[label] = label if label in found else found[0]
        elif found:
            several[label] = found
    missing = [label for label in present if label not in targets]
    if missing and len(missing) == len(several):
        label, found = next(iter(several.items()))
        raise LabelError(
            f"the class {_name(label, class_names)!r} of {source} may be any of the network's "
            f"{some_of(map(str, found), 4)}, which have that name; say which with --classes FILE"
        )
    if missing:
        unknown = [repr(_name(label, class_names) or label) for label in missing]
        raise LabelError(
            f"{source} and the network name their classes differently: {len(missing):,} of the {len(present):,} "
            f"classes of the images ({some_of(unknown, 3)}) are none of the network's "
            f"({some_of(map(repr, network), 3)}). Say what belongs together with --classes FILE, or with --classes "
            "by-number that labels are the network's numbers (in Python: images.mapped(names, 'by-number'))"
        )
    return targets


def read_mapping(path: str | Path) -> dict[str, int | str]:
    """Read a mapping of classes from a JSON file: one object, from names or labels to labels or names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "classes.json"
        ...     _ = path.write_text('{"cat": "tabby", "3": 7}')
        ...     read_mapping(path)
        {'cat': 'tabby', '3': 7}
    """

    def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise LabelError(f"{path} says twice what {twice!r} belongs to; keep one of them")
        return dict(pairs)

    try:
        document = json.loads(Path(path).expanduser().read_text("utf-8"), object_pairs_hook=without_repetition)
    except OSError as error:
        near = difflib.get_close_matches(str(path), [BY_NUMBER], n=1)
        raise ImagesUnavailableError(
            f"the mapping of classes {path} cannot be read: {error.strerror or error}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise LabelError(f"the mapping of classes {path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise LabelError(f'{path} is not a mapping of classes; give one JSON object such as {{"cat": 281}}')
    return document


def numbered_names(
    names: Iterable[str], source: str, stated: Sequence[str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give labels that are names their numbers: as the source states it, else in sorted order, numbers as numbers.

    Returns:
        The names in the order of their numbers, and what was assumed.

    Raises:
        LabelError: A name is empty, or two differ in capitals, spaces, underscores or hyphens only.

    Example:
        >>> numbered_names({"dog", "cat"}, "mine")
        (('cat', 'dog'), ("the labels of mine are names and numbered in sorted order, 'cat' is 0",))
        >>> numbered_names({"dog", "cat"}, "mine", ["dog", "cat", "eel"])
        (('dog', 'cat', 'eel'), ())
    """
    found = sorted(set(names))
    if not found:
        return (), ()
    plain: dict[str, str] = {}
    for name in found:
        other = plain.setdefault(_plain(name), name)
        if other != name or not name.strip():
            raise LabelError(
                f"the labels of {source} hold the names {other!r} and {name!r}; let them agree"
                if other != name
                else f"a label of {source} is an empty name; give every image a class"
            )
    if stated is not None and set(found) <= set(stated):
        return tuple(stated), ()
    numbers = all(name.isascii() and name.isdecimal() for name in found)
    ordered = sorted(found, key=int) if numbers else found
    how = "numbers written as text and sorted as numbers" if numbers else "names and numbered in sorted order"
    if numbers and [int(name) for name in ordered] == [*range(len(ordered))]:
        return tuple(ordered), ()
    return tuple(ordered), (f"the labels of {source} are {how}, {ordered[0]!r} is 0",)


def same_name(one: str, other: str) -> bool:
    """Tell whether two classes have the same name: capitals, underscores, hyphens and spaces make no difference.

    Example:
        >>> same_name("Sea_Lion", "sea lion"), same_name("sealion", "sea lion")
        (True, False)
    """
    return _plain(one) == _plain(other)


@functools.lru_cache(maxsize=1 << 14)  # every class of the images is compared with every class of the network
def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _name(label: int, class_names: Sequence[str] | None) -> str | None:
    return class_names[label] if class_names is not None and label < len(class_names) else None


def _find(name: str, names: Sequence[str]) -> list[int]:
    exact = [label for label, other in enumerate(names) if other == name]
    return exact or [label for label, other in enumerate(names) if same_name(name, other)]


def _nearest(name: str, network: Sequence[str] | int) -> str:
    plain = {} if isinstance(network, int) else {_plain(other): other for other in network}
    near = difflib.get_close_matches(_plain(name), plain, n=1)
    return f" (nearest: {plain[near[0]]!r})" if near else ""


def _labels_meant(key: object, names: Sequence[str] | None, present: list[int], source: str) -> list[int]:
    if isinstance(key, str):
        found = _find(key, names or ())
        if len(found) > 1:
            raise LabelError(f"{key!r} names {len(found)} classes of {source}; give the label instead")
        if found:
            return [label for label in found if label in present]  # a class without images needs no counterpart
        key = int(key) if key.isdecimal() else key
    known = len(names or ()) or max(present) + 1
    if isinstance(key, bool) or not isinstance(key, int | np.integer) or not 0 <= key < known:
        near = _nearest(key, names or ()) if isinstance(key, str) else f"; their labels are 0 to {known - 1}"
        raise LabelError(f"the mapping speaks of a class {key!r}, which {source} do not have{near}")
    return [int(key)] if key in present else []


def _target(value: object, network: Sequence[str] | int) -> int:
    count = network if isinstance(network, int) else len(network)
    if isinstance(value, str):
        found = [] if isinstance(network, int) else _find(value, network)
        if len(found) > 1:
            raise LabelError(
                f"the network has {len(found)} classes named {value!r} ({', '.join(map(str, found))}); give the label "
                "instead"
            )
        if found:
            return found[0]
        if not value.isdecimal():
            raise LabelError(f"the network has no class named {value!r}{_nearest(value, network)}")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < count:
        raise LabelError(f"the mapping speaks of the network's class {value!r}; it has the classes 0 to {count - 1}")
    return int(value)
