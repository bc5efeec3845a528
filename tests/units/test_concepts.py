"""Alignment with concepts is a column of a run, whatever the layout of the masks, and part of its question."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lenslab.cli import main
from lenslab.units import Ablation, UnitsError, ablate, load
from lenslab.units.attribute_measurement import align_concepts
from lenslab.units.images.concept_masks import ConceptImages
from tests.units import toys

COUNT = 12


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module", autouse=True)
def lean() -> None:
    """Here a run has them: alignment is one of the attributes that they relate."""


@pytest.fixture(scope="module")
def broden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits with two concepts: what is bright, and the upper half of that."""
    place = tmp_path_factory.mktemp("broden")
    for name in ("images", "masks/bright", "masks/above"):
        (place / name).mkdir(parents=True)
    (block,) = toys.digits(COUNT).blocks(COUNT)
    for number, pixels in enumerate(block.pixels):
        grey = pixels[:, :, 0]
        bright = np.where(grey > 128, 255, 0).astype(np.uint8)
        above = bright.copy()
        above[4:] = 0
        for name, shown in (("images", grey), ("masks/bright", bright), ("masks/above", above)):
            (place / name / f"{number:03}.png").write_bytes(png(shown))
    return place


def test_a_run_has_the_columns_that_alignment_alone_gives(broden: Path) -> None:
    network = load("small", weights="digits")
    run = ablate(network, "digits", sites=["relu1"], limit=60, concepts=broden)
    aligned = align_concepts(network, broden, sites=["relu1"])["relu1"]
    assert run.units["concept_alignment"].tolist() == aligned.best.tolist()
    assert run.units["concept_alignment_concept"].tolist() == aligned.concept.tolist()
    assert len(set(aligned.best)) > 4
    assert run.concepts == ("above", "bright")
    assert "concept_alignment" in set(run.correlations["attribute"])
    assert run.plot.scatter("concept_alignment").to_dict()


def test_masks_are_part_of_the_question(broden: Path) -> None:
    def key(**options: object) -> str:
        return Ablation.of("small", "digits", sites=["relu1"], limit=20, **options).key

    (block,) = toys.digits(COUNT).blocks(COUNT)
    bright = np.stack([pixels > 128 for pixels in block.pixels]).transpose(0, 3, 1, 2)
    other = ConceptImages.of_arrays(toys.digits(COUNT), bright, concepts=["bright"])
    assert len({key(), key(concepts=broden), key(concepts=other)}) == 3
    assert key(concepts=broden) == key(concepts=str(broden))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attributes": False}, "attributes are left out; measure them, too"),
        ({"basis": "haar"}, "this silences sets of units or directions"),
        ({"groups": {"relu1": [[1, 2]]}}, "this silences sets of units or directions"),
        ({"concepts": "no/such/place"}, "no images with masks at no/such/place"),
    ],
)
def test_what_cannot_be_is_refused(broden: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(UnitsError, match=message):
        Ablation.of("small", "digits", limit=20, **{"concepts": broden, **options})


def test_the_command_line_takes_them_too(broden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ablate", "small", "--weights", "digits", "--images", "digits", "--sites", "relu1", "--limit", "40"]
    assert main.run([*words, "--concepts", str(broden), "--out", str(tmp_path / "run"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["concepts"] == {"source": str(broden), "images": COUNT, "names": ["above", "bright"]}
    table = pd.read_parquet(tmp_path / "run" / "units.parquet")
    assert table["concept_alignment"].between(0, 1).all()
