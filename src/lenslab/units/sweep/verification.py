"""Checking the engine by doing some of its pairs again the plain way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from lenslab.runs.run_record import RunRecord
from lenslab.units.engine.batch import Batch, BatchReader
from lenslab.units.engine.float64_recheck import Float64Recheck
from lenslab.units.engine.site_plan import WHOLE, Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import VerificationError
from lenslab.units.images import ImageBlock, Images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.silencing.resampling import Resampling


def verify(
    trace: Trace,
    plans: Sequence[Plan],
    candidates: pd.DataFrame,
    images: Images,
    preprocessing: Preprocessing,
    *,
    pairs: int,
    batch_size: int,
    device: torch.device,
    resampling: Resampling | None = None,
) -> dict[str, int]:
    """Decide some pairs again by the plain way, evenly over the paths that decided them; count them by path.

    Candidates have the columns ``site, path, unit, image, after, draw, priority``, see `lenslab.units.sweep.shards`.
    Where there are fewer than ``pairs``, fewer are checked.

    Raises:
        VerificationError: Some did not; the message names the first ones.
    """
    drawn = draw(candidates, pairs)
    by_site = {plan.site.name: plan for plan in plans}
    program, recheck = trace.program(device), Float64Recheck(trace, device)
    again, measured = np.full(len(drawn), -1), False
    for block, decoded, batch in _by_batch(drawn, images, preprocessing, batch_size, device):
        if not measured:
            with torch.inference_mode():
                recheck.trust(batch)
            measured = True
        for (site, _), group in block.groupby(["site", "draw"]):
            rows = torch.from_numpy(np.searchsorted(decoded.numbers, group["image"].to_numpy())).to(device)
            units = torch.tensor(group["unit"].to_numpy(), device=device).long()
            planned = by_site[str(site)]
            if resampling is not None:
                batch = replace(batch, fills=resampling.fills(decoded.numbers, int(group["draw"].iloc[0]), [str(site)]))
            intervention = planned.intervention_on(batch)
            with torch.inference_mode():
                logits = program.ablated_logits(batch.inputs[rows], planned.cut, units, intervention.at(rows))
                pieces = recheck.decided(logits, batch, planned.cut, rows, units, path=WHOLE, intervention=intervention)
            answers = {
                (row, unit): after
                for piece in pieces
                for row, unit, after in zip(
                    *(part.tolist() for part in (piece.rows, piece.units, piece.after)), strict=True
                )
            }
            again[group.index.to_numpy()] = [answers[pair] for pair in zip(rows.tolist(), units.tolist(), strict=True)]
    _refuse_differences(drawn.assign(again=again))
    counts = drawn.groupby("path").size()
    return {str(path): int(count) for path, count in counts.items()}


def _by_batch(
    drawn: pd.DataFrame, images: Images, preprocessing: Preprocessing, batch_size: int, device: torch.device
) -> Iterator[tuple[pd.DataFrame, ImageBlock, Batch]]:
    """Give the batches that have any of the pairs, each with its pairs."""
    pairs = {int(place) * batch_size: some for place, some in drawn.groupby(drawn["image"] // batch_size)}
    blocks = (
        block
        for first in pairs
        for block in images.blocks(batch_size, start=first, stop=min(first + batch_size, len(images)))
    )
    with closing(BatchReader(images, blocks, preprocessing, device)) as reader:
        for some, (decoded, batch) in zip(pairs.values(), reader, strict=True):
            yield some, decoded, batch


def draw(candidates: pd.DataFrame, pairs: int) -> pd.DataFrame:
    """Choose at most ``pairs`` rows evenly over the ``path``, within a path by ``priority``.

    Example:
        >>> candidates = pd.DataFrame({"path": list("aaab"), "priority": [0.1, 0.9, 0.5, 0.2]})
        >>> draw(candidates, 3)["priority"].tolist()
        [0.9, 0.2, 0.5]
    """
    ranked = candidates.sort_values("priority", ascending=False, kind="stable")
    turn = ranked.groupby("path").cumcount()
    return ranked.loc[turn.sort_values(kind="stable").index].head(pairs).reset_index(drop=True)


def draw_recorded(run: RunRecord, pairs: int) -> pd.DataFrame:
    """Choose pairs from a finished run, half of them flips: what to check where the sweep is long over.

    They are candidates as `verify` takes them, of the path ``"recorded"``; the run's seed decides which.
    """
    random = np.random.default_rng([run.seed, 1])
    images, flips = run.images, run.flips
    flipped = flips.iloc[random.permutation(len(flips))[: pairs // 2]]
    sizes = run.table("units", ["site", "unit"]).groupby("site", sort=False).size()
    names = random.choice(sizes.index.to_numpy(), size=2 * pairs)
    others = pd.DataFrame(
        {
            "site": names,
            "unit": [int(random.integers(sizes[name])) for name in names],
            "image": random.choice(images["image"].to_numpy(), size=len(names)),
            "draw": random.integers(run.intervention.draws, size=len(names)),
        }
    )
    pair = ["site", "unit", "image", "draw"]
    others = others.merge(flips[[*pair, "after"]], how="left", on=pair)
    before = images.set_index("image")["prediction"].loc[others["image"]].to_numpy()
    others["after"] = others["after"].fillna(pd.Series(before, index=others.index)).astype(int)
    chosen = pd.concat([flipped[[*pair, "after"]], others], ignore_index=True)
    distinct = chosen.drop_duplicates(pair).head(pairs)
    return distinct.assign(path="recorded", priority=1.0)


def _refuse_differences(pairs: pd.DataFrame) -> None:
    differing = pairs[pairs["again"] != pairs["after"]]
    if differing.empty:
        return
    shown = "; ".join(
        f"site {pair.site!r} unit {pair.unit} image {pair.image}: {pair.path} gave {pair.after}, plain {pair.again}"
        for pair in differing.head(5).itertuples()
    )
    raise VerificationError(
        f"{len(differing)} of {len(pairs)} pairs checked differ from the plain way: {shown}. "
        "Do not trust this run; measure with --engine plain and report the network"
    )
