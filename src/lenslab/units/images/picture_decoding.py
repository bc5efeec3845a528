"""Decoding one picture: untrusted bytes, through Pillow, to grey or RGB pixels."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lenslab.units.errors import UndecodableImageError
from lenslab.units.images.labelled_images import Picture, Pixels

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are decoded. Pillow knows more, among them PostScript, which it hands to another program."""

_GREY = frozenset({"1", "L", "LA", "La"})
_WIDE = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_TURNS = range(2, 9)
"""EXIF orientations that are not as the pixels lie."""
_TOO_DEEP = frozenset({"I", "F"})
_PILLOW = r"PIL\."
_SILENT = ("ignore", None, UserWarning, re.compile(_PILLOW), 0)
"""The filter of warnings as it lies among the others."""


def decode(content: bytes, name: str, *, exif: bool = True) -> Picture:
    """Decode one picture: uint8 [H, W, 1] where it is grey, [H, W, 3] otherwise.

    Palettes, CMYK and other colours become RGB, transparency is dropped, 16-bit grey is scaled to 8 bits, the
    orientation that a camera wrote is applied (with ``exif``), and of an animation the first frame is taken.

    Example:
        >>> buffer = io.BytesIO()
        >>> Image.new("CMYK", (4, 2)).save(buffer, "TIFF")
        >>> decode(buffer.getvalue(), "an example").pixels.shape
        (2, 4, 3)
    """

    def decoded() -> Picture:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if Image.MAX_IMAGE_PIXELS is not None and picture.width * picture.height > Image.MAX_IMAGE_PIXELS:
                raise Image.DecompressionBombError  # from twice as many on, Pillow itself raises it
            return _upright(picture, exif=exif)

    return _guarded(decoded, name)


def pixels_of(picture: Image.Image, name: str, *, exif: bool = True) -> Picture:
    """Take the pixels of a picture that Pillow has opened, to the end or not, by the rules of `decode`.

    Example:
        >>> pixels_of(Image.new("LA", (4, 2)), "an example").pixels.shape
        (2, 4, 1)
    """
    return _guarded(lambda: _upright(picture, exif=exif), name)


def _upright(picture: Image.Image, *, exif: bool) -> Picture:
    turned = exif and picture.getexif().get(ExifTags.Base.Orientation, 1) in _TURNS
    return Picture(_pixels(ImageOps.exif_transpose(picture) if turned else picture), turned)


def _guarded(work: Callable[[], Picture], name: str) -> Picture:
    try:
        _silence_pillow()
        return work()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly every builtin on damaged bytes
        raise UndecodableImageError(f"{name} does not decode: {_reason(error)}") from error


def _silence_pillow() -> None:
    """Ignore what Pillow says of damaged metadata beside sound pixels, from here on.

    The filters are the process's, and pictures are decoded by threads: none may put them back as it found them.
    """
    if warnings.filters[:1] != [_SILENT]:
        warnings.filterwarnings("ignore", category=UserWarning, module=_PILLOW)


def _pixels(picture: Image.Image) -> Pixels:
    if picture.mode in _TOO_DEEP:
        raise ValueError(f"pixels of mode {picture.mode} do not fit 8 bits")
    if picture.mode in _WIDE:
        deep = np.asarray(picture).astype(np.uint32)
        return ((deep * 255 + 32767) // 65535).astype(np.uint8)[:, :, None]
    if picture.mode in _GREY:
        return np.asarray(picture.convert("L"))[:, :, None]
    return np.asarray(picture.convert("RGB"))


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"it is larger than {Image.MAX_IMAGE_PIXELS:,} pixels"
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    return str(error) or type(error).__name__
