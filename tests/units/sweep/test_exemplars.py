"""Exemplars: the images that drive a unit most, and where."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from lenslab.runs.attributes.top_images import TopImages
from lenslab.units import Run, ablate
from lenslab.units.engine.trace import trace
from lenslab.units.images import open_images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.sweep.exemplars import exemplars
from tests.units import toys


@pytest.fixture(scope="module")
def run() -> Run:
    images = (toys.quarters((0,), (1,), (0, 1), (2,), (1, 2)), [0, 0, 0, 1, 1])
    return ablate(toys.by_hand(), images)


def test_a_unit_is_shown_with_the_images_that_drive_it_most_and_where_it_is_active(run: Run) -> None:
    found = run.record.table("exemplars")
    assert found["unit"].unique().tolist() == [0, 1, 2, 3], "every unit sums a quarter, and all are alive"
    first = found[found["unit"] == 0]
    assert first["rank"].tolist() == [0, 1, 2, 3, 4]
    assert first["image"].tolist() == [0, 1, 2, 3, 4]
    assert first["activation"].tolist() == [16, 16, 16, 16, 16]
    assert [list(each) for each in first["map"]] == [
        [255, 0, 0, 0],
        [0, 255, 0, 0],
        [255, 255, 0, 0],
        [0, 0, 255, 0],
        [0, 255, 255, 0],
    ]
    assert (first["height"] == 2).all()
    assert (first["width"] == 2).all()


def test_thumbnails_are_what_the_network_sees(run: Run) -> None:
    found = run.record.table("thumbnails")
    assert found["image"].tolist() == [0, 1, 2, 3, 4]
    for picture, pixels in zip(found["png"], toys.quarters((0,), (1,), (0, 1), (2,), (1, 2)), strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture))), pixels)


def test_large_maps_and_pictures_are_made_small_and_colours_come_back() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 96 * 80, 2)
    ).eval()
    preprocessing = Preprocessing(channels=3, size=(96, 80), mean=(0.5, 0.4, 0.3), sd=(0.2, 0.3, 0.4))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 3)).astype(np.uint8).repeat(16, 1).repeat(16, 2)
    strongest = TopImages.of(np.ones((3, 4)), np.arange(3), 2)
    rows, pictures = exemplars(
        trace(module, (3, 96, 80)),
        {"1": strongest},
        {"1": np.array([True, False, True, True])},
        open_images((pixels, [0, 1, 0])),
        preprocessing,
        batch_size=2,
        device=torch.device("cpu"),
    )
    assert rows.num_rows == 3 * 2
    assert rows.column("unit").unique().to_pylist() == [0, 2, 3]
    assert {*rows.column("height").to_pylist(), *rows.column("width").to_pylist()} == {14}
    assert all(len(each) == 14 * 14 and max(each) <= 255 for each in rows.column("map").to_pylist())
    assert pictures.column("image").to_pylist() == [0, 1], "the third image is no unit's"
    assert (pictures.column("height")[0].as_py(), pictures.column("width")[0].as_py()) == (64, 53)
    small = np.asarray(Image.open(io.BytesIO(pictures.column("png")[0].as_py())), dtype=float)
    assert abs(small.mean((0, 1)) - pixels[0].mean((0, 1))).max() < 2


def test_dead_units_sets_and_directions_have_none() -> None:
    made = toys.trained(toys.Residual())
    made.bn1.weight.data[2], made.bn1.bias.data[2] = 0, -1
    run = ablate(toys.network(made), toys.digits(30), sites=["relu:2"])
    assert run.units["dead"].tolist() == [unit == 2 for unit in range(6)]
    assert run.record.table("exemplars")["unit"].unique().tolist() == [0, 1, 3, 4, 5]
    for options in ({"groups": {"relu:2": [[0, 1]]}}, {"basis": "haar"}, {"attributes": False}):
        other = ablate(toys.network(made), toys.digits(30), **options)
        assert not (other.record.directory / "exemplars.parquet").exists()


def test_a_unit_that_is_never_above_zero_has_dark_maps() -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 10)
    )
    with torch.no_grad():
        module[0].weight.copy_(-module[0].weight.abs())
        module[0].bias.fill_(-100.0)
    found = ablate(toys.network(module.eval()), toys.digits(12), sites=["0"]).record.table("exemplars")
    assert len(found)
    assert not any(max(each) for each in found["map"])
