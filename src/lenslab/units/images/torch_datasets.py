"""Map-style data sets, torch's and Hugging Face's among them, read item by item. Nothing imports torch.

An item is a pair (image, label), or has both by name, as ``{"image": ..., "label": ...}`` or the row of a table.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lenslab.units.errors import ImageLayoutError, LabelError, UndecodableImageError, some_of
from lenslab.units.images.arrays import as_pixels
from lenslab.units.images.class_mapping import numbered_names
from lenslab.units.images.labelled_images import Images, OnError, Picture, content_hash
from lenslab.units.images.parquet import IMAGE_COLUMNS, LABEL_COLUMNS


@runtime_checkable
class Pairs(Protocol):
    """A data set that gives an image and its label by index, as a map-style `torch.utils.data.Dataset` does."""

    def __len__(self) -> int:
        """Count the pairs."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Give the pair of that number."""
        ...


class _Rows:
    """The rows of a pandas ``DataFrame``, whose own ``[number]`` is a column."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        columns = [frame[name] for name in LABEL_COLUMNS if name in frame.columns]
        categories = getattr(columns[0].dtype, "categories", None) if columns else None
        if categories is not None:
            self.classes = list(categories)

    def __len__(self) -> int:
        return len(self._frame)

    def __getitem__(self, number: int, /) -> Any:
        return self._frame.iloc[number]


def images_of_dataset(
    dataset: Pairs, *, on_error: OnError = "raise", name: str | None = None, exif: bool = True
) -> Images:
    """Make images of a data set of pairs (image, label), or of items that hold both by name.

    The names are those of Parquet files: ``image`` or ``img``, and ``label``, ``labels`` or ``fine_label``; so
    Hugging Face's ``datasets.Dataset`` is one, and a pandas ``DataFrame``. An image is a Pillow picture or the bytes of
    one, or an array or tensor of uint8, [H, W], [H, W, C] or [C, H, W]; a float tensor is taken where it is such an
    image divided by 255, as ``ToTensor`` makes. So the data set has to come without normalisation and without random
    changes: those would be another data set each time it is read. Labels are numbers from 0, or all of them names,
    which are numbered as the classes or categories that are stated, else in sorted order.

    Every pair is read once when it is opened, since a data set has neither labels nor a hash to ask for. What stays
    in memory is 16 bytes for each. Class names are the data set's ``classes``, also behind ``Subset``.

    Example:
        >>> images_of_dataset([(np.zeros((4, 4), np.uint8), 3), (np.ones((3, 4, 4), np.uint8), 1)]).labels
        array([3, 1])
    """
    called = name or type(dataset).__name__
    dataset = _Rows(dataset) if hasattr(dataset, "iloc") else dataset
    _refuse_other_kinds(dataset, called)
    labels = np.full(len(dataset), -1, np.int64)
    fingerprints = np.zeros(len(dataset), np.uint64)
    digest = hashlib.sha256(f"pairs {len(dataset)}\n".encode())
    broken: dict[int, str] = {}  # not the errors: these hold on to every frame they came through
    stated: dict[int | str, int] = {}  # each label with the first item that has it
    named: list[tuple[int, str]] = []
    for number in range(len(dataset)):
        try:
            picture, label = _pair(dataset, number, called, exif=exif)
        except UndecodableImageError as error:
            if on_error == "raise":
                raise
            broken[number] = str(error)
            digest.update(b"-\n")
            continue
        stated.setdefault(label, number)
        if isinstance(label, str):
            named.append((number, label))
        else:
            labels[number] = label
        content = content_hash(picture.pixels)
        fingerprints[number] = int(content[:16], 16)
        digest.update(f"{content} {label}\n".encode())
    if broken and len(broken) == len(dataset):
        raise UndecodableImageError(
            f"none of the {len(dataset):,} items of {called} can be read; the first: {broken[0]}"
        )
    texts = _names_of_labels(stated, called)
    names, assumptions = numbered_names(texts, called, _class_names(dataset, len(texts)) if texts else None)
    for number, name in named:
        labels[number] = names.index(name)
    sha256 = digest.hexdigest()

    def read(start: int, stop: int) -> Iterator[Picture | UndecodableImageError]:
        for number in range(start, stop):
            if number in broken:
                yield UndecodableImageError(broken[number])
            else:
                yield _again(dataset, number, called, fingerprints, exif=exif)

    return Images(
        called,
        called,
        labels,
        names or _class_names(dataset, int(labels.max(initial=-1)) + 1),
        read,
        lambda: sha256,
        on_error=on_error,
        exif=exif,
        unlabelled=frozenset(broken),
        assumptions=assumptions,
        bound=True,
    )


def _names_of_labels(stated: Mapping[int | str, int], called: str) -> list[str]:
    """Sort the names that are labels; none where labels are numbers."""
    names = sorted(label for label in stated if isinstance(label, str))
    numbers = [label for label in stated if not isinstance(label, str)]
    if names and numbers:
        one, other = names[0], numbers[0]
        raise LabelError(
            f"the label of item {stated[one]} of {called} is the name {one!r}, and that of item {stated[other]} the "
            f"number {other}; let all be names, or all numbers"
        )
    return names


def _refuse_other_kinds(dataset: object, called: str) -> None:
    if hasattr(dataset, "batch_sampler") and hasattr(dataset, "dataset"):
        raise ImageLayoutError(f"{called} gives batches; give its .dataset, which gives single images")
    torch = sys.modules.get("torch")  # a data set of torch's cannot exist before torch is there
    iterable = torch is not None and isinstance(dataset, torch.utils.data.IterableDataset)
    if iterable or not isinstance(dataset, Pairs):
        raise ImageLayoutError(
            f"{called} cannot be read by number; give a data set with len() and [number] (a map-style one), such as "
            "list(...) of it where it fits into memory"
        )


def _pair(dataset: Pairs, number: int, called: str, *, exif: bool) -> tuple[Picture, int | str]:
    item_name = f"item {number} of {called}"
    try:
        item = dataset[number]
    except MemoryError:
        raise
    except Exception as error:  # a stranger's data set may raise anything
        raise UndecodableImageError(f"{item_name} cannot be read: {type(error).__name__}: {error}") from error
    image, stated = _image_and_label(item, item_name)
    if isinstance(stated, str) and stated.strip():
        return _picture(image, item_name, exif=exif), str(stated)
    label = _as_array(stated)
    if label.size != 1 or not np.issubdtype(label.dtype, np.integer):
        raise LabelError(f"the label of {item_name} is {stated!r:.80}; classes are integers from 0, or names")
    if label.item() < 0:
        raise LabelError(f"the label of {item_name} is {label.item()}; classes are integers from 0")
    return _picture(image, item_name, exif=exif), int(label.item())


def _image_and_label(item: Any, item_name: str) -> tuple[Any, Any]:
    if isinstance(item, Mapping) or hasattr(item, "keys"):
        names = [*item.keys()]
        found = [[name for name in wanted if name in names] for wanted in (IMAGE_COLUMNS, LABEL_COLUMNS)]
        if [len(each) for each in found] != [1, 1]:
            raise ImageLayoutError(
                f"{item_name} has {', '.join(map(str, names))}; expected one of {', '.join(IMAGE_COLUMNS)} and one of "
                f"{', '.join(LABEL_COLUMNS)}"
            )
        (image,), (label,) = found
        return item[image], item[label]
    if not isinstance(item, Sequence) or isinstance(item, str | bytes) or len(item) != 2:
        kind = f"{type(item).__name__} of {len(item)}" if isinstance(item, Sequence) else type(item).__name__
        raise ImageLayoutError(
            f"{item_name} is a {kind}; expected a pair (image, label), or both by name: {{'image': ..., 'label': ...}}"
        )
    return item[0], item[1]


def _again(dataset: Pairs, number: int, called: str, fingerprints: NDArray[np.uint64], *, exif: bool) -> Picture:
    picture, _ = _pair(dataset, number, called, exif=exif)
    if int(content_hash(picture.pixels)[:16], 16) != int(fingerprints[number]):
        raise ImageLayoutError(
            f"item {number} of {called} is not the image that it was when it was read before; take random changes "
            "(crops, flips, ...) out of the data set"
        )
    return picture


def _picture(image: object, item_name: str, *, exif: bool) -> Picture:
    if hasattr(image, "getbands"):  # a Pillow picture; asking for its class would load Pillow for arrays, too
        from lenslab.units.images.picture_decoding import pixels_of

        return pixels_of(image, item_name, exif=exif)  # type: ignore[arg-type]
    encoded = image.get("bytes") if isinstance(image, Mapping) else image
    if isinstance(encoded, bytes):
        from lenslab.units.images.picture_decoding import decode

        return decode(encoded, f"the image of {item_name}", exif=exif)
    array = _as_array(image)
    if array.dtype == object or array.ndim not in (2, 3):
        what = f"an array {list(array.shape)}" if array.ndim else f"a {type(image).__name__}"
        raise ImageLayoutError(
            f"the image of {item_name} is {what}; expected a Pillow picture, the bytes of one, or an array or tensor "
            "[H, W], [H, W, C] or [C, H, W] with C = 1 or 3"
        )
    floating = np.issubdtype(array.dtype, np.floating)
    if floating and array.size and not (array.min() >= 0 and array.max() <= 1):  # also where it is NaN
        raise ImageLayoutError(
            f"the image of {item_name} is {array.dtype} from {array.min():.4g} to {array.max():.4g}; expected uint8, "
            "or uint8 divided by 255. Take the normalisation out of the data set and give it as preprocessing"
        )
    return Picture(np.asarray(as_pixels(array[None], f"the image of {item_name}")[0]), turned=False)


def _as_array(value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    except (TypeError, ValueError):  # bfloat16, nested lists of several lengths
        return np.asarray(None, dtype=object)


def _class_names(dataset: object, least: int) -> tuple[str, ...] | None:
    """Read the names of at least so many classes."""
    stated = ("classes", "class_to_idx", "features")
    while not any(hasattr(dataset, name) for name in stated) and hasattr(dataset, "dataset"):
        dataset = dataset.dataset  # of Subset, random_split
    names, numbers = getattr(dataset, "classes", None), getattr(dataset, "class_to_idx", None)
    features = getattr(dataset, "features", None)
    if isinstance(features, Mapping):  # Hugging Face's
        names = next((features[name].names for name in LABEL_COLUMNS if hasattr(features.get(name), "names")), names)
    if isinstance(numbers, Mapping) and sorted(numbers.values(), key=repr) == [*range(len(numbers))]:
        ordered = sorted(numbers, key=lambda name: int(numbers[name]))
        if isinstance(names, list | tuple) and list(names) != ordered:
            raise LabelError(
                f"{type(dataset).__name__} numbers its classes twice, and differently: its classes are "
                f"{some_of(map(repr, names), 3)}, its class_to_idx {some_of(map(repr, ordered), 3)}; let them agree"
            )
        names = ordered
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) if len(names) >= least else None
