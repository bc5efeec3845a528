"""The order of a sweep: which images are taken together, and which sites of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lenslab.units.engine.site_plan import Plan

BUDGET = 2e11
"""Multiply-accumulates in one shard: about ten seconds on two cores, which is what a killed run loses."""

_OVERHEAD = 20
"""A shard costs at least so many clean passes over its images; each begins with one."""

_UNKNOWN_COST = 100_000_000
"""Multiply-accumulates per pair where nothing is known about the network."""

_MOST_IMAGES = 4096
"""Images in one block at most: what a block found is held until it is written."""


@dataclass(frozen=True)
class Block:
    """Consecutive images, and the groups of sites that are swept over them one after the other.

    Attributes:
        start: Number of the first image.
        stop: One past the number of the last.
        groups: The names of the sites of each group; their order is that of the plans.
    """

    start: int
    stop: int
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Schedule:
    """How a sweep is divided.

    The division follows from the plans and the batch size alone, never from a clock, so a run that was stopped and
    went on has made the same shards as one that was not.

    Attributes:
        batch_size: Images per batch.
        block_images: Images per block, a multiple of the batch size.
        groups: The names of the sites of each group.
        costs: Multiply-accumulates per image, over all units and draws, by the site's name.
    """

    batch_size: int
    block_images: int
    groups: tuple[tuple[str, ...], ...]
    costs: dict[str, float]

    def blocks(self, images: int, *, start: int = 0) -> Iterator[Block]:
        """Divide images numbered from ``start`` on; block boundaries are multiples of the block's size."""
        while start < images:
            stop = min((start // self.block_images + 1) * self.block_images, images)
            yield Block(start, stop, self.groups)
            start = stop


def schedule(plans: Sequence[Plan], whole: int | None, *, batch_size: int, draws: int = 1) -> Schedule:
    """Divide a sweep; ``whole`` is the multiply-accumulates of a clean pass per image, ``None`` where unknown.

    Blocks have several batches with all sites in one group where that is little work; else one batch, with as many
    sites in each group as the budget allows.

    Example:
        >>> from lenslab.units import Ablation
        >>> question = Ablation.of("small", "digits", limit=50)
        >>> divided = schedule(question.plans, question.trace.costs[""], batch_size=16)
        >>> divided.block_images, divided.groups
        (4096, (('relu1', 'relu2', 'relu3'),))
    """
    costs = {plan.site.name: draws * plan.count * float(plan.cost or _UNKNOWN_COST) for plan in plans}
    clean = float(whole or _UNKNOWN_COST) * batch_size
    budget = max(BUDGET, _OVERHEAD * clean)
    batch = batch_size * sum(costs.values()) + clean
    if batch <= budget:
        batches = max(1, min(int(budget // batch), _MOST_IMAGES // batch_size))
        return Schedule(batch_size, batches * batch_size, (tuple(costs),), costs)
    groups: list[list[str]] = [[]]
    filled = 0.0
    for name, cost in costs.items():
        if groups[-1] and filled + cost * batch_size > budget:
            groups.append([])
            filled = 0.0
        groups[-1].append(name)
        filled += cost * batch_size
    return Schedule(batch_size, batch_size, tuple(map(tuple, groups)), costs)
