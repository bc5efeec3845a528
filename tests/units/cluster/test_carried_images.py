"""Images on their way to a worker: what is opened anew there is what was opened here."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lenslab.units.cluster.carried_images import MemoryImages, ReopenedImages, carried
from lenslab.units.errors import ClusterError
from lenslab.units.images import Images, open_images
from lenslab.units.images.subset import subset


def shown(images: Images) -> list[object]:
    """Everything about images that a run depends on."""
    blocks = [*images.blocks(7)]
    facts = [images.sha256, len(images), images.whole, images.class_names, images.on_error, images.assumptions]
    return [
        *facts,
        [block.labels.tolist() for block in blocks],
        [block.contents for block in blocks],
        [block.skipped for block in blocks],
    ]


def folder(place: Path) -> Path:
    from PIL import Image

    (block,) = open_images("digits").limited(20).blocks(20)
    for number, (pixels, label) in enumerate(zip(block.pixels, block.labels, strict=True)):
        shelf = place / "pictures" / f"class {label}"
        shelf.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, :, 0]).save(shelf / f"{number}.png")
    (shelf / "0 broken.png").write_bytes(b"no picture")
    return place / "pictures"


def test_files_are_opened_anew_and_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    opened = open_images("pictures", on_error="skip", exif=False)
    turned = {label: (label + 1) % 10 for label in range(len(opened.class_names or ()))}
    for images in (opened, opened.limited(11), opened.mapped(10, turned), opened.mapped(10, turned).limited(9)):
        travelling = carried(images)
        assert isinstance(travelling, ReopenedImages)
        assert travelling.place == str(tmp_path / "pictures")
        expected, sent = shown(images), pickle.dumps(travelling)
        with monkeypatch.context() as elsewhere:
            elsewhere.chdir("/")
            assert shown(pickle.loads(sent).opened()) == expected


def test_what_is_in_memory_travels_itself() -> None:
    (block,) = open_images("digits").limited(12).blocks(12)
    arrays = open_images((np.stack(block.pixels), block.labels))
    for images in (arrays, arrays.limited(5), subset(open_images("digits"), np.arange(4, 9))):
        travelling = carried(images)
        assert isinstance(travelling, MemoryImages)
        assert shown(travelling.opened()) == shown(images)


def test_a_name_stays_a_name_and_other_content_is_refused() -> None:
    travelling = carried(open_images("digits"))
    assert isinstance(travelling, ReopenedImages)
    assert travelling.place == "digits"
    with pytest.raises(ClusterError, match="the images digits are others there"):
        ReopenedImages("digits", "", "0" * 64, travelling.known).opened()
