import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from lenslab.units.errors import ImageLayoutError, LabelError, UndecodableImageError
from lenslab.units.images import content_hash, open_images
from lenslab.units.images.torch_datasets import images_of_dataset

PIXELS = np.random.default_rng(6).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
LABELS = (2, 0, 1, 1, 0)


class Made(Dataset):
    """A data set of one's own, whose images are made by a function."""

    def __init__(self, make, labels=LABELS):
        self.make, self.labels, self.asked = make, labels, []

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        self.asked.append(number)
        return self.make(number), self.labels[number]


def pixels_of(images) -> list[np.ndarray]:
    return [pixels for block in images.blocks(2) for pixels in block.pixels]


@pytest.mark.parametrize(
    "make",
    [
        lambda number: Image.fromarray(PIXELS[number]),
        lambda number: PIXELS[number],
        lambda number: np.moveaxis(PIXELS[number], 2, 0),
        lambda number: torch.from_numpy(PIXELS[number]),
        lambda number: torch.from_numpy(PIXELS[number]).permute(2, 0, 1),
        lambda number: torch.from_numpy(PIXELS[number]).permute(2, 0, 1).float().div(255),
        lambda number: (PIXELS[number] / 255).astype(np.float64),
    ],
    ids=["pillow", "array-last", "array-first", "tensor-last", "tensor-first", "to-tensor", "float64"],
)
def test_every_usual_kind_of_image_gives_the_same_pixels(make):
    images = open_images(Made(make))
    assert (images.name, images.labels.tolist(), images.class_names) == ("Made", list(LABELS), None)
    np.testing.assert_array_equal(np.stack(pixels_of(images)), PIXELS)
    assert images.sha256 == open_images(Made(lambda number: PIXELS[number])).sha256


def png(number: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS[number]).save(stream, "PNG")
    return stream.getvalue()


class Named(list):
    """As Hugging Face's data sets are: items with names, and the classes' names in the features."""

    @property
    def features(self):
        return {"image": object(), "label": SimpleNamespace(names=["ant", "bee", "cow"])}


@pytest.mark.parametrize(
    "dataset",
    [
        [{"image": PIXELS[number], "label": LABELS[number]} for number in range(5)],
        [
            {"img": Image.fromarray(PIXELS[number]), "fine_label": LABELS[number], "coarse_label": 9}
            for number in range(5)
        ],
        Named({"image": {"bytes": png(number), "path": None}, "label": LABELS[number]} for number in range(5)),
        [{"image": png(number), "labels": np.int64(LABELS[number])} for number in range(5)],
        pd.DataFrame({"image": [png(number) for number in range(5)], "label": LABELS}, index=[7, 3, 5, 1, 0]),
        [row for _, row in pd.DataFrame({"image": [*PIXELS], "label": LABELS}).iterrows()],
        [(png(number), LABELS[number]) for number in range(5)],
    ],
    ids=["names", "several-labels", "features", "bytes", "table", "rows", "pairs-of-bytes"],
)
def test_items_with_names_are_images_too(dataset):
    images = open_images(dataset)
    assert images.labels.tolist() == list(LABELS)
    np.testing.assert_array_equal(np.stack(pixels_of(images)), PIXELS)
    assert images.class_names == (("ant", "bee", "cow") if isinstance(dataset, Named) else None)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {"picture": PIXELS[0], "label": 0},
            "item 0 of list has picture, label; expected one of image, img and one of",
        ),
        ({"image": PIXELS[0], "img": PIXELS[1], "label": 0}, "has image, img, label; expected one of"),
        ({"image": PIXELS[0]}, "has image; expected"),
        ({"image": "a.png", "label": 0}, "the image of item 0 of list is a str; expected a Pillow picture, the bytes"),
        (7, r"item 0 of list is a int; expected a pair \(image, label\), or both by name"),
    ],
)
def test_items_that_lack_an_image_or_a_label_are_refused(item, words):
    with pytest.raises(ImageLayoutError, match=words):
        open_images([item])


def test_bytes_that_are_no_picture_are_named_or_skipped():
    items = [{"image": png(0), "label": 1}, {"image": b"no picture", "label": 1}]
    with pytest.raises(UndecodableImageError, match="the image of item 1 of list does not decode"):
        open_images(items)
    assert [each.number for each in open_images(items, on_error="skip").skipped] == [1]


@pytest.mark.thorough
def test_hugging_faces_own_data_sets_are_images_where_they_are_installed():
    datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["ant", "bee", "cow"])})
    items = {"image": [{"bytes": png(number), "path": None} for number in range(5)], "label": list(LABELS)}
    images = open_images(datasets.Dataset.from_dict(items, features=features))
    np.testing.assert_array_equal(np.stack(pixels_of(images)), PIXELS)
    assert images.class_names == ("ant", "bee", "cow")


def test_grey_images_and_images_of_several_sizes_are_taken():
    shapes = [(4, 5), (5, 4, 1), (1, 6, 6), (3, 7, 8), (9, 9, 3)]
    images = open_images(Made(lambda number: np.full(shapes[number], number, np.uint8)))
    assert [pixels.shape for pixels in pixels_of(images)] == [(4, 5, 1), (5, 4, 1), (6, 6, 1), (7, 8, 3), (9, 9, 3)]


@pytest.mark.parametrize("labels", [LABELS, np.array(LABELS), torch.tensor(LABELS), torch.tensor(LABELS)[:, None]])
def test_labels_are_integers_of_any_kind(labels):
    assert open_images(Made(lambda number: PIXELS[number], labels)).labels.tolist() == list(LABELS)


def test_a_part_is_read_by_number():
    dataset = Made(lambda number: PIXELS[number])
    images = open_images(dataset)
    dataset.asked.clear()
    (block,) = images.blocks(4, start=2, stop=4)
    assert dataset.asked == [2, 3]
    assert block.contents == [content_hash(PIXELS[2]), content_hash(PIXELS[3])]


def test_lists_of_pairs_subsets_and_tensors_are_data_sets():
    pairs = [(PIXELS[number], label) for number, label in enumerate(LABELS)]
    whole = open_images(pairs)
    assert open_images(TensorDataset(torch.from_numpy(PIXELS), torch.tensor(LABELS))).sha256 == whole.sha256
    part = open_images(Subset(Made(lambda number: PIXELS[number]), [3, 0]))
    assert part.labels.tolist() == [1, 2]
    assert part.sha256 != whole.sha256


def test_class_names_that_contradict_themselves_are_refused():
    dataset = Made(lambda number: PIXELS[number])
    dataset.class_to_idx = {"dog": 1, "cat": 0, "bird": 2}
    assert open_images(dataset).class_names == ("cat", "dog", "bird")
    dataset.classes = ["cat", "dog", "bird"]
    assert open_images(dataset).class_names == ("cat", "dog", "bird")
    for names in (["dog", "cat", "bird"], ["cat", "dog"]):
        dataset.classes = names
        with pytest.raises(
            LabelError, match=rf"its classes are '{names[0]}', .* its class_to_idx 'cat', 'dog', 'bird'"
        ):
            open_images(dataset)


def test_class_names_are_the_data_sets_classes_also_behind_a_subset():
    dataset = Made(lambda number: PIXELS[number])
    dataset.classes = ["cat", "dog", "bird"]
    assert open_images(dataset).class_names == ("cat", "dog", "bird")
    assert open_images(Subset(Subset(dataset, [0, 1]), [1])).class_names == ("cat", "dog", "bird")
    dataset.classes = ["cat"]
    assert open_images(dataset).class_names is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda n: torch.from_numpy(PIXELS[n]).permute(2, 0, 1).float().div(255).sub(0.5),
            "float32 from .* to .*; exp",
        ),
        (
            lambda n: torch.from_numpy(PIXELS[n]).float(),
            "float32 from 2 to 254;.*Take the normalisation out of the data",
        ),
        (lambda n: PIXELS[n] / 300, "already normalised"),
        (lambda _: np.full((4, 4), np.nan), "float64 from nan"),
        (lambda _: torch.zeros(4, 4, dtype=torch.bfloat16), "is a Tensor; expected a Pillow picture"),
        (lambda n: PIXELS[n].reshape(-1), r"is an array \[126\]; expected"),
        (lambda n: PIXELS[n][..., :2], "is not images"),
        (lambda _: "a.png", "expected a Pillow picture"),
        (lambda _: None, "is a NoneType"),
    ],
)
def test_images_that_would_have_to_be_guessed_are_refused_with_their_item(make, message):
    for on_error in ("raise", "skip"):
        with pytest.raises(ImageLayoutError, match=f"the image of item 0 of Made.*{message}"):
            open_images(Made(make), on_error=on_error)


@pytest.mark.parametrize("label", [1.0, "cat", None, True, torch.tensor([1, 0]), -1])
def test_labels_that_are_no_integers_from_0_are_refused_with_their_item(label):
    with pytest.raises(LabelError, match="the label of item 1 of list is"):
        open_images([(PIXELS[0], 0), (PIXELS[1], label)])


def test_what_gives_no_pairs_is_refused():
    with pytest.raises(ImageLayoutError, match="item 0 of list is a tuple of 3; expected a pair"):
        open_images([(PIXELS[0], 0, "more")])
    with pytest.raises(ImageLayoutError, match="item 0 of ndarray is a ndarray; expected a pair"):
        open_images(PIXELS)
    with pytest.raises(ImageLayoutError, match="3 arrays are given; expected two"):
        open_images((PIXELS, LABELS, 1))
    with pytest.raises(ImageLayoutError, match="list holds no images"):
        open_images([])


def test_what_is_not_read_by_number_is_refused_with_what_is():
    class Stream(IterableDataset):
        def __iter__(self):
            yield PIXELS[0], 0

    class Counted(Stream):
        def __len__(self):
            return 1

    with pytest.raises(ImageLayoutError, match="Counted cannot be read by number"):
        open_images(Counted())
    with pytest.raises(ImageLayoutError, match=r"Stream cannot be read by number; give .* list\(\.\.\.\)"):
        open_images(Stream())
    with pytest.raises(ImageLayoutError, match="generator cannot be read by number"):
        open_images(pair for pair in [(PIXELS[0], 0)])
    with pytest.raises(ImageLayoutError, match=r"DataLoader gives batches; give its \.dataset"):
        open_images(DataLoader(Made(lambda number: PIXELS[number])))


def test_a_data_set_that_changes_at_random_is_found_out():
    generator = np.random.default_rng(0)
    images = open_images(Made(lambda _: generator.integers(0, 256, (4, 4), dtype=np.uint8)))
    with pytest.raises(ImageLayoutError, match=r"item 3 of Made is not the image that it was .* take random changes"):
        next(images.blocks(1, start=3))


def damaged(number: int) -> Image.Image:
    """A picture that Pillow opens and, where the number is 1 or 4, cannot decode."""
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[number]).save(buffer, "PNG")
    content = buffer.getvalue()
    return Image.open(io.BytesIO(content[:60] if number in (1, 4) else content))


def missing(number: int) -> np.ndarray:
    if number in (1, 4):
        raise FileNotFoundError("no such picture")
    return PIXELS[number]


@pytest.mark.parametrize(("make", "reason"), [(damaged, "does not decode"), (missing, "cannot be read: FileNotFound")])
def test_items_that_cannot_be_read_end_the_reading_or_are_skipped_and_named(make, reason):
    with pytest.raises(UndecodableImageError, match=f"item 1 of Made {reason}"):
        open_images(Made(make))
    images = open_images(Made(make), on_error="skip")
    assert [(each.number, reason in each.reason) for each in images.skipped] == [(1, True), (4, True)]
    assert [block.numbers.tolist() for block in images.blocks(2)] == [[0], [2, 3], []]
    assert [label for block in images.blocks(2) for label in block.labels] == [2, 1, 1]
    assert images.mapped(9, {1: 8, 2: 7}).labels.tolist() == [7, -1, 8, 8, -1]


def test_a_data_set_of_which_nothing_can_be_read_is_refused():
    with pytest.raises(UndecodableImageError, match="none of the 2 items of Made can be read; the first: item 0"):
        open_images(Made(lambda _: missing(1), (0, 1)), on_error="skip")


def test_other_pixels_labels_or_order_are_another_source():
    pairs = list(zip(PIXELS, LABELS, strict=True))
    relabelled = [(PIXELS[0], 1), *pairs[1:]]
    assert len({open_images(each).sha256 for each in (pairs, relabelled, pairs[::-1], pairs[:4])}) == 4


def test_data_sets_without_torch_need_no_torch():
    code = (
        "import sys, numpy as np; from lenslab.units.images import open_images\n"
        "len(open_images([(np.zeros((4, 4), np.uint8), 0)])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_labels_that_are_names_are_numbered_in_sorted_order():
    rows = [{"image": np.full((4, 4), number, np.uint8), "label": name} for number, name in enumerate(("eel", "cat"))]
    images = images_of_dataset(rows, name="mine")
    assert images.class_names == ("cat", "eel")
    assert images.labels.tolist() == [1, 0]
    assert images.assumptions == ("the labels of mine are names and numbered in sorted order, 'cat' is 0",)
    other = images_of_dataset([{**row, "label": row["label"] + "s"} for row in rows], name="mine")
    assert other.sha256 != images.sha256
    mixed = [*rows, {"image": np.zeros((4, 4), np.uint8), "label": 1}]
    with pytest.raises(LabelError, match=r"label of item 1 of mine is the name 'cat', and that of item 2 the number 1"):
        images_of_dataset(mixed, name="mine")
