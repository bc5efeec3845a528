import gc
import hashlib
import pickle
import shutil
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, UnitsError
from lenslab.units.images import open_images

PIXELS = np.random.default_rng(2).integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
LABELS = np.array([3, 0, 1, 1])


class TouchesAFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("pixels", "labels"), [("X", "Y"), ("x", "y"), ("images", "labels"), ("x_test", "y_test"), ("Data", "labels")]
)
def test_images_and_labels_are_found_under_the_usual_names(tmp_path, pixels, labels):
    path = tmp_path / "mine.npz"
    np.savez(path, **{pixels: PIXELS, labels: LABELS, "unrelated": np.zeros(2)})
    images = open_images(path)
    assert (images.name, images.class_names) == ("mine", None)
    np.testing.assert_array_equal(images.labels, LABELS)
    np.testing.assert_array_equal(np.stack(next(images.blocks(4)).pixels), PIXELS)
    assert images.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "pixels",
    [
        PIXELS,
        np.asfortranarray(PIXELS),
        np.moveaxis(PIXELS, 3, 1),
        PIXELS.astype(">i4"),
        (PIXELS / 255).astype(np.float32),
        np.asfortranarray(PIXELS / 255),
    ],
    ids=["bytes", "fortran", "first", "big-endian", "float32", "fortran-float64"],
)
def test_every_way_to_save_an_array_gives_the_same_images(tmp_path, save, pixels):
    path = tmp_path / "mine.npz"
    save(path, before=np.arange(3), X=pixels, between=np.zeros(5), Y=LABELS)
    images = open_images(path)
    for start in range(4):
        (block,) = images.blocks(4, start=start)
        np.testing.assert_array_equal(np.stack(block.pixels), PIXELS[start:])


def test_the_pixels_are_mapped_and_not_loaded(tmp_path):
    pixels = np.zeros((4000, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "plain.npz", X=pixels, Y=np.zeros(4000, int))
    np.savez_compressed(tmp_path / "packed.npz", X=pixels, Y=np.zeros(4000, int))
    for name in ("plain", "packed"):
        gc.collect()
        tracemalloc.start()
        images = open_images(tmp_path / f"{name}.npz")
        next(images.blocks(10, start=3000))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < pixels.nbytes / 3


def test_an_unpacked_file_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    np.savez_compressed(tmp_path / "mine.npz", X=PIXELS, Y=LABELS)
    images = open_images(tmp_path / "mine.npz")
    assert list((tmp_path / "scratch").iterdir()) == []
    np.testing.assert_array_equal(np.stack(next(images.blocks(4)).pixels), PIXELS)


def test_no_room_to_unpack_is_told_with_what_needs_none(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "mine.npz", X=PIXELS, Y=LABELS)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(
        ImagesUnavailableError, match=r"unpacking X\.npy takes 432 bytes and .* has 10 left; .* np\.savez"
    ):
        open_images(tmp_path / "mine.npz")
    np.savez(tmp_path / "mine.npz", X=PIXELS, Y=LABELS)
    assert len(open_images(tmp_path / "mine.npz")) == 4


def test_one_other_byte_of_the_pixels_is_noticed(tmp_path):
    path = tmp_path / "mine.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (4, 200, 200), dtype=np.uint8)
    np.savez(path, X=pixels, Y=LABELS)
    content = bytearray(path.read_bytes())
    content[content.index(pixels.tobytes()) + 150_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ImagesUnavailableError, match=r"mine\.npz cannot be read as an \.npz file: Bad CRC-32"):
        open_images(path)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (b"", "cannot be read"),
        (b"no array", "cannot be read"),
        (b"\x93NUMPY\x03\x00", "is no plain array of numbers"),
        ("longer", "X.npy has another length than it states"),
    ],
)
def test_members_that_are_no_arrays_are_one_message(tmp_path, member, message):
    path = tmp_path / "mine.npz"
    np.savez(path, X=PIXELS, Y=LABELS)
    with zipfile.ZipFile(path) as archive:
        pixels, labels = archive.read("X.npy"), archive.read("Y.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", pixels[:-1] if member == "longer" else member)
        archive.writestr("Y.npy", labels)
    with pytest.raises(UnitsError, match=message):
        open_images(path)


def test_a_training_part_beside_a_test_part_is_left_alone(tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=PIXELS[:1], y_train=LABELS[:1], x_test=PIXELS, y_test=LABELS)
    assert len(open_images(path)) == 4


def test_other_names_are_listed_with_what_is_expected(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, pictures=PIXELS, classes=LABELS)
    with pytest.raises(ImageLayoutError, match="holds pictures, classes; expected two arrays named x/y"):
        open_images(path)


def test_python_objects_are_refused_and_not_run(tmp_path):
    path, touched = tmp_path / "hostile.npz", tmp_path / "touched"
    np.savez(path, X=np.array([TouchesAFile(touched)], dtype=object), Y=np.array([0]))
    with pytest.raises(ImageLayoutError, match="holds Python objects"):
        open_images(path)
    assert not touched.exists()


def test_a_pickle_under_the_name_of_an_npz_file_is_refused_and_not_run(tmp_path):
    path, touched = tmp_path / "hostile.npz", tmp_path / "touched"
    path.write_bytes(pickle.dumps(TouchesAFile(touched)))
    with pytest.raises(ImagesUnavailableError, match=r"hostile\.npz is not an \.npz file"):
        open_images(path)
    assert not touched.exists()


@pytest.mark.parametrize("position", [0.1, 0.4, 0.6, 0.95])
def test_a_damaged_file_is_one_message(tmp_path, position):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, X=PIXELS, Y=LABELS)
    content = bytearray(path.read_bytes())
    place = int(len(content) * position)
    content[place : place + 12] = bytes(12)
    path.write_bytes(content)
    with pytest.raises(UnitsError, match=r"mine\.npz"):
        open_images(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ImagesUnavailableError, match="cut short"):
        open_images(path)
