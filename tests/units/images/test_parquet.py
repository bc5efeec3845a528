import hashlib
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, LabelError, UndecodableImageError
from lenslab.units.images import open_images

PIXELS = np.random.default_rng(3).integers(0, 256, (23, 5, 6, 3), dtype=np.uint8)
LABELS = np.arange(23) % 4


def png(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


ENCODED = [png(pixels) for pixels in PIXELS]


def write(path, encoded=ENCODED, labels=LABELS, *, image="image", label="label", names=None, group=5, struct=True):
    pictures = pa.array([{"bytes": content, "path": None} for content in encoded] if struct else list(encoded))
    table = pa.table({image: pictures, label: pa.array(labels)})
    if names:
        features = {"info": {"features": {label: {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, path, row_group_size=group)
    return path


@pytest.mark.parametrize(
    "layout",
    [{}, {"struct": False}, {"image": "img", "label": "fine_label"}, {"group": 1}, {"group": 100}],
    ids=lambda layout: "-".join(map(str, layout)) or "usual",
)
def test_pictures_and_labels_are_read_in_every_layout(tmp_path, layout):
    images = open_images(write(tmp_path / "mine.parquet", names=["a", "b", "c", "d"], **layout))
    np.testing.assert_array_equal(images.labels, LABELS)
    assert images.class_names == ("a", "b", "c", "d")
    decoded = [pixels for block in images.blocks(4) for pixels in block.pixels]
    np.testing.assert_array_equal(np.stack(decoded), PIXELS)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_any_part_is_the_part_of_the_whole(tmp_path, size):
    images = open_images(write(tmp_path / "mine.parquet"))
    for start in range(0, 23, 3):
        for stop in range(start, 24, 4):
            part = [pixels for block in images.blocks(size, start=start, stop=stop) for pixels in block.pixels]
            assert len(part) == stop - start
            assert all((picture == PIXELS[start + i]).all() for i, picture in enumerate(part))


def test_a_directory_is_its_files_in_the_order_of_their_names(tmp_path):
    write(tmp_path / "b.parquet", ENCODED[9:], LABELS[9:])
    write(tmp_path / "a.parquet", ENCODED[:9], LABELS[:9])
    (tmp_path / "README.md").write_text("not read")
    images = open_images(tmp_path)
    np.testing.assert_array_equal(images.labels, LABELS)
    part = [pixels for block in images.blocks(3, start=7, stop=12) for pixels in block.pixels]
    np.testing.assert_array_equal(np.stack(part), PIXELS[7:12])


def test_a_glob_is_the_files_that_it_means_in_the_order_of_their_names(tmp_path):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/train-1-of-2.parquet", ENCODED[9:], LABELS[9:])
    write(tmp_path / "data/train-0-of-2.parquet", ENCODED[:9], LABELS[:9])
    write(tmp_path / "data/test.parquet", ENCODED[:2], LABELS[:2])
    images = open_images(f"{tmp_path}/data/train-*.parquet")
    np.testing.assert_array_equal(images.labels, LABELS)
    assert (images.name, images.source) == ("train", f"{tmp_path}/data/train-*.parquet")
    assert len(open_images(f"{tmp_path}/**/*.parquet#test+train")) == 25
    assert open_images(tmp_path / "data" / "*-of-2.parquet").name == "data"
    assert len({images.sha256, open_images(f"{tmp_path}/data#test").sha256}) == 2
    one = open_images(tmp_path / "data" / "tes?.parquet")
    assert len(one) == 2


@pytest.mark.parametrize("kind", ["", "/*.parquet"])
def test_splits_of_one_data_set_are_never_joined_unless_it_is_said(tmp_path, kind):
    write(tmp_path / "train-0-of-2.parquet", ENCODED[:9], LABELS[:9])
    write(tmp_path / "train-1-of-2.parquet", ENCODED[9:20], LABELS[9:20])
    write(tmp_path / "Test-0-of-1.parquet", ENCODED[20:], LABELS[20:])
    with pytest.raises(ImageLayoutError, match=r"several splits .*: test \(1 file\), train \(2 files\); .*--split"):
        open_images(f"{tmp_path}{kind}")
    for split, labels in (("test", LABELS[20:]), ("train", LABELS[:20])):
        images = open_images(f"{tmp_path}{kind}#{split}")
        np.testing.assert_array_equal(images.labels, labels)
        assert images.name.endswith(f"-{split}")
        assert open_images(images.source).sha256 == images.sha256
    np.testing.assert_array_equal(open_images(f"{tmp_path}{kind}#train+test").labels, [*LABELS[20:], *LABELS[:20]])
    with pytest.raises(ImageLayoutError, match=r"has no split 'validation'; it has test, train"):
        open_images(f"{tmp_path}{kind}#validation")


NAMES = ["a", "b", "c", "d"]


def test_files_that_number_their_classes_differently_are_joined_by_name_and_it_is_said(tmp_path):
    write(tmp_path / "one.parquet", ENCODED[:8], [0, 1, 2, 3, 0, 1, 2, 3], names=NAMES)
    write(tmp_path / "two.parquet", ENCODED[8:12], [0, 1, 2, 3], names=["d", "c", "b", "a"])
    images = open_images(tmp_path)
    assert images.class_names == tuple(NAMES)
    assert images.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 3, 2, 1, 0]
    assert images.assumptions == (
        "one.parquet and two.parquet number their classes differently; all labels are those of one.parquet, by name",
    )


def test_a_class_that_only_another_file_names_comes_after_those_of_the_first(tmp_path):
    write(tmp_path / "one.parquet", ENCODED[:2], [0, 1], names=["a", "b"])
    write(tmp_path / "two.parquet", ENCODED[2:5], [0, 1, 2], names=["b", "z", "a"])
    images = open_images(tmp_path)
    assert (images.class_names, images.labels.tolist()) == (("a", "b", "z"), [0, 1, 1, 2, 0])


def test_a_file_that_names_no_classes_beside_one_that_does_is_remarked(tmp_path):
    write(tmp_path / "one.parquet", ENCODED[:4], [0, 1, 2, 3])
    write(tmp_path / "two.parquet", ENCODED[4:8], [0, 1, 2, 3], names=NAMES)
    images = open_images(tmp_path)
    assert images.class_names == tuple(NAMES)
    assert images.assumptions == ("the classes of one.parquet, which names none, are numbered as those of two.parquet",)
    write(tmp_path / "one.parquet", ENCODED[:4], [0, 1, 2, 3], names=NAMES)
    assert open_images(tmp_path).assumptions == ()


def test_files_that_number_differently_and_name_a_class_twice_are_refused_by_name(tmp_path):
    write(tmp_path / "one.parquet", ENCODED[:4], [0, 1, 2, 3], names=NAMES)
    write(tmp_path / "two.parquet", ENCODED[4:8], [0, 1, 2, 3], names=["a", "crane", "crane", "d"])
    with pytest.raises(LabelError, match=r"one\.parquet and two\.parquet number .* two\.parquet has two named 'crane'"):
        open_images(tmp_path)


def test_a_label_that_a_file_has_no_name_for_cannot_go_by_name(tmp_path):
    write(tmp_path / "one.parquet", ENCODED[:4], [0, 1, 2, 3], names=NAMES)
    write(tmp_path / "two.parquet", ENCODED[4:8], [0, 1, 2, 3], names=["b", "a"])
    with pytest.raises(LabelError, match=r"two\.parquet has the label 2, and names 2 classes only"):
        open_images(tmp_path)


def test_a_glob_that_means_nothing_is_told(tmp_path):
    with pytest.raises(ImageLayoutError, match=r"no file is of the form .*none-\*\.parquet"):
        open_images(tmp_path / "none-*.parquet")


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path):
    assert len(open_images(write(tmp_path / "a[1].parquet"))) == 23


def test_a_file_is_hashed_as_it_is_and_a_directory_by_its_files(tmp_path):
    path = write(tmp_path / "a.parquet")
    alone = open_images(path).sha256
    assert alone == hashlib.sha256(path.read_bytes()).hexdigest()
    one = open_images(tmp_path).sha256
    write(tmp_path / "b.parquet")
    assert len({alone, one, open_images(tmp_path).sha256}) == 3


def test_only_the_asked_pictures_are_decoded(tmp_path):
    encoded = [*ENCODED[:20], b"damaged", *ENCODED[21:]]
    images = open_images(write(tmp_path / "mine.parquet", encoded))
    assert sum(len(block) for block in images.limited(20).blocks(6)) == 20
    assert sum(len(block) for block in images.blocks(6, start=21)) == 2


def test_a_picture_that_does_not_decode_is_named_by_file_and_row(tmp_path):
    write(tmp_path / "a.parquet", ENCODED[:9], LABELS[:9])
    write(tmp_path / "b.parquet", [*ENCODED[:6], ENCODED[6][:40], *ENCODED[7:]])
    with pytest.raises(UndecodableImageError, match=r"row 6 of .*b\.parquet does not decode"):
        list(open_images(tmp_path).blocks(8))


def test_a_row_without_embedded_bytes_is_named(tmp_path):
    images = open_images(write(tmp_path / "mine.parquet", [*ENCODED[:3], None], LABELS[:4]))
    with pytest.raises(UndecodableImageError, match=r"row 3 of .*mine\.parquet holds no picture; embed"):
        list(images.blocks(8))


def test_missing_columns_are_told_with_those_that_are_there(tmp_path):
    path = write(tmp_path / "mine.parquet", image="picture", label="class")
    with pytest.raises(ImageLayoutError, match="has the columns picture, class; expected pictures in image or img"):
        open_images(path)


def test_a_column_of_text_is_no_column_of_pictures(tmp_path):
    pq.write_table(pa.table({"image": ["a.png"], "label": [0]}), tmp_path / "mine.parquet")
    with pytest.raises(ImageLayoutError, match=r"the column image of .* is string"):
        open_images(tmp_path / "mine.parquet")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, None, 1], "row 1 of .* has no label"),
        ([0.0, 1.0, 2.0], "is double; classes are integers"),
        ([True, False, True], "is bool; classes are integers"),
        ([0, 1, -1], "image 2 of .* has the label -1"),
    ],
)
def test_labels_that_are_no_classes_are_refused(tmp_path, labels, message):
    with pytest.raises(LabelError, match=message):
        open_images(write(tmp_path / "mine.parquet", ENCODED[:3], labels))


def test_a_file_that_is_not_parquet_and_an_empty_directory_are_one_message(tmp_path):
    with pytest.raises(ImageLayoutError, match=r"holds no \.parquet files and no directory for each"):
        open_images(tmp_path)
    (tmp_path / "mine.parquet").write_bytes(b"<html>not found</html>")
    with pytest.raises(ImagesUnavailableError, match=r"mine\.parquet cannot be read as Parquet"):
        open_images(tmp_path)


def test_metadata_of_another_kind_leaves_classes_without_names(tmp_path):
    path = write(tmp_path / "mine.parquet", names=["a", 2])
    assert open_images(path).class_names is None


@pytest.mark.parametrize("columns", [["image", "img", "label"], ["image", "label", "fine_label"]])
def test_two_columns_that_may_both_be_meant_are_refused_with_both(tmp_path, columns):
    values = {name: ENCODED if name.startswith("im") else LABELS for name in columns}
    pq.write_table(pa.table(values), tmp_path / "two.parquet")
    with pytest.raises(ImageLayoutError, match=r"(image and img|label and fine_label), and any of them may be meant"):
        open_images(tmp_path / "two.parquet")


@pytest.mark.parametrize(
    "names", [("cifar-train", "cifar-test"), ("a/train/0000", "a/test/0000"), ("train_v2", "images.validation")]
)
def test_splits_are_seen_anywhere_in_the_name_or_in_the_directory(tmp_path, names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / f"{name}.parquet")
    with pytest.raises(ImageLayoutError, match="holds several splits of a data set"):
        open_images(f"{tmp_path}/**/*.parquet")


def test_a_label_beyond_the_names_of_its_own_file_is_refused(tmp_path):
    write(tmp_path / "a.parquet", labels=[2] * len(ENCODED), names=["cat", "dog"])
    write(tmp_path / "b.parquet", labels=[2] * len(ENCODED), names=["dog", "cat", "fox"])
    with pytest.raises(LabelError, match=r"a\.parquet has the label 2, and names 2 classes only"):
        open_images(tmp_path)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_labels_that_are_names_are_numbered_in_sorted_order_over_all_files(tmp_path, kind):
    for file, labels in (("a", ["dog", "eel"]), ("b", ["cat", "dog"])):
        rows = {"image": pa.array(ENCODED[:2]), "label": pa.array(labels).cast(kind)}
        pq.write_table(pa.table(rows), tmp_path / f"{file}.parquet")
    images = open_images(tmp_path)
    assert images.class_names == ("cat", "dog", "eel")
    assert images.labels.tolist() == [1, 2, 0, 1]
    assert images.assumptions == (f"the labels of {tmp_path} are names and numbered in sorted order, 'cat' is 0",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def said_of_labels(said):
    return {"info": {"features": {"label": said}}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    JSON
    | JSON.map(said_of_labels)
    | st.lists(JSON, max_size=4).map(lambda names: said_of_labels({"names": names}))
    | st.lists(st.text(max_size=3), min_size=2, max_size=4).map(lambda names: said_of_labels({"names": names})),
    st.sampled_from([b"huggingface", b"pandas"]),
)
def test_whatever_a_schema_says_of_itself_names_the_classes_or_nothing(tmp_path, said, key):
    path = write(tmp_path / "mine.parquet", ENCODED[:2], [0, 1])
    written = json.dumps(said).encode()
    pq.write_table(pq.read_table(path).replace_schema_metadata({key: written}), path)
    try:
        images = open_images(path)
    except LabelError as error:
        assert "has the label 1, and names 1 classes only" in str(error)  # noqa: PT017 - anything else is a fault
        return
    assert images.labels.tolist() == [0, 1]
    assert images.class_names is None or (key == b"huggingface" and all(isinstance(n, str) for n in images.class_names))
