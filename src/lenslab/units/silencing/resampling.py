"""Resampling: a unit takes over the map that it has on another image, the donor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import ImageLayoutError
from lenslab.units.images import Images
from lenslab.units.images.preprocessing import Preprocessing

_POOL_BYTES = 1 << 26
"""What the pool of preprocessed donors may take."""

_POOL_IMAGES = 1024
"""How many donors there are at most."""


class Resampling:
    """A pool of donor images, drawn by the seed; one of them stands in for each image in each draw.

    Resampling asks what a unit tells about *this* image: its map becomes the one that it has on another image, so its
    statistics stay and only the information goes. All units of an image take their maps from the same donor. Which
    donor it is depends on the seed, the draw and the image's number alone, and its values are computed in float64, so
    the batch size changes nothing. Where donors are of the ``same`` images as the sweep, no image is its own donor.
    """

    def __init__(
        self,
        trace: Trace,
        plans: Sequence[Plan],
        reference: Images,
        preprocessing: Preprocessing,
        *,
        seed: int,
        same: bool,
        device: torch.device,
    ) -> None:
        self._program = trace.program(device, precision=torch.float64)
        self._cuts = {plan.site.name: plan.cut for plan in plans}
        self._seed, self._same, self._device = seed, same, device
        size = preprocessing([reference.first()]).numel() * 4
        wanted = int(np.clip(_POOL_BYTES // size, 2, min(_POOL_IMAGES, max(2, len(reference)))))
        numbers, pixels = _drawn(reference, wanted, np.random.default_rng([seed, 2]))
        if len(numbers) < 2:
            raise ImageLayoutError(
                f"resampling needs another image to take from, and {reference.source} has {len(numbers)}; "
                "name more with --reference"
            )
        self._numbers, self._pool = numbers, torch.cat([preprocessing([each]) for each in pixels])

    def fills(self, numbers: NDArray[np.int64], draw: int, sites: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Compute the donors' values for some images in one draw, float64 ``[images, units, ...]``, by cut."""
        chosen = np.array([self._donor(int(number), draw) for number in numbers])
        distinct, place = np.unique(chosen, return_inverse=True)
        cuts = [*dict.fromkeys(self._cuts[site] for site in sites or self._cuts)]
        values = self._program.golden(self._pool[distinct].to(self._device), cuts).values
        rows = torch.from_numpy(place).to(self._device)
        return {cut: values[cut][rows] for cut in cuts}

    def _donor(self, number: int, draw: int) -> int:
        donor = int(np.random.default_rng([self._seed, 3, draw, number]).integers(len(self._numbers)))
        own = self._same and self._numbers[donor] == number
        return (donor + 1) % len(self._numbers) if own else donor


def _drawn(images: Images, count: int, random: np.random.Generator) -> tuple[list[int], list[NDArray[np.uint8]]]:
    """Decode random images until there are enough; with `Images.skipping`, those that do not decode are passed over."""
    numbers, pixels = [], []
    for number in random.permutation(len(images)).tolist():
        (block,) = images.blocks(1, start=number, stop=number + 1)
        if len(block):
            numbers.append(number)
            pixels.append(block.pixels[0])
        if len(numbers) == count:
            break
    return numbers, pixels
