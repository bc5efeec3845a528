"""Pictures that a camera turned: the orientation in EXIF is applied, or not, and said."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lenslab.runs import read
from lenslab.units import ablate, load, open_images
from lenslab.units.errors import ImageLayoutError
from lenslab.units.images.concept_masks import open_concept_images
from lenslab.units.images.preprocessing import Preprocessing

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 6, 8), dtype=np.uint8)
ORIENTATIONS = [None, 1, 2, 3, 4, 5, 6, 7, 8]
TURNED = [False, False, *[True] * 7]
AS_SEEN = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).T,
    8: np.rot90,
}
"""What each orientation of EXIF means for the pixels as they lie (CIPA DC-008, Orientation)."""


def picture(pixels: np.ndarray, orientation: int | None) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    return stream.getvalue()


ENCODED = [picture(pixels, orientation) for pixels, orientation in zip(PIXELS, ORIENTATIONS, strict=True)]


def folders(place: Path) -> Path:
    (place / "0").mkdir(parents=True)
    for number, content in enumerate(ENCODED):
        (place / "0" / f"{number}.png").write_bytes(content)
    return place


def parquet(place: Path) -> Path:
    pq.write_table(pa.table({"image": ENCODED, "label": [0] * 9}), place / "mine.parquet")
    return place / "mine.parquet"


def pairs(_place: Path) -> list[tuple[Image.Image, int]]:
    return [(Image.open(io.BytesIO(content)), 0) for content in ENCODED]


@pytest.mark.parametrize("source", [folders, parquet, pairs])
@pytest.mark.parametrize("exif", [True, False])
def test_pictures_are_turned_as_they_were_seen_or_left_as_their_pixels_lie(tmp_path, source, exif):
    (block,) = open_images(source(tmp_path), exif=exif).blocks(9)
    for pixels, orientation, found in zip(PIXELS, ORIENTATIONS, block.pixels, strict=True):
        expected = AS_SEEN[orientation](pixels) if exif and orientation in AS_SEEN else pixels
        assert np.array_equal(found[:, :, 0], expected), orientation
    assert block.turned.tolist() == [exif and turned for turned in TURNED]


def test_arrays_are_never_turned():
    (block,) = open_images((PIXELS, [0] * 9)).blocks(9)
    assert not block.turned.any()


def test_a_run_says_how_many_were_turned_and_which_and_is_another_without(tmp_path):
    network = load("small", weights="digits")
    turned, lying = (
        ablate(network, open_images(folders(tmp_path / name), exif=exif), sites=["relu3"], out=tmp_path / f"run-{name}")
        for name, exif in (("turned", True), ("lying", False))
    )
    (said,) = [each for each in turned.assumptions if "EXIF" in each]
    assert said.startswith("7 of 9 pictures were turned as their EXIF orientation says; --no-exif")
    assert turned.record.table("images")["turned"].tolist() == TURNED
    assert turned.record.table("images")["content"].nunique() == 9
    assert not lying.record.table("images")["turned"].any()
    assert turned.key != lying.key
    assert not any("EXIF" in each for each in lying.assumptions)
    assert [read(tmp_path / f"run-{name}").dataset.exif for name in ("turned", "lying")] == [True, False]


def test_a_curve_reads_pictures_as_its_run_did(tmp_path):
    pictures = folders(tmp_path / "pictures")
    run = ablate(load("small", weights="digits"), open_images(pictures, exif=False), sites=["relu3"])
    curve = run.curve(order="own-drop", steps=[1, 2])
    assert curve.metadata["read_on"]["images"] > 0


def masked(place: Path, size: tuple[int, int], orientation: int, *, of_mask: int | None = None) -> Path:
    pixels = PIXELS[0][: size[0], : size[1]]
    (place / "images").mkdir(parents=True)
    (place / "masks" / "dots").mkdir(parents=True)
    (place / "images" / "0.png").write_bytes(picture(pixels, orientation))
    (place / "masks" / "dots" / "0.png").write_bytes(picture(np.uint8(255) * (pixels > 99), of_mask))
    return place


WHOLE = Preprocessing(1, None, (0.0,), (1.0,))


def test_masks_are_turned_as_their_own_exif_says_and_never_by_chance(tmp_path):
    both = open_concept_images(masked(tmp_path / "both", (4, 6), 6, of_mask=6))
    ((block, (mask,), _),) = both.blocks(1, WHOLE)
    assert np.array_equal(mask[0], block.pixels[0][:, :, 0] > 99)
    with pytest.raises(ImageLayoutError, match=r"4x6 pixels and the image 6x4.*--no-exif"):
        list(open_concept_images(masked(tmp_path / "one", (4, 6), 6)).blocks(1, WHOLE))
    with pytest.raises(ImageLayoutError, match=r"square and turned.*--no-exif"):
        list(open_concept_images(masked(tmp_path / "square", (6, 6), 6)).blocks(1, WHOLE))
    lying = open_concept_images(tmp_path / "square", exif=False)
    ((block, (mask,), _),) = lying.blocks(1, WHOLE)
    assert np.array_equal(mask[0], block.pixels[0][:, :, 0] > 99)
