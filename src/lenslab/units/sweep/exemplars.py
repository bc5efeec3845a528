"""Exemplars: the images that drive each unit most, where on them it is active, and small pictures of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lenslab.runs.attributes.top_images import TopImages
from lenslab.units.engine.execution import PLAIN, Execution
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.images import Images, Pixels
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.profiling.profiler import Profiler

MOST_POSITIONS = 14
"""Maps with more rows or columns than this are averaged down to it."""

LONGEST_SIDE = 64
"""Pixels of a thumbnail's longer side at most."""

_MANY_UNITS = 2000
_EXEMPLARS, _FEWER = 9, 4

_CLOSE = 2
"""Images that fill half of a stretch or more are read with the others there."""

EXEMPLARS = pa.schema(
    [
        ("site", pa.string()),
        *((name, pa.int32()) for name in ("unit", "rank", "image")),
        ("activation", pa.float64()),
        *((name, pa.int32()) for name in ("height", "width")),
        ("map", pa.binary()),
    ]
)
THUMBNAILS = pa.schema([*((name, pa.int32()) for name in ("image", "height", "width")), ("png", pa.binary())])


def profiler(trace: Trace, sites: Sequence[Site], device: torch.device) -> Profiler:
    """Make the profiler of a run, which keeps the strongest images of each unit."""
    count = exemplars_of(sum(site.units for site in sites))
    return Profiler(trace, sites, device, exemplars=count, optional_gradients=True)


def exemplars_of(units: int) -> int:
    """Tell how many images of each unit are kept: nine, or four where there are thousands of units.

    Example:
        >>> exemplars_of(64), exemplars_of(22_720)
        (9, 4)
    """
    return _EXEMPLARS if units <= _MANY_UNITS else _FEWER


def exemplars(
    trace: Trace,
    strongest: Mapping[str, TopImages],
    live: Mapping[str, NDArray[np.bool_]],
    images: Images,
    preprocessing: Preprocessing,
    *,
    batch_size: int,
    device: torch.device,
    execution: Execution = PLAIN,
) -> tuple[pa.Table, pa.Table]:
    """Look at the strongest images of each site's ``live`` units again, with the units' maps on them.

    Returns:
        The exemplars, columns ``site, unit, rank, image, activation, height, width, map``: rank 0 is the strongest, the
        activation the largest value of the unit on the image, the map its values there as bytes, row by row; 0 is 0 or
        below, 255 the largest value in the unit's exemplars' maps. And the thumbnails, columns ``image, height, width,
        png``: what the network sees of each image, at most 64 pixels a side.
    """
    wanted = sorted({int(number) for name, each in strongest.items() for number in each.images[live[name]].ravel()})
    program = trace.program(device, fast=True)
    maps: dict[str, NDArray[np.float32]] = {}
    pictures = []
    for numbers, pixels in _decoded(images, wanted, batch_size):
        inputs = preprocessing(pixels).to(device)
        with torch.inference_mode():
            values = program.golden(inputs, list(strongest), (), execution).values
        for name, each in strongest.items():
            small = _averaged(values[name]).cpu().numpy()
            if name not in maps:
                maps[name] = np.zeros((*each.images.shape, *small.shape[2:]), np.float32)
            unit, rank = np.nonzero(np.isin(each.images, numbers))
            row = np.searchsorted(numbers, each.images[unit, rank])
            maps[name][unit, rank] = small[row, unit]
        pictures += [_picture(number, each, preprocessing) for number, each in zip(numbers, inputs, strict=True)]
    tables = [_rows(name, each, maps[name], live[name]) for name, each in strongest.items() if name in maps]
    return pa.concat_tables([EXEMPLARS.empty_table(), *tables]), pa.Table.from_pylist(pictures, THUMBNAILS)


def _decoded(images: Images, numbers: Sequence[int], size: int) -> Iterator[tuple[list[int], list[Pixels]]]:
    """Read some images, so many at a time; those that lie close together with what is between them."""
    for start in range(0, len(numbers), size):
        some = list(numbers[start : start + size])
        span = some[-1] - some[0] + 1
        at_once = span if span <= _CLOSE * len(some) else 1
        starts = [some[0]] if at_once > 1 else some
        blocks = [next(images.blocks(at_once, start=first, stop=first + at_once)) for first in starts]
        found = {
            int(number): pixels for block in blocks for number, pixels in zip(block.numbers, block.pixels, strict=True)
        }
        yield some, [found[number] for number in some]


def _averaged(value: Tensor) -> Tensor:
    """Give maps of a site's value, ``[images, units, height, width]``, none larger than can be shown."""
    if value.dim() != 4:
        value = value.flatten(2) if value.dim() > 2 else value[:, :, None]
        return value.mean(dim=2)[:, :, None, None]
    height, width = (min(size, MOST_POSITIONS) for size in value.shape[2:])
    return F.adaptive_avg_pool2d(value.float(), (height, width))


def _rows(name: str, strongest: TopImages, maps: NDArray[np.float32], live: NDArray[np.bool_]) -> pa.Table:
    units, ranks, height, width = maps.shape
    peak = np.maximum(maps.reshape(units, -1).max(axis=1), np.finfo(np.float32).tiny)
    shown = np.rint(np.clip(maps, 0, None) / peak[:, None, None, None] * 255).astype(np.uint8)
    unit, rank = (each.ravel() for each in np.indices((units, ranks)))
    kept = live[unit]
    unit, rank = unit[kept], rank[kept]
    columns = [
        [name] * len(unit),
        unit,
        rank,
        strongest.images[unit, rank],
        strongest.values[unit, rank],
        np.full(len(unit), height),
        np.full(len(unit), width),
        [shown[each].tobytes() for each in zip(unit, rank, strict=True)],
    ]
    return pa.table([pa.array(column, each.type) for column, each in zip(columns, EXEMPLARS, strict=True)], EXEMPLARS)


def _picture(number: int, inputs: Tensor, preprocessing: Preprocessing) -> dict[str, object]:
    """Turn what the network sees back into a small picture."""
    from PIL import Image

    mean, sd = (torch.tensor(each)[:, None, None] for each in (preprocessing.mean, preprocessing.sd))
    pixels = ((inputs.cpu() * sd + mean) * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return {"image": number, "height": picture.height, "width": picture.width, "png": buffer.getvalue()}
