"""Aligning a network's units with concepts, over images that come with pixel masks."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lenslab.runs.attributes.activation_quantiles import ActivationQuantiles
from lenslab.runs.attributes.concept_overlap import Alignment, OverlapCounts
from lenslab.units.engine.batch import batches, preprocessed
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.sites import Site
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import ImageLayoutError
from lenslab.units.images.concept_masks import ConceptImages
from lenslab.units.images.preprocessing import Preprocessing


def align_sites(
    trace: Trace,
    sites: Sequence[Site],
    concept_images: ConceptImages,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    batch_size: int,
    quantile: float = 0.005,
) -> dict[str, Alignment]:
    """Measure how well units overlap with concepts, by `lenslab.runs.attributes.concept_overlap.concept_alignment`.

    The images are gone through four times, three for exact thresholds and one to count pixels, and none are kept; those
    that do not decode and are skipped count nowhere. The batch size changes nothing beyond the rounding of the
    network's own values. The overlaps are in the order of `ConceptImages.concepts`.
    """
    if not 0 < quantile < 1:
        raise ImageLayoutError(f"a quantile of {quantile} lights nothing or everything; give one between 0 and 1")
    program, names = trace.program(device), [site.name for site in sites]
    thresholds = {site.name: ActivationQuantiles(site.units, quantile) for site in sites}
    with full_precision(), torch.inference_mode():
        for _ in range(ActivationQuantiles.ROUNDS):
            for _, batch in batches(concept_images.images, preprocessing, batch_size, device):
                if not len(batch):
                    continue
                values = program.golden(batch.inputs, names).values
                for name in names:
                    thresholds[name].add(values[name].cpu().numpy())
            for each in thresholds.values():
                each.advance()
        overlaps = {name: OverlapCounts(each.values, len(concept_images.concepts)) for name, each in thresholds.items()}
        for block, masks, annotated in concept_images.blocks(batch_size, preprocessing):
            if not len(block):
                continue
            values = program.golden(preprocessed(block, preprocessing, device).inputs, names).values
            for name in names:
                overlaps[name].add(values[name].cpu().numpy(), masks, annotated)
    return {name: counted.alignment() for name, counted in overlaps.items()}
