"""Hugging Face's Parquet layout: a column of encoded pictures and a column of labels, read a few rows at a time."""

from __future__ import annotations

import glob
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lenslab.records import sha256_of_file
from lenslab.units.errors import ImageLayoutError, ImagesUnavailableError, LabelError, UndecodableImageError, some_of
from lenslab.units.images.class_mapping import numbered_names
from lenslab.units.images.labelled_images import Images, Picture
from lenslab.units.images.splits import of_splits, split_of

IMAGE_COLUMNS = ("image", "img")
"""Names of the column of pictures."""

LABEL_COLUMNS = ("label", "labels", "fine_label")
"""Names of the column of labels."""

_PICTURES_AT_ONCE = 64
"""Encoded pictures that are in memory together."""

_BUFFER = 1 << 20
"""Bytes of a file that are read together; without a buffer a whole row group, and with Arrow's own a whole file."""


@dataclass(frozen=True)
class _Part:
    """One file: its first image's number in the source, its columns and the number of rows in each row group."""

    path: Path
    start: int
    image: str
    label: str | None
    groups: tuple[int, ...]

    @property
    def rows(self) -> int:
        return sum(self.groups)


def open_parquet(
    path: Path, *, source: str | None = None, labelled: bool = True, split: str = "", exif: bool = True
) -> Images:
    """Open the images of a Parquet file, or of the files of a directory or glob in the order of their names.

    The pictures' column, ``image`` or ``img``, is a struct with ``bytes`` or plain binary; the labels' column,
    ``label``, ``labels`` or ``fine_label``, holds integers; where it may be missing (``labelled=False``), labels are 0.
    Class names come from the schema's metadata; where files number their classes differently, the labels go by name to
    the numbers of the first one. Labels are read at once, pictures only when asked for. In a glob such as
    ``data/train-*.parquet``, ``**`` goes into directories. Of files that are several splits by their names, ``split``
    chooses.

    Example:
        >>> import io, tempfile
        >>> from PIL import Image
        >>> buffer = io.BytesIO()
        >>> Image.new("RGB", (3, 2)).save(buffer, "PNG")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "mine.parquet"
        ...     pq.write_table(pa.table({"image": [{"bytes": buffer.getvalue()}], "label": [7]}), path)
        ...     next(open_parquet(path).blocks(10)).pixels[0].shape
        (2, 3, 3)
    """
    every, name = _files(path)
    files = of_splits(every, split, named=(source or str(path)).removesuffix(f"#{split}"))
    parts: list[_Part] = []
    labels: list[NDArray[np.int64]] = []
    names: list[tuple[str, ...] | None] = []
    orders: list[tuple[str, ...] | None] = []
    named_by_text: list[bool] = []
    for file in files:
        try:
            parquet = pq.ParquetFile(file)
        except (OSError, pa.ArrowException) as error:
            raise ImagesUnavailableError(f"{file} cannot be read as Parquet: {error}") from error
        with parquet:
            part = _part(file, parquet, sum(part.rows for part in parts), labelled=labelled)
            parts.append(part)
            numbers, texts = _labels(parquet, part)
            labels.append(numbers)
            orders.append(_class_names(parquet.schema_arrow, part.label))
            names.append(texts or orders[-1])
            named_by_text.append(bool(texts))
    if any(named_by_text):
        _refuse_mixed(parts, named_by_text)
        numbering = _Numbering.of_texts(names, orders, source or str(path), _trained(set(every) - set(files)))
    else:
        numbering = _Numbering.of(parts, names)
    labels = [numbering.labels(*each) for each in zip(parts, names, labels, strict=True)]

    def read(start: int, stop: int) -> Iterator[Picture | UndecodableImageError]:
        for part in parts:
            first, last = max(start - part.start, 0), min(stop - part.start, part.rows)
            if first < last:
                yield from _pictures(part, first, last, exif=exif)

    def digest() -> str:
        if files == [path]:
            return sha256_of_file(path)
        return hashlib.sha256("".join(f"{sha256_of_file(f)}  {f.name}\n" for f in files).encode()).hexdigest()

    return Images(
        f"{name}-{split}" if split else name,
        source or str(path),
        np.concatenate(labels),
        numbering.names,
        read,
        digest,
        exif=exif,
        assumptions=numbering.assumptions,
    )


@dataclass(frozen=True)
class _Numbering:
    """What the labels of several files mean: the names of the first file that has some, and those that others add."""

    names: tuple[str, ...] | None
    assumptions: tuple[str, ...]

    @classmethod
    def of(cls, parts: list[_Part], names: list[tuple[str, ...] | None]) -> _Numbering:
        stated = [(part.path.name, each) for part, each in zip(parts, names, strict=True) if each is not None]
        if not stated:
            return cls(None, ())
        first, whole = stated[0]
        others = [(file, each) for file, each in stated if each != whole]
        for file, each in [stated[0], *others] if others else []:
            twice = next((name for name in each if each.count(name) > 1), None)
            if twice is not None:
                raise LabelError(
                    f"{first} and {others[0][0]} number their classes differently, and {file} has two named {twice!r}, "
                    "so that labels cannot go by name; give the files one by one"
                )
        assumed = []
        if others:
            files = some_of([file for file, _ in others], 3)
            assumed.append(
                f"{first} and {files} number their classes differently; all labels are those of {first}, by name"
            )
        silent = [part.path.name for part, each in zip(parts, names, strict=True) if each is None]
        if silent:
            assumed.append(f"the classes of {some_of(silent, 3)}, which names none, are numbered as those of {first}")
        names_of_all = dict.fromkeys([*whole, *(name for _, each in others for name in each)])
        return cls(tuple(names_of_all) if others else whole, tuple(assumed))

    @classmethod
    def of_texts(
        cls,
        names: Sequence[tuple[str, ...] | None],
        orders: Sequence[tuple[str, ...] | None],
        source: str,
        trained: set[str],
    ) -> _Numbering:
        """Give the names that are labels their numbers, as the training split does where that has more of them."""
        every = {name for some in names for name in some or ()}
        stated = orders[0] if len({*orders}) == 1 else None
        if trained > every and stated is None:
            numbered, _ = numbered_names(trained, source)
            last = max(every, key=numbered.index)
            some = f"{len(every)} of the {len(trained)} classes of the training split beside it"
            return cls(
                numbered, (f"{source} has {some}; they are numbered as there, {last!r} is {numbered.index(last)}",)
            )
        return cls(*numbered_names(every, source, stated))

    def labels(self, part: _Part, names: tuple[str, ...] | None, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give a file's labels the numbers that all have."""
        if self.names is None:
            return labels
        stated = self.names if names is None else names
        beyond = labels[labels >= len(stated)]
        if len(beyond):
            whose = "names" if names is not None else "the files beside it name"
            raise LabelError(f"{part.path} has the label {beyond[0]}, and {whose} {len(stated)} classes only")
        if stated == self.names:
            return labels
        lookup = np.array([self.names.index(name) for name in stated])
        return np.where(labels < 0, labels, lookup[labels])


def _files(path: Path) -> tuple[list[Path], str]:
    """List the files meant by a path, and name the images."""
    if path.is_dir():
        files = sorted(path.glob("*.parquet"))
        if not files:
            raise ImageLayoutError(f"the directory {path} holds no .parquet files")
        return files, path.stem
    if path.is_file():
        return [path], path.stem
    files = sorted(Path(found) for found in glob.glob(str(path), recursive=True))  # noqa: PTH207 Path.glob needs a base
    if not files:
        raise ImageLayoutError(f"no file is of the form {path}")
    others = [file for file in files if file.suffix.lower() != ".parquet"]
    if others:
        raise ImageLayoutError(f"{path} also means {others[0]}, which is no .parquet file; let it end in .parquet")
    before = re.split(r"[*?\[]", path.name, maxsplit=1)[0].rstrip("-_. ")
    return files, before.removesuffix(".parquet") or path.parent.name or "images"


def _part(file: Path, parquet: pq.ParquetFile, start: int, *, labelled: bool) -> _Part:
    schema = parquet.schema_arrow
    images = [name for name in IMAGE_COLUMNS if name in schema.names]
    labels = [name for name in LABEL_COLUMNS if name in schema.names]
    if len(images) > 1 or (labelled and len(labels) > 1):
        raise ImageLayoutError(
            f"{file} has the columns {' and '.join(images if len(images) > 1 else labels)}, and any of them may be "
            "meant; leave one of them"
        )
    image, label = next(iter(images), None), next(iter(labels), None)
    if image is None or (label is None and labelled):
        raise ImageLayoutError(
            f"{file} has the columns {', '.join(schema.names)}; expected pictures in {' or '.join(IMAGE_COLUMNS)} and "
            f"labels in {' or '.join(LABEL_COLUMNS)}"
        )
    kind = schema.field(image).type
    encoded = kind.field("bytes").type if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind
    if not (pa.types.is_binary(encoded) or pa.types.is_large_binary(encoded)):
        raise ImageLayoutError(
            f"the column {image} of {file} is {kind}; expected encoded pictures (binary, or a struct with bytes)"
        )
    if label is not None and not (pa.types.is_integer(schema.field(label).type) or _is_text(schema.field(label).type)):
        raise LabelError(
            f"the column {label} of {file} is {schema.field(label).type}; classes are integers from 0, or names"
        )
    groups = tuple(parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups))
    return _Part(file, start, image, label, groups)


def _refuse_mixed(parts: list[_Part], named_by_text: list[bool]) -> None:
    if not all(named_by_text):
        one, other = (parts[named_by_text.index(value)].path.name for value in (True, False))
        raise LabelError(f"the labels of {one} are names, and those of {other} numbers; let all be of one kind")


def _trained(files: set[Path]) -> set[str]:
    """Read the names that are labels of training files beside those that are opened; none where they are numbers."""
    names: set[str] = set()
    for file in files:
        if (split_of(file.name) or split_of(file.parent.name)) in ("train", "training"):
            try:
                with pq.ParquetFile(file) as parquet:
                    names.update(_labels(parquet, _part(file, parquet, 0, labelled=True))[1])
            except (OSError, pa.ArrowException, ImageLayoutError, LabelError):
                return set()
    return names


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _labels(parquet: pq.ParquetFile, part: _Part) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Read a file's labels, and the names that they number where they are names."""
    if part.label is None:
        return np.zeros(part.rows, np.int64), ()
    column = parquet.read(columns=[part.label]).column(part.label)
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise LabelError(f"row {row} of {part.path} has no label ({column.null_count:,} rows have none)")
    if _is_text(column.type):
        texts = column.cast(pa.string()).to_numpy()
        names, numbers = np.unique(texts.astype(str), return_inverse=True)
        return numbers.astype(np.int64), tuple(names.tolist())
    try:
        return np.asarray(column.cast(pa.int64()).to_numpy()), ()
    except pa.ArrowInvalid as error:
        raise LabelError(f"the column {part.label} of {part.path} has a label that is no class: {error}") from error


def _class_names(schema: pa.Schema, label: str | None) -> tuple[str, ...] | None:
    try:
        document = json.loads((schema.metadata or {})[b"huggingface"])
        names = document["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None  # names are optional: without them, or with other metadata, classes go by number
    named = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    return tuple(names) if named else None


def _pictures(part: _Part, first: int, last: int, *, exif: bool) -> Iterator[Picture | UndecodableImageError]:
    edges = np.cumsum((0, *part.groups))
    wanted = [group for group in range(len(part.groups)) if edges[group] < last and edges[group + 1] > first]
    row = int(edges[wanted[0]])
    try:
        with pq.ParquetFile(part.path, buffer_size=_BUFFER, pre_buffer=False) as parquet:
            batches = parquet.iter_batches(_PICTURES_AT_ONCE, wanted, columns=[part.image], use_threads=False)
            for batch in batches:
                for value in batch.column(0).slice(max(first - row, 0), max(last - max(row, first), 0)):
                    number = max(row, first)
                    yield _picture(value, number, part, exif=exif)
                    first = number + 1
                row += len(batch)
    except (OSError, pa.ArrowException) as error:
        raise ImagesUnavailableError(f"{part.path} cannot be read: {error}") from error


def _picture(value: pa.Scalar, row: int, part: _Part, *, exif: bool) -> Picture | UndecodableImageError:
    from lenslab.units.images.picture_decoding import decode

    content = value.as_py()
    if isinstance(content, dict):
        content = content.get("bytes")
    if not content:
        return UndecodableImageError(
            f"row {row} of {part.path} holds no picture; embed the pictures' bytes in the column {part.image}"
        )
    try:
        return decode(bytes(content), f"row {row} of {part.path}", exif=exif)
    except UndecodableImageError as error:
        return error
