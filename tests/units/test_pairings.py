"""A generated corpus of pairings: a network and images whose names, order, scale or masks do not fit each other.

Each picture is of one grey that is its class's own, and the network knows the greys of its classes by their names. So
it is right on every picture that it is given as what it is. A pairing is measured with that accuracy, or refused; a
wrong number, and a refusal of what fits, are failures.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from lenslab import units
from lenslab.units.attribute_measurement import align_concepts
from lenslab.units.errors import UnitsError
from lenslab.units.images.concept_masks import open_concept_images

pytestmark = pytest.mark.usefixtures("lean")

WORDS = ("sea lion", "crane", "tabby cat", "Great Dane", "box turtle", "T-shirt", "7up", "lamp", "oak", "zebra", "gate")
SIZE, EACH = 8, 6
Shown = list[tuple[str, np.ndarray]]
"""Pictures, each with the name of its class."""


def grey(place: int, count: int) -> int:
    return 12 + round(230 * place / (count - 1))


class Greys(nn.Module):
    """Maps a picture to the class whose grey is nearest to its own: -(m - c)^2 but for m^2."""

    def __init__(self, greys: list[float]) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 3, 1), nn.ReLU()
        self.pool, self.flat, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, len(greys))
        known = torch.tensor(greys)
        with torch.no_grad():
            self.conv.weight.copy_(torch.ones(3, 1, 1, 1))
            self.conv.bias.fill_(4.0)  # above 0 whatever the normalisation
            self.head.weight.copy_((2 * 40 * known / 3)[:, None].repeat(1, 3))
            self.head.bias.copy_(-40 * (known**2 + 8 * known))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.flat(self.pool(self.relu(self.conv(x)))))


@dataclass
class Case:
    """A pairing.

    Attributes:
        network: What the network is called with.
        source: The images.
        fits: Whether it has to be measured; else it has to be refused, or measured rightly.
    """

    network: units.Network
    source: Any
    fits: bool


def network(names: list[str], *, named: bool, mean: float = 0.5, sd: float = 0.25) -> units.Network:
    """A network whose k-th logit is that of the k-th name; the grey of a name is its place in the sorted list."""
    place = {name: number for number, name in enumerate(sorted(names))}
    greys = [(grey(place[name], len(names)) / 255 - mean) / sd for name in names]
    module = Greys(greys).eval()
    return units.load(module, mean=[mean], sd=[sd], size=(SIZE, SIZE), class_names=names if named else None)


def pictures(names: list[str], chance: random.Random) -> Shown:
    place = {name: number for number, name in enumerate(sorted(names))}
    made = []
    for name in names:
        for _ in range(EACH):
            level = grey(place[name], len(names)) + chance.choice((-2, -1, 0, 1, 2))
            made.append((name, np.full((SIZE, SIZE), level, np.uint8)))
    chance.shuffle(made)
    return made


# Where the pictures lie.


def folders(place: Path, shown: Shown, called: Callable[[str], str] = str) -> Path:
    for number, (name, pixels) in enumerate(shown):
        file = place / called(name) / f"{number:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    return place


def as_png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def table(path: Path, shown: Shown, order: list[str], *, named: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        "image": [{"bytes": as_png(pixels)} for _, pixels in shown],
        "label": [order.index(name) for name, _ in shown],
    }
    about = {"huggingface": json.dumps({"info": {"features": {"label": {"names": order}}}})} if named else None
    pq.write_table(pa.table(rows).replace_schema_metadata(about), path)
    return path


def rows(shown: Shown, written: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"image": Image.fromarray(pixels), "label": written(name)} for name, pixels in shown]


class Pairs:
    """A data set as torchvision makes them; ``class_to_idx`` need not be in the order of ``classes``."""

    def __init__(self, shown: Shown, order: list[str], *, listed: list[str] | None = None) -> None:
        self.shown, self.class_to_idx = shown, {name: label for label, name in enumerate(order)}
        if listed is not None:
            self.classes = listed

    def __len__(self) -> int:
        return len(self.shown)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        if index >= len(self.shown):
            raise IndexError(index)
        name, pixels = self.shown[index]
        return Image.fromarray(pixels), self.class_to_idx[name]


# What is wrong with them, if anything.


def by_name_in_any_order(chance: random.Random, place: Path) -> Case:
    """Both name their classes, in orders of their own."""
    names = list(WORDS[: chance.randint(4, len(WORDS))])
    own = chance.sample(names, len(names))
    order = chance.sample(names, len(names))
    shown = pictures(names, chance)
    some = chance.sample(names, chance.randint(2, len(names))) if chance.random() < 0.4 else names
    shown = [(name, pixels) for name, pixels in shown if name in some]
    written = chance.choice((str, str.upper, lambda name: name.replace(" ", "_"), str.casefold))
    kind = chance.choice(("folders", "table", "tables", "pairs", "items", "frame", "texts"))
    if kind == "folders":
        return Case(network(own, named=True), folders(place / "all", shown, written), fits=True)
    if kind == "pairs":
        return Case(network(own, named=True), Pairs(shown, order, listed=order), fits=True)
    if kind == "items":
        return Case(
            network(own, named=True), [{"image": Image.fromarray(p), "label": written(n)} for n, p in shown], True
        )
    if kind == "frame":
        frame = pd.DataFrame({"image": [Image.fromarray(p) for _, p in shown], "label": [written(n) for n, _ in shown]})
        return Case(network(own, named=True), frame, fits=True)
    if kind == "tables":  # two files of one split that number the classes differently
        half = len(shown) // 2
        table(place / "t/part-0.parquet", shown[:half], order)
        table(place / "t/part-1.parquet", shown[half:], chance.sample(names, len(names)))
        return Case(network(own, named=True), place / "t", fits=True)
    return Case(network(own, named=True), table(place / "one.parquet", shown, order), fits=True)


def other_names(chance: random.Random, place: Path) -> Case:
    """Both name their classes, and some names of the images are none of the network's."""
    names = list(WORDS[: chance.randint(4, len(WORDS))])
    wrong = chance.sample(names, chance.randint(1, len(names)))
    renamed = {name: f"{name} of another kind" if name in wrong else name for name in names}
    shown = [(renamed[name], pixels) for name, pixels in pictures(names, chance)]
    order = chance.sample([renamed[name] for name in names], len(names))
    source: Any = folders(place / "all", shown) if chance.random() < 0.5 else table(place / "one.parquet", shown, order)
    return Case(network(chance.sample(names, len(names)), named=True), source, fits=False)


def contradicting_lists(chance: random.Random, _: Path) -> Case:
    """A data set numbers its classes twice, and not alike."""
    names = list(WORDS[: chance.randint(4, len(WORDS))])
    order = chance.sample(names, len(names))
    listed = chance.sample(names, len(names))
    data = Pairs(pictures(names, chance), order, listed=listed)
    return Case(network(order, named=False), data, fits=listed == order)


def numbers_as_text(chance: random.Random, place: Path) -> Case:
    """Directories that are numbers, of a network that names nothing: 10 comes after 9."""
    count = chance.randint(2, 13)
    names = [f"{number:02d}" for number in range(count)]
    shown = pictures(names, chance)
    padded = chance.random() < 0.3
    return Case(
        network(names, named=False),
        folders(place / "all", shown, str if padded else lambda name: str(int(name))),
        fits=True,
    )


def splits_side_by_side(chance: random.Random, place: Path) -> Case:
    """Training and test images in one directory, in which the test images have fewer classes."""
    names = sorted(WORDS[: chance.randint(4, len(WORDS))])
    shown = pictures(names, chance)
    few = chance.sample(names, chance.randint(2, len(names) - 1))
    tested = [(name, pixels) for name, pixels in shown if name in few]
    if chance.random() < 0.5:
        test, train = chance.choice(("test", "val", "Testing")), chance.choice(("train", "Training"))
        folders(place / "d" / train, shown)
        folders(place / "d" / test, tested)
        chosen = chance.choice((f"#{test.lower()}", f"/{test}", ""))
        return Case(network(names, named=False), f"{place / 'd'}{chosen}", fits=bool(chosen))
    order = chance.sample(names, len(names))
    table(place / "d/train-00000-of-00001.parquet", shown, order)
    table(place / "d/test-00000-of-00001.parquet", tested, chance.sample(names, len(names)))
    chosen = chance.choice(("#test", "#train", "#train+test", ""))
    return Case(network(order, named=True), f"{place / 'd'}{chosen}", fits=bool(chosen))


def more_classes(chance: random.Random, place: Path) -> Case:
    """The images have a class more than the network, or labels beyond its own."""
    names = list(WORDS[: chance.randint(4, len(WORDS))])
    shown = pictures(names, chance)
    own = chance.sample(names, len(names) - 1)
    named = chance.random() < 0.5
    return Case(network(own, named=named), table(place / "one.parquet", shown, sorted(names)), fits=False)


def names_twice(chance: random.Random, place: Path) -> Case:
    """Class names of which two are the same, as the two cranes of ImageNet are; labels are numbers."""
    names = sorted(WORDS[: chance.randint(4, len(WORDS))])
    shown = pictures(names, chance)
    path = table(place / "one.parquet", shown, names)
    rows = pq.read_table(path)
    listed = [names[0] if number == 1 else name for number, name in enumerate(names)]
    about = {"huggingface": json.dumps({"info": {"features": {"label": {"names": listed}}}})}
    pq.write_table(rows.replace_schema_metadata(about), path)
    return Case(network(names, named=False), path, fits=True)


def texts(chance: random.Random, place: Path) -> Case:
    """Labels as text, of a network that names nothing: numbers, categories, or names that disagree with themselves."""
    kind = chance.choice(("numbers", "categories", "capitals", "spaces", "split", "mixed"))
    names = [f"{number:02d}" for number in range(12)] if kind == "numbers" else sorted(WORDS[:6])
    shown = pictures(names, chance)
    order = chance.sample(names, len(names)) if kind == "categories" else names
    called = {"numbers": lambda name: str(int(name))}.get(kind, str)
    labels = [called(name) for name, _ in shown]
    if kind in ("capitals", "spaces"):
        labels[0] = labels[0].swapcase() if kind == "capitals" else f"{labels[0]} "
    if kind == "categories":
        frame = pd.DataFrame(rows(shown, str)).astype({"label": pd.CategoricalDtype(order)})
        return Case(network(order, named=False), frame, fits=True)
    whole = pa.table({"image": [as_png(pixels) for _, pixels in shown], "label": labels})
    (place / "t").mkdir()
    source: Any = place / "t"
    if kind == "split":
        few = [number for number, name in enumerate(labels) if name in names[2:5]]
        pq.write_table(whole, place / "t/train.parquet")
        pq.write_table(whole.take(few), place / "t/test.parquet")
        source = f"{place / 't'}#test"
    else:
        pq.write_table(whole, place / "t/a.parquet")
    if kind == "mixed":
        pq.write_table(whole.set_column(1, "label", pa.array(range(len(shown)))).slice(0, 3), place / "t/b.parquet")
    return Case(network(order, named=False), source, fits=kind in ("numbers", "split"))


def scales(chance: random.Random, place: Path) -> Case:
    """Pixels as bytes, as integers, as parts of 1, or normalised already; means of pixels or of bytes."""
    names = list(WORDS[: chance.randint(4, len(WORDS))])
    shown = pictures(names, chance)
    labels = np.array([sorted(names).index(name) for name, _ in shown])
    pixels = np.stack([picture for _, picture in shown])
    mean, sd = chance.uniform(0.3, 0.6), chance.uniform(0.1, 0.3)
    kind = chance.choice(("uint8", "int64", "float", "half", "parts", "normalised", "signed", "sixteen", "nan"))
    floats = pixels.astype(np.float32)
    made = {
        "uint8": pixels,
        "int64": pixels.astype(np.int64),
        "float": floats,
        "half": floats.astype(np.float16),
        "parts": floats / 255,
        "normalised": (floats / 255 - mean) / sd,
        "signed": floats / 127.5 - 1,
        "sixteen": pixels.astype(np.uint16) * 257,
        "nan": np.where(floats == floats.max(), np.nan, floats),
    }[kind]
    fits = kind in ("uint8", "int64", "float", "half", "parts")
    if chance.random() < 0.5:
        made = made[:, None]
    source: Any = (made, labels)
    if chance.random() < 0.5:
        np.savez(place / "a.npz", images=made, labels=labels)
        source = place / "a.npz"
    return Case(network(sorted(names), named=False, mean=mean, sd=sd), source, fits=fits)


KINDS = (
    by_name_in_any_order,
    other_names,
    contradicting_lists,
    numbers_as_text,
    splits_side_by_side,
    more_classes,
    names_twice,
    texts,
    scales,
)


def assert_right_or_refused(kind: Callable[[random.Random, Path], Case], seed: int, place: Path) -> str:
    place.mkdir()
    case = kind(random.Random(f"{kind.__name__} {seed}"), place)
    outcome = measured(case)
    if isinstance(outcome, UnitsError):
        assert not case.fits, f"what fits is refused: {outcome}"
        return "refused"
    assert outcome.accuracy == 1.0, (case.source, outcome.assumptions, outcome.warnings)
    return "right"


def measured(case: Case) -> units.Run | UnitsError:
    try:
        return units.ablate(case.network, units.open_images(case.source), sites=["relu"], attributes=False)
    except UnitsError as error:
        return error


@pytest.mark.parametrize("kind", KINDS)
def test_a_pairing_is_measured_rightly_or_refused(kind: Callable[..., Case], tmp_path: Path) -> None:
    for seed in range(4):
        assert_right_or_refused(kind, seed, tmp_path / str(seed))


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_pairings_of_each_kind_are_measured_rightly_or_refused(
    kind: Callable[..., Case], tmp_path: Path
) -> None:
    ended = [assert_right_or_refused(kind, seed, tmp_path / str(seed)) for seed in range(100)]
    assert "right" in ended or kind in (other_names, more_classes, contradicting_lists)
    assert "refused" in ended or kind in (by_name_in_any_order, numbers_as_text, names_twice)


# Masks.


def with_masks(place: Path, chance: random.Random, *, table_of_rows: bool, broken: bool) -> Path:
    """Pictures with a mask of where each is bright; some are broken, or those are left out."""
    greys = np.random.default_rng(chance.randint(0, 9999)).integers(0, 256, (14, SIZE, SIZE), np.uint8)
    lost = chance.sample(range(14), 3)
    kept = [number for number in range(14) if broken or number not in lost]
    picture = {number: b"none" if number in lost else as_png(greys[number]) for number in kept}
    masks = {number: as_png(np.where(greys[number] > 128, 255, 0).astype(np.uint8)) for number in kept}
    place.mkdir(parents=True)
    if table_of_rows:
        # Of some pictures nobody said where they are bright.
        rows = {
            "image": [{"bytes": picture[number]} for number in kept],
            "mask:bright": [{"bytes": masks[number]} if number % 4 else None for number in kept],
        }
        pq.write_table(pa.table(rows), place / "masks.parquet")
        return place / "masks.parquet"
    for number in kept:
        for directory, content in (("images", picture), ("masks/bright", masks)):
            file = place / directory / f"{number:02d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            if directory == "images" or number % 4:
                file.write_bytes(content[number])
    return place


@pytest.mark.parametrize("batch_size", [1, 3, 64])
@pytest.mark.parametrize("table_of_rows", [False, True])
def test_a_mask_stays_with_its_picture_when_others_do_not_decode(
    tmp_path: Path, table_of_rows: bool, batch_size: int
) -> None:
    made = network(["a", "b"], named=True)
    for seed in range(3):
        lost = [2, 3, 9]
        some, whole = (
            with_masks(
                tmp_path / f"{seed}{bool(broken)}", random.Random(seed), table_of_rows=table_of_rows, broken=broken
            )
            for broken in (lost, None)
        )
        opened = open_concept_images(some, on_error="skip")
        found = align_concepts(made, opened, sites=["relu"], quantile=0.3, batch_size=batch_size)["relu"]
        expected = align_concepts(made, whole, sites=["relu"], quantile=0.3)["relu"]
        assert found.overlap.max() > 0.4
        np.testing.assert_array_equal(found.overlap, expected.overlap)
