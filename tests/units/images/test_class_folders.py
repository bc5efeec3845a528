import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, UndecodableImageError
from lenslab.units.images import open_images


def picture(path: Path, value: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 2), (value, 0, 0)).save(path, "PNG")
    return path


def pets(directory: Path) -> Path:
    for number, name in enumerate(("dog/b.png", "dog/a.png", "cat/1.png", "Zebra/x.PNG", "cat/10.png", "cat/2.png")):
        picture(directory / name, 10 * number)
    return directory


def values(images) -> list[int]:
    return [int(pixels[0, 0, 0]) for block in images.blocks(2) for pixels in block.pixels]


def test_classes_and_their_pictures_are_in_the_order_of_their_names(tmp_path):
    images = open_images(pets(tmp_path))
    assert images.class_names == ("Zebra", "cat", "dog")
    assert images.labels.tolist() == [0, 1, 1, 1, 2, 2]
    assert values(images) == [30, 20, 40, 50, 10, 0]
    assert images.name == tmp_path.name


def test_pictures_lie_at_any_depth_and_directories_come_before_what_is_in_them(tmp_path):
    for number, name in enumerate(("a/z.png", "a/b/2.png", "a/b/1.png", "a/b/c/0.png", "b/0.png")):
        picture(tmp_path / name, number)
    images = open_images(tmp_path)
    assert values(images) == [0, 2, 1, 3, 4]
    assert images.labels.tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(("start", "stop"), [(0, 6), (1, 2), (3, 5), (5, 6), (2, 2)])
def test_any_part_is_the_part_of_the_whole(tmp_path, start, stop):
    images = open_images(pets(tmp_path))
    part = [int(pixels[0, 0, 0]) for block in images.blocks(2, start=start, stop=stop) for pixels in block.pixels]
    assert part == values(images)[start:stop]


def test_what_begins_with_a_dot_is_ignored(tmp_path):
    pets(tmp_path)
    picture(tmp_path / ".cache/a.png")
    picture(tmp_path / "dog/.thumbnails/a.png")
    picture(tmp_path / "dog/._a.png")
    (tmp_path / ".DS_Store").touch()
    images = open_images(tmp_path)
    assert images.class_names == ("Zebra", "cat", "dog")
    assert len(images) == 6
    assert images.assumptions == ()


def test_an_empty_class_keeps_its_number_and_is_remarked(tmp_path):
    pets(tmp_path)
    (tmp_path / "bird").mkdir()
    images = open_images(tmp_path)
    assert images.class_names == ("Zebra", "bird", "cat", "dog")
    assert images.labels.tolist() == [0, 2, 2, 2, 3, 3]
    (remark,) = images.assumptions
    assert "1 classes of" in remark
    assert remark.endswith("have no pictures and keep their numbers: bird")


def numbered(directory: Path, names: list[str]) -> Path:
    for value, name in enumerate(names):
        picture(directory / name / "1.png", value)
    return directory


def test_directories_that_are_numbers_are_sorted_as_numbers_and_it_is_said(tmp_path):
    names = [str(number) for number in range(12)]
    images = open_images(numbered(tmp_path, names))
    assert images.class_names == tuple(names)
    assert values(images) == images.labels.tolist() == list(range(12))
    assert images.assumptions == (
        f"the directories of {tmp_path} are numbers and sorted as such, 0 to 11, not as text",
    )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["0", "1", "2"], None),
        (["00", "01", "10"], "not 0 to 2; the label of '10' is 2"),
        (["1", "2", "3"], "not 0 to 2; the label of '1' is 0, '2' is 1, '3' is 2"),
        (["2", "10"], "are numbers and not 0 to 1; the label of '2' is 0, '10' is 1"),
        (["10", "2", "other"], None),
        (["1", "²"], None),
    ],
)
def test_numbers_that_are_not_their_labels_are_named(tmp_path, names, said):
    images = open_images(numbered(tmp_path, names))
    assert images.class_names == tuple(names)
    assert [said in text for text in images.assumptions[-1:] if said] == [True] * bool(said)
    assert bool(images.assumptions) == bool(said)


def test_a_split_is_the_directory_of_its_name(tmp_path):
    for split in ("Train", "val"):
        pets(tmp_path / split)
    images = open_images(f"{tmp_path}#train")
    assert (images.source, len(images), images.sha256) == (f"{tmp_path}#train", 6, open_images(tmp_path / "val").sha256)
    with pytest.raises(ImageLayoutError, match=r"has no directory of a split 'test'; it holds Train, val"):
        open_images(f"{tmp_path}#test")


def test_a_split_with_some_of_the_classes_is_numbered_as_the_training_split(tmp_path):
    pets(tmp_path / "train")
    numbered(tmp_path / "test", ["cat", "dog"])
    for source in (f"{tmp_path}#test", tmp_path / "test"):
        images = open_images(source)
        assert images.class_names == ("Zebra", "cat", "dog")
        assert images.labels.tolist() == [1, 2]
        assert images.assumptions == (
            f"{source} has 2 of the 3 classes of train beside it; they are numbered as there, 'dog' is 2",
        )
    numbered(tmp_path / "val", ["cat", "cow"])
    images = open_images(tmp_path / "val")
    assert images.labels.tolist() == [0, 1]
    assert (
        "has classes that train beside it lacks: cow; its classes are numbered by themselves" in images.assumptions[0]
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "test").rename(tmp_path / "elsewhere/test")
    assert open_images(tmp_path / "elsewhere/test").labels.tolist() == [0, 1]


def test_files_that_are_no_pictures_are_left_out_and_remarked(tmp_path):
    (pets(tmp_path) / "cat/notes.txt").write_text("tabby")
    images = open_images(tmp_path)
    assert len(images) == 6
    assert "notes.txt" in images.assumptions[0]


def test_pictures_without_directories_for_their_classes_are_refused(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(ImageLayoutError, match=r"holds 1 pictures \(a\.png\) and no directory for each class; put"):
        open_images(tmp_path)


def test_pictures_beside_the_directories_of_the_classes_are_refused(tmp_path):
    picture(pets(tmp_path) / "overview.png")
    with pytest.raises(ImageLayoutError, match=r"1 pictures \(overview\.png\) beside the directories of its 3 classes"):
        open_images(tmp_path)


def test_the_parts_of_a_data_set_are_not_taken_for_classes(tmp_path):
    pets(tmp_path / "val")
    pets(tmp_path / "train")
    with pytest.raises(
        ImageLayoutError,
        match=r"are splits of a data set and no classes; give one of them with --split train, that is .*train",
    ):
        open_images(tmp_path)
    assert len(open_images(tmp_path / "val")) == 6


def test_directories_without_pictures_are_refused_with_the_endings_that_are_read(tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(ImageLayoutError, match=r"the 1 directories in .* \(cat\) hold no pictures; .*\.jpeg"):
        open_images(tmp_path)


def test_parquet_files_one_directory_further_down_are_pointed_at(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.parquet").touch()
    with pytest.raises(ImageLayoutError, match=r"but \.parquet files in .*data; give that directory"):
        open_images(tmp_path)


def test_a_link_back_up_is_followed_once(tmp_path):
    pets(tmp_path)
    (tmp_path / "dog/again").symlink_to(tmp_path / "dog", target_is_directory=True)
    assert len(open_images(tmp_path)) == 6


def test_a_picture_that_does_not_decode_is_named_by_its_file(tmp_path):
    (pets(tmp_path) / "cat/10.png").write_bytes(b"")
    with pytest.raises(UndecodableImageError, match=r"cat/10\.png does not decode"):
        list(open_images(tmp_path).blocks(2))


def test_a_picture_that_went_away_is_one_message(tmp_path):
    images = open_images(pets(tmp_path))
    (tmp_path / "cat/10.png").unlink()
    with pytest.raises(ImagesUnavailableError, match=r"cat/10\.png cannot be read: No such file"):
        list(images.blocks(2))
    with pytest.raises(ImagesUnavailableError, match=r"cat/10\.png cannot be read: No such file"):
        _ = images.sha256


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads every directory")
def test_a_directory_that_may_not_be_read_is_one_message(tmp_path):
    (pets(tmp_path) / "dog").chmod(0)
    try:
        with pytest.raises(ImagesUnavailableError, match="dog cannot be read: Permission denied"):
            open_images(tmp_path)
    finally:
        (tmp_path / "dog").chmod(0o700)


def test_the_hash_tells_contents_names_and_classes_but_not_the_place(tmp_path):
    first = pets(tmp_path / "one")
    hashes = [open_images(first).sha256]
    assert open_images(pets(tmp_path / "two")).sha256 == hashes[0]
    picture(first / "dog/a.png", 99)
    hashes.append(open_images(first).sha256)
    (first / "dog/a.png").rename(first / "dog/c.png")
    hashes.append(open_images(first).sha256)
    (first / "bird").mkdir()
    hashes.append(open_images(first).sha256)
    assert len(set(hashes)) == 4


def test_names_of_any_bytes_are_read(tmp_path):
    directory = pets(tmp_path)
    odd = os.fsdecode(b"dog/\xff.png")
    picture(directory / odd)
    images = open_images(directory)
    assert len(images) == 7
    assert len(images.sha256) == 64
    np.testing.assert_array_equal(images.first(), next(images.blocks(1)).pixels[0])
