"""The tables of a shard while it is made: what a block's images are, and what a group of sites gave on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from lenslab.runs.attributes.profile_sums import ProfileSums
from lenslab.units.engine.logit_scores import RISES, SCORES, rises
from lenslab.units.engine.outcome import Reference, SiteOutcome
from lenslab.units.images import ImageBlock, Skipped
from lenslab.units.sweep.shards import AUDITS, CANDIDATES, FLIPS, MARK, PATHS, SKIPPED, SUMS, TIMES, TOP_FLIPS, table


@dataclass
class BlockTables:
    """The tables of a block of images that do not depend on what is silenced."""

    top: int | None
    profiled: bool
    columns: list[pa.Table] = field(default_factory=list)
    gathered: dict[str, ProfileSums] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def add(self, images: ImageBlock, reference: Reference) -> None:
        """Add a batch's images and what the network predicts for them."""
        scored = reference.scores.cpu().numpy()
        found = [] if reference.in_top is None else [reference.in_top.cpu().numpy()]
        own = [images.turned, images.contents]
        columns = [images.numbers, images.labels, reference.predictions.cpu().numpy(), *scored, *found, *own]
        self.columns.append(_typed(columns, self._schema()))

    def tables(self) -> dict[str, pa.Table]:
        """Give the block's own tables by their kind; the one that is written last comes last."""
        found = {}
        if self.profiled:
            rows = [{"site": name, **gathered.to_row()} for name, gathered in self.gathered.items()]
            found["profile"] = pa.Table.from_pylist(rows) if rows else pa.table({"site": pa.array([], pa.string())})
        images = pa.concat_tables([self._schema().empty_table(), *self.columns])
        return {**found, "skipped": _skips(self.skipped), "images": images}

    def _schema(self) -> pa.Schema:
        numbers = [(name, pa.int32()) for name in ("image", "label", "prediction")]
        found = [] if self.top is None else [("in_top", pa.bool_())]
        own = [("turned", pa.bool_()), ("content", pa.string())]
        return pa.schema([*numbers, *((name, pa.float64()) for name in SCORES), *found, *own])


@dataclass
class GroupTables:
    """The tables of a group of sites on a block of images; ``scored`` tells whether all logits are good for scores."""

    sites: tuple[str, ...]
    units: dict[str, int]
    classes: int
    top: int | None
    scored: bool = True
    flips: list[pa.Table] = field(default_factory=list)
    paths: list[pa.Table] = field(default_factory=list)
    audits: list[pa.Table] = field(default_factory=list)
    candidates: list[pa.Table] = field(default_factory=list)
    top_flips: list[pa.Table] = field(default_factory=list)
    numbers: list[NDArray[np.int64]] = field(default_factory=list)
    activations: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    changes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = field(default_factory=dict)
    times: list[pa.Table] = field(default_factory=list)

    def add(
        self,
        site: SiteOutcome,
        reference: Reference,
        images: ImageBlock,
        draw: int,
        candidates: int,
        random: np.random.Generator,
    ) -> None:
        """Add what one site gave on one batch in one draw."""
        if draw == 0:
            self.activations.setdefault(site.site, []).append(site.activations)
            if site.site == self.sites[0]:
                self.numbers.append(images.numbers)
        self.flips.append(_flips(site, reference, images, draw))
        self.paths.append(_paths(site))
        self.candidates.append(_candidates(site, images, draw, candidates, random))
        if self.top is not None:
            self.top_flips.append(_top_flips(site, reference, images, draw))
        if self.scored:
            self.changes.setdefault(site.site, []).append(_changes(site, reference, images, self.classes))
        self.audits += [
            table(AUDITS, site.site, [each.pairs], [each.failed], [each.error], [each.band]) for each in site.audits
        ]

    def tables(self, candidates: int) -> dict[str, pa.Table]:
        """Give the group's tables by their kind; the one that marks it as whole comes last."""
        columns = {"image": pa.array(np.concatenate([np.zeros(0, np.int64), *self.numbers]), pa.int32())}
        for name in self.sites:
            empty = np.zeros((0, self.units[name]), np.float32)
            columns[name] = _lists(np.concatenate([empty, *self.activations.get(name, [])]))
        found = {
            "flips": pa.concat_tables([FLIPS.empty_table(), *self.flips]),
            "paths": pa.concat_tables([PATHS.empty_table(), *self.paths]),
            "audits": pa.concat_tables([AUDITS.empty_table(), *self.audits]),
            "times": pa.concat_tables([TIMES.empty_table(), *self.times]),
            "candidates": strongest(pa.concat_tables([CANDIDATES.empty_table(), *self.candidates]), candidates),
        }
        if self.top is not None:
            found["top_flips"] = pa.concat_tables([TOP_FLIPS.empty_table(), *self.top_flips])
        sums = [_summed(site, changes, self.classes) for site, changes in self.changes.items()]
        return {**found, "sums": pa.concat_tables([SUMS.empty_table(), *sums]), MARK: pa.table(columns)}


def strongest(candidates: pa.Table, count: int) -> pa.Table:
    """Keep the ``count`` candidates of highest priority of each path."""
    ranked = candidates.to_pandas().sort_values("priority", ascending=False, kind="stable")
    return pa.Table.from_pandas(ranked.groupby("path", sort=True).head(count), CANDIDATES, preserve_index=False)


def _typed(columns: Sequence[object], schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)], schema=schema)


def _skips(skipped: Sequence[Skipped]) -> pa.Table:
    return _typed([[each.number for each in skipped], [each.reason for each in skipped]], SKIPPED)


def _lists(activations: NDArray[np.float32]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(activations.ravel(), pa.float32()), activations.shape[1])


def _flips(site: SiteOutcome, reference: Reference, images: ImageBlock, draw: int) -> pa.Table:
    pieces = []
    for piece in site.decided:
        changed = piece.after != reference.predictions[piece.rows]
        pieces.append(torch.stack([piece.units[changed], piece.rows[changed], piece.after[changed]]))
    unit, row, after = torch.cat(pieces, dim=1).cpu().numpy()
    before = reference.predictions.cpu().numpy()[row]
    draws = np.full(len(row), draw)
    return table(FLIPS, site.site, unit, images.numbers[row], images.labels[row], before, after, draws)


def _top_flips(site: SiteOutcome, reference: Reference, images: ImageBlock, draw: int) -> pa.Table:
    pieces = [torch.empty(2, 0, dtype=torch.int64, device=reference.predictions.device)]
    for piece in site.decided:
        if piece.in_top is not None and reference.in_top is not None:
            changed = piece.in_top != reference.in_top[piece.rows]
            pieces.append(torch.stack([piece.units[changed], piece.rows[changed]]))
    unit, row = torch.cat(pieces, dim=1).cpu().numpy()
    assert reference.in_top is not None  # it is asked for
    lost = reference.in_top.cpu().numpy()[row]
    return table(TOP_FLIPS, site.site, unit, images.numbers[row], images.labels[row], np.full(len(row), draw), lost)


def _changes(
    site: SiteOutcome, reference: Reference, images: ImageBlock, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sum score changes and their squares ``[6, cells]`` over each ``unit * classes + label`` that has some."""
    cells, changes = [np.zeros(0, np.int64)], [np.zeros((len(RISES), 0))]
    for piece in site.decided:
        if piece.scores is not None:
            changes.append(rises(reference.scores[:, piece.rows], piece.scores).cpu().numpy())
            cells.append(piece.units.cpu().numpy() * classes + images.labels[piece.rows.cpu().numpy()])
    change = np.concatenate(changes, axis=1)
    return _by_cell(np.concatenate(cells), np.concatenate([change, change**2]))


def _by_cell(cells: NDArray[np.int64], columns: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    distinct, place = np.unique(cells, return_inverse=True)
    sums = [np.bincount(place, weights=column, minlength=len(distinct)) for column in columns]
    return distinct, np.stack(sums)


def _summed(site: str, changes: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]], classes: int) -> pa.Table:
    cells, columns = zip(*changes, strict=True)
    cell, sums = _by_cell(np.concatenate(cells), np.concatenate(columns, axis=1))
    return table(SUMS, site, *np.divmod(cell, classes), *sums)


def _paths(site: SiteOutcome) -> pa.Table:
    counts = site.paths()
    return table(PATHS, site.site, list(counts), list(counts.values()))


def _candidates(site: SiteOutcome, images: ImageBlock, draw: int, count: int, random: np.random.Generator) -> pa.Table:
    """Draw some pairs of each path, those with small margins more often (weighted sampling by exponential keys)."""
    pieces = [CANDIDATES.empty_table()]
    for piece in site.decided:
        margin = piece.margin.cpu().numpy().astype(np.float64)
        priority = random.random(len(margin)) ** (margin + 1e-3)
        chosen = np.argsort(-priority, kind="stable")[:count]
        units, rows, after = (part.cpu().numpy()[chosen] for part in (piece.units, piece.rows, piece.after))
        path, draws = [piece.path] * len(chosen), np.full(len(chosen), draw)
        pieces.append(table(CANDIDATES, site.site, path, units, images.numbers[rows], after, draws, priority[chosen]))
    return strongest(pa.concat_tables(pieces), count)
