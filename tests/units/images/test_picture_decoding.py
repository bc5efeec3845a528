import io
import struct
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from lenslab.units.errors import UndecodableImageError
from lenslab.units.images import picture_decoding
from lenslab.units.images.labelled_images import Pixels

GRADIENT = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(content: bytes, name: str, *, exif: bool = True) -> Pixels:
    return picture_decoding.decode(content, name, exif=exif).pixels


def test_grey_stays_grey():
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(GRADIENT)), "a")[..., 0], GRADIENT)


def test_grey_with_transparency_is_grey():
    content = encoded(Image.fromarray(GRADIENT).convert("LA"))
    np.testing.assert_array_equal(decode(content, "a")[..., 0], GRADIENT)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_become_rgb(mode):
    content = encoded(Image.new("RGB", (6, 4), (250, 100, 30)).convert(mode))
    pixels = decode(content, "a")
    assert pixels.shape == (4, 6, 3)
    assert np.abs(pixels[0, 0].astype(int) - (250, 100, 30)).max() <= 26  # the web palette has steps of 51


def test_cmyk_becomes_rgb():
    pixels = decode(encoded(Image.new("CMYK", (6, 4), (0, 255, 255, 0)), "TIFF"), "a")
    assert pixels[0, 0].tolist() == [255, 0, 0]


def test_black_and_white_becomes_0_and_255():
    pixels = decode(encoded(Image.fromarray(GRADIENT > 100)), "a")
    np.testing.assert_array_equal(pixels[..., 0], np.where(GRADIENT > 100, 255, 0))


def test_16_bits_are_scaled_and_not_clipped():
    deep = GRADIENT.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(deep)), "a")[..., 0], GRADIENT)


def test_32_bits_are_refused():
    content = encoded(Image.fromarray(GRADIENT.astype(np.float32)), "TIFF")
    with pytest.raises(UndecodableImageError, match="a does not decode: pixels of mode F"):
        decode(content, "a")


def test_the_orientation_of_a_camera_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    pixels = decode(encoded(Image.fromarray(GRADIENT), "PNG", exif=exif), "a")
    np.testing.assert_array_equal(pixels[..., 0], np.rot90(GRADIENT, -1))


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.fromarray(np.full((4, 6), value, np.uint8)) for value in (255, 0)]
    assert decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a").min() == 255


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_damaged_bytes_either_decode_or_are_one_message(kind):
    whole = encoded(Image.effect_noise((40, 30), 90).convert("RGB"), kind)
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in generator.integers(0, min(len(content), 120), 6):
            content[place] = generator.integers(0, 256)
        damaged = bytes(content[: generator.integers(20, len(whole))])
        try:
            assert decode(damaged, "row 5 of mine").dtype == np.uint8
        except UndecodableImageError:
            refused += 1
            with pytest.raises(UndecodableImageError, match=r"^row 5 of mine does not decode: "):
                decode(damaged, "row 5 of mine")
    assert refused > 10


@pytest.mark.parametrize("content", [b"", b"<html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(UndecodableImageError, match="it is none of BMP, GIF"):
        decode(content, "a")


def test_what_pillow_warns_of_is_silent_and_the_warnings_of_others_are_as_before(recwarn):
    picture = Image.new("RGB", (4, 2))
    damaged = io.BytesIO()
    picture.save(damaged, "TIFF")
    content = damaged.getvalue().replace(struct.pack("<HHI", 256, 4, 1), struct.pack("<HHI", 256, 4, 9))
    others = [each for each in warnings.filters if each != picture_decoding._SILENT]
    for _ in range(2):
        with suppress(UndecodableImageError):
            decode(content, "a")
    assert [each for each in warnings.filters if each != picture_decoding._SILENT] == others
    assert warnings.filters.count(picture_decoding._SILENT) == 1
    assert [str(each.message) for each in recwarn] == []
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_before_it_is_decoded(recwarn):  # noqa: ARG001 - Pillow's warning is its own
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for side in (10_000, 60_000):  # where Pillow warns, and where it refuses
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
        with pytest.raises(UndecodableImageError, match="larger than 89,478,485 pixels"):
            decode(content, "a")
