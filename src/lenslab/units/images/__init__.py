"""Labelled images: opened by name, file or array; decoded block by block."""

from lenslab.units.images.image_sources import NAMED, Source, open_images
from lenslab.units.images.labelled_images import ImageBlock, Images, OnError, Pixels, Skipped, content_hash
from lenslab.units.images.subset import subset

__all__ = [
    "NAMED",
    "ImageBlock",
    "Images",
    "OnError",
    "Pixels",
    "Skipped",
    "Source",
    "content_hash",
    "open_images",
    "subset",
]
