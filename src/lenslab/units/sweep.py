"""The sweep over images: batch after batch through an engine, every finished piece written down at once.

A shard holds what a stretch of images gave. A sweep that was stopped goes on behind the last shard, with the same
batches as if it had never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from lenslab.records import Draft
from lenslab.units.engine.exact import ExactEngine
from lenslab.units.engine.outcome import Outcome, Reference, SiteOutcome
from lenslab.units.engine.plain import PlainEngine
from lenslab.units.engine.plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.images import Images
from lenslab.units.preprocessing import Preprocessing

ENGINES: dict[str, type[ExactEngine] | type[PlainEngine]] = {"exact": ExactEngine, "plain": PlainEngine}
"""The engines by name."""

SHARD_SECONDS = 10.0
"""A shard is closed at the first batch that ends this long after the last shard was."""

FLIPS = pa.schema(
    [("site", pa.string()), *((name, pa.int32()) for name in ("unit", "image", "label", "before", "after"))]
)
PATHS = pa.schema([("site", pa.string()), ("path", pa.string()), ("pairs", pa.int64())])
CANDIDATES = pa.schema(
    [
        ("site", pa.string()),
        ("path", pa.string()),
        *((name, pa.int32()) for name in ("unit", "image", "after")),
        ("priority", pa.float64()),
    ]
)


class Progress(Protocol):
    """Is told how far a long piece of work has come."""

    def __call__(self, done: float, total: float, /) -> None:
        """Take note: ``done`` of ``total``, in units of predicted cost."""
        ...


@dataclass
class _Shard:
    """What the images since the last shard gave."""

    start: int
    stop: int
    flips: list[pa.Table] = field(default_factory=list)
    paths: list[pa.Table] = field(default_factory=list)
    candidates: list[pa.Table] = field(default_factory=list)
    images: list[pa.Table] = field(default_factory=list)

    def write(self, draft: Draft, candidates: int) -> None:
        """Write the shard; the table of images comes last and marks it as whole."""
        name = _name(self.start, self.stop)
        draft.write_table(f"shards/flips-{name}", pa.concat_tables(self.flips))
        draft.write_table(f"shards/paths-{name}", pa.concat_tables(self.paths))
        draft.write_table(f"shards/candidates-{name}", strongest(pa.concat_tables(self.candidates), candidates))
        draft.write_table(f"shards/images-{name}", pa.concat_tables(self.images))


def sweep(
    trace: Trace,
    plans: Sequence[Plan],
    images: Images,
    preprocessing: Preprocessing,
    draft: Draft,
    *,
    engine: str,
    batch_size: int,
    device: torch.device,
    candidates: int,
    seed: int,
    progress: Progress | None,
) -> None:
    """Silence every unit of every planned site on every image, and leave shards in the draft.

    Args:
        trace: the network seen from inside.
        plans: what to do at each site.
        images: the images, in source order.
        preprocessing: from pixels to the network's input.
        draft: the record in the making; shards that it has are not computed again.
        engine: ``"exact"`` or ``"plain"``.
        batch_size: images per batch; it decides no integer.
        device: where to run.
        candidates: how many pairs per path and shard are kept for a later check of the engine.
        seed: decides which pairs these are.
        progress: is told how far it has come.

    Raises:
        NotFiniteError: the network answers NaN or infinity.
        UndecodableImageError: an image does not decode.
    """
    done = finished(draft)
    runner = ENGINES[engine](trace, plans, device)
    cost = {plan.site.name: 1.0 + plan.count * (plan.cost or 1) for plan in plans}
    total = sum(cost.values()) * len(images)
    spent = sum(cost.values()) * done
    report: Callable[[float], None] = (lambda now: progress(now, total)) if progress else lambda _: None
    report(spent)
    shard, closed = _Shard(done, done), time.monotonic()
    for block in images.blocks(batch_size, start=done):
        inputs = preprocessing(block.pixels).to(device)
        random = np.random.default_rng([seed, block.start])
        with torch.inference_mode():
            outcome: Outcome = runner.run(inputs, block.start)
            columns: dict[str, pa.Array] = _image_columns(block.start, block.labels, block.contents, outcome.reference)
            for site in outcome.sites:
                columns[site.site] = _lists(site.activations)
                shard.flips.append(_flips(site, outcome.reference, block.start, block.labels))
                shard.paths.append(_paths(site))
                shard.candidates.append(_candidates(site, block.start, candidates, random))
                spent += cost[site.site] * len(block)
                report(spent)
        shard.images.append(pa.table(columns))
        shard.stop = block.start + len(block)
        if time.monotonic() - closed > SHARD_SECONDS or shard.stop == len(images):
            shard.write(draft, candidates)
            shard, closed = _Shard(shard.stop, shard.stop), time.monotonic()


def finished(draft: Draft) -> int:
    """Count the images that the draft's whole shards hold, from the first one on."""
    return sum(stop - start for start, stop in _whole_shards(draft))


def _whole_shards(draft: Draft) -> list[tuple[int, int]]:
    """Name the whole shards by their first image and the one behind their last, from image 0 on without a gap.

    A sweep that is killed while it writes a shard leaves some of its tables; without the table of images, which comes
    last, they do not count.
    """
    chain: list[tuple[int, int]] = []
    for path in draft.shards("images-*.parquet"):
        first, last = (int(number) for number in path.stem.removeprefix("images-").split("-"))
        if first == (chain[-1][1] if chain else 0):
            chain.append((first, last))
    return chain


def collected(draft: Draft, kind: str) -> pa.Table:
    """Put the shards' tables of one kind together, in source order.

    Args:
        draft: the record in the making.
        kind: ``"flips"``, ``"paths"``, ``"candidates"`` or ``"images"``.
    """
    paths = [draft.directory / "shards" / f"{kind}-{_name(*shard)}.parquet" for shard in _whole_shards(draft)]
    return pa.concat_tables([pq.ParquetFile(path).read() for path in paths])


def strongest(candidates: pa.Table, count: int) -> pa.Table:
    """Keep the ``count`` candidates of highest priority of each path."""
    ranked = candidates.to_pandas().sort_values("priority", ascending=False, kind="stable")
    return pa.Table.from_pandas(ranked.groupby("path", sort=True).head(count), CANDIDATES, preserve_index=False)


def _name(start: int, stop: int) -> str:
    return f"{start:09d}-{stop:09d}"


def _image_columns(
    start: int, labels: np.ndarray[tuple[int], np.dtype[np.int64]], contents: list[str], reference: Reference
) -> dict[str, pa.Array]:
    return {
        "image": pa.array(np.arange(start, start + len(labels)), pa.int32()),
        "label": pa.array(labels, pa.int32()),
        "prediction": pa.array(reference.predictions.cpu().numpy(), pa.int32()),
        "content": pa.array(contents, pa.string()),
    }


def _lists(activations: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(activations.ravel(), pa.float32()), activations.shape[1])


def _flips(
    site: SiteOutcome, reference: Reference, start: int, labels: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pa.Table:
    pieces = []
    for piece in site.decided:
        changed = piece.after != reference.predictions[piece.rows]
        pieces.append(torch.stack([piece.units[changed], piece.rows[changed], piece.after[changed]]))
    unit, row, after = torch.cat(pieces, dim=1).cpu().numpy()
    before = reference.predictions.cpu().numpy()[row]
    return _table(FLIPS, site.site, unit, start + row, labels[row], before, after)


def _paths(site: SiteOutcome) -> pa.Table:
    counts = site.paths()
    return _table(PATHS, site.site, list(counts), list(counts.values()))


def _candidates(site: SiteOutcome, start: int, count: int, random: np.random.Generator) -> pa.Table:
    """Draw some pairs of each path, those with small margins more often (weighted sampling by exponential keys)."""
    pieces = [_table(CANDIDATES, site.site, [], [], [], [], [])]
    for piece in site.decided if count else ():
        margin = piece.margin.cpu().numpy().astype(np.float64)
        priority = random.random(len(margin)) ** (margin + 1e-3)
        chosen = np.argsort(-priority, kind="stable")[:count]
        units, rows, after = (part.cpu().numpy()[chosen] for part in (piece.units, piece.rows, piece.after))
        path = [piece.path] * len(chosen)
        pieces.append(_table(CANDIDATES, site.site, path, units, start + rows, after, priority[chosen]))
    return strongest(pa.concat_tables(pieces), count)


def _table(schema: pa.Schema, site: str, *columns: object) -> pa.Table:
    arrays = [pa.array(column, schema.field(position + 1).type) for position, column in enumerate(columns)]
    return pa.table([pa.array([site] * len(arrays[0]), pa.string()), *arrays], schema=schema)
