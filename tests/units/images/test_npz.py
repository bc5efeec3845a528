import hashlib
import pickle
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
