"""Pictures of exemplars: the images that activate each unit most, as many as a page can carry.

A record's thumbnails can outweigh a page, so they are taken in turn: the top image of every unit first, units that cost
more before others, then the second ones, until the limit is reached.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError, RecordNotFoundError
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

ROOM = 24_000_000
"""How many bytes of pictures and maps a page carries at most."""

_MAPS = 1024
"""So many maps are in memory at a time."""

PNG = b"\x89PNG\r\n\x1a\n"
_EXEMPLARS = ["site", "unit", "rank", "image", "activation", "height", "width"]


@dataclass(frozen=True)
class ExemplarPictures:
    """What the units' pages show.

    Attributes:
        exemplars: ``row, rank, picture, activation, height, width, offset``, by unit and rank: the picture by its row
            in ``images``, and where its map begins in ``maps``.
        images: ``image, label, prediction``, one row per picture; a class is -1 where the record does not tell it.
        thumbnails: One PNG file in base64 per picture.
        maps: The units' maps on the pictures, uint8 in row-major order, one after the other.
        left_out: How many exemplars of the record did not fit.
    """

    exemplars: pd.DataFrame
    images: pd.DataFrame
    thumbnails: tuple[str, ...]
    maps: bytes
    left_out: int


def exemplar_pictures(run: RunRecord, units: pd.DataFrame, *, room: int = ROOM) -> ExemplarPictures | None:
    """Choose the pictures of a run that take up to ``room`` bytes with their maps; ``None`` where it has none.

    Raises:
        BrokenRecordError: A map is not of its size, a thumbnail is no PNG, or a picture is of no known unit.
    """
    import pandas as pd

    try:
        exemplars = run.record.table("exemplars", _EXEMPLARS, needed=("map",))
        thumbnails = run.table("thumbnails", ["image", "png"])
    except RecordNotFoundError:
        return None
    keys = pd.MultiIndex.from_frame(units[["site", "unit"]])
    exemplars["row"] = keys.get_indexer(pd.MultiIndex.from_frame(exemplars[["site", "unit"]])).astype(np.int32)
    exemplars["length"] = exemplars["height"].to_numpy(np.int64) * exemplars["width"].to_numpy(np.int64)
    if (exemplars["row"] < 0).any():
        raise BrokenRecordError(
            f"the table exemplars of {run.directory} does not fit its units or its maps' sizes; measure again"
        )
    files = dict(zip(thumbnails["image"].tolist(), thumbnails["png"].tolist(), strict=True))
    broken = next((image for image, png in files.items() if not bytes(png).startswith(PNG)), None)
    if broken is not None:
        raise BrokenRecordError(f"the thumbnail of image {broken} in {run.directory} is no PNG; measure again")
    known = exemplars[exemplars["image"].isin(files)]
    fitting = known[_fitting(known, units, files, room)]
    maps = _maps(run, exemplars["length"].to_numpy(), fitting.index.to_numpy())
    kept = fitting.assign(map=maps).sort_values(["row", "rank"], kind="stable").reset_index(drop=True)
    numbers = np.unique(kept["image"].to_numpy())
    lengths = kept["length"].to_numpy()
    chosen = kept[["row", "rank", "activation", "height", "width"]].assign(
        picture=np.searchsorted(numbers, kept["image"].to_numpy()), offset=np.cumsum(lengths) - lengths
    )
    return ExemplarPictures(
        exemplars=chosen,
        images=_classes(run, numbers.tolist()),
        thumbnails=tuple(base64.b64encode(files[image]).decode() for image in numbers.tolist()),
        maps=b"".join(kept["map"].tolist()),
        left_out=len(exemplars) - len(kept),
    )


def _maps(run: RunRecord, lengths: NDArray[np.int64], kept: NDArray[np.int64]) -> list[bytes]:
    """Read the maps of some rows, and check the lengths of all; of the others only a few are in memory at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path, found, first = run.record.path("exemplars.parquet"), list[bytes](), 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(_MAPS, columns=["map"]):
            maps, rows = batch.column(0), slice(first, first + len(batch))
            if not np.array_equal(pc.binary_length(maps).to_numpy(zero_copy_only=False), lengths[rows]):
                raise BrokenRecordError(
                    f"the table exemplars of {run.directory} does not fit its units or its maps' sizes; measure again"
                )
            found += maps.take(pa.array(kept[(kept >= first) & (kept < rows.stop)] - first)).to_pylist()
            first = rows.stop
    except (pa.ArrowException, OSError) as error:
        raise BrokenRecordError(f"{path} cannot be read as a table of maps: {error}") from error
    return found


def _fitting(known: pd.DataFrame, units: pd.DataFrame, files: dict[int, bytes], room: int) -> NDArray[np.bool_]:
    """Choose the exemplars that fit: the top image of every unit first, units that cost more before others."""
    cost = -np.nan_to_num(units["accuracy_drop"].to_numpy(dtype=float), nan=-np.inf)
    order = np.lexsort((known["row"], cost[known["row"]], known["rank"]))
    images, lengths = known["image"].to_numpy(), known["length"].to_numpy()
    kept, packed, left = np.zeros(len(known), dtype=np.bool_), set[int](), room
    for place in order.tolist():
        image = int(images[place])
        needed = int(lengths[place]) + (0 if image in packed else len(files[image]))
        if needed <= left:
            kept[place], left = True, left - needed
            packed.add(image)
    return kept


def _classes(run: RunRecord, numbers: list[int]) -> pd.DataFrame:
    """Look up what the pictures show, and what the untouched network took them for."""
    images = run.table("images", ["image", "label", "prediction"]).set_index("image")
    return images.reindex(numbers).fillna(-1).astype(np.int32).rename_axis("image").reset_index()
