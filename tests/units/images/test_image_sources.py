import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lenslab.units.errors import UnknownImagesError
from lenslab.units.images import NAMED, open_images
from tests.units.images.test_parquet import write


def test_a_wrong_name_is_told_with_the_nearest_and_all_others():
    with pytest.raises(UnknownImagesError) as caught:
        open_images("fashion-minst")
    assert "did you mean 'fashion-mnist'?" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMED)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnknownImagesError, match=r"no images named '.*none\.parquet' and no such file"):
        open_images(tmp_path / "none.parquet")


def test_another_kind_of_file_is_told_with_what_is_read(tmp_path):
    path = tmp_path / "images.tar"
    path.touch()
    with pytest.raises(UnknownImagesError, match=r"give an \.npz or \.parquet file"):
        open_images(path)


def test_a_directory_is_parquet_files_or_class_folders(tmp_path):
    (tmp_path / "cat").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "cat/1.png")
    assert open_images(tmp_path).class_names == ("cat",)
    write(tmp_path / "a.parquet")
    assert len(open_images(tmp_path)) == 23


def test_open_images_and_pairs_of_arrays_are_taken():
    images = open_images((np.zeros((2, 4, 4), np.uint8), [0, 1]))
    assert open_images(images) is images
    assert images.name == "arrays"


def test_the_source_is_what_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", x=np.zeros((2, 4, 4), np.uint8), y=np.array([0, 1]))
    assert open_images("mine.npz").source == "mine.npz"


def test_every_held_out_name_says_what_it_is_named_for():
    assert open_images("digits").name == "digits"
    assert open_images("digits-train").name == "digits-train"


def test_images_and_the_catalogue_of_networks_load_no_torch():
    code = (
        "import sys; from lenslab.units.images import open_images; from lenslab.units.networks import networks\n"
        "len(open_images('digits')); networks(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
