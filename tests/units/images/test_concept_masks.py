"""Images with masks of concepts: the same from a directory, a Parquet file and arrays, and fitted as the images are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lenslab.units import Preprocessing
from lenslab.units.attribute_measurement import align_concepts
from lenslab.units.errors import ImageLayoutError, UndecodableImageError, UnitsError, UnknownImagesError
from lenslab.units.images.concept_masks import ConceptImages, open_concept_images
from tests.units import toys
from tests.units.images.test_parquet import png

GREY = Preprocessing(channels=1, size=None, mean=(0.0,), sd=(1.0,))
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
MASKS = np.random.default_rng(1).random((5, 2, 8, 8)) < 0.3
KNOWN = np.array([[True, True], [True, False], [False, True], [False, False], [True, True]])
CONCEPTS = ("dots", "more dots")


def of_arrays() -> ConceptImages:
    return ConceptImages.of_arrays((PIXELS, [0] * 5), MASKS, concepts=CONCEPTS, annotated=KNOWN)


def directory(path: Path) -> Path:
    for number, pixels in enumerate(PIXELS):
        name = f"{'ab'[number // 3]}/{number}"
        for file, content in (
            (path / "images" / f"{name}.png", pixels),
            *(
                (path / "masks" / concept / f"{name}.png", MASKS[number, c] * np.uint8(1))
                for c, concept in enumerate(CONCEPTS)
                if KNOWN[number, c]
            ),
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png(content))
    return path


def parquet(path: Path, *, struct: bool = False, label: bool = False, group: int = 2) -> Path:
    columns = {"image": [{"bytes": png(pixels)} for pixels in PIXELS]}
    for number, concept in enumerate(CONCEPTS):
        encoded = [png(MASKS[row, number] * np.uint8(255)) if KNOWN[row, number] else None for row in range(5)]
        columns[f"mask:{concept}"] = [{"bytes": each} for each in encoded] if struct else encoded
    if label:
        columns["label"] = [0, 1, 0, 1, 0]
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


@pytest.mark.parametrize("layout", ["directory", "parquet", "structs with labels", "one row group"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_layout_gives_the_same_masks_in_any_blocks(tmp_path: Path, layout: str, size: int) -> None:
    file = tmp_path / "dots.parquet"
    opened = open_concept_images(
        {
            "directory": lambda: directory(tmp_path / "dots"),
            "parquet": lambda: parquet(file),
            "structs with labels": lambda: parquet(file, struct=True, label=True),
            "one row group": lambda: parquet(file, group=9),
        }[layout]()
    )
    assert opened.concepts == CONCEPTS
    blocks = list(opened.blocks(size, GREY))
    assert np.array_equal(np.concatenate([known for *_, known in blocks]), KNOWN)
    assert np.array_equal([pixels[:, :, 0] for block, *_ in blocks for pixels in block.pixels], PIXELS)
    for found, masks, known in zip([each for _, some, _ in blocks for each in some], MASKS, KNOWN, strict=True):
        assert all(np.array_equal(found[concept], masks[concept]) for concept in np.flatnonzero(known))
    assert not np.array_equal(MASKS[0], MASKS[4])


def test_alignment_is_the_same_from_every_layout(tmp_path: Path) -> None:
    sources = (of_arrays(), directory(tmp_path / "dots"), parquet(tmp_path / "dots.parquet"))
    found = [align_concepts(toys.by_hand(), each, sites=["1"], quantile=0.25)["1"].overlap for each in sources]
    assert (found[0] > 0).all()
    assert found[0][0, 0] != found[0][0, 1]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_masks_are_resized_and_cropped_as_the_images_are_without_mixing_pixels(tmp_path: Path) -> None:
    picture = np.zeros((12, 20), np.uint8)
    picture[2:7, 6:15] = 255
    pq.write_table(pa.table({"image": [png(picture)], "mask:square": [png(picture)]}), tmp_path / "one.parquet")
    preprocessing = Preprocessing(1, (4, 4), (0.0,), (1.0,), filter="nearest", shorter=6)
    ((block, (mask,), _),) = open_concept_images(tmp_path / "one.parquet").blocks(1, preprocessing)
    seen = preprocessing(block.pixels)[0].numpy()
    assert 0 < mask.sum() < mask.size
    assert np.array_equal(mask, seen > 0)


def test_images_that_do_not_decode_leave_the_masks_with_their_images(tmp_path: Path) -> None:
    (directory(tmp_path) / "images" / "a" / "1.png").write_bytes(b"no picture")
    opened = open_concept_images(tmp_path)
    with pytest.raises(UndecodableImageError, match=r"a/1\.png"):
        list(opened.blocks(5, GREY))
    skipping = ConceptImages(opened.images.skipping(), opened.concepts, opened.read)
    ((block, masks, known),) = skipping.blocks(5, GREY)
    assert block.numbers.tolist() == [0, 2, 3, 4]
    assert np.array_equal(known, KNOWN[[0, 2, 3, 4]])
    assert np.array_equal(masks[3], MASKS[4])


def test_the_hash_is_of_everything_that_decides_an_alignment(tmp_path: Path) -> None:
    first, again = of_arrays(), of_arrays()
    other = ConceptImages.of_arrays((PIXELS, [0] * 5), MASKS ^ (np.arange(8) == 0), concepts=CONCEPTS, annotated=KNOWN)
    unknown = ConceptImages.of_arrays((PIXELS, [0] * 5), MASKS, concepts=CONCEPTS)
    renamed = ConceptImages.of_arrays((PIXELS, [0] * 5), MASKS, concepts=["a", "b"], annotated=KNOWN)
    assert first.sha256 == again.sha256
    assert len({each.sha256 for each in (first, other, unknown, renamed)}) == 4
    twins = np.stack([MASKS[:1, 0]] * 2, axis=1)
    sides = [
        ConceptImages.of_arrays((PIXELS[:1], [0]), twins, annotated=np.array([each]))
        for each in ([True, False], [False, True])
    ]
    assert sides[0].sha256 != sides[1].sha256
    stored = directory(tmp_path / "dots")
    before = open_concept_images(stored).sha256
    (stored / "masks" / "dots" / "a" / "0.png").write_bytes(png(np.zeros((8, 8), np.uint8)))
    assert open_concept_images(stored).sha256 != before


def test_what_is_not_images_with_masks_is_refused_in_one_sentence(tmp_path: Path) -> None:
    def refusal(source: Path, kind: type[UnitsError] = ImageLayoutError) -> str:
        with pytest.raises(kind) as caught:
            list(open_concept_images(source).blocks(5, GREY))
        return str(caught.value)

    made = directory(tmp_path / "dots")
    assert "no images with masks at" in refusal(tmp_path / "none", UnknownImagesError)
    assert "holds no directory images and no masks" in refusal(tmp_path)
    (made / "masks" / "empty").mkdir()
    assert "empty holds no masks" in refusal(made)
    (made / "masks" / "empty").rmdir()
    (made / "masks" / "dots" / "a" / "9.png").write_bytes(png(PIXELS[0]))
    assert "9.png belongs to no image" in refusal(made)
    (made / "masks" / "dots" / "a" / "9.png").rename(made / "masks" / "dots" / "a" / "1.png")
    Image.new("L", (8, 9)).save(made / "masks" / "dots" / "a" / "0.png")
    assert "the mask of 'dots' for image 0" in refusal(made)
    assert "has 9x8 pixels and the image 8x8" in refusal(made)
    (made / "masks" / "dots" / "a" / "0.png").write_bytes(b"no picture")
    assert "masks/dots/a/0.png does not decode" in refusal(made, UndecodableImageError)
    plain = tmp_path / "plain.parquet"
    pq.write_table(pa.table({"image": [png(PIXELS[0])]}), plain)
    assert "has no masks; put those of each concept into a column mask:CONCEPT" in refusal(plain)
    pq.write_table(pa.table({"image": [png(PIXELS[0])], "mask:dots": [7]}), plain)
    assert "row 0 of" in refusal(plain)
    with pytest.raises(ImageLayoutError, match=r"give bool \[5, 3, rows, columns\]"):
        ConceptImages.of_arrays((PIXELS, [0] * 5), MASKS, concepts=["a", "b", "c"])


def test_batches_in_which_no_image_decodes_are_passed_over(tmp_path: Path) -> None:
    (directory(tmp_path) / "images" / "a" / "1.png").write_bytes(b"no picture")
    blocks = list(open_concept_images(tmp_path, on_error="skip").blocks(1, GREY))
    assert [len(block) for block, _, _ in blocks] == [1, 0, 1, 1, 1]
    assert [known.shape for _, _, known in blocks] == [(len(block), 2) for block, _, _ in blocks]
