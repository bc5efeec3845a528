"""Sites: the values inside a network where units can be silenced, and how they are named and chosen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lenslab.units.errors import AmbiguousSiteError, UnknownSiteError

_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Site:
    """A value inside a network whose channels, or features, are its units.

    Attributes:
        name: The dotted path of the module that makes the value; of the module around it and the operation where no
            module makes it (``layer1.0.add``); with ``:1``, ``:2`` behind it where the name is called more than once.
        units: How many channels (or features) the value has: its size along dimension 1.
        shape: The value's shape for one image, ``(units, height, width)`` or ``(units,)``.
        operation: What makes the value, for instance ``"conv2d"``, ``"relu"``, ``"add"``.
        default: Whether it is one of the default sites: the values that convolutions hand on to the next ones.
        filters: The dotted path of the convolution or linear layer whose filters make the units, where there is one.
        source: The name of the site that is those filters' own output.
    """

    name: str
    units: int
    shape: tuple[int, ...]
    operation: str
    default: bool
    filters: str | None
    source: str | None = None

    def all_but(self, kept: Iterable[int]) -> list[int]:
        """Name every unit except those to keep: a keep-only set is the silence of all the others.

        Raises:
            UnknownSiteError: The site has no such unit.

        Example:
            >>> Site("relu", 5, (5,), "relu", default=True, filters=None).all_but([1, 3])
            [0, 2, 4]
        """
        spared = set(kept)
        unknown = sorted(spared - {*range(self.units)})
        if unknown:
            raise UnknownSiteError(f"site {self.name!r} has no unit {unknown[0]}; its units are 0 to {self.units - 1}")
        return [unit for unit in range(self.units) if unit not in spared]


def numbered(names: Sequence[str]) -> list[str]:
    """Tell calls of the same name apart by ``:1``, ``:2``, in the order of execution; other names stay.

    Example:
        >>> numbered(["relu", "conv", "relu"])
        ['relu:1', 'conv', 'relu:2']
    """
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(f"{name}:{seen[name]}" if names.count(name) > 1 else name)
    return unique


def obstacle_of(shape: Sequence[int] | None, *, per_image: bool, numbers: bool) -> str:
    """Say why a value is no site: what it is for one image, and what it would have to be.

    Args:
        shape: Of the value, the images' dimension in front; ``None`` where it is no tensor.
        per_image: Whether its first dimension is that of the images.
        numbers: Whether it holds floating-point numbers.

    Example:
        >>> obstacle_of((3, 8, 4, 4, 4), per_image=True, numbers=True)
        'for one image it is [8, 4, 4, 4], and units are the channels of [units, height, width] or the features of ...'
    """
    if shape is None:
        return "it is no tensor"
    if not numbers:
        return "it holds no floating-point numbers"
    if not per_image or not shape:
        return f"it is {list(shape)} for all images together, and not one for each"
    turned = ", with the channels last" if len(shape) == 4 else ""
    return (
        f"for one image it is {list(shape[1:])}{turned}, and units are the channels of [units, height, width] or the "
        "features of [units]"
    )


def select(
    sites: Iterable[Site], patterns: Sequence[str] | None, unsupported: Mapping[str, str] | None = None
) -> tuple[Site, ...]:
    """Choose sites by shell globs over their names, by default the default sites, in the order of execution.

    ``unsupported`` says of values that are no sites why they are none, by their names.

    Example:
        >>> sites = [Site(name, 8, (8, 4, 4), "relu", name == "b", None) for name in ("a:1", "a:2", "b")]
        >>> [site.name for site in select(sites, None)], [site.name for site in select(sites, ["a*"])]
        (['b'], ['a:1', 'a:2'])
        >>> select(sites, ["a"])
        Traceback (most recent call last):
        ...
        lenslab.units.errors.AmbiguousSiteError: 'a' is called 2 times; name one of 'a:1', 'a:2', or all ... 'a:*'
    """
    sites = tuple(sites)
    if not patterns:
        chosen = {site.name for site in sites if site.default}
        if not chosen:
            raise UnknownSiteError(
                "this network has no default sites, which are the values of two-dimensional convolutions; "
                "name some with --sites (list them with: lenslab sites NETWORK)"
            )
    else:
        chosen = set().union(*(_matching(sites, pattern, unsupported or {}) for pattern in patterns))
    return tuple(site for site in sites if site.name in chosen)


def _matching(sites: tuple[Site, ...], pattern: str, unsupported: Mapping[str, str]) -> set[str]:
    names = [site.name for site in sites]
    matches = {name for name in names if fnmatchcase(name, pattern)}
    if matches:
        return matches
    calls = [name for name in names if name.rpartition(":")[0] == pattern]
    if calls and not _WILDCARD.search(pattern):
        listed = ", ".join(repr(name) for name in calls)
        raise AmbiguousSiteError(
            f"{pattern!r} is called {len(calls)} times; name one of {listed}, or all of them with '{pattern}:*'"
        )
    seen = [name for name in unsupported if fnmatchcase(name, pattern)]
    if seen:
        more = f" (and {len(seen) - 1} more that match {pattern!r})" if len(seen) > 1 else ""
        raise UnknownSiteError(f"{seen[0]!r}{more} is seen, and is no site: {unsupported[seen[0]]}")
    within = [name for name in names if name.startswith(f"{pattern}.")]
    if within:
        raise UnknownSiteError(
            f"{pattern!r} is made of other layers; name one of its {len(within)} sites, such as {within[-1]!r}, or all "
            f"of them with '{pattern}.*'"
        )
    close = difflib.get_close_matches(pattern, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise UnknownSiteError(f"no site matches {pattern!r}{hint} List them with: lenslab sites NETWORK")
