"""Images that do not decode: they end a run, or are left out, counted and named, and change nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lenslab.units import Run, ablate, open_images
from lenslab.units.errors import UndecodableImageError
from tests.units import toys
from tests.units.dividing import divide

BROKEN = (0, 7, 8, 21)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("classes")
    (block,) = toys.digits(60).blocks(60)
    for label in range(10):
        (place / str(label)).mkdir()
    for number in np.argsort(block.labels, kind="stable"):
        Image.fromarray(block.pixels[number][:, :, 0]).save(place / str(block.labels[number]) / f"{number:03d}.png")
    return place


def broken(folder: Path, place: Path) -> Path:
    files = sorted(folder.rglob("*.png"))
    for number, file in enumerate(files):
        copy = place / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"no picture" if number in BROKEN else file.read_bytes())
    return place


def run(folder: Path, **options: object) -> Run:
    made = toys.network(toys.trained(toys.Residual()))
    return ablate(made, open_images(folder, on_error="skip"), attributes=False, **options)


@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"engine": "plain"}, {"replacement": "mean"}])
def test_the_others_are_measured_as_if_nothing_was_broken(
    folder: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    whole, some = run(folder, **options), run(broken(folder, tmp_path), verify=20, **options)
    assert sum(some.verified.values()) == 20
    images = some.record.table("images")
    kept = [number for number in range(60) if number not in BROKEN]
    assert images["image"].tolist() == kept
    expected = whole.record.table("images").loc[kept].reset_index(drop=True)
    columns = ["image", "label", "prediction", "loss", "content"]
    if "replacement" not in options:  # other reference images give other means
        pd.testing.assert_frame_equal(images[columns], expected[columns], rtol=1e-4)
        flips = whole.flips[~whole.flips["image"].isin(BROKEN)].reset_index(drop=True)
        assert len(flips) > 20
        pd.testing.assert_frame_equal(some.flips, flips)
    assert (some.units["images"] == 56).all()


def test_they_are_counted_and_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    divide(monkeypatch)
    found = run(broken(folder, tmp_path), batch_size=1, sites=["relu:2"])  # some batches hold nothing
    named = found.record.document["images"]["skipped"]
    assert [each["image"] for each in named] == list(BROKEN)
    assert all(str(tmp_path) in each["reason"] for each in named)
    assert found.record.document["images"]["count"] == 56
    (assumption,) = found.assumptions
    assert assumption.startswith("4 of 60 images do not decode and are left out; the first: ")


def test_without_skipping_the_first_one_ends_the_run(folder: Path, tmp_path: Path) -> None:
    made = toys.network(toys.trained(toys.Residual()))
    with pytest.raises(UndecodableImageError, match="does not decode: it is none of"):
        ablate(made, open_images(broken(folder, tmp_path)))
