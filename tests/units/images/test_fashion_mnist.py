import numpy as np
import pytest

from lenslab.units.errors import ImagesUnavailableError
from lenslab.units.images import open_images
from lenslab.units.images.fashion_mnist import fashion_mnist, files_directory, present


def test_the_directory_can_be_named_in_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LENSLAB_DATA", str(tmp_path))
    assert files_directory() == tmp_path / "fashion-mnist"
    monkeypatch.delenv("LENSLAB_DATA")
    assert files_directory().parent.name == "lenslab"


def test_without_the_files_one_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImagesUnavailableError, match="or use --images digits"):
        fashion_mnist(tmp_path / "cache", home="http://127.0.0.1:9")
    assert not present(tmp_path / "cache")


def test_files_of_another_content_are_not_taken_for_it(monkeypatch, tmp_path):
    monkeypatch.setenv("LENSLAB_DATA", str(tmp_path))
    (tmp_path / "fashion-mnist").mkdir()
    for part in ("images-idx3", "labels-idx1"):
        (tmp_path / "fashion-mnist" / f"t10k-{part}-ubyte.gz").write_bytes(b"")
    assert present()
    with pytest.raises(ImagesUnavailableError, match="is not the published file"):
        open_images("fashion-mnist")


@pytest.mark.skipif(not present(), reason="Fashion-MNIST is not on this machine; no test fetches it")
def test_there_are_a_thousand_test_images_of_each_class():
    images = open_images("fashion-mnist")
    assert np.bincount(images.labels).tolist() == [1000] * 10
    assert next(images.blocks(1)).pixels[0].shape == (28, 28, 1)
    assert images.class_names is not None
    assert images.class_names[images.labels[0]] == "Ankle boot"
