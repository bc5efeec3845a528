"""Runs as their records will be: attributes, exemplars and thumbnails, measured from the network and its images."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from lenslab.records import Draft, Record, read
from lenslab.units import Images, Network, ablate
from lenslab.units.attributes import attribute_table, class_table, profile
from lenslab.units.attributes.filters import norms_of
from lenslab.units.question import Question, ask

EXEMPLARS = 6
LARGEST_MAP = 14
LARGEST_THUMBNAIL = 96


def planted(directory: Path, network: Network | str, images: Images | str, **options: object) -> Record:
    """Ablates, and adds to the record what else a run leaves behind."""
    if not (directory / "record.json").exists():
        ablate(network, images, out=directory, **options)  # type: ignore[arg-type]
    limit = options.get("limit")
    question = ask(network, images, limit=limit if isinstance(limit, int) else None)
    draft, record = Draft(directory, "run", {}), read(directory)
    write_attributes(question, draft, record)
    write_exemplars(question, draft, record)
    draft.write_table("flips", record.table("flips").assign(draw=np.int32(0)))
    document = {**record.document, "draws": 1, "top": None}
    draft.write_json("record.json", document)
    return read(directory)


def write_attributes(question: Question, draft: Draft, record: Record) -> None:
    sites, device = [plan.site for plan in question.plans], torch.device("cpu")
    preprocessing = question.network.preprocessing
    found = profile(question.trace, sites, question.images, preprocessing, batch_size=100, device=device)
    tables = [attribute_table(site.name, found[site.name], norms=norms_of(question.trace, site)) for site in sites]
    measured = pd.concat(tables)
    names = list(record.table("units").columns)
    ours = [name for name in measured.columns if name in names and name not in ("site", "unit")]
    units = record.table("units").drop(columns=ours)
    joined = units.merge(measured, on=["site", "unit"], validate="one_to_one")
    rest = [name for name in joined.columns if name not in names]
    draft.write_table("units", joined[[*(name for name in names if name in joined), *rest]])
    draft.write_table("attribute_classes", pd.concat([class_table(site.name, found[site.name]) for site in sites]))


def write_exemplars(question: Question, draft: Draft, record: Record) -> None:
    dead = record.table("units").set_index(["site", "unit"])["dead"]
    names = [plan.site.name for plan in question.plans]
    program = question.trace.program(torch.device("cpu"))
    blocks = list(question.images.blocks(100))
    maps: dict[str, list[np.ndarray]] = {name: [] for name in names}
    with torch.inference_mode():
        for block in blocks:
            golden = program.golden(question.network.preprocessing(block.pixels), names)
            for name in names:
                maps[name].append(small(golden.values[name].float().clamp(min=0)).numpy())
    rows, pictured = [], set[int]()
    for name in names:
        held = np.concatenate(maps[name])
        peaks = held.max(axis=(2, 3))
        for unit in range(held.shape[1]):
            if dead[name, unit]:
                continue
            order = np.argsort(-peaks[:, unit], kind="stable")[:EXEMPLARS]
            scale = 255 / peaks[order[0], unit]
            for rank, image in enumerate(order.tolist()):
                scaled = np.rint(held[image, unit] * scale).astype(np.uint8)
                rows.append((name, unit, rank, image, float(peaks[image, unit]), *scaled.shape, scaled.tobytes()))
                pictured.add(image)
    columns = ["site", "unit", "rank", "image", "activation", "height", "width", "map"]
    sizes = dict.fromkeys(["unit", "rank", "image", "height", "width"], np.int32)
    draft.write_table("exemplars", pd.DataFrame(rows, columns=columns).astype(sizes))
    pixels = [each for block in blocks for each in block.pixels]
    pngs = [(image, *pixels[image].shape[:2], png(pixels[image])) for image in sorted(pictured)]
    draft.write_table("thumbnails", pd.DataFrame(pngs, columns=["image", "height", "width", "png"]))


def small(values: torch.Tensor) -> torch.Tensor:
    """The maps of a site, ``[images, units, height, width]``, no larger than a record keeps them."""
    if values.dim() == 2:
        return values[:, :, None, None]
    size = [min(side, LARGEST_MAP) for side in values.shape[2:]]
    return torch.nn.functional.adaptive_avg_pool2d(values, size)


def png(pixels: np.ndarray) -> bytes:
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((LARGEST_THUMBNAIL, LARGEST_THUMBNAIL))
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def changed(record: Record, directory: Path, **parts: object) -> Record:
    """A copy of a record with other tables (``None`` leaves one out), and another document where one is given."""
    directory.mkdir(parents=True, exist_ok=True)
    draft = Draft(directory, "run", {})
    for path in sorted(record.directory.glob("*.parquet")):
        if path.stem not in parts:
            (directory / path.name).write_bytes(path.read_bytes())
    for name, table in parts.items():
        if isinstance(table, pd.DataFrame):
            draft.write_table(name, table)
    document = parts.get("document", record.document)
    (directory / "record.json").write_text(json.dumps(document), encoding="utf-8")
    return read(directory)
