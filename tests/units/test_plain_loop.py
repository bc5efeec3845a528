"""A plain loop of one's own on every kind of input: each unit in turn, each image by itself, in float64.

The loop below shares nothing with lenslab but torch: it reads the pictures, normalises them, and sets a channel to zero
with a hook. What lenslab makes of networks and images as people bring them has to end in the same predictions.
"""

from __future__ import annotations

import copy
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.utils.data import TensorDataset

from lenslab import units
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")

COUNT, MEAN, SD, SITE = 48, 0.3, 0.4, "1"
NAMES = [f"digit {number}" for number in (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)]
"""What is called so is the class of the number behind it."""


def classifier() -> nn.Sequential:
    body = [nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 10)]
    return toys.trained(nn.Sequential(*body))  # type: ignore[return-value]


def shown() -> tuple[np.ndarray, np.ndarray]:
    (block,) = toys.digits(COUNT).blocks(COUNT)
    return np.stack(block.pixels)[..., 0], np.asarray(block.labels)


def loop(module: nn.Module, pixels: list[np.ndarray], site: str = SITE) -> tuple[list[int], set[tuple[int, ...]]]:
    """Predict every picture, whole and without each unit: the predictions, and (unit, picture, before, after)."""
    module = copy.deepcopy(module).double()
    silent: list[int] = []

    def hook(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        output[:, silent] = 0
        return output

    handle = module.get_submodule(site).register_forward_hook(hook)

    def predict(picture: np.ndarray) -> int:
        x = (torch.from_numpy(picture.astype(np.float32) / np.float32(255)) - MEAN) / SD
        with torch.inference_mode():
            logits = module(x[None, None].double())
        return int(logits.argmax() if logits.numel() > 1 else logits.item() > 0)

    before = [predict(picture) for picture in pixels]
    changed = set()
    for unit in range(6):
        silent[:] = [unit]
        for number, picture in enumerate(pixels):
            after = predict(picture)
            if after != before[number]:
                changed.add((unit, number, before[number], after))
    handle.remove()
    return before, changed


def assert_same(run: units.Run, expected: tuple[list[int], set[tuple[int, ...]]], labels: list[int]) -> None:
    images, flips = run.record.table("images"), run.flips
    place = {number: place for place, number in enumerate(images["image"])}
    assert images["label"].tolist() == labels
    assert images["prediction"].tolist() == expected[0]
    found = zip(flips["unit"], flips["image"].map(place), flips["before"], flips["after"], strict=True)
    assert {tuple(map(int, flip)) for flip in found} == expected[1]
    assert len(expected[1]) > 5


def ablated(network: units.Network, images: Any, site: str = SITE) -> units.Run:
    return units.ablate(network, images, sites=[site], attributes=False, batch_size=17)


def loaded(module: Any, **options: Any) -> units.Network:
    return units.load(module, mean=[MEAN], sd=[SD], size=(8, 8), **options)


# Networks as people bring them.


class Says(nn.Module):
    """Puts out something made of the logits."""

    def __init__(self, net: nn.Module, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.net, self.make = net, make

    def forward(self, x: torch.Tensor) -> Any:
        return self.make(self.net(x))


def binary() -> nn.Sequential:
    """One logit: whether a digit is more than four."""
    net = classifier()
    head, one = net[4], nn.Linear(24, 1)
    one.weight.data = (head.weight[5:].sum(0) - head.weight[:5].sum(0))[None].detach()
    one.bias.data = (head.bias[5:].sum() - head.bias[:5].sum())[None].detach()
    net[4] = one
    return net.eval()


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], nn.Module], str]] = {
    "as it is": (classifier, lambda net: net, SITE),
    "in half precision": (lambda: classifier().half().float(), lambda net: net.half(), SITE),
    "in bfloat16": (lambda: classifier().bfloat16().float(), lambda net: net.bfloat16(), SITE),
    "in DataParallel": (classifier, nn.DataParallel, SITE),
    "compiled": (classifier, torch.compile, SITE),
    "with a softmax": (classifier, lambda net: nn.Sequential(*net, nn.Softmax(1)).eval(), SITE),
    "with a sigmoid": (binary, lambda net: nn.Sequential(*net, nn.Sigmoid()).eval(), SITE),
    "of one logit": (binary, lambda net: net, SITE),
    "with a dictionary": (
        classifier,
        lambda net: Says(net, lambda z: {"logits": z, "feature": z[:, :3]}).eval(),
        "net.1",
    ),
    "with a tuple": (classifier, lambda net: Says(net, lambda z: (z,)).eval(), "net.1"),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_is_measured_as_a_plain_loop_measures_it(kind: str) -> None:
    made, brought, site = NETWORKS[kind]
    pixels, labels = shown()
    reference = made()
    network = loaded(brought(made()))
    if network.classes == 2:
        labels = (labels > 4).astype(np.int64)
    run = ablated(network, (pixels, labels), site)
    assert_same(run, loop(reference, list(pixels)), labels.tolist())


@pytest.mark.parametrize("written", ["state_dict", "net", "model.", "module.", "safetensors", "ema"])
def test_weights_are_those_that_a_plain_loop_loads(written: str, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "brought_net.py").write_text(
        "from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), "
        "nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 10))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brought_net", raising=False)
    net = classifier()
    state = net.state_dict()
    other = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    file = tmp_path / "own.pth"
    if written == "safetensors":
        from safetensors.torch import save_file

        file = tmp_path / "own.safetensors"
        save_file(state, file)
    elif written.endswith("."):
        torch.save({"state_dict": {f"{written}{name}": each for name, each in state.items()}}, file)
    elif written == "ema":
        torch.save({"model": other, "ema": state, "epoch": 3}, file)
    else:
        torch.save({written: state, "acc": 91.2, "epoch": 7}, file)
    chosen = f"{file}#ema" if written == "ema" else file
    pixels, labels = shown()
    run = ablated(loaded("brought_net:net", weights=chosen), (pixels, labels))
    assert_same(run, loop(net, list(pixels)), labels.tolist())


# Images as people bring them.


def png(pixels: np.ndarray, *, orientation: int = 1) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    return stream.getvalue()


def test_arrays_and_tensors(tmp_path: Path) -> None:
    net, (pixels, labels) = classifier(), shown()
    expected = loop(net, list(pixels))
    np.savez(tmp_path / "a.npz", x=pixels[:, None].astype(np.float32) / 255, y=labels)
    floats = TensorDataset(torch.from_numpy(pixels[:, None] / np.float32(255)), torch.from_numpy(labels))
    items = [{"image": Image.fromarray(each), "label": int(label)} for each, label in zip(pixels, labels, strict=True)]
    for images in ((pixels, labels), tmp_path / "a.npz", floats, items, pd.DataFrame(items)):
        assert_same(ablated(loaded(net), images), expected, labels.tolist())


@pytest.mark.parametrize("how", ["folders", "numbers", "split", "names", "table", "texts", "two tables"])
def test_files_and_the_classes_that_they_name(how: str, tmp_path: Path) -> None:
    net, (pixels, labels) = classifier(), shown()
    names = {int(name.split()[1]): name for name in NAMES}
    place, order = tmp_path / "test", np.arange(COUNT)
    class_names: list[str] | None = [names[number] for number in range(10)]
    if how in ("folders", "numbers", "split", "names"):
        called = names if how in ("folders", "names") else {number: str(number) for number in range(10)}
        if how == "split":  # the test images lack digits that the training images have
            order = np.flatnonzero(labels % 3 > 0)
            for number in range(10):
                (tmp_path / "train" / str(number)).mkdir(parents=True)
        for number in order:
            (place / called[labels[number]]).mkdir(parents=True, exist_ok=True)
            (place / called[labels[number]] / f"{number:02d}.png").write_bytes(png(pixels[number]))
        order = np.array(sorted(order, key=lambda number: (called[labels[number]], number)))
        class_names = class_names if how in ("folders", "names") else None
    else:
        place.mkdir()
        parts = [order[:20], order[20:]] if how == "two tables" else [order]
        for part, some in enumerate(parts):
            listed = NAMES[part:] + NAMES[:part]
            stated = [names[labels[number]] for number in some]
            told = stated if how == "texts" else [listed.index(name) for name in stated]
            about = {"huggingface": json.dumps({"info": {"features": {"label": {"names": listed}}}})}
            rows = pa.table({"image": [png(pixels[number]) for number in some], "label": told})
            table = rows if how == "texts" else rows.replace_schema_metadata(about)
            pq.write_table(table, place / f"part-{part}.parquet")
    run = ablated(loaded(net, class_names=class_names), units.open_images(place))
    assert_same(run, loop(net, list(pixels[order])), labels[order].tolist())


@pytest.mark.parametrize("exif", [True, False])
def test_turned_and_broken_pictures(exif: bool, tmp_path: Path) -> None:
    net, (pixels, labels) = classifier(), shown()
    broken, files = {0, 5, 6, 47}, []
    for number, (each, label) in enumerate(zip(pixels, labels, strict=True)):
        file = tmp_path / str(label) / f"{number:02d}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"cut" if number in broken else png(each, orientation=(1, 3, 6, 8)[number % 4]))
        files.append(file)
    order = sorted((number for number in range(COUNT) if number not in broken), key=lambda number: str(files[number]))
    opened = [Image.open(files[number]) for number in order]
    seen = [np.asarray(ImageOps.exif_transpose(each) if exif else each) for each in opened]
    run = ablated(loaded(net), units.open_images(tmp_path, on_error="skip", exif=exif))
    assert_same(run, loop(net, seen), labels[order].tolist())
