"""From decoded pixels to the tensor that a network takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import PreprocessingError
from lenslab.units.images.labelled_images import Pixels

if TYPE_CHECKING:
    import torch
    from PIL import Image

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
"""Pillow's filters for resizing."""

RESIZINGS = ("cover", "stretch")
"""Ways to bring an image to the size: scaled until it covers it and cut, or scaled in each direction on its own."""


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before the network sees it.

    An image is converted to the network's channels, resized where its size differs (it is scaled until it covers the
    size and the middle is kept; Pillow's filters, which average when they shrink), divided by 255, and normalised per
    channel: ``(pixel / 255 - mean) / sd``. Every step works on one image alone, so the result does not depend on how
    images are grouped into blocks.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        size: (height, width) in pixels, or ``None`` to take the images as they are.
        mean: Subtracted, one per channel, in units of the full scale: 0 to 1, as the mean of any pixels is.
        sd: Divided by, one per channel, in units of the full scale: above 0, and at most 1, as that of any pixels is.
        filter: One of `FILTERS`.
        resizing: One of `RESIZINGS`.
        shorter: With ``"cover"``, what the shorter side of every image is scaled to before the middle is cut out, also
            where an image has the size already; by default no more than covers the size. This is torchvision's
            ``Resize(shorter)`` and ``CenterCrop(size)``, pixel for pixel.

    Raises:
        PreprocessingError: A field is out of its range, or the lengths differ.

    Example:
        >>> grey = Preprocessing(channels=1, size=None, mean=(0.5,), sd=(0.25,))
        >>> grey([np.full((2, 2, 1), 255, np.uint8)])
        tensor([[[[2., 2.],
                  [2., 2.]]]])
    """

    channels: int
    size: tuple[int, int] | None
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    filter: str = "bilinear"
    resizing: str = "cover"
    shorter: int | None = None

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise PreprocessingError(f"{self.channels} channels asked for; images have 1 (grey) or 3 (RGB)")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise PreprocessingError(f"size {self.size} is not a height and a width of 1 pixel or more")
        for name, values in (("mean", self.mean), ("sd", self.sd)):
            if len(values) != self.channels:
                raise PreprocessingError(
                    f"{name} has {len(values)} value(s), {list(values)}, for {self.channels} channel(s); give one each"
                )
            if not all(math.isfinite(value) for value in values):
                raise PreprocessingError(f"{name} {list(values)} has a value that is not finite")
        if min(self.sd) <= 0:
            raise PreprocessingError(f"sd {list(self.sd)} divides the pixels: every value has to be above 0")
        for name, values in (("mean", self.mean), ("sd", self.sd)):
            if min(values) < 0 or max(values) > 1:
                scaled = ", ".join(f"{value / 255:.4g}" for value in values)
                raise PreprocessingError(
                    f"{name} {list(values)} is none of pixels from 0 to 1"
                    + (f"; if it is one of bytes, give it divided by 255: {scaled}" if min(values) >= 0 else "")
                )
        if self.filter not in FILTERS:
            raise PreprocessingError(f"no filter named {self.filter!r}; there are {', '.join(FILTERS)}")
        if self.resizing not in RESIZINGS:
            raise PreprocessingError(f"no way to resize named {self.resizing!r}; there are {', '.join(RESIZINGS)}")
        if self.shorter is not None and (self.size is None or self.resizing != "cover"):
            raise PreprocessingError("a shorter side is stated, which needs a size and the resizing cover")
        if self.shorter is not None and self.size is not None and self.shorter < max(self.size):
            raise PreprocessingError(
                f"a shorter side of {self.shorter} pixels does not cover {self.size[0]}x{self.size[1]}; give "
                f"{max(self.size)} or more"
            )

    def override(
        self,
        *,
        mean: Sequence[float] | None = None,
        sd: Sequence[float] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Preprocessing:
        """Replace what is given and keep the rest; one value of mean or sd stands for every channel.

        A shorter side goes along with the size in proportion, so the same part of an image is seen.

        Raises:
            PreprocessingError: As for the class.

        Example:
            >>> other = Preprocessing(3, (32, 32), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)).override(sd=[0.25], size=(64, 64))
            >>> other.size, other.mean, other.sd
            ((64, 64), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
        """
        return replace(
            self,
            mean=self.mean if mean is None else self._per_channel(mean),
            sd=self.sd if sd is None else self._per_channel(sd),
            size=self.size if size is None else size,
            shorter=self.shorter if size is None else self._shorter_for(size),
        )

    def _shorter_for(self, size: tuple[int, int]) -> int | None:
        if self.shorter is None or self.size is None or max(size) < 1:
            return self.shorter
        return max(round(self.shorter * max(size) / max(self.size)), max(size))

    def _per_channel(self, values: Sequence[float]) -> tuple[float, ...]:
        numbers = tuple(float(value) for value in values)
        return numbers * self.channels if len(numbers) == 1 else numbers

    def __call__(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> torch.Tensor:
        """Turn decoded images into the network's input.

        Args:
            pixels: Uint8 images [H, W, C] with C = 1 or 3, or one array [n, H, W, C].

        Returns:
            Float32 [n, channels, H, W], contiguous.

        Raises:
            PreprocessingError: No size is declared and the images differ in size.
        """
        prepared = [self._resized(self._converted(image)) for image in pixels]
        sizes = sorted({image.shape[:2] for image in prepared})
        if len(sizes) > 1:
            raise PreprocessingError(
                f"the images differ in size ({', '.join(f'{h}x{w}' for h, w in sizes[:3])}"
                f"{', ...' if len(sizes) > 3 else ''}) and no size is declared; give one with --size"
            )
        import torch

        table = self._table()
        stacked = np.stack(prepared) if prepared else np.zeros((0, *(self.size or (1, 1)), self.channels), np.uint8)
        tensor = np.empty((len(stacked), self.channels, *stacked.shape[1:3]), np.float32)
        for channel in range(self.channels):
            np.take(table[channel], stacked[..., channel], out=tensor[:, channel])
        return torch.from_numpy(tensor)

    def _table(self) -> NDArray[np.float32]:
        # A pixel has 256 values, so normalising is looking up: no rounding depends on block size or vector width.
        scale = np.arange(256, dtype=np.float32) / np.float32(255)
        mean = np.asarray(self.mean, np.float32)[:, None]
        return (scale - mean) / np.asarray(self.sd, np.float32)[:, None]

    def _converted(self, image: Pixels) -> Pixels:
        if image.ndim != 3 or image.shape[2] not in (1, 3):
            raise PreprocessingError(f"an image of shape {image.shape}; expected [H, W, 1] (grey) or [H, W, 3] (RGB)")
        if image.shape[2] == self.channels:
            return image
        if self.channels == 3:
            return np.repeat(image, 3, axis=2)
        from PIL import Image

        return np.asarray(Image.fromarray(image).convert("L"))[:, :, None]

    def _resized(self, image: Pixels) -> Pixels:
        if self.size is None or (image.shape[:2] == self.size and self.shorter is None):
            return image
        from PIL import Image, ImageOps

        height, width = self.size
        picture = Image.fromarray(image[:, :, 0] if self.channels == 1 else image)
        method = Image.Resampling[self.filter.upper()]
        if self.shorter is not None:
            fitted = _middle(_scaled(picture, self.shorter, method), height, width)
        elif self.resizing == "stretch":
            fitted = picture.resize((width, height), method)
        else:
            fitted = ImageOps.fit(picture, (width, height), method=method)
        return np.asarray(fitted).reshape(height, width, self.channels)

    def to_json(self) -> dict[str, Any]:
        """Give the fields as JSON values, as they stand in a record.

        Example:
            >>> Preprocessing(1, (8, 8), (0.5,), (0.25,)).to_json()
            {'channels': 1, 'size': [8, 8], 'mean': [0.5], 'sd': [0.25]}
        """
        document: dict[str, Any] = {
            "channels": self.channels,
            "size": None if self.size is None else list(self.size),
            "mean": list(self.mean),
            "sd": list(self.sd),
        }
        # What is not stated is the default, so records from before these fields keep their meaning and their key.
        given = {"filter": self.filter, "resizing": self.resizing, "shorter": self.shorter}
        defaults = {"filter": "bilinear", "resizing": "cover", "shorter": None}
        return document | {name: value for name, value in given.items() if value != defaults[name]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Preprocessing:
        """Read back what `to_json` gave.

        Raises:
            PreprocessingError: A field is missing or is not of its kind.

        Example:
            >>> Preprocessing.from_json({"channels": 1, "size": None, "mean": [0.5], "sd": [0.25]}).channels
            1
        """
        try:
            size = document["size"]
            return cls(
                channels=int(document["channels"]),
                size=None if size is None else (int(size[0]), int(size[1])),
                mean=tuple(float(value) for value in document["mean"]),
                sd=tuple(float(value) for value in document["sd"]),
                filter=str(document.get("filter", "bilinear")),
                resizing=str(document.get("resizing", "cover")),
                shorter=None if document.get("shorter") is None else int(document["shorter"]),
            )
        except (KeyError, TypeError, IndexError, ValueError) as error:
            if isinstance(error, PreprocessingError):
                raise
            raise PreprocessingError(f"not preprocessing: {dict(document)!r} (channels, size, mean and sd)") from error


def _scaled(picture: Image.Image, shorter: int, method: Image.Resampling) -> Image.Image:
    # torchvision's rule: the longer side is cut to whole pixels, not rounded.
    width, height = picture.size
    size = (shorter, shorter * height // width) if width <= height else (shorter * width // height, shorter)
    return picture if size == picture.size else picture.resize(size, method)


def _middle(picture: Image.Image, height: int, width: int) -> Image.Image:
    left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))
