"""Aligning a network's units with concepts, for any images that come with pixel masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_quantiles import ActivationQuantiles
from lenslab.runs.attributes.concept_overlap import Alignment, OverlapCounts
from lenslab.units.engine.device import device_of
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.errors import ImageLayoutError
from lenslab.units.images import Source
from lenslab.units.networks import Network
from lenslab.units.question import Question, ask

MaskSource: TypeAlias = NDArray[np.bool_] | Callable[[int, int], NDArray[np.bool_]]
"""Masks ``[images, concepts, rows, columns]``, or a callable that gives those of images ``start`` to ``stop - 1``."""


def align(
    network: Network | str,
    images: Source,
    masks: MaskSource,
    *,
    annotated: NDArray[np.bool_] | None = None,
    sites: Sequence[str] | None = None,
    quantile: float = 0.005,
    limit: int | None = None,
    batch_size: int | None = None,
    device: str = "cpu",
) -> dict[str, Alignment]:
    """Measure how well units overlap with concepts, by `lenslab.runs.attributes.concept_overlap.concept_alignment`.

    The images are gone through four times, three for exact thresholds and one to count pixels, and none are kept. The
    batch size changes nothing beyond the rounding of the network's own values.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`).
        images: Images, or where they are; their labels play no part here but have to be classes of the network.
        masks: Where each concept is, for the images in source order and as the network sees them, that is after
            resizing and cropping; all of one size, which need not be the images' own.
        annotated: Which images were labelled for which concepts, bool ``[images, concepts]``; all by default.
        sites: Globs over the names of sites; by default the value that each convolution hands on.
        quantile: The share of positions that are lit.
        limit: Only the first so many images.
        batch_size: Images per batch.
        device: Where to run, in torch's words.

    Returns:
        For each chosen site's name its overlaps and thresholds.

    Raises:
        ImageLayoutError: Masks and images do not fit together, or the quantile is no share.
        UnitsError: Anything else asked does not exist or does not fit.

    Example:
        >>> from lenslab.units import load, open_images
        >>> images = open_images("digits").limited(20)
        >>> bright = np.stack([pixels > 128 for pixels in images.read(0, 20)]).transpose(0, 3, 1, 2)
        >>> align(load("small", weights="digits"), images, bright, sites=["relu1"])["relu1"].overlap.shape
        (32, 1)
    """
    if not 0 < quantile < 1:
        raise ImageLayoutError(f"a quantile of {quantile} lights nothing or everything; give one between 0 and 1")
    question = ask(network, images, sites=sites, limit=limit, batch_size=batch_size)
    chosen = [plan.site for plan in question.plans]
    thresholds = {site.name: ActivationQuantiles(site.units, quantile) for site in chosen}
    where = device_of(device)
    for _ in range(ActivationQuantiles.ROUNDS):
        for _, _, values in _values(question, where):
            for name, maps in values.items():
                thresholds[name].add(maps)
        for each in thresholds.values():
            each.advance()
    overlaps: dict[str, OverlapCounts] = {}
    for start, stop, values in _values(question, where):
        labelled = _masks(masks, start, stop)
        known = None if annotated is None else _annotated(annotated, start, stop, labelled.shape[1])
        for name, maps in values.items():
            if name not in overlaps:
                overlaps[name] = OverlapCounts(thresholds[name].values, labelled.shape[1])
            overlaps[name].add(maps, labelled, known)
    return {name: counted.alignment() for name, counted in overlaps.items()}


def _values(question: Question, device: torch.device) -> Iterator[tuple[int, int, dict[str, NDArray[np.float32]]]]:
    names = [plan.site.name for plan in question.plans]
    program = question.trace.program(device)
    for block in question.images.blocks(question.batch_size):
        with full_precision(), torch.inference_mode():
            golden = program.golden(question.network.preprocessing(block.pixels).to(device), names)
            values = {name: golden.values[name].cpu().numpy() for name in names}
        yield block.start, block.start + len(block), values


def _masks(masks: MaskSource, start: int, stop: int) -> NDArray[np.bool_]:
    given = np.asarray(masks(start, stop) if callable(masks) else masks[start:stop])
    if given.ndim != 4 or len(given) != stop - start or given.dtype != np.bool_:
        raise ImageLayoutError(
            f"masks of images {start} to {stop - 1} are {given.dtype} {list(given.shape)}; "
            f"give bool [{stop - start}, concepts, rows, columns]"
        )
    return given


def _annotated(annotated: NDArray[np.bool_], start: int, stop: int, concepts: int) -> NDArray[np.bool_]:
    given = np.asarray(annotated[start:stop])
    if given.shape != (stop - start, concepts) or given.dtype != np.bool_:
        raise ImageLayoutError(
            f"annotated is {given.dtype} {list(given.shape)} for images {start} to {stop - 1}; "
            f"give bool [{stop - start}, {concepts}]"
        )
    return given
