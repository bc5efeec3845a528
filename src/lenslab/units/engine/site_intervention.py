"""What is done at one site: which targets (units, sets of units or directions) are silenced, and what they become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Change:
    """What silencing changes in some rows of a site's value.

    Attributes:
        before: The channels that change, ``[rows, channels, ...]``; along a direction the one map ``[rows, 1, ...]``.
        after: What they become.
        channels: Which ones, int64 ``[rows, channels]``; along a direction all of them.
        directions: ``None``, or of each row the share of that one map in each channel, ``[rows, units]``.
    """

    before: Tensor
    after: Tensor
    channels: Tensor
    directions: Tensor | None = None


class SiteIntervention(Protocol):
    """Numbered targets that can be silenced at one site, each on any image."""

    @property
    def single(self) -> bool:
        """Whether each target is one unit, so that the attributes of units are its own."""
        ...

    @property
    def keeps_axes(self) -> bool:
        """Whether a target changes some units and leaves the others as they are."""
        ...

    def rank(self, units: int) -> float:
        """Count how many maps tell what a target changes, on average over the targets."""
        ...

    def changes(self, value: Tensor, rows: Tensor, targets: Tensor) -> Iterator[tuple[slice, Change]]:
        """Say what silencing ``targets[i]`` on image ``rows[i]`` changes, for slices of these; equal ones together."""
        ...

    def count(self, units: int) -> int:
        """Count the targets at a site of so many units."""
        ...

    def applied(self, value: Tensor, targets: Tensor, *, in_place: bool = False) -> Tensor:
        """Give a copy of a site's value ``[rows, units, ...]`` in which row ``i`` has ``targets[i]`` silenced.

        ``in_place`` allows that it is the value itself that is changed and given.
        """
        ...

    def differs(self, value: Tensor) -> Tensor:
        """Tell which targets change the value ``[images, units, ...]`` when silenced, bool ``[images, targets]``."""
        ...

    def everywhere(self, value: Tensor) -> Tensor:
        """Give a site's value with every unit silenced at once."""
        ...

    def target_means(self, means: Tensor) -> Tensor:
        """Turn the units' means ``[images, units]`` into those of the targets, ``[images, targets]``."""
        ...

    def with_fill(self, fill: Tensor) -> SiteIntervention:
        """Give the intervention whose units become this, image by image, ``[images, units, ...]``."""
        ...

    def at(self, rows: Tensor) -> SiteIntervention:
        """Give the intervention for these images of the batch, in this order, with repetitions."""
        ...


@dataclass(frozen=True, eq=False)
class Replacement:
    """The value that each unit of one site takes when it is silenced.

    Attributes:
        fill: What the units become: one number for all (``[]``), one per unit (``[units]``), or one map per unit
            (``[units, height, width]``), the same on every image; or something else on each image of a batch
            (``[images, units, ...]``).
        by_image: Whether the fill differs from image to image.

    Example:
        >>> ZERO_REPLACEMENT.applied(torch.ones(2, 3), torch.tensor([0, 2])).tolist()
        [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    fill: Tensor
    by_image: bool = False
    single: bool = field(default=True, init=False)
    keeps_axes: bool = field(default=True, init=False)

    def count(self, units: int) -> int:
        """Count each unit as a target of its own."""
        return units

    def rank(self, units: int) -> float:  # noqa: ARG002 - of however many
        """Count one channel."""
        return 1.0

    def changes(self, value: Tensor, rows: Tensor, targets: Tensor) -> Iterator[tuple[slice, Change]]:
        """Change one channel of each row."""
        yield slice(None), self.change(value, rows, targets[:, None])

    def change(self, value: Tensor, rows: Tensor, channels: Tensor) -> Change:
        """Change some channels on each image of ``rows``, ``[rows, channels]``, to their fills."""
        where = rows[:, None], channels
        return Change(value[where], self._like(value).expand(value.shape)[where], channels)

    def with_fill(self, fill: Tensor) -> Replacement:
        """Give the same with another fill for each image."""
        return Replacement(fill, by_image=True)

    def at(self, rows: Tensor) -> Replacement:
        """Give the fills of these images, where they differ."""
        return Replacement(self.fill[rows.to(self.fill.device)], by_image=True) if self.by_image else self

    def target_means(self, means: Tensor) -> Tensor:
        """Give the units' means as they are."""
        return means

    def applied(self, value: Tensor, units: Tensor, *, in_place: bool = False) -> Tensor:
        """Give a copy of a value, of the same memory layout, in which row ``i`` has unit ``units[i]`` silenced."""
        silent = value if in_place else value.clone()
        rows, fill = torch.arange(len(units), device=value.device), self._like(value)
        silent[rows, units] = fill if fill.dim() == 0 else fill.expand(value.shape)[rows, units]
        return silent

    def differs(self, value: Tensor) -> Tensor:
        """Tell which units differ from their replacement on each image; others change nothing when silenced.

        Example:
            >>> ZERO_REPLACEMENT.differs(torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])).tolist()
            [[False, True]]
        """
        different = value != self._like(value)
        return different if different.dim() == 2 else different.flatten(2).any(dim=2)

    def everywhere(self, value: Tensor) -> Tensor:
        """Give a site's value with every unit silenced at once."""
        return self._like(value).expand(value.shape).contiguous()

    def _like(self, value: Tensor) -> Tensor:
        fill = self.fill.to(value.device, value.dtype)
        if fill.dim() == 0 or self.by_image:
            return fill
        return fill.reshape(1, *fill.shape, *[1] * (value.dim() - 1 - fill.dim()))


@dataclass(frozen=True, eq=False)
class Sets:
    """The targets are sets of units, each silenced as one.

    Attributes:
        members: Which units each set has, bool ``[sets, units]``.
        replacement: What they become.

    Example:
        >>> pair = Sets(torch.tensor([[True, True, False]]), ZERO_REPLACEMENT)
        >>> pair.applied(torch.ones(1, 3), torch.tensor([0])).tolist()
        [[0.0, 0.0, 1.0]]
    """

    members: Tensor
    replacement: Replacement
    single: bool = field(default=False, init=False)
    keeps_axes: bool = field(default=True, init=False)

    def count(self, units: int) -> int:
        """Count the sets."""
        assert self.members.shape[1] == units  # made for this site
        return len(self.members)

    def rank(self, units: int) -> float:
        """Count the members of a set."""
        return float(self.members.sum()) / max(self.count(units), 1)

    def changes(self, value: Tensor, rows: Tensor, targets: Tensor) -> Iterator[tuple[slice, Change]]:
        """Change the channels of the members, set by set."""
        present, counts = torch.unique_consecutive(targets, return_counts=True)
        start = 0
        for target, count in zip(present.tolist(), counts.tolist(), strict=True):
            some = slice(start, start + count)
            members = self.members[target].nonzero().flatten().to(rows.device).expand(count, -1)
            yield some, self.replacement.change(value, rows[some], members)
            start += count

    def applied(self, value: Tensor, targets: Tensor, *, in_place: bool = False) -> Tensor:  # noqa: ARG002
        """Silence set ``targets[i]`` in row ``i``."""
        silent = self.members.to(value.device)[targets].reshape(*value.shape[:2], *[1] * (value.dim() - 2))
        return torch.where(silent, self.replacement.everywhere(value), value)

    def differs(self, value: Tensor) -> Tensor:
        """Tell which sets have a member that changes the value."""
        members = self.members.to(value.device).float()
        return (self.replacement.differs(value).float() @ members.T) > 0

    def everywhere(self, value: Tensor) -> Tensor:
        """Give a site's value with every unit silenced at once."""
        return self.replacement.everywhere(value)

    def target_means(self, means: Tensor) -> Tensor:
        """Average over a set's members; 0 for an empty set."""
        members = self.members.to(means)
        return means @ members.T / members.sum(dim=1).clamp_min(1)

    def with_fill(self, fill: Tensor) -> Sets:
        """Give the same sets with another fill for each image."""
        return Sets(self.members, self.replacement.with_fill(fill))

    def at(self, rows: Tensor) -> Sets:
        """Give the same sets with the fills of these images."""
        return Sets(self.members, self.replacement.at(rows))


ZERO_REPLACEMENT = Replacement(torch.zeros(()))
"""The unit's output is 0 everywhere: the replacement of Zhou et al. 2018 (arXiv 1806.02891)."""


def spatial_mean(value: Tensor, intervention: SiteIntervention = ZERO_REPLACEMENT) -> NDArray[np.float32]:
    """Average each target over its positions, float32 ``[images, targets]``; without positions it is the value.

    Example:
        >>> spatial_mean(torch.tensor([[[1.0, 3.0]]])).tolist()
        [[2.0]]
    """
    mean = value if value.dim() == 2 else value.flatten(2).mean(dim=2)
    return intervention.target_means(mean).to("cpu", torch.float32).numpy()
